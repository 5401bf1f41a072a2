"""Reads of the watch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db.models import Min, Q

from shouwang.journal.prepared import Prepared
from shouwang.telemetry import queries as telemetry
from shouwang.watch.models import LateRows, Learning, ReviewFinding, Watch, WatchState, WatchTick
from shouwang.watch.rules import Tick, own_at


@dataclass(frozen=True)
class WatchRow:
    """A watch as it is set; with a `path` that of an area, `own` being what the area sets of `params` itself."""

    id: int
    code: str
    detector: str
    version: int
    params: dict[str, float]
    thing_kind: str
    property: str
    lateness_s: int
    enabled: bool
    since: datetime
    path: str = ""
    own: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class StateRow:
    """What is stored of one watch and partition."""

    id: int
    watch_id: int
    partition: int
    state: bytes
    cursor: int
    tick_id: int
    fence: int


TICKS_PER_PASS = 200
STREAMS_AT_ONCE = 50
_WATCH = ("pk", "code", "detector", "version", "params", "thing_kind", "property", "lateness_s", "enabled", "since", "path")
_STATE = ("pk", "watch_id", "partition", "state", "cursor", "tick_id", "fence")


_ALL = Prepared(lambda: Watch.objects.order_by("code", "path").values_list(*_WATCH))
_ENABLED = Prepared(lambda: Watch.objects.filter(enabled=True).order_by("code", "path").values_list(*_WATCH))
_STATES = Prepared(lambda watch_id: WatchState.objects.filter(watch_id=watch_id).order_by("partition").values_list(*_STATE))
_LAST_TICK = Prepared(lambda: WatchTick.objects.order_by("-pk").values_list("pk", "upto_seq", "at")[:1])
_TICKS = Prepared(lambda tick_id: WatchTick.objects.filter(pk__gt=tick_id).order_by("pk").values_list("pk", "upto_seq", "at")[:TICKS_PER_PASS])


def watches(*, enabled_only: bool = False) -> list[WatchRow]:
    """Return the watches by code, those of areas left out."""
    return [row for row in family_rows(enabled_only=enabled_only) if not row.path]


def family_rows(*, enabled_only: bool = False) -> list[WatchRow]:
    """Return the watches by code and path, each with those of areas, whose parameters are what holds there."""
    found: list[WatchRow] = []
    above: list[WatchRow] = []
    for row in (WatchRow(*row) for row in (_ENABLED if enabled_only else _ALL).rows()):
        if not row.path:
            above = [row]
        elif above and above[0].code == row.code:
            own = {name: value for name, value in row.params.items() if name in above[0].params}
            line = [each for each in above if row.path.startswith(each.path)]
            params = {**line[-1].params, **own}
            above.append(replace(above[0], id=row.id, path=row.path, params=params, own=own))
        else:
            continue
        found.append(above[-1])
    return found


def watch_at(code: str, path: str) -> WatchRow | None:
    """Return the watch of the nearest area at or above `path`, whose parameters hold there; None where there is none."""
    rows = [row for row in family_rows() if row.code == code and path.startswith(row.path)]
    return max(rows, key=lambda row: len(row.path), default=None)


def meters_changed(code: str, path: str, own: Mapping[str, float]) -> int:
    """Return of how many datastreams the parameters change where the area of `path` sets `own`; those of exercises do not count."""
    rows = [row for row in family_rows() if row.code == code]
    if not rows:
        return 0
    before = {row.path: row.own for row in rows}
    after = {**before, path: own}
    known = telemetry.catalogue()
    chosen = known.ids[known.selected(kind=rows[0].thing_kind, observed=rows[0].property) & (known.exercise_id == 0)]
    paths = stream_paths(known)
    places = Counter(found for stream in chosen.tolist() if (found := paths[stream]).startswith(path))
    return sum(count for place, count in places.items() if own_at(place, before) != own_at(place, after))


def stream_paths(known: telemetry.Catalogue) -> dict[int, str]:
    """Return the path of each datastream of the catalogue."""
    return {stream: known.path[device] for device, streams in known.by_device.items() for stream in streams.values()}


@dataclass(frozen=True)
class LearningRow:
    """How far the learning of a stream's past is: asked for, learnt, or taken by the watch; `first_at` is the first reading of that past."""

    stream: int
    asked_at: datetime
    first_at: datetime | None
    readings: int
    is_learnt: bool
    is_taken: bool


def learning_of(stream: int) -> LearningRow | None:
    """Return how far the learning of a stream is, over all watches; None where nobody has asked for it."""
    rows = list(Learning.objects.filter(stream=stream))
    if not rows:
        return None
    first_at = min((row.first_at for row in rows if row.first_at), default=None)
    return LearningRow(
        stream, min(row.asked_at for row in rows), first_at, max(row.readings for row in rows),
        all(row.learnt_at for row in rows), all(row.taken_at for row in rows),
    )


def states(watch_id: int) -> list[StateRow]:
    """Return what is stored for each partition of a watch."""
    return [StateRow(row[0], row[1], row[2], bytes(row[3]), *row[4:]) for row in _STATES.rows(watch_id)]


def last_tick() -> Tick | None:
    """Return the last tick, None before the first."""
    row = _LAST_TICK.first()
    return Tick(*row) if row else None


def ticks_after(tick_id: int) -> list[Tick]:
    """Return at most TICKS_PER_PASS ticks after `tick_id`, oldest first."""
    return [Tick(*row) for row in _TICKS.rows(tick_id)]


def read_upto() -> int:
    """Return the batch up to which every enabled watch has stored its state: earlier ones are no longer needed."""
    found = WatchState.objects.filter(watch__enabled=True).aggregate(cursor=Min("cursor"))["cursor"]
    return telemetry.last_batch() if found is None else found


def needed_from_tick() -> int:
    """Return the oldest tick that some enabled watch has not passed, 0 when none is set."""
    return WatchState.objects.filter(watch__enabled=True).aggregate(tick=Min("tick_id"))["tick"] or 0


def behind() -> int:
    """Return how many batches of the ingest log no tick has covered yet."""
    last = last_tick()
    return telemetry.last_batch() - (last.upto_seq if last else 0)


@dataclass(frozen=True)
class LateRow:
    """The late readings of one stream that wait for a review."""

    id: int
    watch_id: int
    stream: int
    moments: bytes


_LATE = Prepared(
    lambda settled_before, waiting_since: LateRows.objects.filter(
        Q(noted_at__lte=settled_before) | Q(first_noted_at__lte=waiting_since), watch__enabled=True,
    ).order_by("watch_id", "pk").values_list("pk", "watch_id", "stream", "moments")[:STREAMS_AT_ONCE],
)


def late_rows(*, settled_before: datetime, waiting_since: datetime) -> list[LateRow]:
    """Return the late readings of at most STREAMS_AT_ONCE streams to review, oldest first: of streams that have been quiet since `settled_before`, or wait since long ago."""
    rows = _LATE.rows(settled_before, waiting_since)
    return [LateRow(pk, watch_id, stream, bytes(moments)) for pk, watch_id, stream, moments in rows]


@dataclass(frozen=True)
class ReviewRow:
    """One review finding as its list shows it."""

    stream: int
    kind: str
    phase: str
    at: datetime
    reason: str
    params: dict[str, float]
    reviewed_at: datetime
    told: bool


def review_findings(streams: Collection[int] | None = None, *, offset: int = 0, limit: int = 50) -> tuple[list[ReviewRow], int]:
    """Return a slice of what reviews of late readings found, newest first, and how many there are."""
    rows = ReviewFinding.objects.all() if streams is None else ReviewFinding.objects.filter(stream__in=streams)
    columns = ("stream", "kind", "phase", "at", "reason", "params", "reviewed_at", "told")
    page = rows.order_by("-reviewed_at", "-pk").values_list(*columns)[offset : offset + limit]
    return [ReviewRow(*row) for row in page], rows.count()
