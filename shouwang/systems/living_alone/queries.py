"""Reads of the living-alone system."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from shouwang.alerts.rules import Subject
from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound
from shouwang.people.rules import Scope
from shouwang.systems.living_alone.models import Enrolment


@dataclass(frozen=True)
class EnrolmentRow:
    """One watched household."""

    id: int
    household_id: int
    datastream_id: int
    area_id: int
    path: str
    active: bool
    away_until: datetime | None


def resolve_datastreams(datastream_ids: list[int]) -> dict[int, Subject]:
    """Return whom each watched datastream is about; a household that is announced away is inhibited."""
    now = clock().now()
    rows = Enrolment.objects.filter(datastream_id__in=datastream_ids, active=True)
    return {
        row.datastream_id: Subject(
            "household", row.household_id, row.area_id, row.path,
            {"household": row.household_id, "datastream": row.datastream_id},
            inhibited=row.away_until is not None and row.away_until > now,
        )
        for row in rows
    }


def enrolments(scope: Scope, *, limit: int = 5_000) -> list[EnrolmentRow]:
    """Return the watched households in the scope, by area."""
    if "case.read" not in scope.rights or not scope.paths:
        return []
    inside = Q()
    for path in scope.paths:
        inside |= Q(path__gte=path, path__lt=path[:-1] + "0")
    return [_row(row) for row in Enrolment.objects.filter(inside).order_by("path", "id")[:limit]]


def enrolment_of(household_id: int) -> EnrolmentRow:
    """Return the enrolment of a household. Raises NotFound."""
    row = Enrolment.objects.filter(household_id=household_id).first()
    if row is None:
        raise NotFound(what=f"住户 {household_id}")
    return _row(row)


def _row(row: Enrolment) -> EnrolmentRow:
    return EnrolmentRow(row.pk, row.household_id, row.datastream_id, row.area_id, row.path, row.active, row.away_until)
