"""What every write checks first: that the place, the person or the household lies where the actor has the right."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import TypeVar

from shouwang.kernel.errors import NotFound
from shouwang.people.models import Household, Person
from shouwang.people.rules.errors import CodeUnknown, SpanEmpty
from shouwang.people.rules.scope import Scope
from shouwang.places import queries as places

EDIT = "people.edit"
APPOINT = "duties.edit"
Span = TypeVar("Span", date, datetime)


def areas_in(scope: Scope, area_ids: Collection[int], right: str = EDIT) -> Mapping[int, places.AreaRow]:
    """Return these areas. Raises Refused without the right, NotFound for an area where it does not count."""
    scope.require(right)
    found = places.areas(sorted(set(area_ids)))
    for area_id in area_ids:
        if area_id not in found or not scope.may(right, found[area_id].path):
            raise NotFound(what=f"地区 {area_id}")
    return found


def area_in(scope: Scope, area_id: int, right: str = EDIT) -> places.AreaRow:
    """Return one area. Raises Refused, NotFound."""
    return areas_in(scope, [area_id], right)[area_id]


def person_in(scope: Scope, person_id: int, right: str = EDIT) -> Person:
    """Return a person at whose place the actor has the right. Raises Refused, NotFound."""
    scope.require(right)
    person: Person | None = Person.objects.within(scope, right).filter(pk=person_id).first()
    if person is None or not (scope.may(right, person.path)):
        raise NotFound(what=f"人员 {person_id}")
    return person


def household_in(scope: Scope, household_id: int, right: str = EDIT) -> Household:
    """Return a household at whose place the actor has the right. Raises Refused, NotFound."""
    scope.require(right)
    household: Household | None = Household.objects.within(scope, right).filter(pk=household_id).first()
    if household is None:
        raise NotFound(what=f"家庭 {household_id}")
    return household


def persons_exist(person_ids: Iterable[int]) -> None:
    """Raise NotFound for the first id that is no person."""
    wanted = set(person_ids)
    missing = wanted - set(Person.objects.unscoped().filter(pk__in=wanted).values_list("pk", flat=True))
    if missing:
        raise NotFound(what=f"人员 {min(missing)}")


def known(field: str, code: str, codes: Collection[str]) -> str:
    """Return `code`. Raises CodeUnknown when it is not one of `codes`."""
    if code not in codes:
        raise CodeUnknown(field=field, found=code, expected=", ".join(codes))
    return code


def require_span(start: Span, until: Span | None) -> None:
    """Raise SpanEmpty unless `until` lies after `start` or is open."""
    if until is not None and until <= start:
        raise SpanEmpty(start=start.isoformat(), until=until.isoformat())
