"""Writes of telemetry: register things, ingest readings, keep and release what cannot be placed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from shouwang.detectors.contract import Columns, Int64s
from shouwang.journal import wake
from shouwang.journal.actions import append
from shouwang.journal.put import put, reserve_ids
from shouwang.journal.rules import NewEvent
from shouwang.kernel.moments import HOUR_US, to_us
from shouwang.telemetry import queries
from shouwang.telemetry.events import THING_ADDED, THING_PLACED
from shouwang.telemetry.models import Datastream, IngestBatch, Quarantine, Thing
from shouwang.telemetry.rules import (
    FUTURE,
    LATE,
    MAX_ROWS_PER_TRANSACTION,
    IngestResult,
    NewQuarantine,
    NewThing,
    ThingAdded,
    ThingTaken,
    UnknownDatastream,
    bitmask,
    copy_rows,
    flags_of,
    pack,
    partition_of,
)

INGEST_LOCK = 7301
READINGS = "readings"
_THING_COLUMNS = ("id", "external_id", "kind", "name", "area_id", "path", "household_id", "partition", "exercise_id", "added_at")
_INSERT_SQLITE = (
    "INSERT OR IGNORE INTO telemetry_observation (hour, datastream_id, at, result, flags) VALUES (%s, %s, %s, %s, %s)"
)
_STAGE_POSTGRESQL = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS telemetry_stage (LIKE telemetry_observation) ON COMMIT DELETE ROWS"
)
_COPY_POSTGRESQL = "COPY telemetry_stage (hour, datastream_id, at, result, flags) FROM STDIN (FORMAT binary)"
_INSERT_POSTGRESQL = (
    "INSERT INTO telemetry_observation (hour, datastream_id, at, result, flags) "
    "SELECT hour, datastream_id, at, result, flags FROM telemetry_stage ON CONFLICT DO NOTHING"
)


@transaction.atomic
def add_things(new: Sequence[NewThing], *, now: datetime) -> list[ThingAdded]:
    """Register things with their datastreams. Raises ThingTaken when one exists; nothing is registered then."""
    names = [thing.external_id for thing in new]
    taken = Thing.objects.filter(external_id__in=names).values_list("external_id", flat=True).first()
    if taken is not None or len(set(names)) < len(names):
        raise ThingTaken(external_id=taken or next(name for name in names if names.count(name) > 1))
    thing_ids = list(reserve_ids(Thing, len(new)))
    put(Thing, _THING_COLUMNS, [
        (thing_id, thing.external_id, thing.kind, thing.name, thing.area_id, thing.path, thing.household_id,
         partition_of(thing.area_id, thing.external_id), thing.exercise_id, to_us(now))
        for thing_id, thing in zip(thing_ids, new, strict=True)
    ])
    stream_ids = iter(reserve_ids(Datastream, sum(len(thing.datastreams) for thing in new)))
    added, rows = [], []
    for thing_id, thing in zip(thing_ids, new, strict=True):
        streams = {observed: next(stream_ids) for observed, _ in thing.datastreams}
        rows += [(streams[observed], thing_id, observed, unit) for observed, unit in thing.datastreams]
        added.append(ThingAdded(thing_id, thing.external_id, streams))
    put(Datastream, ("id", "thing_id", "property", "unit"), rows)
    queries.forget()
    transaction.on_commit(queries.forget)
    append([NewEvent(THING_ADDED, each.thing_id, exercise_id=thing.exercise_id) for each, thing in zip(added, new, strict=True)], now=now)
    return added


@transaction.atomic
def place_thing(thing_id: int, *, household_id: int | None, area_id: int | None, path: str, now: datetime) -> None:
    """Say where a thing stands now, and in whose home. The caller has checked the right at both places.

    Its partition stays: the watch remembers it there, and would take it for silent if its readings went elsewhere.
    """
    Thing.objects.filter(pk=thing_id).update(household_id=household_id, area_id=area_id, path=path, retired_at=None)
    queries.forget()
    transaction.on_commit(queries.forget)
    append([NewEvent(THING_PLACED, thing_id, {"area": area_id, "household": household_id})], now=now)


def ingest(
    columns: Columns, *, now: datetime, source: str, quarantined: Sequence[NewQuarantine] = (),
) -> IngestResult:
    """Store readings; a (datastream, moment) that is stored already stays as it was and counts as a duplicate.

    At most 2,000 rows to a transaction, so that others can write in between: after an error the first ones may be
    stored, and sending all again is safe. Readings from the future are stored and flagged, and not given to the watch.
    `quarantined` is kept in the last transaction. Raises UnknownDatastream before anything is stored.
    """
    partition = _partitions(columns.stream)
    result = IngestResult()
    whole = max(len(columns), 1)
    for begin in range(0, whole, MAX_ROWS_PER_TRANSACTION):
        end = begin + MAX_ROWS_PER_TRANSACTION
        part = columns.where(np.arange(begin, min(end, len(columns))))
        with transaction.atomic():
            if quarantined and end >= whole:
                _keep(quarantined, now=now, source=source)
            if len(part):
                result = result.plus(_store(part, partition[begin:end], now=now, source=source))
    return result


def _partitions(streams: Int64s) -> NDArray[np.uint8]:
    known = queries.catalogue()
    place = known.place(streams)
    if (place < 0).any():
        known = queries.newer_catalogue()
        place = known.place(streams)
    if (place < 0).any():
        raise UnknownDatastream(datastream_id=int(streams[place < 0][0]))
    return known.partition[place]


def _store(columns: Columns, partition: NDArray[np.uint8], *, now: datetime, source: str) -> IngestResult:
    """Store one part inside the caller's transaction, its row in the ingest log last."""
    order = np.lexsort((columns.at_us, columns.stream, columns.at_us // HOUR_US))
    flags = flags_of(columns.at_us, now_us=to_us(now))
    accepted = insert_observations(columns.where(order), flags[order])
    usable = np.flatnonzero(flags != FUTURE)
    seq = None
    if accepted and len(usable):
        seq = _log(columns.where(usable), partition[usable], now=now, source=source)
    return IngestResult(
        accepted, len(columns) - accepted, int((flags == FUTURE).sum()), int((flags == LATE).sum()), seq,
    )


def insert_observations(columns: Columns, flags: Int64s) -> int:
    """Insert readings that are not stored yet and return how many those were: one of the five places that speak SQL.

    Rows in key order touch each page once, and keep two writers on PostgreSQL from waiting for each other in a ring.
    """
    hour = columns.at_us // HOUR_US
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_STAGE_POSTGRESQL)
            with cursor.copy(_COPY_POSTGRESQL) as copy:
                copy.write(copy_rows(hour, columns.stream, columns.at_us, columns.value, flags))
            cursor.execute(_INSERT_POSTGRESQL)
        else:
            lists = (hour.tolist(), columns.stream.tolist(), columns.at_us.tolist(), columns.value.tolist(), flags.tolist())
            cursor.executemany(_INSERT_SQLITE, list(zip(*lists, strict=True)))
        return int(cursor.rowcount)


def _log(columns: Columns, partition: NDArray[np.uint8], *, now: datetime, source: str) -> int:
    """Append to the ingest log under the lock of commit order, so that a reader never passes over a batch."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [INGEST_LOCK])
    seq = queries.last_batch() + 1
    put(IngestBatch, ("seq", "partitions", "received_at", "source", "rows", "columns"), [
        (seq, bitmask(partition), to_us(now), source, len(columns), pack(columns, partition)),
    ])
    transaction.on_commit(ring)
    return seq


def ring() -> None:
    """Wake the watch."""
    wake.ring(READINGS)


def _keep(quarantined: Sequence[NewQuarantine], *, now: datetime, source: str) -> None:
    """Keep what cannot be placed. PostgreSQL takes no U+0000 in a name, and whoever sent it would send it again for ever."""
    put(Quarantine, ("at", "source", "device", "reason", "raw", "rows"), [
        (to_us(now), source, each.device[:64].replace("\0", "\ufffd"), each.reason, each.raw, each.rows) for each in quarantined
    ])


def mark_released(quarantine_id: int, *, now: datetime) -> bool:
    """Mark an entry of the quarantine as released and return whether it still waited."""
    return bool(Quarantine.objects.filter(pk=quarantine_id, released_at=None).update(released_at=now))
