"""Patrols as the pages show them, in the reader's scope: by water and by time, never by person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import local
from shouwang.people.rules import Scope
from shouwang.places.queries import full_names
from shouwang.systems.drowning.models import Patrol
from shouwang.systems.drowning.queries.hazards import READ, within
from shouwang.systems.drowning.rules.patrols import DONE, DUE, NOT_YET, OVERDUE, midnight, state_of

SORTS = {"due": "due_to", "water": "water__name"}
KEPT_IN_LIST = timedelta(days=400)
WEEKS_BACK, WEEKS_AHEAD = 4, 2
MOST_WATERS = 200


@dataclass(frozen=True, slots=True)
class PatrolRow:
    """A patrol of a water: on any of the days [due_from, due_to)."""

    id: int
    water_id: int
    water: str
    area: str
    path: str
    first_day: date
    last_day: date
    state: str
    done_at: datetime | None
    note: str
    hazard_id: int | None


@dataclass(frozen=True, slots=True)
class CalendarLine:
    """A water and how the patrols stand whose days end in each week."""

    water_id: int
    water: str
    weeks: Sequence[str]


def list_patrols(
    scope: Scope, *, now: datetime, text: str = "", state: str = "", sort: str = "", offset: int = 0, limit: int = 50,
) -> tuple[list[PatrolRow], int]:
    """Return a slice of the patrols of watched waters in the reader's scope and how many there are."""
    found = _inside(scope).filter(due_from__gt=now - KEPT_IN_LIST)
    if text:
        found = found.filter(water__name__icontains=text)
    if state:
        found = found.filter(_standing(state, now))
    key = SORTS.get(sort.lstrip("-"), "due_to")
    rows = found.order_by(f"-{key}" if sort.startswith("-") else key, "pk")[offset : offset + limit]
    return _rows(rows, now=now), found.count()


def due_patrols(scope: Scope, *, now: datetime, limit: int = 50) -> list[PatrolRow]:
    """Return the patrols that may be made now where the reader goes or sends somebody, the oldest first."""
    where = within(scope, right="case.handle") | within(scope, right="case.dispatch")
    found = _inside(scope).filter(where, due_from__lte=now, done_at__isnull=True, due_to__gt=now - timedelta(days=60))
    return _rows(found.order_by("due_to", "pk")[:limit], now=now)


def patrol_in(scope: Scope, patrol_id: int, *, now: datetime) -> PatrolRow:
    """Return a patrol in the reader's scope. Raises NotFound."""
    row = Patrol.objects.filter(pk=patrol_id).select_related("water").first()
    if row is None or not scope.may(READ, row.path):
        raise NotFound(what=f"巡查 {patrol_id}")
    return _rows([row], now=now)[0]


def next_patrol(water_id: int, *, now: datetime) -> PatrolRow | None:
    """Return the oldest patrol of a water that was not made; None where there is none. The caller has checked the scope."""
    rows = Patrol.objects.filter(water_id=water_id, done_at__isnull=True).select_related("water").order_by("due_to")[:1]
    return next(iter(_rows(rows, now=now)), None)


def weeks_of(now: datetime) -> list[date]:
    """Return the Mondays of the weeks that the calendar shows."""
    today = local(now).date()
    monday = today - timedelta(days=today.weekday())
    return [monday + timedelta(weeks=n) for n in range(-WEEKS_BACK, WEEKS_AHEAD + 1)]


def calendar(scope: Scope, *, now: datetime) -> list[CalendarLine]:
    """Return how the patrols of each water in the reader's scope stand, week by week; the worst of a week shows.

    One that was made stands in the week in which it was made, one that is late in that of its last day, one that is due in
    this week, one to come in that of its first day.
    """
    weeks = weeks_of(now)
    found = _inside(scope).filter(due_to__gt=midnight(weeks[0]), due_from__lt=midnight(weeks[-1] + timedelta(weeks=1)))
    order = [OVERDUE, DUE, NOT_YET, DONE]
    lines: dict[tuple[str, int], list[str]] = {}
    for row in _rows(found.order_by("water__name", "due_to")[: MOST_WATERS * len(weeks)], now=now):
        cells = lines.setdefault((row.water, row.water_id), [""] * len(weeks))
        week = (_day_of(row, now) - weeks[0]).days // 7
        if 0 <= week < len(weeks):
            cells[week] = min((each for each in (cells[week], row.state) if each), key=order.index)
    return [CalendarLine(water_id, water, cells) for (water, water_id), cells in sorted(lines.items())[:MOST_WATERS]]


def _day_of(row: PatrolRow, now: datetime) -> date:
    if row.done_at is not None:
        return local(row.done_at).date()
    return {OVERDUE: row.last_day, DUE: local(now).date()}.get(row.state, row.first_day)


def _inside(scope: Scope) -> QuerySet[Patrol]:
    return Patrol.objects.filter(within(scope), water__active=True).select_related("water")


def _standing(state: str, now: datetime) -> Q:
    waiting = Q(done_at__isnull=True)
    return {
        DONE: Q(done_at__isnull=False), OVERDUE: waiting & Q(due_to__lte=now), DUE: waiting & Q(due_from__lte=now, due_to__gt=now),
        NOT_YET: waiting & Q(due_from__gt=now),
    }.get(state, Q())


def _rows(rows: Sequence[Patrol] | QuerySet[Patrol], *, now: datetime) -> list[PatrolRow]:
    names = full_names({row.water.area_id for row in rows})
    return [
        PatrolRow(
            row.pk, row.water_id, row.water.name, names.get(row.water.area_id, ""), row.path, local(row.due_from).date(),
            local(row.due_to).date() - timedelta(days=1), state_of(row.due_from, row.due_to, row.done_at, now=now), row.done_at, row.note,
            row.hazard_id,
        )
        for row in rows
    ]
