"""The watches handed over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db.models import Q

from shouwang.cases.models import Handover
from shouwang.cases.queries.lists import below
from shouwang.kernel.errors import NotFound
from shouwang.people.rules import Scope


@dataclass(frozen=True, slots=True)
class HandoverRow:
    """One watch handed over; `kept` are case ids by section, `taken_at` is None until the second signature."""

    id: int
    area_id: int
    path: str
    duty: str
    given_by: int
    given_at: datetime
    taken_by: int
    taken_at: datetime | None
    note: str
    kept: dict[str, list[int]]


def handover_row(handover_id: int) -> HandoverRow:
    """Return one hand-over. Raises NotFound."""
    row = Handover.objects.filter(pk=handover_id).first()
    if row is None:
        raise NotFound(what=f"交班 {handover_id}")
    return _handover(row)


def handovers(scope: Scope, *, area_id: int | None = None, offset: int = 0, limit: int = 50) -> tuple[list[HandoverRow], int]:
    """Return the hand-overs `scope` sees, newest first, and how many there are."""
    inside = Q()
    for path in scope.paths_for("case.read"):
        inside |= below(path)
    rows = Handover.objects.filter(inside) if inside else Handover.objects.none()
    if area_id is not None:
        rows = rows.filter(area_id=area_id)
    return [_handover(row) for row in rows.order_by("-given_at")[offset : offset + limit]], rows.count()


def _handover(row: Handover) -> HandoverRow:
    return HandoverRow(
        row.pk, row.area_id, row.path, row.duty, row.given_by, row.given_at, row.taken_by, row.taken_at, row.note,
        msgspec.json.decode(row.kept),
    )
