"""The listener over real sockets: who is let in, what is answered when, and what ends a connection."""

from __future__ import annotations

import asyncio
import threading
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from shouwang.people.actions import issue_credential
from shouwang.people.rules.codes import INTEGRATION
from shouwang.telemetry import listening, queries, writing
from shouwang.telemetry.actions import add_things
from shouwang.telemetry.models import Observation
from shouwang.telemetry.receiving import release
from shouwang.telemetry.rules import NewThing
from shouwang.telemetry.sources.cjt188 import frames
from shouwang.telemetry.sources.cjt188.frames import Said
from shouwang.telemetry.sources.cjt188.listen import Cjt188Settings
from tests.telemetry.sources.cjt188.line import NOW, modems
from tests.telemetry.sources.loops import asked, run

METER = "37150000000001"
REPORT = frames.reported(Said(METER, 36_410.0, NOW, 1, True))
ANSWER = frames.answer_to(frames.read_frame(REPORT), control=0x21)


@pytest.fixture
def token(transactional_db: None, now: datetime) -> str:
    """Register a meter with the states it tells, and return the token of its concentrator."""
    del transactional_db
    streams = (("register_l", "L"), ("valve_state", "1"), ("battery_low", "1"))
    add_things([NewThing(METER, "WATER_METER", METER, streams, path="/1/")], now=now)
    queries.forget()
    return issue_credential(INTEGRATION, subject="concentrator", paths=["/1/"], now=now)


def test_the_answer_comes_after_the_commit_and_the_states_are_stored_beside(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store, may_commit = writing.store, threading.Event()

    def held(*arguments: Any, **named: Any) -> Any:
        assert may_commit.wait(10)
        return store(*arguments, **named)

    monkeypatch.setattr(writing, "store", held)

    async def scenario() -> None:
        async with modems() as another:
            modem = await another()
            await modem.say(token.encode() + b"\n" + REPORT[:9], REPORT[9:])
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(modem.hear(1), 0.3)
            assert not await asked(Observation.objects.exists)
            may_commit.set()
            assert await modem.hear(len(ANSWER)) == ANSWER

    run(scenario())
    assert {36_410.0, 1.0} == set(Observation.objects.values_list("result", flat=True))
    assert Observation.objects.count() == 3
    assert queries.quarantined_rows() == 0


def test_an_address_with_a_token_sends_frames_at_once(token: str) -> None:
    async def scenario() -> None:
        async with modems(Cjt188Settings(peers={"127.0.0.0/8": token})) as another:
            modem = await another()
            await modem.say(REPORT)
            assert await modem.hear(len(ANSWER)) == ANSWER
        async with modems(Cjt188Settings(peers={"10.0.0.0/8": token})) as another:
            modem = await another()
            await modem.say(REPORT, b"\n")
            assert await modem.hear(1) == b""

    run(scenario())
    assert Observation.objects.count() == 3


def test_no_answer_is_sent_where_none_is_wanted(token: str) -> None:
    async def scenario() -> None:
        async with modems(Cjt188Settings(answer_control=0)) as another:
            modem = await another()
            await modem.say(token.encode() + b"\n" + REPORT)
            for _ in range(100):
                if await asked(Observation.objects.exists):
                    break
                await asyncio.sleep(0.05)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(modem.hear(1), 0.2)

    run(scenario())
    assert Observation.objects.count() == 3


def test_a_frame_that_cannot_be_read_is_kept_and_answered_so_that_it_is_not_sent_for_ever(token: str) -> None:
    frozen = frames.framed(frames.read_frame(REPORT)._replace(data=b"\x20\xd1\x00" + bytes(5)))

    async def scenario() -> None:
        async with modems() as another:
            modem = await another()
            await modem.say(token.encode() + b"\n" + frozen + b"ping" + REPORT)
            assert (await modem.hear(2 * len(ANSWER)))[len(ANSWER) :] == ANSWER

    run(scenario())
    ((row,), _) = queries.quarantine()
    assert ("UNREADABLE", METER, frozen.hex().upper()) == (row.reason, row.device, row.raw)
    assert Observation.objects.count() == 3


def test_a_meter_that_is_registered_later_is_released_without_its_states(token: str, now: datetime) -> None:
    stranger = frames.reported(Said("37150000000009", 5.0, NOW, 1, True))

    async def scenario() -> None:
        async with modems() as another:
            modem = await another()
            await modem.say(token.encode() + b"\n" + stranger)
            assert len(await modem.hear(len(ANSWER))) == len(ANSWER)

    run(scenario())
    ((row,), _) = queries.quarantine()
    assert ("UNKNOWN_DEVICE", 1) == (row.reason, row.rows)
    add_things([NewThing("37150000000009", "WATER_METER", "", (("register_l", "L"),), path="/1/")], now=now)
    queries.forget()
    released = release(row.id, raw=row.raw, device=row.device, source=row.source, now=now)
    assert released is not None
    assert released.accepted == 1


def test_a_meter_that_does_not_know_the_answer_is_not_answered_for_ever(token: str) -> None:
    puzzled, failed = (frames.framed(frames.read_frame(REPORT)._replace(control=control, data=b"\0\0\0")) for control in (0xE1, 0xC1))

    async def scenario() -> None:
        async with modems() as another:
            modem = await another()
            await modem.say(token.encode() + b"\n" + puzzled + failed + REPORT)
            assert await modem.hear(len(ANSWER)) == ANSWER
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(modem.hear(1), 0.2)

    run(scenario())
    assert [failed.hex().upper()] == [row.raw for row in queries.quarantine()[0]]


def test_what_begins_with_no_token_or_holds_no_frames_ends_the_connection_and_no_other(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "SWEEP_S", 0.05)

    async def scenario() -> None:
        async with modems(connect_within_s=1, junk_bytes=100) as another:
            good, long, mute, noisy = [await another() for _ in range(4)]
            await good.say(token.encode() + b"\n")
            await long.say(b"x" * 300)
            await noisy.say(token.encode() + b"\n" + b"noise" * 40)
            for bad in (long, noisy, mute):
                assert await bad.hear(1) == b""
            await good.say(REPORT)
            assert await good.hear(len(ANSWER)) == ANSWER

    run(scenario())


@pytest.mark.parametrize("bad", [{"answer_control": 1}, {"answer_control": 0x81}, {"peers": {"nowhere": "x"}}, {"peer": {}}])
def test_wrong_settings_are_told(bad: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(bad, Cjt188Settings)


def test_a_meter_that_sends_a_backlog_is_stored_at_its_own_moments(token: str) -> None:
    backlog = [frames.reported(Said(METER, 36_000.0 + 10 * hour, NOW - timedelta(hours=24 - hour), 0, False), serial=hour) for hour in range(24)]

    async def scenario() -> None:
        async with modems() as another:
            modem = await another()
            await modem.say(token.encode() + b"\n" + b"".join(backlog))
            assert len(await modem.hear(24 * len(ANSWER))) == 24 * len(ANSWER)

    run(scenario())
    moments = set(Observation.objects.values_list("at", flat=True))
    assert {NOW - timedelta(hours=24 - hour) for hour in range(24)} == moments
