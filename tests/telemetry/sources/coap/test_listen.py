"""The listener over a real socket: what is answered when, what comes again, and what is refused."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiocoap.numbers.constants import TransportTuning
from django.db import OperationalError

from shouwang.people.actions import issue_credential
from shouwang.people.models import Credential
from shouwang.people.queries.scopes import forget_tokens
from shouwang.people.rules.codes import DEVICE, INTEGRATION
from shouwang.telemetry import actions, admission, queries, writing
from shouwang.telemetry.actions import add_things
from shouwang.telemetry.listening import Listening
from shouwang.telemetry.models import Observation, Quarantine
from shouwang.telemetry.rules import NewThing
from shouwang.telemetry.sources.coap import receive, serve
from shouwang.telemetry.sources.coap.receive import TlsUnknown
from shouwang.telemetry.sources.wmbusmeters import EXAMPLE
from tests.telemetry.sources.coap.device import ACK, CHANGED, CON, CONTINUE, EMPTY, GET, NON, PUT, encode
from tests.telemetry.sources.coap.line import NOW, devices
from tests.telemetry.sources.loops import asked, run

PATH = "v1/M1/readings"


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


def many(count: int) -> bytes:
    readings = [{"datastream": "register_l", "phenomenon_time": (NOW - timedelta(hours=n)).isoformat(), "result": 36412 + n} for n in range(count)]
    return json.dumps({"readings": readings}).encode()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let nothing be committed until it is set."""
    store, may_commit = writing.store, threading.Event()

    def held(*arguments: Any, **named: Any) -> Any:
        assert may_commit.wait(10)
        return store(*arguments, **named)

    monkeypatch.setattr(writing, "store", held)
    return may_commit


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an answer come with its acknowledgement, however slow this machine is."""
    monkeypatch.setattr(TransportTuning, "EMPTY_ACK_DELAY", 5.0)


@pytest.mark.usefixtures("patient")
def test_post_and_put_store_and_the_answer_comes_with_the_acknowledgement(token: str) -> None:
    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            for n, code in ((1, 2), (2, PUT)):
                request = device.request(PATH, reading(n), token=token, code=code)
                answer = await device.ask(request)
                assert (ACK, CHANGED, request.message_id, b"") == (answer.kind, answer.code, answer.message_id, answer.payload)
            said = await device.post("v1/readings", reading(3), token=token, form=None)
            assert said.code == CHANGED

    run(scenario())
    assert Observation.objects.count() == 3


def test_a_commit_that_takes_longer_is_answered_separately_and_only_then(token: str, gate: threading.Event) -> None:
    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            request = device.request(PATH, reading(), token=token)
            with pytest.raises(TimeoutError):
                await device.ask(request, most_s=0.5)
            assert [(ACK, EMPTY, request.message_id)] == [(each.kind, each.code, each.message_id) for each in device.heard]
            assert not await asked(Observation.objects.exists)
            gate.set()
            answer = await device.answer_to(request)
            assert (CON, CHANGED) == (answer.kind, answer.code)
            assert answer.message_id != request.message_id

    run(scenario())
    assert Observation.objects.count() == 1


def test_a_device_that_does_not_acknowledge_a_separate_answer_gets_it_again(token: str, gate: threading.Event) -> None:
    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            device.says_kept = False
            request = device.request(PATH, reading(), token=token)
            with pytest.raises(TimeoutError):
                await device.ask(request, most_s=0.3)
            gate.set()
            await device.answer_to(request)
            device.says_kept = True
            since = len(device.heard)
            answer = await device.answer_to(request, since=since, most_s=8)
            assert answer.code == CHANGED

    run(scenario())


@pytest.mark.usefixtures("patient")
def test_the_same_message_id_again_is_answered_again_and_stored_once(token: str) -> None:
    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            request = device.request(PATH, reading(), token=token)
            for _ in range(4):
                answer = await device.ask(request)
                assert (ACK, CHANGED, request.message_id) == (answer.kind, answer.code, answer.message_id)

    run(scenario())
    assert Observation.objects.count() == 1


def test_a_repeat_while_the_first_is_still_to_be_committed_is_answered_too(token: str, gate: threading.Event) -> None:
    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            request = device.request(PATH, reading(), token=token)
            for _ in range(3):
                with pytest.raises(TimeoutError):
                    await device.ask(request, most_s=0.05)
            gate.set()
            assert (await device.answer_to(request)).code == CHANGED

    run(scenario())
    assert Observation.objects.count() == 1


def test_a_device_that_begins_its_message_ids_anew_is_not_answered_for_what_it_sent_before(token: str) -> None:
    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            request = device.request(PATH, reading(1), token=token)
            assert (await device.ask(request)).code == CHANGED
            request.payload = reading(2, result=36_500)
            assert (await device.ask(request)).code == CHANGED

    run(scenario())
    assert {36_412.0, 36_500.0} == set(Observation.objects.values_list("result", flat=True))


def test_what_asks_for_no_confirmation_is_stored_and_answered_likewise(token: str) -> None:
    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            answer = await device.post(PATH, reading(), token=token, kind=NON)
            assert (NON, CHANGED) == (answer.kind, answer.code)

    run(scenario())


def test_a_body_in_blocks_is_stored_whole_and_a_repeated_block_does_no_harm(token: str) -> None:
    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            assert (await device.post_in_blocks(PATH, many(40), exponent=4, token=token)).code == CHANGED
            assert not await asked(lambda: Observation.objects.count() - 40)
            body = many(3)
            first, last = body[:128], body[128:256]
            for _ in range(2):
                assert (await device.post(PATH, first, token=token, block=(0, True, 3))).code == CONTINUE
            for _ in range(2):  # a cut body: told, and no crash
                assert (await device.post(PATH, last, token=token, block=(1, False, 3))).status == "4.00"
            lone = await device.post(PATH, last, token=token, block=(7, False, 3))
            assert (lone.status, lone.payload) == ("4.08", b"The block begins at byte 896, expected byte 256; send again from block 0.")

    run(scenario())
    assert Observation.objects.count() == 40


def test_two_devices_blocks_are_kept_apart(token: str) -> None:
    async def scenario() -> None:
        async with devices() as another:
            one, two = await another(), await another()
            body = many(2)
            assert (await one.post(PATH, body[:64], token=token, block=(0, True, 2))).code == CONTINUE
            assert (await two.post(PATH, body[64:], token=token, block=(1, False, 2))).status == "4.08"

    run(scenario())


def refusals(token: str, reader: str) -> list[tuple[str, bytes, dict[str, Any], str, str]]:
    return [
        # path, payload, what else, the code, what is told
        (PATH, reading(), {}, "4.01", "token is missing"),
        (PATH, reading(), {"token": "wrong"}, "4.01", "token is missing"),
        (PATH, reading(), {"token": "错"}, "4.01", "token is missing"),
        (PATH, reading(), {"token": reader}, "4.03", "telemetry.write"),
        (PATH, b"{", {"token": token}, "4.00", "body cannot be read"),
        (PATH, b"", {"token": token}, "4.00", "body cannot be read"),
        (PATH, reading(result="x"), {"token": token}, "4.00", "readings[0].result cannot be read"),
        (PATH, b"[" * 900, {"token": token}, "4.00", "body cannot be read"),
        (PATH, reading(), {"token": token, "code": GET}, "4.05", "POST or PUT"),
        (PATH, reading(), {"token": token, "form": 60}, "4.15", "application/json (50)"),
        ("v1/M1/elsewhere", reading(), {"token": token}, "4.04", "v1/{device}/readings"),
        (".well-known/core", b"", {"token": token, "code": GET}, "4.04", "v1/readings"),
        (PATH, bytes(64), {"token": token, "block": (1_024, True, 2)}, "4.13", "at most 65536 B"),
    ]


def test_what_is_refused_is_told_why(token: str, now: datetime) -> None:
    reader = issue_credential(INTEGRATION, subject="reader", paths=["/1/"], rights=["alerts.write"], now=now)

    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            for path, payload, more, code, told in refusals(token, reader):
                answer = await device.post(path, payload, **more)
                assert (code, True) == (answer.status, told in answer.payload.decode()), (path, more, answer)
                assert len(answer.payload) <= 400
            assert (await device.post(PATH, reading(), token=token)).code == CHANGED

    run(scenario())
    assert Observation.objects.count() == 1
    assert not Quarantine.objects.exists()


def test_a_large_datagram_is_refused(token: str) -> None:
    async def scenario() -> None:
        async with devices(body_bytes=500) as another:
            device = await another()
            assert (await device.post(PATH, many(20), token=token)).status == "4.13"

    run(scenario())


def test_other_shapes_come_under_their_own_path_and_anothers_device_goes_to_quarantine(token: str, now: datetime) -> None:
    gateway = issue_credential(INTEGRATION, subject="gateway", paths=["/1/"], now=now)
    telegram = json.dumps({**EXAMPLE, "id": "M1", "timestamp": NOW.isoformat()}).encode()

    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            assert (await device.post("v1/gateway/wmbusmeters", telegram, token=gateway)).code == CHANGED
            assert (await device.post("v1/M2/readings", reading(), token=token)).code == CHANGED

    run(scenario())
    assert Observation.objects.count() == 1
    assert [("FOREIGN_DEVICE", "M2")] == list(Quarantine.objects.values_list("reason", "device"))


def failing(error: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_a_full_disk_and_a_database_that_is_away_are_told_and_when_to_come_back(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    wrapped = OperationalError("full")
    wrapped.__cause__ = full
    monkeypatch.setattr(writing, "AWAY_S", 0.01)

    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            for module, name, error in ((actions, "_log", wrapped), (admission, "scope_of_token", OperationalError("no route"))):
                with monkeypatch.context() as patched:
                    patched.setattr(module, name, failing(error))
                    answer = await device.post(PATH, reading(), token=token)
                assert (answer.status, (14, b"\x05") in answer.options) == ("5.03", True)
            with monkeypatch.context() as patched:
                patched.setattr(receive, "key_of", failing(RuntimeError("new")))
                assert (await device.post(PATH, reading(), token=token)).status == "5.00"
            assert (await device.post(PATH, reading(), token=token)).code == CHANGED

    run(scenario())
    assert Observation.objects.count() == 1


def test_too_much_that_waits_is_refused_and_a_revoked_token_too(token: str, now: datetime, gate: threading.Event) -> None:
    async def scenario() -> None:
        async with devices(waiting_bytes=600) as another:
            device = await another()
            first, second = device.request(PATH, reading(1), token=token), device.request(PATH, reading(2), token=token)
            with pytest.raises(TimeoutError):
                await device.ask(first, most_s=0.2)
            answer = await device.ask(second)
            assert (answer.status, b"Too much waits" in answer.payload) == ("5.03", True)
            gate.set()
            assert (await device.answer_to(first)).code == CHANGED
            await asked(lambda: Credential.objects.unscoped().update(revoked_at=now))
            forget_tokens()
            assert (await device.ask(second)).status == "4.01"

    run(scenario())
    assert Observation.objects.count() == 1


def test_what_was_taken_before_the_end_is_stored(token: str) -> None:
    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            requests = [device.request(PATH, reading(n), token=token) for n in range(50)]
            for each in requests:
                device.send(encode(each))
            await device.answer_to(requests[0])
        await asyncio.sleep(0.1)
        changed = sum(each.code == CHANGED for each in device.heard)
        assert 0 < changed <= await asked(Observation.objects.count)

    run(scenario())


def test_it_speaks_no_tls(tmp_path: Path) -> None:
    with pytest.raises(TlsUnknown):
        serve(Listening("127.0.0.1", 0, lambda: NOW, tmp_path / "cert.pem", tmp_path / "key.pem"))


def test_the_token_is_in_no_log(token: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            await device.post(PATH, reading(), token=token)
            await device.post(PATH, b"{", token=token)
            device.send(b"\x40\x02")
            request = device.request(PATH, reading(), token=token)
            device.send(encode(request) + b"\xff")
            device.send(encode(request)[:20])
            await device.post(PATH, reading(2), token=token)

    caplog.set_level(logging.DEBUG)
    run(scenario())
    assert token not in caplog.text
