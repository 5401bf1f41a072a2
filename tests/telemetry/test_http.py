"""Readings over HTTP: from bytes to the answer, and what a wrong request is told."""

from __future__ import annotations

import base64
import json
import sqlite3
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError
from django.test import Client

from shouwang.people.actions import issue_credential
from shouwang.people.rules import Scope
from shouwang.telemetry import actions, queries
from shouwang.telemetry.models import Observation, Quarantine
from shouwang.telemetry.receiving import release
from shouwang.telemetry.rules import NewThing
from shouwang.telemetry.sources import sources_found
from shouwang.telemetry.sources.http import MAX_BODY_BYTES, receive


def body(*readings: dict[str, object]) -> bytes:
    return json.dumps({"readings": readings}).encode()


def reading(now: datetime, result: float = 36412, **more: object) -> dict[str, object]:
    return {"datastream": "register_l", "phenomenon_time": now.isoformat(), "result": result, **more}


def test_readings_of_a_device_are_stored(meters: dict[str, int], device: Scope, now: datetime) -> None:
    sent = body(reading(now), reading(now - timedelta(microseconds=1)), reading(now), reading(now + timedelta(hours=1)))
    answer = receive(sent, device, now=now)
    assert (answer.status, answer.body) == (200, {"accepted": 3, "duplicates": 1, "quarantined": 0, "future": 1})
    assert {now, now - timedelta(microseconds=1), now + timedelta(hours=1)} == set(Observation.objects.values_list("at", flat=True))
    assert {meters["M1"]} == set(Observation.objects.values_list("datastream_id", flat=True))


@pytest.mark.parametrize("written", ["2026-01-15T10:00:00+08:00", "2026-01-15T02:00:00Z", "2026-01-15T02:00:00.000000Z"])
def test_every_spelling_of_a_moment_is_the_same_moment(meters: dict[str, int], device: Scope, now: datetime, written: str) -> None:
    assert meters
    receive(body({**reading(now), "phenomenon_time": written}), device, now=now)
    assert now == Observation.objects.get().at


WRONG = [
    # body, field
    (b"", "body"),
    (b"{", "body"),
    (b'{"readings": 5}', "readings"),
    (b"{}", "body"),
    (b'{"readings": [], "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "body"),
    (b'{"readings": [{"datastream": "a", "phenomenon_time": "2026-01-15T02:00:00Z", "result": "x"}]}', "readings[0].result"),
    (b'{"readings": [{"datastream": "a", "phenomenon_time": "2026-01-15T02:00:00", "result": 1}]}', "readings[0].phenomenon_time"),
    (b'{"readings": [{"datastream": "a", "phenomenon_time": "yesterday", "result": 1}]}', "readings[0].phenomenon_time"),
    (b'{"readings": [{"phenomenon_time": "2026-01-15T02:00:00Z", "result": 1}]}', "readings[0]"),
    (b'{"readings": [{"datastream": "", "phenomenon_time": "2026-01-15T02:00:00Z", "result": 1}]}', "readings[0].datastream"),
]


@pytest.mark.parametrize(("sent", "field"), WRONG)
def test_a_malformed_body_is_told_which_field(device: Scope, now: datetime, sent: bytes, field: str) -> None:
    answer = receive(sent, device, now=now)
    assert answer.status == 422
    error = answer.body["error"]
    assert isinstance(error, dict)
    assert field == error["field"]


def test_who_may_not_write_is_told_so(device: Scope, now: datetime) -> None:
    assert receive(b"{}", None, now=now).status == 401
    assert receive(b"{}", Scope(None, (), frozenset(), "DEVICE", subject="M1"), now=now).status == 403
    assert receive(b" " * (MAX_BODY_BYTES + 1), device, now=now).status == 413


def test_what_cannot_be_placed_is_kept_with_its_reason(meters: dict[str, int], device: Scope, now: datetime) -> None:
    assert meters
    old = now.replace(year=1999)
    sent = body(reading(now), reading(now, device="M2"), {**reading(now), "datastream": "depth_m"}, reading(old), reading(old))
    answer = receive(sent, device, now=now)
    assert answer.body == {"accepted": 1, "duplicates": 0, "quarantined": 4, "future": 0}
    found = {(row.reason, row.device, row.rows) for row in queries.quarantine()[0]}
    assert {("FOREIGN_DEVICE", "M2", 1), ("UNKNOWN_DATASTREAM", "M1", 1), ("BAD_CLOCK", "M1", 2)} == found
    assert queries.quarantined_rows() == 4


def test_an_integration_names_the_device(meters: dict[str, int], platform: Scope, now: datetime) -> None:
    actions.add_things([NewThing("FAR", "WATER_METER", "", (("register_l", "L"),), path="/2/")], now=now)
    queries.forget()
    sent = body(reading(now, device="M1"), reading(now, device="M2"), reading(now), reading(now, device="FAR"), reading(now, device="M9"))
    assert receive(sent, platform, now=now).body == {"accepted": 2, "duplicates": 0, "quarantined": 3, "future": 0}
    assert set(meters.values()) == set(Observation.objects.values_list("datastream_id", flat=True))
    assert {("UNKNOWN_DEVICE", "FAR"), ("UNKNOWN_DEVICE", "M9"), ("NO_DEVICE", "")} == set(Quarantine.objects.values_list("reason", "device"))


def test_quarantine_is_released_once_the_device_is_known(meters: dict[str, int], platform: Scope, now: datetime) -> None:
    assert meters
    receive(body(reading(now, device="M9"), reading(now - timedelta(hours=1), device="M9")), platform, now=now)
    ((row,), _) = queries.quarantine()
    assert release(row.id, raw=row.raw, device=row.device, source=row.source, now=now) is None
    actions.add_things([NewThing("M9", "WATER_METER", "", (("register_l", "L"),), path="/1/")], now=now)
    queries.forget()
    released = release(row.id, raw=row.raw, device=row.device, source=row.source, now=now)
    assert released is not None
    assert (released.accepted, queries.quarantined_rows()) == (2, 0)
    assert release(row.id, raw=row.raw, device=row.device, source=row.source, now=now) is None


def test_nothing_is_acknowledged_when_the_disk_is_full(
    meters: dict[str, int], device: Scope, now: datetime, monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert meters

    def full(*_: object, **__: object) -> None:
        said = sqlite3.OperationalError("database or disk is full")
        said.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise OperationalError(*said.args) from said

    with monkeypatch.context() as patched:
        patched.setattr(actions, "_log", full)
        assert receive(body(reading(now)), device, now=now).status == 507
    assert not Observation.objects.exists()
    assert receive(body(reading(now)), device, now=now).status == 200


def test_the_token_of_the_header_says_who_writes(meters: dict[str, int], now: datetime, client: Client) -> None:
    assert meters
    right = issue_credential("DEVICE", subject="M1", paths=["/1/"], now=now)
    sent = body(reading(now))

    def post(authorization: str, data: bytes = sent) -> int:
        return client.post("/api/v1/readings", data, "application/json", headers={"authorization": authorization}).status_code

    def basic(pair: str) -> str:
        return "Basic " + base64.b64encode(pair.encode()).decode()

    assert [post(f"Bearer {right}"), post("Bearer wrong"), post("")] == [200, 401, 401]
    assert [post(basic(f"M1:{right}")), post(basic(f"M2:{right}")), post(basic("M1:wrong")), post("Basic ?")] == [200, 401, 401, 401]
    assert post(f"Bearer {right}", b" " * (MAX_BODY_BYTES + 1)) == 413
    assert client.get("/api/v1/readings").status_code == 405


def test_sources_are_found_by_their_manifest() -> None:
    assert {"http", "file"} <= set(sources_found())
    assert sources_found()["http"].limits["body_bytes"] == MAX_BODY_BYTES
