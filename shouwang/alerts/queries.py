"""Reads of alerts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db.models import Max, Q

from shouwang.alerts.models import Alert
from shouwang.alerts.registry import family_of, key_of, kind_of, kinds
from shouwang.alerts.rules import FoundFinding, Key, Standing, Subject
from shouwang.alerts.rules.cap import LANGUAGES, CapAlert, Place, outer_rings
from shouwang.cases.queries import alert_id_of
from shouwang.journal.prepared import Prepared
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import to_us
from shouwang.kernel.severity import Severity
from shouwang.notify.rules import phrase
from shouwang.places.queries import areas, full_names, outlines

FEED_LONGEST = 500
_ALERT = Prepared(lambda alert_id: Alert.objects.filter(pk=alert_id))


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
    alert_id = alert_id_of(case_id)
    row = None if alert_id is None else _ALERT.one(alert_id)
    return None if row is None else _row(row)


def standing_alerts(subject_kind: str, subject_ids: Collection[int], *, family: str, exercise_id: int | None) -> dict[int, Standing]:
    """Return the open alert of a family about each of these subjects, none where there is none."""
    rows = Alert.objects.filter(state="OPEN", subject_kind=subject_kind, subject_id__in=subject_ids, exercise_id=exercise_id)
    return {row.subject_id: Standing(row.pk, row.severity, row.case_id) for row in rows if family_of(row.kind) == family}


def seen_already(findings: Sequence[FoundFinding]) -> set[Key]:
    """Return the keys of those findings that somebody has an alert of: an open one, or one that ended after they became true."""
    ends: dict[Key, list[datetime | None]] = {}
    rows = Alert.objects.filter(subject_id__in={each.subject_id for each in findings})
    for kind, subject_kind, subject_id, exercise_id, ended_at in rows.values_list(
        "kind", "subject_kind", "subject_id", "exercise_id", "ended_at",
    ):
        ends.setdefault((family_of(kind), subject_kind, subject_id, exercise_id), []).append(ended_at)
    return {
        each.key for each in findings if any(ended_at is None or to_us(ended_at) >= each.at_us for ended_at in ends.get(key_of(each), ()))
    }


def last_told(kind: str, subject_kind: str, subject_ids: Collection[int]) -> dict[int, datetime]:
    """Return when a real alert of a kind was last opened, raised or updated about each of these subjects; none where it never was."""
    rows = Alert.objects.filter(kind=kind, subject_kind=subject_kind, subject_id__in=subject_ids, exercise_id=None)
    return {row["subject_id"]: row["at"] for row in rows.values("subject_id").annotate(at=Max("updated_at")).order_by("subject_id")}


def resolve_areas(area_ids: list[int]) -> dict[int, Subject]:
    """Return areas as subjects, for alerts that concern a whole area."""
    return {area.id: Subject("area", area.id, area.id, area.path, {"area": area.id}) for area in areas(area_ids).values()}


def public_alerts(*, since: datetime, limit: int = FEED_LONGEST) -> list[CapAlert]:
    """Return the real alerts of public kinds that were opened, updated or ended since then, newest first; three queries."""
    public = [kind.code for kind in kinds().values() if kind.public]
    rows = Alert.objects.filter(kind__in=public, exercise_id=None).filter(Q(updated_at__gte=since) | Q(ended_at__gte=since))
    return _as_cap(list(rows.order_by("-updated_at", "-id")[:limit]))


def public_alert(alert_id: int) -> CapAlert:
    """Return one alert of a public kind. Raises NotFound, also for an alert that is not public."""
    public = [kind.code for kind in kinds().values() if kind.public]
    found = _as_cap(list(Alert.objects.filter(pk=alert_id, kind__in=public, exercise_id=None)))
    if not found:
        raise NotFound(what=f"公开预警 {alert_id}")
    return found[0]


def _as_cap(rows: Sequence[Alert]) -> list[CapAlert]:
    ids = {row.area_id for row in rows}
    known, names, rings = areas(ids), full_names(ids), outlines(ids)
    places = {
        area_id: Place(names[area_id], outer_rings(rings[area_id][0]) if area_id in rings else (), known[area_id].code) for area_id in names
    }
    return [
        CapAlert(
            row.pk, kind_of(row.kind), Severity(row.severity), places.get(row.area_id, Place(f"#{row.area_id}")), row.opened_at,
            row.updated_at, row.ended_at, row.merged, row.exercise_id is not None, _sentences(row),
        )
        for row in rows
    ]


def _sentences(row: Alert) -> dict[str, str]:
    params = msgspec.json.decode(row.params)
    return {language: str(phrase(row.reason, language, params)) for language in LANGUAGES}


def _row(row: Alert) -> AlertRow:
    return AlertRow(
        row.pk, row.kind, row.subject_kind, row.subject_id, row.state, row.severity, row.reason,
        msgspec.json.decode(row.params), row.opened_at, row.merged, row.case_id,
    )
