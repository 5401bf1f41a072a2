"""Hazards as the pages show them, in the reader's scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, QuerySet

from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import local
from shouwang.people.queries import person_cards
from shouwang.people.rules import Scope
from shouwang.places.queries import within as below
from shouwang.systems.drowning.models import Hazard
from shouwang.systems.drowning.rules import hazards as rules

READ = "case.read"
SORTS = {"until": "until", "water": "water__name", "found": "found_at"}
OVERDUE = "OVERDUE"


@dataclass(frozen=True, slots=True)
class HazardRow:
    """A hazard with its water, and who found it."""

    id: int
    water_id: int
    water: str
    path: str
    kind: str
    what: str
    unit: str
    until: date
    state: str
    is_overdue: bool
    found_at: datetime
    found_by: str
    case_id: int | None
    from_case_id: int | None
    photo_id: int | None
    done: str
    done_at: datetime | None
    done_photo_id: int | None


def within(scope: Scope, *, right: str = READ) -> Q:
    """Return what of a table with a path lies in the reader's scope."""
    return below(scope.paths_for(right))


def list_hazards(
    scope: Scope, *, now: datetime, language: str, text: str = "", state: str = "", kind: str = "", sort: str = "", offset: int = 0, limit: int = 50,
) -> tuple[list[HazardRow], int]:
    """Return a slice of the hazards in the reader's scope and how many there are; those to be mended first, by their day."""
    found = _standing(Hazard.objects.filter(within(scope)), state, today=local(now).date())
    if text:
        found = found.filter(Q(what__icontains=text) | Q(unit__icontains=text) | Q(water__name__icontains=text))
    if kind:
        found = found.filter(kind=kind)
    key = SORTS.get(sort.lstrip("-"), "until")
    rows = found.select_related("water").order_by(f"-{key}" if sort.startswith("-") else key, "pk")[offset : offset + limit]
    return _rows(rows, now=now, language=language), found.count()


def _standing(found: QuerySet[Hazard], state: str, *, today: date) -> QuerySet[Hazard]:
    if state == OVERDUE:
        return found.filter(state=rules.OPEN, until__lt=today)
    return found.filter(state=state) if state in rules.STATES else found


def hazards_of(water_id: int, *, now: datetime, language: str, limit: int = 20) -> list[HazardRow]:
    """Return the hazards of a water that are not closed, then the last ones that are; the caller has checked the scope."""
    rows = Hazard.objects.filter(water_id=water_id).select_related("water").order_by("-found_at")[:limit]
    found = _rows(rows, now=now, language=language)
    return sorted(found, key=lambda row: row.state in {rules.CLOSED, rules.DROPPED})


def hazard_in(scope: Scope, hazard_id: int, *, now: datetime, language: str) -> HazardRow:
    """Return a hazard in the reader's scope. Raises NotFound."""
    row = Hazard.objects.filter(pk=hazard_id).select_related("water").first()
    if row is None or not scope.may(READ, row.path):
        raise NotFound(what=f"隐患 {hazard_id}")
    return _rows([row], now=now, language=language)[0]


def hazard_named(hazard_id: int) -> tuple[str, str]:
    """Return the water and what is wrong there, for the pages of a hazard's case; the case's own scope was checked."""
    row = Hazard.objects.filter(pk=hazard_id).select_related("water").first()
    return (row.water.name, row.what) if row is not None else ("", "")


def _rows(rows: Sequence[Hazard] | QuerySet[Hazard], *, now: datetime, language: str) -> list[HazardRow]:
    today = local(now).date()
    cards = person_cards({row.found_by for row in rows if row.found_by is not None}, language=language)
    return [
        HazardRow(
            row.pk, row.water_id, row.water.name, row.path, row.kind, row.what, row.unit, row.until, row.state,
            rules.is_overdue(row.state, row.until, today=today), row.found_at, cards[row.found_by].name if row.found_by in cards else "",
            row.case_id, row.from_case_id, row.photo_id, row.done, row.done_at, row.done_photo_id,
        )
        for row in rows
    ]
