"""Writes of the living-alone system: enrol, announce an absence, publish what is shipped."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shouwang.cases.actions import publish_procedure
from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.systems.living_alone.models import Enrolment
from shouwang.systems.living_alone.rules import PROCEDURES


def publish_shipped(*, now: datetime) -> None:
    """Publish the shipped procedures; an office's own version is never replaced."""
    for procedure in PROCEDURES:
        publish_procedure(procedure, shipped=True, now=now)


def enrol(*, household_id: int, datastream_id: int, area_id: int, path: str, now: datetime) -> int:
    """Watch a household through a datastream and return the enrolment's id; enrolling again updates it."""
    with transaction.atomic():
        row, _ = Enrolment.objects.update_or_create(
            household_id=household_id,
            defaults={"datastream_id": datastream_id, "area_id": area_id, "path": path, "active": True, "enrolled_at": now},
        )
        append([NewEvent("living_alone.enrolled", household_id, {"datastream": datastream_id, "area": area_id})], now=now)
    return row.pk


def announce_absence(household_id: int, *, until: datetime | None, by: int | None, now: datetime) -> None:
    """Note that a household is away until a moment, or is back when `until` is None."""
    with transaction.atomic():
        Enrolment.objects.filter(household_id=household_id).update(away_until=until)
        payload = {"until": until.isoformat() if until else None, "by": by}
        append([NewEvent("living_alone.absence_announced", household_id, payload)], now=now)
