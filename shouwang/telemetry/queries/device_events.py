"""Reads of device events: those of a thing, one by its id, and when a thing was last heard."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shouwang.journal.prepared import Prepared
from shouwang.kernel.errors import NotFound
from shouwang.people.rules import Scope
from shouwang.telemetry.models import DeviceEvent, Thing
from shouwang.telemetry.rules.device_events import (
    Box,
    DeviceRecord,
    EventKind,
    EventState,
    Point,
    SeenObject,
)

PAGE = 50


@dataclass(frozen=True, slots=True)
class DeviceEventRow:
    """One event of a device. `at` is when it counts as happened; `clock_off_s` says how far behind the device's clock is.

    `path` is where the thing stands: whoever asks without a scope checks it.
    """

    id: int
    source: str
    thing_id: int
    external_id: str
    name: str
    path: str
    kind: EventKind
    state: EventState
    channel: str
    rule: str
    zone: str
    object: SeenObject
    object_id: str
    box: Box | None
    polygon: tuple[Point, ...]
    at: datetime
    device_at: datetime | None
    received_at: datetime
    clock_off_s: float | None
    is_clock_wrong: bool
    repeats: int
    last_repeat_at: datetime | None
    snapshots: tuple[int, ...]
    partition: int
    exercise_id: int | None
    score: float | None
    persons: int
    is_child: bool
    is_unsure: bool

    @property
    def told_at(self) -> datetime:
        """Return when it was told last: first, or again."""
        return self.last_repeat_at or self.at


_EVENT = (
    "pk", "source", "thing_id", "thing__external_id", "thing__name", "thing__path", "kind", "state", "channel", "rule", "zone", "object", "object_id",
    "box", "polygon", "at", "device_at", "received_at", "clock_off_s", "is_clock_wrong", "repeats", "last_repeat_at", "snapshots",
    "partition", "exercise_id", "score", "persons", "is_child", "is_unsure",
)


def _row(row: tuple[Any, ...]) -> DeviceEventRow:
    """Return a row with its codes, places and ids as what they are."""
    told = dict(zip(_EVENT, row, strict=True))
    told["kind"], told["state"], told["object"] = EventKind(told["kind"]), EventState(told["state"]), SeenObject(told["object"])
    told["box"] = tuple(told["box"]) if told["box"] else None
    told["polygon"], told["snapshots"] = tuple((x, y) for x, y in told["polygon"]), tuple(told["snapshots"])
    return DeviceEventRow(*told.values())


def device_event(event_id: int) -> DeviceEventRow:
    """Return one event; takes no scope: whoever asks checks the path. Raises NotFound."""
    found = DeviceEvent.objects.filter(pk=event_id).values_list(*_EVENT).first()
    if found is None:
        raise NotFound(what=f"设备事件 {event_id}")
    return _row(found)


def device_events_numbered(event_ids: Collection[int]) -> list[DeviceEventRow]:
    """Return the events with these ids, in order; takes no scope: whoever asks checks the paths."""
    return [_row(row) for row in DeviceEvent.objects.filter(pk__in=event_ids).order_by("pk").values_list(*_EVENT)]


def device_events_since(since: datetime, *, until: datetime, kinds: Collection[EventKind], limit: int) -> list[int]:
    """Return the ids of at most `limit` events of these kinds that were received in [since, until), oldest first; takes no scope."""
    found = DeviceEvent.objects.filter(received_at__gte=since, received_at__lt=until, kind__in=kinds)
    return list(found.order_by("pk").values_list("pk", flat=True)[:limit])


def device_events(
    thing_id: int, *, scope: Scope | None = None, kinds: Collection[EventKind] = (), before: tuple[datetime, int] | None = None,
    limit: int = PAGE,
) -> list[DeviceEventRow]:
    """Return at most `limit` events of a thing, newest first; none where `scope` may not read.

    The next page begins `before` the (at, id) of the last one.
    """
    found = DeviceEvent.objects.filter(thing_id=thing_id)
    if scope is not None and not _sees(scope, thing_id):
        return []
    if kinds:
        found = found.filter(kind__in=kinds)
    if before is not None:
        at, event_id = before
        found = found.filter(at__lte=at).exclude(at=at, pk__gte=event_id)
    return [_row(row) for row in found.order_by("-at", "-pk").values_list(*_EVENT)[:limit]]


def _sees(scope: Scope, thing_id: int) -> bool:
    path = Thing.objects.filter(pk=thing_id).values_list("path", flat=True).first()
    return path is not None and scope.may("case.read", path)


def last_event(thing_id: int, *, kinds: Collection[EventKind] = ()) -> DeviceEventRow | None:
    """Return the newest event of a thing, of these kinds where any are given."""
    return next(iter(device_events(thing_id, kinds=kinds, limit=1)), None)


def last_heard(thing_ids: Collection[int]) -> dict[int, datetime]:
    """Return when each of these things last sent an event or a heartbeat, as exact as 15 s; those never heard are left out."""
    return dict(Thing.objects.filter(pk__in=thing_ids, last_at__isnull=False).values_list("pk", "last_at"))  # type: ignore[arg-type] # no None


@dataclass(frozen=True, slots=True)
class Teller:
    """A thing that tells events: what its events need to know of it."""

    id: int
    path: str
    partition: int
    exercise_id: int | None
    last_at: datetime | None


_TELLERS = Prepared(
    lambda names: Thing.objects.filter(external_id__in=names, retired_at=None).values_list(
        "external_id", "pk", "path", "partition", "exercise_id", "last_at",
    ),
)


def tellers(external_ids: Collection[str]) -> dict[str, Teller]:
    """Return the things in use with these external ids, by it."""
    return {row[0]: Teller(*row[1:]) for row in _TELLERS.rows(list(external_ids))}


@dataclass(frozen=True, slots=True)
class Told:
    """An event that is stored already, as far as telling it again needs to know."""

    id: int
    snapshots: tuple[int, ...]


_BY_KEY = Prepared(lambda source, key: DeviceEvent.objects.filter(source=source, dedupe_key=key).values_list("pk", "snapshots"))
_OF_OBJECT = Prepared(
    lambda thing, since, until, object_id, rule, zone, channel, kind, state: DeviceEvent.objects.filter(
        thing_id=thing, at__gte=since, at__lte=until, object_id=object_id, rule=rule, zone=zone, channel=channel, kind=kind, state=state,
    ).order_by("-at", "-pk").values_list("pk", "snapshots")[:1],
)


def told(source: str, key: str) -> Told | None:
    """Return the event of a source with this key."""
    row = _BY_KEY.first(source, key)
    return Told(row[0], tuple(row[1])) if row else None


def told_of_object(thing_id: int, record: DeviceRecord, *, since: datetime, until: datetime) -> Told | None:
    """Return the newest event of a thing about the same object under the same rule in [since, until]."""
    row = _OF_OBJECT.first(
        thing_id, since, until, record.object_id, record.rule, record.zone, record.channel, record.kind.value, record.state.value,
    )
    return Told(row[0], tuple(row[1])) if row else None
