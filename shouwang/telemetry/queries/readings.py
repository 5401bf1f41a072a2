"""Reads of telemetry: the catalogue of datastreams, series, batches of the ingest log, things, quarantine."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from django.db.models import Count, Q, QuerySet, Sum
from numpy.typing import NDArray

from shouwang.detectors.contract import Columns, Float64s, Int64s
from shouwang.journal.prepared import Prepared
from shouwang.journal.sql import rows_for, run
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import HOUR_US, from_us, to_us
from shouwang.people.rules import Scope
from shouwang.telemetry.models import Datastream, Observation, Quarantine, Thing
from shouwang.telemetry.rules import LATE, MAX_SERIES_DAYS, Batch, SpanTooLong, thin, unpack

CATALOGUE_AGE_S = 60.0
RETRY_AGE_S = 1.0
HOURS_PER_QUERY = 400
FRESH_HOURS = 48
USUAL_HOURS = 3


@dataclass(frozen=True)
class Catalogue:
    """Every datastream in use, as columns by ascending id, and by name."""

    ids: Int64s
    partition: NDArray[np.uint8]
    kind: NDArray[np.str_]
    property: NDArray[np.str_]
    exercise_id: NDArray[np.int64]
    by_device: Mapping[str, Mapping[str, int]]
    path: Mapping[str, str]
    loaded_s: float
    _visible: dict[tuple[str, ...], Mapping[str, Mapping[str, int]]] = field(default_factory=dict)

    def visible(self, scope: Scope) -> Mapping[str, Mapping[str, int]]:
        """Return datastream ids by device and property, of the devices inside `scope`."""
        found = self._visible.get(scope.paths)
        if found is None:
            found = {device: streams for device, streams in self.by_device.items() if scope.sees(self.path[device])}
            self._visible[scope.paths] = found
        return found

    def place(self, streams: Int64s) -> NDArray[np.intp]:
        """Return the place of each stream, -1 for one that is not in the catalogue."""
        if not len(self.ids):
            return np.full(len(streams), -1)
        place = np.minimum(np.searchsorted(self.ids, streams), len(self.ids) - 1)
        return np.where(self.ids[place] == streams, place, -1)

    def selected(self, *, kind: str, observed: str) -> NDArray[np.bool_]:
        """Return which datastreams have this kind of thing and this property; empty means any."""
        chosen = np.ones(len(self.ids), bool)
        if kind:
            chosen &= self.kind == kind
        if observed:
            chosen &= self.property == observed
        return chosen


_lock = threading.Lock()
_catalogue: Catalogue | None = None


def catalogue(*, older_than_s: float = CATALOGUE_AGE_S) -> Catalogue:
    """Return the catalogue, from this process's cache unless that is older than `older_than_s`."""
    global _catalogue  # noqa: PLW0603 - one cached catalogue per process
    found = _catalogue
    if found is None or time.monotonic() - found.loaded_s > older_than_s:
        with _lock:
            found = _catalogue = _load()
    return found


def newer_catalogue() -> Catalogue:
    """Return a catalogue at most a second old: for whoever met a name the cached one does not know."""
    return catalogue(older_than_s=RETRY_AGE_S)


def forget() -> None:
    """Drop this process's cached catalogue."""
    global _catalogue  # noqa: PLW0603 - one cached catalogue per process
    _catalogue = None


_CATALOGUE = Prepared(
    lambda: Datastream.objects.filter(thing__retired_at=None).order_by("pk").values_list(
        "pk", "property", "thing__external_id", "thing__kind", "thing__path", "thing__partition", "thing__exercise_id",
    ),
)


def _load() -> Catalogue:
    loaded_s = time.monotonic()
    rows = _CATALOGUE.rows()
    by_device: dict[str, dict[str, int]] = {}
    for row in rows:
        by_device.setdefault(row[2], {})[row[1]] = row[0]
    return Catalogue(
        np.array([row[0] for row in rows], np.int64), np.array([row[5] for row in rows], np.uint8),
        np.array([row[3] for row in rows], np.str_), np.array([row[1] for row in rows], np.str_),
        np.array([row[6] or 0 for row in rows], np.int64), by_device, {row[2]: row[4] for row in rows}, loaded_s,
    )


def last_batch() -> int:
    """Return the number of the last ingest batch, 0 for none."""
    return int(run("SELECT max(seq) FROM telemetry_ingest_batch").fetchone()[0] or 0)


_BATCHES = "SELECT seq, received_at, columns FROM telemetry_ingest_batch WHERE seq > %s AND seq <= %s ORDER BY seq LIMIT %s"


def batches_after(seq: int, *, upto: int, limit: int) -> list[Batch]:
    """Return at most `limit` batches of the ingest log in (seq, upto], in commit order."""
    rows = run(_BATCHES, (seq, upto, limit)).fetchall()
    return [Batch(number, from_us(received_us), *unpack(bytes(columns))) for number, received_us, columns in rows]


@dataclass(frozen=True)
class Series:
    """A stretch of one datastream: moments and results, and how many readings it stands for."""

    at_us: Int64s
    result: Float64s
    readings: int
    property: str = ""
    unit: str = ""

    def points(self) -> list[tuple[datetime, float]]:
        """Return the points as (moment, result)."""
        return [(from_us(at), result) for at, result in zip(self.at_us.tolist(), self.result.tolist(), strict=True)]


def series(datastream_id: int, start: datetime, end: datetime, *, max_points: int = 1000) -> Series:
    """Return the readings in [start, end), at most `max_points` of them. Raises SpanTooLong, NotFound."""
    if end - start > timedelta(days=MAX_SERIES_DAYS):
        raise SpanTooLong(days=(end - start).days, limit=MAX_SERIES_DAYS)
    stream = Datastream.objects.filter(pk=datastream_id).values_list("property", "unit").first()
    if stream is None:
        raise NotFound(what=f"datastream {datastream_id}")
    start_us, end_us = to_us(start), to_us(end)
    rows: list[tuple[int, float]] = []
    for hours in _hours(start_us // HOUR_US, (end_us - 1) // HOUR_US):
        found = Observation.objects.filter(hour__in=hours, datastream_id=datastream_id, at__gte=start, at__lt=end)
        rows += [(to_us(at), result) for at, result in found.order_by("hour", "at").values_list("at", "result")]
    at_us = np.array([row[0] for row in rows], np.int64)
    result = np.array([row[1] for row in rows], np.float64)
    kept = thin(at_us, max_points=max_points)
    return Series(at_us[kept], result[kept], len(rows), stream[0], stream[1])


def arrivals(datastream_id: int, start: datetime, end: datetime) -> list[tuple[datetime, bool]]:
    """Return the moments of the readings in [start, end), oldest first, each with whether it came over an hour after its moment."""
    rows: list[tuple[datetime, bool]] = []
    for hours in _hours(to_us(start) // HOUR_US, (to_us(end) - 1) // HOUR_US):
        found = Observation.objects.filter(hour__in=hours, datastream_id=datastream_id, at__gte=start, at__lt=end)
        rows += [(at, bool(flags & LATE)) for at, flags in found.order_by("hour", "at").values_list("at", "flags")]
    return rows


def columns_of(datastream_ids: Sequence[int], start: datetime, end: datetime, *, max_points: int) -> Columns:
    """Return the readings of several datastreams in [start, end), at most `max_points` of each. Raises SpanTooLong, NotFound."""
    found = [(each, series(each, start, end, max_points=max_points)) for each in datastream_ids]
    return Columns.of([Columns(np.full(len(part.at_us), each, np.int64), part.at_us, part.result) for each, part in found])


def _hours(first: int, last: int) -> Iterable[list[int]]:
    for begin in range(first, last + 1, HOURS_PER_QUERY):
        yield list(range(begin, min(begin + HOURS_PER_QUERY, last + 1)))


_LAST_READINGS = "SELECT datastream_id, max(at) FROM telemetry_observation WHERE hour IN ({hours}) AND datastream_id IN {ids} GROUP BY datastream_id"


def last_readings(datastream_ids: Sequence[int], *, now: datetime) -> dict[int, datetime]:
    """Return the moment of the last reading of each datastream that had one within 48 hours before `now`."""
    end = to_us(now) // HOUR_US + 1
    found: dict[int, datetime] = {}
    for hours in (range(end - USUAL_HOURS, end), range(end - 1 - FRESH_HOURS, end - USUAL_HOURS)):
        asked = _LAST_READINGS.replace("{hours}", ", ".join(["%s"] * len(hours)))
        found |= {stream: from_us(at_us) for stream, at_us in rows_for(asked, set(datastream_ids) - set(found), *hours)}
    return found


def results_before(datastream_ids: Sequence[int], moment: datetime) -> dict[int, float]:
    """Return the last result of each datastream within 48 hours before `moment`."""
    last = to_us(moment) // HOUR_US
    rows = (
        Observation.objects.filter(hour__in=list(range(last - FRESH_HOURS, last + 1)), datastream_id__in=datastream_ids, at__lt=moment)
        .order_by("hour", "at").values_list("datastream_id", "result")
    )
    return dict(rows)


@dataclass(frozen=True)
class DatastreamRow:
    """A datastream with the thing it belongs to."""

    id: int
    property: str
    unit: str
    thing_id: int
    external_id: str
    kind: str
    name: str
    area_id: int | None
    path: str
    household_id: int | None
    exercise_id: int | None


_DATASTREAM = (
    "pk", "property", "unit", "thing_id", "thing__external_id", "thing__kind", "thing__name", "thing__area_id", "thing__path",
    "thing__household_id", "thing__exercise_id",
)


def datastreams(ids: Sequence[int]) -> dict[int, DatastreamRow]:
    """Return these datastreams by id."""
    return {row[0]: DatastreamRow(*row) for row in Datastream.objects.filter(pk__in=ids).values_list(*_DATASTREAM)}


def datastreams_of_household(household_id: int) -> list[DatastreamRow]:
    """Return the datastreams of the things in one household that are in use."""
    rows = Datastream.objects.filter(thing__household_id=household_id, thing__retired_at=None).order_by("pk")
    return [DatastreamRow(*row) for row in rows.values_list(*_DATASTREAM)]


@dataclass(frozen=True)
class ThingSpot:
    """Where a thing stands: its place, its household and its datastreams by property."""

    id: int
    external_id: str
    path: str
    household_id: int | None
    datastreams: Mapping[str, int]


def things_named(external_ids: Collection[str]) -> dict[str, ThingSpot]:
    """Return the things with these external ids, by it; takes no scope: whoever asks checks the path."""
    found = {
        row[0]: row for row in Thing.objects.filter(external_id__in=external_ids).values_list("pk", "external_id", "path", "household_id")
    }
    streams: dict[int, dict[str, int]] = {}
    for pk, thing_id, observed in Datastream.objects.filter(thing_id__in=found).values_list("pk", "thing_id", "property"):
        streams.setdefault(thing_id, {})[observed] = pk
    return {row[1]: ThingSpot(*row, streams.get(row[0], {})) for row in found.values()}


def datastreams_like(scope: Scope, text: str, *, limit: int = 5_000) -> frozenset[int]:
    """Return the datastreams of the things inside `scope` whose external id holds `text`."""
    rows = Datastream.objects.filter(thing__in=Thing.objects.filter(_inside(scope), external_id__icontains=text))
    return frozenset(rows.values_list("pk", flat=True)[:limit])


@dataclass(frozen=True)
class ThingRow:
    """A thing in a list, with the moment of its last reading within 48 hours, or of its last event or heartbeat."""

    id: int
    external_id: str
    kind: str
    name: str
    path: str
    last_at: datetime | None


def things(scope: Scope, *, now: datetime, text: str = "", kind: str = "", offset: int = 0, limit: int = 50) -> tuple[list[ThingRow], int]:
    """Return a slice of the things inside `scope`, by external id, and how many there are."""
    found = Thing.objects.filter(_inside(scope), retired_at=None)
    if kind:
        found = found.filter(kind=kind)
    if text:
        found = found.filter(Q(external_id__icontains=text) | Q(name__icontains=text))
    rows = list(found.order_by("external_id").values_list("pk", "external_id", "kind", "name", "path", "last_at")[offset : offset + limit])
    owner = dict(Datastream.objects.filter(thing_id__in=[row[0] for row in rows]).values_list("pk", "thing_id"))
    last: dict[int, datetime] = {row[0]: row[5] for row in rows if row[5] is not None}
    for stream, at in last_readings(list(owner), now=now).items():
        last[owner[stream]] = max(at, last.get(owner[stream], at))
    return [ThingRow(*row[:5], last.get(row[0])) for row in rows], found.count()


def count_things(scope: Scope, *, kinds: Collection[str]) -> int:
    """Return how many things of these kinds are in use inside `scope`; those of exercises are not counted."""
    return Thing.objects.filter(_inside(scope), retired_at=None, exercise_id=None, kind__in=kinds).count()


def things_like(scope: Scope, text: str, *, limit: int) -> list[tuple[str, str, str]]:
    """Return the external id, kind and path of at most `limit` things inside `scope` whose external id holds `text`; one read."""
    found = Thing.objects.filter(_inside(scope), retired_at=None, external_id__icontains=text).order_by("external_id")
    return list(found.values_list("external_id", "kind", "path")[:limit])


def _inside(scope: Scope) -> Q:
    """Return the condition that a thing lies where the scope may read cases ("0" follows "/" in every collation used)."""
    inside = Q(pk__in=())
    for path in scope.paths_for("case.read"):
        inside |= Q(path__gte=path, path__lt=path[:-1] + "0")
    return inside


@dataclass(frozen=True)
class QuarantineRow:
    """Readings that wait for somebody."""

    id: int
    at: datetime
    source: str
    device: str
    reason: str
    rows: int
    raw: str


def quarantine(*, reason: str = "", text: str = "", offset: int = 0, limit: int = 50) -> tuple[list[QuarantineRow], int]:
    """Return a slice of the readings in quarantine, latest first, and how many entries there are."""
    found: QuerySet[Quarantine] = Quarantine.objects.filter(released_at=None)
    if reason:
        found = found.filter(reason=reason)
    if text:
        found = found.filter(device__icontains=text)
    rows = found.order_by("-at", "-pk").values_list("pk", "at", "source", "device", "reason", "rows", "raw")
    return [QuarantineRow(*row) for row in rows[offset : offset + limit]], found.count()


@dataclass(frozen=True)
class WaitingFor:
    """How much waits in quarantine for one reason."""

    reason: str
    entries: int
    rows: int


def quarantine_by_reason() -> list[WaitingFor]:
    """Return how much waits for each reason, most readings first."""
    found = Quarantine.objects.filter(released_at=None).values_list("reason").annotate(entries=Count("pk"), readings=Sum("rows"))
    return sorted((WaitingFor(reason, entries, rows or 0) for reason, entries, rows in found), key=lambda each: -each.rows)


def quarantined(quarantine_id: int) -> QuarantineRow | None:
    """Return one waiting entry of the quarantine."""
    row = (
        Quarantine.objects.filter(pk=quarantine_id, released_at=None)
        .values_list("pk", "at", "source", "device", "reason", "rows", "raw").first()
    )
    return QuarantineRow(*row) if row else None


def quarantined_rows() -> int:
    """Return how many readings wait in quarantine."""
    return Quarantine.objects.filter(released_at=None).aggregate(rows=Sum("rows"))["rows"] or 0


def observations_stored() -> int:
    """Return how many observations are stored; reads the whole table."""
    return Observation.objects.count()
