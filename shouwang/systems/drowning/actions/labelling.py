"""What each closed case at a water's edge turned out to be."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shouwang.cases.queries import case_row, evidence_of, tasks_of
from shouwang.systems.drowning.actions.speaking import be_quiet
from shouwang.systems.drowning.models import Label, Sighting
from shouwang.systems.drowning.queries import sightings_of_case
from shouwang.systems.drowning.rules import SYSTEM
from shouwang.systems.drowning.rules.procedures import FALSE_ALARM


def label_case(case_id: int, *, now: datetime) -> None:
    """Keep the result of a closed case about a water, once; the voice there falls silent, and nobody is held to be there still."""
    case = case_row(case_id)
    if case.kind != SYSTEM or case.subject_kind != "water":
        return
    seen = sightings_of_case(case_id)
    tasks = tasks_of([case_id])
    first = seen[0] if seen else None
    what = next((item.value for item in evidence_of(case_id) if item.code == "what"), "")
    with transaction.atomic():
        Label.objects.get_or_create(
            case_id=case_id,
            defaults={
                "camera_id": first.camera_id if first else None, "water_id": case.subject_id, "path": case.path, "result": case.result[:12],
                "what": what[:12] if case.result == FALSE_ALARM else "", "score": first.score if first else None, "opened_at": case.opened_at,
                "accepted_at": min((task.accepted_at for task in tasks if task.accepted_at), default=None),
                "arrived_at": min((task.arrived_at for task in tasks if task.arrived_at), default=None), "closed_at": now,
            },
        )
        Sighting.objects.filter(pk__in=[each.id for each in seen], over_at__isnull=True).update(over_at=now)
        be_quiet([case.subject_id], now=now)
