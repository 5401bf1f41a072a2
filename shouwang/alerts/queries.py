"""Reads of alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from shouwang.alerts.models import Alert
from shouwang.alerts.rules import Subject
from shouwang.places.queries import areas


@dataclass(frozen=True)
class AlertRow:
    """One alert."""

    id: int
    kind: str
    subject_kind: str
    subject_id: int
    state: str
    severity: int
    reason: str
    params: dict[str, Any]
    opened_at: datetime
    merged: int
    case_id: int | None


def alert_of_case(case_id: int) -> AlertRow | None:
    """Return the alert that opened the case."""
    row = Alert.objects.filter(case_id=case_id).first()
    return None if row is None else _row(row)


def resolve_areas(area_ids: list[int]) -> dict[int, Subject]:
    """Return areas as subjects, for alerts that concern a whole area."""
    return {area.id: Subject("area", area.id, area.id, area.path, {"area": area.id}) for area in areas(area_ids).values()}


def _row(row: Alert) -> AlertRow:
    return AlertRow(
        row.pk, row.kind, row.subject_kind, row.subject_id, row.state, row.severity, row.reason,
        msgspec.json.decode(row.params), row.opened_at, row.merged, row.case_id,
    )
