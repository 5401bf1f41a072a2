"""The client against a broker that repeats, drops, refuses and forgets: what is acknowledged when, and what comes again."""

from __future__ import annotations

import gc
import json
import ssl
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from shouwang.kernel.errors import StorageAway
from shouwang.people.actions import issue_credential
from shouwang.people.models import Credential
from shouwang.people.queries.scopes import forget_tokens
from shouwang.people.rules.codes import INTEGRATION
from shouwang.telemetry import queries, writing
from shouwang.telemetry.actions import add_things
from shouwang.telemetry.following import Bell, pause_s
from shouwang.telemetry.models import Observation, Quarantine
from shouwang.telemetry.rules import NewThing
from shouwang.telemetry.sources.mqtt_client import follow
from shouwang.telemetry.sources.mqtt_client.said import MqttClientSettings, SecretUnreadable, Topic, secret_in
from shouwang.telemetry.sources.wmbusmeters import EXAMPLE
from tests.telemetry.sources.mqtt.test_listen import certificate
from tests.telemetry.sources.mqtt_client.broker import Behaviour, Broker
from tests.telemetry.sources.mqtt_client.line import NOW, following, settings_for

PASSWORD = "broker-secret-word"


@pytest.fixture
def token(transactional_db: None, now: datetime, tmp_path: Path) -> Path:
    """Register meter M1 and return the file with the token of an integration."""
    del transactional_db
    add_things([NewThing("M1", "WATER_METER", "M1", (("register_l", "L"),), path="/1/")], now=now)
    queries.forget()
    path = tmp_path / "token"
    path.write_text(issue_credential(INTEGRATION, subject="broker", paths=["/1/"], now=now) + "\n", "utf-8")
    return path


def reading(n: int = 0, **more: object) -> bytes:
    said = {"datastream": "register_l", "phenomenon_time": (NOW - timedelta(seconds=n)).isoformat(), "result": 36412, **more}
    return json.dumps({"readings": [said]}).encode()


def rows() -> int:
    return Observation.objects.count()


def told(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    """Return whether something is logged within ten seconds."""
    for _ in range(500):
        if text in caplog.text:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_it_says_what_it_wants_and_stores_what_comes(token: Path, version: str) -> None:
    with Broker() as broker:
        with following(settings_for(broker, token, version=version)):
            broker.publish("meters/M1/up", reading(1))
            broker.publish("meters/M1/up", reading(2), qos=0)
            broker.publish("radio/a/b", json.dumps({**EXAMPLE, "id": "M1", "timestamp": NOW.isoformat()}).encode())
            assert broker.wait(lambda: len(broker.acked) == 2)
        assert broker.wait(lambda: broker.goodbyes == 1)
    (said,) = broker.connects
    assert ["meters/+/up", "gateway/up", "radio/#"] == broker.session.filters
    assert ("shouwang", False, 5 if version == "5" else 4) == (said["client_id"], said["clean"], said["level"])
    if version == "5":
        assert (7 * 86_400, 200, 65_536) == (said["session_s"], said["receive_maximum"], said["packet_bytes"])
    assert (3, []) == (rows(), broker.stray)


def test_the_acknowledgement_comes_after_the_commit(token: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, may_commit = writing.store, threading.Event()

    def held(*arguments: Any, **named: Any) -> Any:
        assert may_commit.wait(10)
        return store(*arguments, **named)

    monkeypatch.setattr(writing, "store", held)
    with Broker() as broker, following(settings_for(broker, token)):
        broker.publish("meters/M1/up", reading())
        assert broker.wait(lambda: broker.session.flying)
        time.sleep(0.3)  # long enough for an answer that does not wait
        assert (broker.acked, rows()) == ([], 0)
        may_commit.set()
        assert broker.wait(lambda: broker.acked)
    assert rows() == 1


def test_what_came_while_it_was_away_is_delivered_once_it_is_back(token: Path) -> None:
    with Broker() as broker:
        said = settings_for(broker, token)
        with following(said):
            assert broker.wait(lambda: broker.session.filters)
        for n in range(20):
            broker.publish("meters/M1/up", reading(n))
        with following(said):
            assert broker.wait(lambda: len(broker.acked) == 20)
    assert rows() == 20


def test_a_connection_that_drops_before_the_acknowledgement_brings_it_again_and_stores_it_once(token: Path) -> None:
    with Broker(Behaviour(drops_before_acks=3)) as broker, following(settings_for(broker, token)):
        for n in range(10):
            broker.publish("meters/M1/up", reading(n))
        assert broker.wait(lambda: len(broker.acked) == 10)
    assert (rows(), len(broker.connects)) == (10, 4)
    assert broker.stray == []


def test_a_message_that_is_repeated_at_once_is_acknowledged_once(token: Path) -> None:
    with Broker(Behaviour(repeats=True)) as broker, following(settings_for(broker, token)):
        for n in range(30):
            broker.publish("meters/M1/up", reading(n))
        assert broker.wait(lambda: len(broker.acked) == 30)
    assert rows() == 30
    # A packet id is free once it is acknowledged: a second PUBACK could be for another message by then.
    assert len(broker.stray) < 30


def test_a_packet_id_that_a_new_session_uses_again_is_not_acknowledged_for_the_older_message(token: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, may_commit = writing.store, {36_001.0: threading.Event(), 36_002.0: threading.Event()}

    def held(messages: Any, **named: Any) -> Any:
        assert may_commit[messages[0].readings[0].result].wait(10)
        return store(messages, **named)

    acknowledge, answered = follow.Link.acknowledge, threading.Event()

    def noted(self: follow.Link, tickets: list[follow.Ticket]) -> None:
        acknowledge(self, tickets)
        answered.set()

    monkeypatch.setattr(writing, "store", held)
    monkeypatch.setattr(follow.Link, "acknowledge", noted)
    with Broker(Behaviour(forgets=True)) as broker, following(settings_for(broker, token)):
        assert broker.wait(lambda: broker.session.filters)
        broker.publish("meters/M1/up", reading(1, result=36_001))
        assert broker.wait(lambda: broker.session.flying)
        time.sleep(0.2)  # the client has it by then, and its writer alone
        broker.cut()
        assert broker.wait(lambda: len(broker.connects) == 2 and broker.session.filters)
        broker.publish("meters/M1/up", reading(2, result=36_002))
        assert broker.wait(lambda: list(broker.session.flying) == [1])
        may_commit[36_001.0].set()
        assert answered.wait(10)
        time.sleep(0.3)  # long enough for a PUBACK to arrive
        assert (broker.acked, rows()) == ([], 1)
        may_commit[36_002.0].set()
        assert broker.wait(lambda: broker.acked == [1])
    assert rows() == 2


def test_no_more_is_asked_for_at_once_and_what_is_sent_beyond_that_waits(token: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    came, most = follow.Link._came, [0]

    def noted(self: follow.Link, *arguments: Any) -> None:
        came(self, *arguments)
        most[0] = max(most[0], self.flying)

    monkeypatch.setattr(follow.Link, "_came", noted)
    with Broker() as broker, following(settings_for(broker, token), receive_maximum=5):
        for n in range(40):
            broker.publish("meters/M1/up", reading(n))
        assert broker.wait(lambda: len(broker.acked) == 40)
        assert broker.most_flying <= 5
        broker.behaviour.ignores_maximum = True
        for n in range(40, 140):
            broker.publish("meters/M1/up", reading(n))
        assert broker.wait(lambda: len(broker.acked) == 140)
    assert (most, rows(), len(broker.connects)) == ([5], 140, 1)


def test_a_refused_password_is_told_without_it_and_tried_again(token: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    word = tmp_path / "password"
    word.write_text("old-" + PASSWORD, "utf-8")
    with Broker(Behaviour(password=PASSWORD)) as broker:
        broker.publish("meters/M1/up", reading())
        with following(settings_for(broker, token, username="county", password_file=str(word))):
            assert broker.wait(lambda: len(broker.connects) >= 3)
            assert not broker.acked
            word.write_text(PASSWORD, "utf-8")
            assert broker.wait(lambda: broker.acked)
    assert "check username and password_file" in caplog.text
    assert PASSWORD not in caplog.text
    assert token.read_text("utf-8").strip() not in caplog.text
    assert PASSWORD == broker.connects[-1]["password"]


def test_a_broker_that_speaks_the_older_version_is_told_of(token: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Broker(Behaviour(speaks=4)) as broker:
        broker.publish("meters/M1/up", reading())
        with following(settings_for(broker, token)):
            assert broker.wait(lambda: len(broker.connects) >= 2)
        assert 'set version = "3.1.1"' in caplog.text
        with following(settings_for(broker, token, version="3.1.1")):
            assert broker.wait(lambda: broker.acked)


def test_an_unknown_device_and_what_cannot_be_read_are_kept_and_acknowledged(token: Path) -> None:
    large = reading(1, note="x" * 70_000)
    with Broker() as broker:
        broker.publish("meters/M9/up", reading())
        broker.publish("meters/M1/up", b"\xff{")
        broker.publish("meters/M1/up", large)
        with following(settings_for(broker, token)):
            assert broker.wait(lambda: len(broker.acked) == 3)
            broker.session.filters.append("elsewhere")
            broker.publish("elsewhere", b"{}")
            assert broker.wait(lambda: len(broker.acked) == 4)
    kept = list(Quarantine.objects.order_by("pk").values_list("reason", "device"))
    assert {("UNKNOWN_DEVICE", "M9"), ("UNREADABLE", "M1"), ("UNREADABLE", "broker")} == set(kept)
    assert len(kept) == 4
    assert max(len(each) for each in Quarantine.objects.values_list("raw", flat=True)) < 2_000
    assert rows() == 0


def test_a_forgotten_session_and_a_refused_topic_are_told(token: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Broker(Behaviour(refuses=("gateway/up",))) as broker, following(settings_for(broker, token)):
        assert broker.wait(lambda: broker.session.filters)
        assert told(caplog, "refuses topic gateway/up")
        broker.behaviour.forgets = True
        broker.cut()
        assert told(caplog, "forgot the session of shouwang")
        broker.publish("meters/M1/up", reading())
        assert broker.wait(lambda: broker.acked)


def test_every_topic_refused_or_granted_without_promise_is_told(token: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Broker(Behaviour(refuses=("meters/+/up", "gateway/up", "radio/#"))) as broker, following(settings_for(broker, token)):
        assert broker.wait(lambda: len(broker.connects) >= 2)
        broker.behaviour.refuses = ()
        broker.behaviour.grants = 0
        assert told(caplog, "only QoS 0")
    assert "it refused every topic" in caplog.text


def test_a_token_that_ends_is_told_and_what_came_is_not_acknowledged(token: Path, now: datetime, caplog: pytest.LogCaptureFixture) -> None:
    with Broker() as broker, following(settings_for(broker, token)):
        broker.publish("meters/M1/up", reading(1))
        assert broker.wait(lambda: broker.acked)
        Credential.objects.unscoped().update(revoked_at=now)
        forget_tokens()
        broker.publish("meters/M1/up", reading(2))
        assert told(caplog, "token_file")
        assert len(broker.acked) == 1
        token.write_text(issue_credential(INTEGRATION, subject="broker", paths=["/1/"], now=now), "utf-8")
        assert broker.wait(lambda: len(broker.acked) == 2)
    assert rows() == 2


def test_while_the_database_is_away_nothing_is_acknowledged_and_it_comes_again(token: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "AWAY_S", 0.01)
    store, failures = writing.store, iter(range(3))

    def failing(*arguments: Any, **named: Any) -> Any:
        if next(failures, None) is not None:
            raise StorageAway
        return store(*arguments, **named)

    monkeypatch.setattr(writing, "store", failing)
    with Broker() as broker, following(settings_for(broker, token)):
        for n in range(5):
            broker.publish("meters/M1/up", reading(n))
        assert broker.wait(lambda: len(broker.acked) == 5)
    assert len(broker.connects) >= 2
    assert rows() == 5


@pytest.mark.parametrize("noise", [b"\xff" * 50, b"\x30\x03\0\x50x", bytes(40), b"\x62\x02\0\1", b"GET / HTTP/1.1\r\n\r\n", b"\x32\x05\0\3\xff\xff\xff"])
def test_whatever_a_broker_sends_ends_the_connection_and_not_the_process(token: Path, noise: bytes) -> None:
    with Broker(Behaviour(says=noise)) as broker, following(settings_for(broker, token), connect_within_s=0.5):
        assert broker.wait(lambda: broker.connects)
        time.sleep(0.1)
        broker.behaviour.says = b""
        broker.cut()
        broker.publish("meters/M1/up", reading())
        assert broker.wait(lambda: broker.acked)


def test_what_was_received_before_the_end_is_stored_and_acknowledged(token: Path) -> None:
    with Broker() as broker:
        with following(settings_for(broker, token)) as options:
            for n in range(100):
                broker.publish("meters/M1/up", reading(n))
            assert broker.wait(lambda: broker.acked)
            options.over.set()
        assert broker.wait(lambda: broker.goodbyes)
        assert len(broker.acked) == rows()


# paho leaves a socket whose handshake failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_with_tls_the_brokers_certificate_is_checked(token: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cert, key = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    with Broker(tls=context) as broker:
        address = f"mqtts://localhost:{broker.port}"
        with following(settings_for(broker, token, address=address)):
            assert told(caplog, "CERTIFICATE_VERIFY_FAILED")
        for n in range(50):
            broker.publish("meters/M1/up", reading(n))
        with following(settings_for(broker, token, address=address, ca_file=str(cert))):
            assert broker.wait(lambda: len(broker.acked) == 50)
    assert rows() == 50
    gc.collect()


WRONG = [
    {"address": "http://b"}, {"address": "mqtt://user:word@b"}, {"address": "mqtt://b:0"}, {"address": "mqtt://b:x"}, {"address": "b:1883"},
    {"topics": []}, {"topics": [{"topic": "a/#/b"}]}, {"topics": [{"topic": "a", "shape": "mqtt"}]}, {"topics": [{"topic": "a", "shape": "none"}]},
    {"password_file": "x"}, {"ca_file": "x"}, {"address": "mqtts://b", "key_file": "x"}, {"version": "4"}, {"client_id": ""}, {"password": "x"},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_settings_are_told(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"address": "mqtt://b", "token_file": "t", "topics": [{"topic": "a"}], **wrong}, MqttClientSettings)


def test_right_settings_are_read() -> None:
    said = msgspec.convert({"address": "mqtts://broker.example", "token_file": "t", "topics": [{"topic": "a", "shape": "wmbusmeters"}]}, MqttClientSettings)
    assert ("broker.example", 8883, True, (Topic("a", "wmbusmeters"),)) == (said.host, said.port, said.is_tls, said.topics)
    assert MqttClientSettings(address="mqtt://[::1]:99", token_file="t", topics=(Topic("a"),)).port == 99


@pytest.mark.parametrize("holds", [None, b"", b"\n", b"one\ntwo", b"word-\xff", b"x" * 5_000])
def test_a_secret_that_cannot_be_used_is_told_without_it(tmp_path: Path, holds: bytes | None) -> None:
    path = tmp_path / "secret"
    if holds is not None:
        path.write_bytes(holds)
    with pytest.raises(SecretUnreadable) as caught:
        secret_in(str(path), name="password_file")
    assert "word-" not in str(caught.value)
    assert str(path) in caught.value.text("en")


def test_pauses_grow_and_are_spread_by_chance() -> None:
    def pause(failures: int, chance: Callable[[], float]) -> float:
        source = Random()
        source.random = chance  # type: ignore[method-assign]
        return pause_s(failures, chance=source, least_s=1, most_s=60)

    assert [0.5, 1.0, 2.0, 4.0] == [pause(n, lambda: 0.0) for n in (1, 2, 3, 4)]
    assert (30.0, 60.0) == (pause(10**6, lambda: 0.0), pause(10**6, lambda: 1.0))
    assert pause(0, lambda: 1.0) <= 1.0


def test_a_bell_that_nobody_hears_holds_up_nobody() -> None:
    bell = Bell()
    for _ in range(100_000):
        bell.ring()
    bell.quiet()
    bell.close()
    bell.ring()
