"""Writes of telemetry: register things, ingest readings, record device events, keep and release what cannot be placed."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
import numpy as np
from django.db import connection, transaction
from django.db.models import Q
from numpy.typing import NDArray

from shouwang.detectors.contract import Columns, Int64s
from shouwang.files import actions as files
from shouwang.files.rules import Sensitivity
from shouwang.journal import wake
from shouwang.journal.actions import append
from shouwang.journal.put import put, reserve_ids
from shouwang.journal.rules import NewEvent
from shouwang.journal.sql import run
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.moments import HOUR_US, to_us
from shouwang.telemetry import queries
from shouwang.telemetry.events import DEVICE_EVENT_RECORDED, DEVICE_REPEATED, THING_ADDED, THING_PLACED
from shouwang.telemetry.models import Datastream, DeviceEvent, IngestBatch, Quarantine, Thing
from shouwang.telemetry.rules import (
    FUTURE,
    HEARD_EVERY,
    KEEP_SNAPSHOTS,
    LATE,
    MAX_ROWS_PER_TRANSACTION,
    NO_OBJECT,
    OBJECT_AGAIN,
    SNAPSHOT_BYTES,
    SNAPSHOTS_MOST,
    UNKNOWN_DEVICE,
    Dated,
    DeviceEventsTaken,
    DeviceRecord,
    IngestResult,
    NewQuarantine,
    NewThing,
    ThingAdded,
    ThingTaken,
    UnknownDatastream,
    bitmask,
    copy_rows,
    dated,
    dedupe_key,
    flags_of,
    pack,
    partition_of,
    tidied,
)

INGEST_LOCK = 7301
_log_of_room = logging.getLogger(__name__)
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
_EVENT_COLUMNS = (
    "source", "dedupe_key", "thing_id", "kind", "state", "channel", "rule", "zone", "object", "object_id", "box", "polygon", "score", "persons", "is_child", "is_unsure", "at", "device_at",
    "received_at", "clock_off_s", "is_clock_wrong", "repeats", "snapshots", "raw", "partition", "exercise_id",
)
_INSERT_EVENT = (
    f'INSERT INTO telemetry_device_event ({", ".join(f"{chr(34)}{name}{chr(34)}" for name in _EVENT_COLUMNS)}) '  # noqa: S608 - names from above
    f'VALUES ({", ".join(["%s"] * len(_EVENT_COLUMNS))}) ON CONFLICT (source, dedupe_key) DO NOTHING RETURNING id'
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


@dataclass(frozen=True, slots=True)
class _Telling:
    """A record of a device that is registered, when it counts as happened, and its pictures as they were kept."""

    record: DeviceRecord
    teller: queries.Teller
    when: Dated
    received_at: datetime
    key: str
    files: tuple[int, ...] = ()


def record_device_events(
    records: Sequence[DeviceRecord], *, source: str, now: datetime, received_at: datetime | None = None,
    quarantined: Sequence[NewQuarantine] = (), known: Mapping[str, queries.Teller] | None = None,
) -> DeviceEventsTaken:
    """Store what devices told, once however often it is told, and publish it: `device.event_recorded`, else `device.repeated`.

    Pictures are kept first, sealed and for 30 days; one that cannot be kept holds up no event. What a device tells that is
    not registered goes to quarantine. Sending the same again is safe. `received_at` is given for what has waited there,
    `known` by whoever has looked the things up already.
    """
    told = [tidied(each) for each in records]
    known = queries.tellers({each.device for each in told}) if known is None else known
    strangers = [stranger(each) for each in told if each.device not in known]
    tellings = []
    for each in told:
        if each.device in known:
            when = dated(each.device_at, received_at=received_at or now)
            telling = _Telling(each, known[each.device], when, received_at or now, dedupe_key(each, at=when.at))
            tellings.append(replace(telling, files=_kept_snapshots(telling, source=source, now=now)))
    with transaction.atomic():
        if unplaced := [*quarantined, *strangers]:
            _keep(unplaced, now=now, source=source)
        return _record(tellings, source=source, now=now, quarantined=sum(each.rows for each in unplaced))


def stranger(record: DeviceRecord, *, reason: str = UNKNOWN_DEVICE) -> NewQuarantine:
    """Return what quarantine keeps of a device event: what it says, without its pictures."""
    said = msgspec.json.encode(replace(tidied(record), snapshots=())).decode()
    return NewQuarantine(reason, record.device, said, 1)


def _kept_snapshots(telling: _Telling, *, source: str, now: datetime) -> tuple[int, ...]:
    """Keep the pictures of an event, as long as it has room for more: a camera that repeats itself would fill the disk."""
    told = _told(telling, source=source) if telling.record.snapshots else None
    kept: list[int] = []
    for each in telling.record.snapshots[: SNAPSHOTS_MOST - (len(told.snapshots) if told else 0)]:
        try:
            file = files.store(
                each.content, limit_bytes=SNAPSHOT_BYTES, now=now, media_type=each.media_type[:100], sensitivity=Sensitivity.SEALED,
                retain_until=now + KEEP_SNAPSHOTS,
            )
        except (ShouwangError, OSError) as error:
            _log_of_room.error("a picture of %s was not kept: %s", telling.record.device, error)
        else:
            kept.append(file.id)
    return tuple(kept)


def _told(telling: _Telling, *, source: str) -> queries.Told | None:
    """Return the event that this tells again."""
    return _told_of_object(telling) or queries.told(source, telling.key)


def _told_of_object(telling: _Telling) -> queries.Told | None:
    if telling.record.object_id in NO_OBJECT:
        return None
    since, until = telling.when.at - OBJECT_AGAIN, telling.when.at + OBJECT_AGAIN
    return queries.told_of_object(telling.teller.id, telling.record, since=since, until=until)


def _record(tellings: Sequence[_Telling], *, source: str, now: datetime, quarantined: int) -> DeviceEventsTaken:
    """Store events inside the caller's transaction, the journal last."""
    recorded, repeated, news = [], [], []
    for each in tellings:
        found = _told_of_object(each)
        event_id = None if found else _inserted(each, source=source)
        if event_id is not None:
            recorded.append(event_id)
            news.append(_news(each, event_id))
            continue
        found = found or queries.told(source, each.key)
        assert found is not None, "what could not be inserted is there"
        repeated.append(found.id)
        news.append(_news(each, found.id, repeats=_again(found.id, each, now=now)))
    _heard({each.teller.id: each.teller.last_at for each in tellings}, now=now)
    if news:
        append(news, now=now)
    return DeviceEventsTaken(tuple(recorded), tuple(repeated), quarantined)


def _inserted(telling: _Telling, *, source: str) -> int | None:
    """Insert an event and return its id, None when its key is there already: another may have told it meanwhile."""
    record, when, teller = telling.record, telling.when, telling.teller
    row = run(_INSERT_EVENT, (
        source, telling.key, teller.id, record.kind.value, record.state.value, record.channel, record.rule, record.zone, record.object.value,
        record.object_id, _json(record.box) if record.box else None, _json(record.polygon), record.score, record.persons, record.is_child,
        record.is_unsure, to_us(when.at), when.device_at and to_us(when.device_at),
        to_us(telling.received_at), when.off_s, when.is_clock_wrong, 0, _json(telling.files), record.raw, teller.partition, teller.exercise_id,
    )).fetchone()
    return None if row is None else int(row[0])


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _again(event_id: int, telling: _Telling, *, now: datetime) -> int:
    """Count that an event was told again, keep the pictures that came along, and return how often it was told again."""
    row = DeviceEvent.objects.select_for_update().only("repeats", "snapshots").get(pk=event_id)
    row.repeats += 1
    row.last_repeat_at = now
    row.snapshots = list(dict.fromkeys([*row.snapshots, *telling.files]))[:SNAPSHOTS_MOST]
    row.save(update_fields=["repeats", "last_repeat_at", "snapshots"])
    return row.repeats


def _news(telling: _Telling, event_id: int, *, repeats: int = 0) -> NewEvent:
    record = telling.record
    said = {"thing": telling.teller.id, "kind": record.kind, "state": record.state, "object": record.object}
    if repeats:
        return NewEvent(DEVICE_REPEATED, event_id, {**said, "repeats": repeats}, telling.teller.exercise_id)
    said |= {"clock_wrong": telling.when.is_clock_wrong}
    return NewEvent(DEVICE_EVENT_RECORDED, event_id, said, telling.teller.exercise_id)


def note_heard(devices: Collection[str], *, now: datetime) -> int:
    """Note that devices have given a sign of life, at most every 15 s each, and return how many of them are registered."""
    known = queries.tellers(devices)
    stale = {each.id: each.last_at for each in known.values() if each.last_at is None or each.last_at < now - HEARD_EVERY}
    if stale:
        with transaction.atomic():
            _heard(stale, now=now)
    return len(known)


def _heard(things: dict[int, datetime | None], *, now: datetime) -> None:
    stale = sorted(each for each, last_at in things.items() if last_at is None or last_at < now - HEARD_EVERY)
    if stale:
        Thing.objects.filter(Q(last_at__isnull=True) | Q(last_at__lt=now), pk__in=stale).update(last_at=now)
