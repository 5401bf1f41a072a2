"""Activities as lists and calendars show them, each with what it comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from shouwang.activities.models import Activity, Matter, Photo, Rating, SignUp, Ticket
from shouwang.activities.queries.catalogue import kind_of
from shouwang.activities.queries.scoped import within
from shouwang.activities.rules.evaluation import Evaluation, evaluated
from shouwang.activities.rules.kinds import Kind
from shouwang.activities.rules.months import next_month
from shouwang.activities.rules.procedures import HANDED_ON
from shouwang.activities.rules.states import STATES, State
from shouwang.kernel.moments import LOCAL_ZONE, local
from shouwang.kernel.texts import Text
from shouwang.people.queries import area_names, person_cards
from shouwang.people.rules import Scope
from shouwang.people.rules.codes import DUTIES
from shouwang.places.queries import search

SORTS = {"starts_at": "starts_at", "title": "title", "place": "place", "attended": "attended"}
FOUND_AREAS = 20
IN_A_MONTH = 2_000


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """One activity and what it comes to. `people` is the counted attendance, else how many numbers were served."""

    id: int
    code: str
    kind: Kind
    title: str
    area: str
    area_id: int
    path: str
    place: str
    starts_at: datetime
    ends_at: datetime
    state_code: State
    state: Text
    entry: str
    capacity: int | None
    windows: int
    organiser: Text
    seats: int
    seats_waiting: int
    numbers_done: int
    numbers_waiting: int
    matters: int
    matters_here: int
    attended: int | None
    cost_fen: int | None
    evaluation: Evaluation
    photos: int

    @property
    def people(self) -> int:
        """Return how many people it has served."""
        return self.numbers_done if self.attended is None else self.attended


@dataclass(frozen=True)
class Filters:
    """What a list of activities is narrowed to; `when` is TODAY, COMING or PAST."""

    text: str = ""
    kind: str = ""
    state: str = ""
    when: str = ""


def list_activities(
    scope: Scope, filters: Filters, *, now: datetime, sort: str = "-starts_at", offset: int = 0, limit: int = 50,
) -> tuple[list[ActivityRow], int]:
    """Return a page of the activities `scope` sees and how many there are; nine queries."""
    rows = _filtered(scope, filters, now=now)
    key = SORTS.get(sort.removeprefix("-"), "starts_at")
    ordered = rows.order_by(f"-{key}" if sort.startswith("-") else key, "-pk")
    return rows_of(list(ordered[offset : offset + limit])), rows.count()


def in_month(scope: Scope, month: date) -> dict[date, list[ActivityRow]]:
    """Return the activities `scope` sees on each local day of a month on which any begins or goes on, at most 2,000."""
    start, end = _midnight(month), _midnight(next_month(month))
    rows = within(scope).filter(starts_at__lt=end, ends_at__gt=start).order_by("starts_at", "pk")[:IN_A_MONTH]
    found: dict[date, list[ActivityRow]] = {}
    for row in rows_of(list(rows)):
        day = max(local(row.starts_at).date(), month)
        while day < next_month(month) and _midnight(day) < row.ends_at:
            found.setdefault(day, []).append(row)
            day += timedelta(days=1)
    return found


def titles_of(activity_ids: Collection[int]) -> dict[int, str]:
    """Return the titles of these activities; takes no scope: the caller shows what it has checked."""
    return dict(Activity.objects.filter(pk__in=activity_ids).values_list("pk", "title"))


def rows_of(activities: Sequence[Activity]) -> list[ActivityRow]:
    """Return activities with what they come to; the caller has asked for them in a scope."""
    ids = [row.pk for row in activities]
    seats, numbers = _counted(SignUp, ids, "state", Sum("party")), _counted(Ticket, ids, "state", Count("pk"))
    matters, ratings = _counted(Matter, ids, "handled", Count("pk")), _counted(Rating, ids, "score", Count("pk"))
    photos = dict(Photo.objects.filter(activity_id__in=ids).values_list("activity_id").annotate(Count("pk")))
    areas = area_names({row.area_id for row in activities})
    names = person_cards({row.organiser_id for row in activities if row.organiser_id}, language="zh")
    found = []
    for row in activities:
        state: State = row.state  # type: ignore[assignment] # held to STATES by a constraint
        handled = matters.get(row.pk, Counter())
        found.append(ActivityRow(
            row.pk, row.code, kind_of(row.kind), row.title, areas.get(row.area_id, ""), row.area_id, row.path, row.place,
            row.starts_at, row.ends_at, state, STATES[state], row.entry, row.capacity, row.windows,
            _organiser(row, names[row.organiser_id].name if row.organiser_id in names else ""),
            seats.get(row.pk, Counter())["IN"], seats.get(row.pk, Counter())["WAITING"], numbers.get(row.pk, Counter())["DONE"],
            numbers.get(row.pk, Counter())["WAITING"], handled.total(), handled.total() - handled[HANDED_ON], row.attended,
            row.cost_fen, evaluated(ratings.get(row.pk, Counter())), photos.get(row.pk, 0),
        ))
    return found


def _organiser(row: Activity, name: str) -> Text:
    duty = DUTIES.get(row.organiser_duty, Text("", ""))
    return Text("、".join(part for part in (name, duty.zh) if part), ", ".join(part for part in (name, duty.en) if part))


def _counted(model: Any, ids: Collection[int], column: str, amount: Any) -> dict[int, Counter[Any]]:
    found: dict[int, Counter[Any]] = {}
    for activity_id, value, number in model.objects.filter(activity_id__in=ids).values_list("activity_id", column).annotate(amount):
        found.setdefault(activity_id, Counter())[value] = number
    return found


def _filtered(scope: Scope, filters: Filters, *, now: datetime) -> QuerySet[Activity]:
    rows = within(scope)
    if filters.kind:
        rows = rows.filter(kind=filters.kind)
    if filters.state:
        rows = rows.filter(state=filters.state)
    if filters.when == "TODAY":
        today = local(now).date()
        rows = rows.filter(starts_at__lt=_midnight(today + timedelta(days=1)), ends_at__gt=_midnight(today))
    elif filters.when == "COMING":
        rows = rows.filter(ends_at__gt=now)
    elif filters.when == "PAST":
        rows = rows.filter(ends_at__lte=now)
    if filters.text:
        areas = [area.id for area in search(filters.text, scope.paths, FOUND_AREAS)]
        rows = rows.filter(Q(title__contains=filters.text) | Q(place__contains=filters.text) | Q(area_id__in=areas))
    return rows


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=LOCAL_ZONE)
