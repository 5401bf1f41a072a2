"""Announced absences. The caller has checked who may speak for the home: a page by its scope, a link by its task."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.systems.living_alone.models import Enrolment
from shouwang.systems.living_alone.rules.absence import LOOK_AFTER, checked


def announce_absence(household_id: int, *, until: datetime | None, by: int | None, now: datetime) -> None:
    """Note that a household is away until a moment, or is back when `until` is None. Raises AbsenceWrong.

    Half a day after the return somebody looks whether water is used again: a fall on coming home must not pass for absence.
    """
    back_at = now if until is None else checked(until, now=now)
    with transaction.atomic():
        Enrolment.objects.filter(household_id=household_id).update(away_until=until, look_again_at=back_at + LOOK_AFTER)
        payload = {"until": until.isoformat() if until else None, "by": by}
        append([NewEvent("living_alone.absence_announced", household_id, payload)], now=now)
