"""Every source of readings keeps the same promises: acknowledged is stored, once, where it belongs, and nothing crashes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError

from shouwang.people.actions import issue_credential
from shouwang.people.rules.codes import DEVICE, INTEGRATION
from shouwang.telemetry import actions, queries, writing
from shouwang.telemetry.actions import add_things
from shouwang.telemetry.models import Observation, Quarantine
from shouwang.telemetry.rules import NewThing
from shouwang.telemetry.sources import EVENTS, FOLLOW, LISTEN, PUSH, decoder_of, sources_found
from tests.telemetry.sources.contract import NAMES, Line, Read, line_of

M1, M2, STRANGER = "37150000000001", "37150000000002", "37150000000009"


@pytest.fixture(params=NAMES)
def line(request: pytest.FixtureRequest) -> Line:
    return line_of(request.param)


@pytest.fixture
def streams(transactional_db: None, now: datetime) -> dict[str, int]:
    """Register two meters and return their datastreams."""
    del transactional_db
    added = add_things([NewThing(name, "WATER_METER", name, (("register_l", "L"),), path="/1/") for name in (M1, M2)], now=now)
    queries.forget()
    return {each.external_id: each.datastreams["register_l"] for each in added}


@pytest.fixture
def gateway(streams: dict[str, int], now: datetime) -> str:
    """Return the token of an integration that may write for both."""
    assert streams
    return issue_credential(INTEGRATION, subject="gateway", paths=["/1/"], now=now)


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Let no ingest batch be written."""

    def full(*_: object, **__: object) -> None:
        said = sqlite3.OperationalError("database or disk is full")
        said.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise OperationalError(*said.args) from said

    monkeypatch.setattr(writing, "AWAY_S", 0.01)
    with monkeypatch.context() as patched:
        patched.setattr(actions, "_log", full)
        yield patched


def stored() -> set[tuple[int, datetime, float]]:
    return set(Observation.objects.values_list("datastream_id", "at", "result"))


@pytest.mark.parametrize("name", sorted(sources_found()))
def test_a_manifest_says_what_a_source_is(name: str) -> None:
    source = sources_found()[name]
    assert source.zh
    assert source.en
    assert source.direction in {PUSH, LISTEN, FOLLOW, EVENTS, "import"}
    assert all(limit > 0 for limit in source.limits.values())
    assert (source.port > 0) is (source.direction == LISTEN)
    if source.direction == PUSH:
        assert callable(decoder_of(name))


def test_what_is_acknowledged_is_stored_once(line: Line, streams: dict[str, int], gateway: str, now: datetime) -> None:
    reads = [Read(device, now - timedelta(hours=hour), 36412 + hour) for device in (M1, M2) for hour in range(3)]
    messages = [line.message(each) for each in reads]
    assert len(messages) == line.deliver(messages, device="gateway", token=gateway)
    expected = {(streams[each.device], each.at, each.register_l) for each in reads}
    assert expected == stored()
    assert len(messages) == line.deliver(messages, device="gateway", token=gateway)
    assert (expected, len(expected)) == (stored(), Observation.objects.count())


def test_a_device_writes_for_itself_alone(line: Line, streams: dict[str, int], now: datetime) -> None:
    token = issue_credential(DEVICE, subject=M1, paths=["/1/"], now=now)
    line.deliver([line.message(Read(M1, now, 5.0)), line.message(Read(M2, now, 6.0))], device=M1, token=token)
    assert {(streams[M1], now, 5.0)} == stored()
    if line.names_device():
        assert [("FOREIGN_DEVICE", M2)] == list(Quarantine.objects.values_list("reason", "device"))


def test_a_wrong_token_is_acknowledged_nothing(line: Line, streams: dict[str, int], now: datetime) -> None:
    assert streams
    reader = issue_credential(INTEGRATION, subject="reader", paths=["/1/"], rights=["alerts.write"], now=now)
    ended = issue_credential(INTEGRATION, subject="ended", paths=["/1/"], expires_at=now - timedelta(days=365), now=now - timedelta(days=366))
    for token in ("", "wrong", "错的", reader, ended):
        assert line.deliver([line.message(Read(M1, now, 5.0))], device="gateway", token=token) == 0
    assert not stored()
    assert not Quarantine.objects.exists()


def test_an_unknown_device_goes_to_quarantine(line: Line, gateway: str, now: datetime) -> None:
    assert line.deliver([line.message(Read(STRANGER, now, 5.0))], device="gateway", token=gateway) == 1
    assert [("UNKNOWN_DEVICE", STRANGER)] == list(Quarantine.objects.values_list("reason", "device"))


def test_nothing_is_acknowledged_while_the_disk_is_full(
    line: Line, streams: dict[str, int], gateway: str, now: datetime, full_disk: pytest.MonkeyPatch,
) -> None:
    message = line.message(Read(M1, now, 5.0))
    assert line.deliver([message], device="gateway", token=gateway) == 0
    assert not stored()
    full_disk.undo()
    assert line.deliver([message], device="gateway", token=gateway) == 1
    assert {(streams[M1], now, 5.0)} == stored()
