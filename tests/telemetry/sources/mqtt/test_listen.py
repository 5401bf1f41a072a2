"""The listener over real sockets: who is let in, what is acknowledged when, and what ends a connection."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import OperationalError

from shouwang.people.actions import issue_credential
from shouwang.people.models import Credential
from shouwang.people.queries.scopes import forget_tokens
from shouwang.people.rules.codes import DEVICE, INTEGRATION
from shouwang.telemetry import listening, queries, writing
from shouwang.telemetry.actions import add_things
from shouwang.telemetry.listening import Listening
from shouwang.telemetry.models import Observation, Quarantine
from shouwang.telemetry.rules import NewThing
from shouwang.telemetry.sources.mqtt import listen, packets
from tests.telemetry.sources.loops import asked, run
from tests.telemetry.sources.mqtt.line import NOW, Device, devices


@pytest.fixture
def token(transactional_db: None, now: datetime) -> str:
    """Register meter M1 and return its token."""
    del transactional_db
    add_things([NewThing("M1", "WATER_METER", "M1", (("register_l", "L"),), path="/1/")], now=now)
    queries.forget()
    return issue_credential(DEVICE, subject="M1", paths=["/1/"], now=now)


def reading(n: int = 0, **more: object) -> bytes:
    said = {"datastream": "register_l", "phenomenon_time": (NOW - timedelta(seconds=n)).isoformat(), "result": 36412, **more}
    return json.dumps({"readings": [said]}).encode()


def published(n: int = 1, *, topic: str = "v1/M1/readings", payload: bytes = b"", qos: int = 1) -> bytes:
    return packets.publish(topic, payload or reading(n), packet_id=n, qos=qos)


def test_who_is_let_in(token: str, now: datetime) -> None:
    platform = issue_credential(INTEGRATION, subject="waterworks", paths=["/1/"], now=now)
    reader = issue_credential(INTEGRATION, subject="reader", paths=["/1/"], rights=["stream.read"], now=now)

    async def scenario() -> None:
        async with devices() as another:
            assert await (await another()).connect(token) == packets.ACCEPTED
            assert await (await another()).connect(token, username="M2") == packets.WRONG_TOKEN
            assert await (await another()).connect("wrong") == packets.WRONG_TOKEN
            assert await (await another()).connect(platform, username="anything") == packets.ACCEPTED
            assert await (await another()).connect(reader) == packets.NOT_ALLOWED
            nameless = await another()
            await nameless.say(packets.connect("", username="M1", password=token, clean_session=False))
            assert packets.connack(packets.WRONG_CLIENT_ID)[2:] == (await nameless.hear())[0].body
            assert await nameless.hear() == []

    run(scenario())


def test_a_database_that_is_away_is_told_to_who_connects(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("no route")

    monkeypatch.setattr(listen, "scope_of_token", away)

    async def scenario() -> None:
        async with devices() as another:
            assert await (await another()).connect(token) == packets.UNAVAILABLE

    run(scenario())


def test_the_acknowledgement_comes_after_the_commit(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store, may_commit = writing.store, threading.Event()

    def held(*arguments: Any, **named: Any) -> Any:
        assert may_commit.wait(10)
        return store(*arguments, **named)

    monkeypatch.setattr(writing, "store", held)

    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            await device.connect(token)
            await device.say(published(7), packets.PING)
            assert [packets.PINGRESP] == [each.kind for each in await device.hear()]
            assert not await asked(Observation.objects.exists)
            may_commit.set()
            assert packets.answer_to(packets.PUBACK, 7)[2:] == (await device.hear())[0].body
            assert await asked(Observation.objects.count) == 1

    run(scenario())


def test_every_quality_of_service_is_stored_and_answered_as_it_asks(token: str) -> None:
    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            await device.connect(token)
            await device.say(published(1, qos=0), published(2, qos=1), published(3, qos=2), packets.answer_to(packets.PUBREL, 3))
            found = {(each.kind, int.from_bytes(each.body, "big")) for each in await device.hear(3)}
            assert {(packets.PUBACK, 2), (packets.PUBREC, 3), (packets.PUBCOMP, 3)} == found

    run(scenario())
    assert Observation.objects.count() == 3


def test_what_cannot_be_read_is_kept_and_acknowledged_so_that_it_is_not_sent_for_ever(token: str) -> None:
    deep = b'{"readings": [], "x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"
    wrong = [(b"\xff\0{", "v1/M1/readings"), (b"{}", "v1/M1/readings"), (b"23.5", "home/temperature"), (deep, "v1/M1/readings"), (b"", "v1/readings")]

    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            await device.connect(token)
            await device.say(*(packets.publish(topic, payload, packet_id=n) for n, (payload, topic) in enumerate(wrong, 1)), published(9))
            assert len(await device.hear(6)) == 6

    run(scenario())
    kept = list(Quarantine.objects.order_by("pk").values_list("reason", "device", "raw"))
    assert [("UNREADABLE", "M1")] * 5 == [each[:2] for each in kept]
    assert kept[0][2] == r"v1/M1/readings \xff\x00{"
    assert kept[2][2] == "home/temperature 23.5"
    assert Observation.objects.count() == 1
    from shouwang.telemetry.receiving import release  # noqa: PLC0415

    row = queries.quarantine()[0][0]
    assert release(row.id, raw=row.raw, device=row.device, source=row.source, now=NOW) is None


def test_a_platforms_message_is_kept_while_it_is_not_mapped_and_refused_while_that_is_set_wrongly(token: str, settings: Any) -> None:
    message = json.dumps({"messageType": "dataReport", "deviceId": "M1", "timestamp": 1, "payload": {"volume": 1}}).encode()

    async def scenario() -> None:
        async with devices() as another:
            settings.SHOUWANG_SOURCES = {}
            device = await another()
            await device.connect(token)
            await device.say(published(1, topic="v1/M1/ctwing", payload=message))
            assert len(await device.hear()) == 1
            settings.SHOUWANG_SOURCES = {"ctwing": {"registers": 5}}
            await device.say(published(2, topic="v1/M1/ctwing", payload=message))
            assert await device.hear() == []

    run(scenario())
    assert [("UNMAPPED", "M1", message.decode())] == [(row.reason, row.device, row.raw) for row in queries.quarantine()[0]]


def test_another_devices_topic_goes_to_quarantine(token: str) -> None:
    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            await device.connect(token)
            await device.say(published(1, topic="v1/M2/readings"), published(2, payload=reading(2, device="M2")))
            assert len(await device.hear(2)) == 2

    run(scenario())
    assert [("FOREIGN_DEVICE", "M2", 2)] == [(row.reason, row.device, row.rows) for row in queries.quarantine()[0]]


def test_a_revoked_token_ends_its_connection(token: str, now: datetime) -> None:
    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            await device.connect(token)
            await device.say(published(1))
            assert len(await device.hear()) == 1
            await asked(lambda: Credential.objects.unscoped().update(revoked_at=now))
            forget_tokens()
            await device.say(published(2))
            assert await device.hear() == []

    run(scenario())
    assert Observation.objects.count() == 1


def test_a_client_id_that_comes_again_ends_the_older_connection_of_the_same_owner(token: str, now: datetime) -> None:
    platform = issue_credential(INTEGRATION, subject="waterworks", paths=["/1/"], now=now)

    async def scenario() -> None:
        async with devices() as another:
            older, other, newer = [await another() for _ in range(3)]
            await older.connect(token)
            await other.connect(platform)
            assert await newer.connect(token) == packets.ACCEPTED
            assert await older.hear() == []
            for each in (other, newer):
                await each.say(packets.PING)
                assert [packets.PINGRESP] == [found.kind for found in await each.hear()]

    run(scenario())


def test_silence_beyond_the_keep_alive_ends_a_connection(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "SWEEP_S", 0.05)

    async def scenario() -> None:
        async with devices(connect_within_s=1) as another:
            loop = asyncio.get_running_loop()
            mute, silent, lasting = [await another() for _ in range(3)]
            began_s = loop.time()
            await silent.connect(token, client_id="silent", keep_alive_s=1)
            await lasting.connect(token, client_id="lasting", keep_alive_s=0)
            assert await silent.hear() == []
            assert loop.time() - began_s >= 1.4
            assert await mute.hear() == []
            await lasting.say(packets.PING)
            assert len(await lasting.hear()) == 1

    run(scenario())


def test_what_is_too_large_or_no_mqtt_ends_the_connection_and_no_other(token: str) -> None:
    async def scenario() -> None:
        async with devices() as another:
            good = await another()
            await good.connect(token)
            for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x10\xff\xff\xff\x7f", bytes(100)):
                bad = await another()
                await bad.say(data)
                assert await bad.hear() == []
            large = await another()
            await large.connect(token, client_id="large")
            await large.say(published(1, payload=bytes(65_536)))
            assert await large.hear() == []
            await good.say(published(2))
            assert len(await good.hear()) == 1

    run(scenario())


def test_too_many_connections_are_turned_away(token: str) -> None:
    async def scenario() -> None:
        async with devices(connections=1) as another:
            first = await another()
            assert await first.connect(token) == packets.ACCEPTED
            assert await (await another()).connect(token) == -1
            await first.close()
            await asyncio.sleep(0.1)
            assert await (await another()).connect(token) == packets.ACCEPTED

    run(scenario())


def test_a_flood_is_read_as_fast_as_it_is_stored_and_all_of_it_is_acknowledged(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    most: list[int] = []
    give = listening.Hub.give

    def noted(self: listening.Hub, *arguments: Any) -> None:
        give(self, *arguments)
        most.append(self.waiting_bytes)

    monkeypatch.setattr(listening.Hub, "give", noted)
    count = 5_000

    async def scenario() -> None:
        async with devices(waiting_bytes=40_000, waiting_bytes_per_connection=20_000) as another:
            device = await another()
            await device.connect(token)
            sending = asyncio.create_task(device.say(*(published(n) for n in range(1, count + 1))))
            answers = await device.hear(count)
            await sending
            assert list(range(1, count + 1)) == [int.from_bytes(each.body, "big") for each in answers]

    run(scenario())
    assert Observation.objects.count() == count
    # One read of the socket, at most 256 KiB of it, may come on top of the limit.
    assert max(most) < 20_000 + 3 * 262_144


def test_what_was_received_before_the_end_is_stored_and_answered(token: str) -> None:
    answered: list[int] = []

    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            await device.connect(token)
            await device.say(*(published(n) for n in range(1, 101)))
            answered.extend([len(await device.hear(1))])

            async def rest(of: Device) -> None:
                answered.append(len(await of.hear(100)))

            hearing = asyncio.create_task(rest(device))
            await asyncio.sleep(0.05)
        await hearing

    run(scenario())
    assert sum(answered) == Observation.objects.count() > 0


def test_one_message_that_fails_does_not_fail_the_others(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = writing.store

    def picky(messages: Any, **named: Any) -> Any:
        if any(each.result == 13 for message in messages for each in message.readings):
            raise RuntimeError("thirteen")
        return store(messages, **named)

    monkeypatch.setattr(writing, "store", picky)

    async def scenario() -> None:
        async with devices() as another:
            good, bad = await another(), await another()
            await good.connect(token, client_id="good")
            await bad.connect(token, client_id="bad")
            await asyncio.gather(good.say(*(published(n) for n in range(1, 51))), bad.say(published(60, payload=reading(60, result=13))))
            assert len(await good.hear(50)) == 50
            assert await bad.hear() == []

    run(scenario())
    assert Observation.objects.count() == 50


def certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(datetime(2020, 1, 1)).not_valid_after(datetime(2040, 1, 1))  # noqa: DTZ001
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False).sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    return folder / "cert.pem", folder / "key.pem"


def test_with_a_certificate_it_speaks_tls(token: str, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)

    async def scenario() -> None:
        options = Listening("127.0.0.1", 0, lambda: NOW, cert, key)
        hub = listening.Hub("mqtt", options.now, listen_limits())
        async with listening.listening(options, hub, listen.Client) as port:
            tls = ssl.create_default_context(cafile=cert)
            device = Device(*await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname="localhost"))
            assert await device.connect(token) == packets.ACCEPTED
            await device.say(published(1))
            assert len(await device.hear()) == 1
            await device.close()

    run(scenario())
    assert Observation.objects.count() == 1


def listen_limits() -> dict[str, int]:
    from shouwang.telemetry.sources import sources_found  # noqa: PLC0415

    return dict(sources_found()["mqtt"].limits)
