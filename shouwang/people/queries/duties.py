"""Reads of duties and of the planned roster, as their pages show them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from shouwang.kernel.texts import Text
from shouwang.people.models import Duty, Leave, Person, Shift, below
from shouwang.people.queries.persons import area_names
from shouwang.people.rules.codes import DUTIES, RANKS
from shouwang.people.rules.masking import mask_phone
from shouwang.people.rules.roster import RosterCell, ShiftRow, day_bounds, week_cells
from shouwang.people.rules.scope import Scope

ROSTER_ROWS = 60


@dataclass(frozen=True, slots=True)
class DutyView:
    """One duty as the list shows it: an officer's name is public to colleagues, the phone is masked."""

    id: int
    area: str
    duty: Text
    rank: Text
    person_id: int
    person: str
    phone: str
    from_date: date
    until_date: date | None


@dataclass(frozen=True, slots=True)
class ShiftView:
    """One row of the week table: an area and duty, and its seven days."""

    area_id: int
    area: str
    code: str
    duty: Text
    cells: tuple[RosterCell, ...]


def list_duties(
    scope: Scope, *, on: date, text: str = "", code: str = "", level: str = "", offset: int = 0, limit: int = 50,
) -> tuple[list[DutyView], int]:
    """Return a page of the duties held or to come at `on` that `scope` sees, by area, and how many there are."""
    rows = Duty.objects.within(scope).filter(Q(until_date__isnull=True) | Q(until_date__gt=on), object_kind="AREA")
    if code:
        rows = rows.filter(code=code)
    if level:
        rows = rows.filter(level=level)
    if text:
        match = Q(person__name__contains=text)
        if text.isascii():
            match |= Q(person__initials__startswith=text.lower())
        rows = rows.filter(match)
    page = list(rows.select_related("person").order_by("path", "code", "-rank", "pk")[offset : offset + limit])
    names = area_names({duty.area_id for duty in page})
    shown = [
        DutyView(
            duty.pk, names[duty.area_id], DUTIES[duty.code], RANKS[duty.rank], duty.person_id, duty.person.name,
            mask_phone(duty.person.phone), duty.from_date, duty.until_date,
        )
        for duty in page
    ]
    return shown, rows.count()


def roster_week(scope: Scope, days: Sequence[date], *, path: str = "") -> tuple[list[ShiftView], dict[int, str]]:
    """Return the week table of the shifts `scope` sees, at most ROSTER_ROWS rows, and the persons' names."""
    start, end = day_bounds(days[0])[0], day_bounds(days[-1])[1]
    found = Shift.objects.within(scope).filter(start_at__lt=end, until_at__gt=start)
    if path:
        found = found.filter(below(path))
    groups: dict[tuple[str, int, str], list[tuple[int, ShiftRow]]] = {}
    for shift in found.order_by("path", "code", "start_at"):
        row = ShiftRow(
            shift.area_id, shift.level, shift.code, shift.start_at, shift.until_at, shift.person_id, shift.deputy_id,
        )
        groups.setdefault((shift.path, shift.area_id, shift.code), []).append((shift.pk, row))
    kept = list(groups.items())[:ROSTER_ROWS]
    names = area_names({area_id for (_, area_id, _), _ in kept})
    persons = {each for _, rows in kept for _, row in rows for each in (row.person_id, row.deputy_id) if each}
    views = [
        ShiftView(area_id, names[area_id], code, DUTIES[code], tuple(week_cells(days, rows)))
        for (_, area_id, code), rows in kept
    ]
    return views, _names(persons)


@dataclass(frozen=True, slots=True)
class LeaveView:
    """One leave: whose, from a day until a day (exclusive)."""

    id: int
    person_id: int
    person: str
    from_date: date
    until_date: date


def leaves(scope: Scope, *, start: date, end: date, path: str = "", person_id: int | None = None) -> list[LeaveView]:
    """Return the leaves that `scope` sees and that touch [start, end), below `path`, of all or of one person; at most ROSTER_ROWS."""
    rows = Leave.objects.within(scope).filter(from_date__lt=end, until_date__gt=start)
    if path:
        rows = rows.filter(below(path, "person__path"))
    if person_id is not None:
        rows = rows.filter(person_id=person_id)
    rows = rows.order_by("from_date", "pk").values_list("pk", "person_id", "person__name", "from_date", "until_date")
    return [LeaveView(*row) for row in rows[:ROSTER_ROWS]]


def holders(scope: Scope, area_id: int, code: str, *, on: date, language: str) -> list[tuple[int, str]]:
    """Return the persons who hold a duty at an area from `on`, as (id, name and rank), primary first."""
    rows = Duty.objects.within(scope).filter(
        Q(until_date__isnull=True) | Q(until_date__gt=on), area_id=area_id, code=code,
    ).order_by("-rank", "pk")
    return [
        (person_id, f"{name} · {RANKS[rank].render(language, {})}")
        for person_id, name, rank in rows.values_list("person_id", "person__name", "rank")
    ]


def _names(ids: Collection[int]) -> dict[int, str]:
    return dict(Person.objects.unscoped().filter(pk__in=ids).values_list("pk", "name"))
