"""What the pages of waters and cameras show, in the reader's scope."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models import Q, QuerySet

from shouwang.alerts.queries import standing_alerts
from shouwang.alerts.rules import Standing
from shouwang.kernel.moments import local
from shouwang.people.queries import person_cards
from shouwang.people.rules import Scope
from shouwang.places.queries import full_names, within
from shouwang.systems.drowning.models import Camera, Known, Label, Sighting, Water
from shouwang.systems.drowning.queries.waters import CameraRow, WaterRow, camera_row, water_row
from shouwang.systems.drowning.rules.judging import Verdict
from shouwang.systems.drowning.rules.kinds import EDGE
from shouwang.systems.drowning.rules.thresholds import FALSE, Labelled
from shouwang.telemetry.queries import last_heard

READ = "case.read"
OFFLINE_AFTER = timedelta(minutes=5)
SORTS = {"name": "name", "area": "path"}
HOURS = 24
MOST_LIVE = 9
LAST = timedelta(days=30)


@dataclass(frozen=True)
class WaterLine:
    """A water as the list shows it."""

    id: int
    name: str
    kind: str
    area: str
    owner: str
    state: str
    cameras: int
    offline: int
    case_id: int | None
    last_at: datetime | None
    lon: float | None
    lat: float | None


@dataclass(frozen=True)
class KnownRow:
    """A notice that persons are known at a water."""

    id: int
    persons: int
    reason: str
    since: datetime
    until: datetime
    by: str
    ended_at: datetime | None


@dataclass(frozen=True)
class CameraLine:
    """A camera as the pages show it: whether it was heard lately, and its last picture."""

    camera: CameraRow
    heard_at: datetime | None
    is_online: bool


@dataclass(frozen=True)
class Seen:
    """A sighting in a history."""

    id: int
    at: datetime
    camera: str
    verdict: str
    kind: str
    persons: int
    repeats: int
    over_at: datetime | None


@dataclass(frozen=True)
class Figures:
    """What happened at waters in the last thirty days."""

    verdicts: Mapping[str, int]
    cases: int
    false_alarms: int
    left: int
    accept_median_s: float | None
    arrive_median_s: float | None
    by_hour: Sequence[int]
    by_water: Sequence[tuple[int, str, int]]


def list_waters(
    scope: Scope, *, now: datetime, text: str = "", state: str = "", kind: str = "", sort: str = "", offset: int = 0, limit: int = 50,
) -> tuple[list[WaterLine], int]:
    """Return a slice of the waters in the reader's scope and how many there are."""
    found = _within(Water.objects.all(), scope).filter(active=state != "LEFT")
    if text:
        found = found.filter(Q(name__icontains=text) | Q(owner__icontains=text))
    if kind:
        found = found.filter(kind=kind)
    if state == "ALARM":
        found = found.filter(pk__in=_alarmed(found.values_list("pk", flat=True)))
    key = SORTS.get(sort.lstrip("-"), "path")
    rows = list(found.order_by(f"-{key}" if sort.startswith("-") else key, "pk")[offset : offset + limit])
    return _lines(rows, now=now), found.count()


def _within(found: QuerySet[Water], scope: Scope) -> QuerySet[Water]:
    return found.filter(within(scope.paths_for(READ)))


def _alarmed(water_ids: Collection[int]) -> dict[int, Standing]:
    return standing_alerts("water", list(water_ids), family=EDGE, exercise_id=None)


def _lines(rows: Sequence[Water], *, now: datetime) -> list[WaterLine]:
    ids = [row.pk for row in rows]
    alerts = _alarmed(ids)
    cameras: dict[int, list[int]] = {}
    for water_id, thing_id in Camera.objects.filter(water_id__in=ids, active=True).values_list("water_id", "thing_id"):
        cameras.setdefault(water_id, []).append(thing_id)
    heard = last_heard([thing for things in cameras.values() for thing in things])
    names = full_names({row.area_id for row in rows})
    known = set(Known.objects.filter(water_id__in=ids, since__lte=now, until__gt=now, ended_at__isnull=True).values_list("water_id", flat=True))
    last = dict(Sighting.objects.filter(water_id__in=ids, at__gt=now - LAST).order_by("at").values_list("water_id", "at"))
    found = []
    for row in rows:
        things = cameras.get(row.pk, [])
        offline = sum(not _is_online(heard.get(thing), now) for thing in things)
        alert = alerts.get(row.pk)
        state = "LEFT" if not row.active else "ALARM" if alert else "KNOWN" if row.pk in known else "BLIND" if offline == len(things) else "QUIET"
        found.append(WaterLine(
            row.pk, row.name, row.kind, names.get(row.area_id, ""), row.owner, state, len(things), offline,
            alert.case_id if alert else None, last.get(row.pk), row.lon, row.lat,
        ))
    return found


def _is_online(heard_at: datetime | None, now: datetime) -> bool:
    return heard_at is not None and now - heard_at <= OFFLINE_AFTER


def water_line(water_id: int, *, now: datetime) -> WaterLine:
    """Return a water as the list shows it; the caller has checked that it is there."""
    (line,) = _lines([Water.objects.get(pk=water_id)], now=now)
    return line


def camera_lines(water_id: int, *, now: datetime) -> list[CameraLine]:
    """Return the cameras of a water."""
    rows = list(Camera.objects.filter(water_id=water_id, active=True).select_related("water").order_by("pk"))
    heard = last_heard([row.thing_id for row in rows])
    return [CameraLine(camera_row(row), heard.get(row.thing_id), _is_online(heard.get(row.thing_id), now)) for row in rows]


def live_cameras(scope: Scope, *, now: datetime, limit: int = MOST_LIVE) -> list[CameraLine]:
    """Return the cameras of the reader's own waters, those with an alarm first, then those heard last; at most nine."""
    waters = list(_within(Water.objects.filter(active=True), scope).values_list("pk", flat=True))
    rows = list(Camera.objects.filter(water_id__in=waters, active=True).select_related("water"))
    heard = last_heard([row.thing_id for row in rows])
    alarmed = _alarmed(waters)

    def order(row: Camera) -> tuple[bool, float, int]:
        last = row.picture_at or heard.get(row.thing_id)
        return row.water_id not in alarmed, -last.timestamp() if last else 0.0, row.pk

    rows.sort(key=order)
    return [CameraLine(camera_row(row), heard.get(row.thing_id), _is_online(heard.get(row.thing_id), now)) for row in rows[:limit]]


def known_rows(water_id: int, *, now: datetime, language: str) -> list[KnownRow]:
    """Return the notices of a water: those in force first, then those of the last month."""
    rows = list(Known.objects.filter(water_id=water_id, until__gt=now - LAST).order_by("-since")[:20])
    cards = person_cards({row.by for row in rows if row.by is not None}, language=language)
    return [
        KnownRow(row.pk, row.persons, row.reason, row.since, row.until, cards[row.by].name if row.by in cards else "", row.ended_at) for row in rows
    ]


def history(*, water_id: int | None = None, camera_id: int | None = None, limit: int = 50) -> list[Seen]:
    """Return the last sightings of a water or a camera, newest first."""
    rows = Sighting.objects.select_related("camera").order_by("-at", "-pk")
    if water_id is not None:
        rows = rows.filter(water_id=water_id)
    if camera_id is not None:
        rows = rows.filter(camera_id=camera_id)
    return [
        Seen(row.pk, row.at, row.camera.name, row.verdict, row.kind, row.persons, row.repeats, row.over_at) for row in rows[:limit]
    ]


def figures(scope: Scope, *, now: datetime) -> Figures:
    """Return what happened at the reader's waters in the last thirty days; exercises are not counted."""
    waters = dict(_within(Water.objects.all(), scope).values_list("pk", "name"))
    rows = list(
        Sighting.objects.filter(water_id__in=waters, at__gt=now - LAST, exercise_id=None).values_list("water_id", "verdict", "at")
    )
    alarms = [(water_id, at) for water_id, verdict, at in rows if verdict == Verdict.ALARM]
    by_hour = Counter(local(at).hour for _, at in alarms)
    by_water = Counter(water_id for water_id, _ in alarms)
    labels = list(Label.objects.filter(water_id__in=waters, opened_at__gt=now - LAST))
    return Figures(
        Counter(verdict for _, verdict, _ in rows), len(labels), sum(each.result in FALSE for each in labels),
        sum(each.result == "LEFT" for each in labels),
        _median([(each.accepted_at - each.opened_at).total_seconds() for each in labels if each.accepted_at]),
        _median([(each.arrived_at - each.opened_at).total_seconds() for each in labels if each.arrived_at]),
        [by_hour[hour] for hour in range(HOURS)], [(water_id, waters[water_id], number) for water_id, number in by_water.most_common(10)],
    )


def labelled(camera_id: int) -> list[Labelled]:
    """Return the closed cases of a camera of which it said how sure it was."""
    rows = Label.objects.filter(camera_id=camera_id, score__isnull=False).values_list("score", "result")
    return [Labelled(score, result in FALSE) for score, result in rows if score is not None]


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def waters_named(water_ids: Collection[int]) -> dict[int, WaterRow]:
    """Return waters by number."""
    return {row.pk: water_row(row) for row in Water.objects.filter(pk__in=water_ids)}
