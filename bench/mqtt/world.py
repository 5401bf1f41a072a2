"""The meters of the bench with their tokens, and what the table holds of what was acknowledged."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.mqtt.client import FIRST


def seed(*, count: int, out: str) -> dict[str, Any]:
    """Register meters, each with a token of its own, and write these to `out`."""
    from shouwang.people.actions import issue_credential
    from shouwang.places.actions import add_area
    from shouwang.places.queries import area
    from shouwang.telemetry.actions import add_things
    from shouwang.telemetry.rules import NewThing

    now = datetime.now(UTC)
    root = add_area(parent_id=None, name="示范市", level="PREFECTURE", now=now)
    path = area(root).path
    names = [f"WM{n:05d}" for n in range(count)]
    add_things([NewThing(name, "WATER_METER", name, (("register_l", "L"),), root, path, None) for name in names], now=now)
    Path(out).write_text(json.dumps({name: issue_credential("DEVICE", subject=name, paths=[path], now=now) for name in names}))
    return {}


def compare(*, acked: str, base: str) -> dict[str, Any]:
    """Return how many acknowledged readings are not in the table, and what in it is wrong; one plain read of the whole table."""
    from django.db import connection

    begin_us = round(datetime.fromisoformat(base).timestamp() * 1e6)
    with connection.cursor() as cursor:
        cursor.execute("SELECT d.id, t.external_id FROM telemetry_datastream d JOIN telemetry_thing t ON t.id = d.thing_id")
        name_of = dict(cursor.fetchall())
        cursor.execute("SELECT datastream_id, at, result FROM telemetry_observation")
        stored: dict[str, dict[int, float]] = {name: {} for name in name_of.values()}
        for stream, at, result in cursor.fetchall():
            stored[name_of[stream]][(at - begin_us) // 1_000_000] = result
        cursor.execute("SELECT sum(rows) FROM telemetry_ingest_batch")
        logged = int(cursor.fetchone()[0] or 0)
        cursor.execute("SELECT count(*) FROM telemetry_quarantine")
        quarantined = int(cursor.fetchone()[0])
    said: dict[str, list[int]] = json.loads(Path(acked).read_text())
    rows = sum(len(each) for each in stored.values())
    return {
        "acked": sum(len(each) for each in said.values()),
        "lost": sum(n not in stored[name] for name, each in said.items() for n in each),
        "wrong": sum(result != FIRST + n for each in stored.values() for n, result in each.items()),
        "rows": rows, "not_logged": rows - logged, "quarantined": quarantined,
        "acked_twice": sum(len(each) - len(set(each)) for each in said.values()),
    }
