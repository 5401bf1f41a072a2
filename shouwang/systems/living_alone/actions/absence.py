"""Announced absences. The caller has checked who may speak for the home: a page by its scope, a link by its task."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from shouwang.alerts.queries import alert_of_case
from shouwang.cases.actions import complete
from shouwang.cases.queries import waiting_tasks
from shouwang.cases.rules.evidence import Given
from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.kernel.moments import local
from shouwang.systems.living_alone.models import Enrolment
from shouwang.systems.living_alone.queries import facts_now
from shouwang.systems.living_alone.rules.absence import LONGEST_DAYS, LOOK_AFTER, checked, tonight, until_day
from shouwang.systems.living_alone.rules.kinds import EXPLAINED_BY_ABSENCE
from shouwang.systems.living_alone.rules.procedures import AWAY, HARD_STOP_HOURS, HOURS_SINCE_USE, SYSTEM, WELL


def announce_absence(household_id: int, *, until: datetime | None, by: int | None, now: datetime) -> None:
    """Note that a household is away until a moment, or is back when `until` is None. Raises AbsenceWrong.

    Half a day after the return somebody looks whether water is used again: a fall on coming home must not pass for absence.
    """
    back_at = now if until is None else checked(until, now=now)
    with transaction.atomic():
        Enrolment.objects.filter(household_id=household_id).update(away_until=until, look_again_at=back_at + LOOK_AFTER)
        payload = {"until": until.isoformat() if until else None, "by": by}
        append([NewEvent("living_alone.absence_announced", household_id, payload)], now=now)
        if until is not None and by is not None:
            _settle(household_id, by=by, now=now)


def _settle(household_id: int, *, by: int, now: datetime) -> None:
    """End what was opened because nobody uses water, where nobody else has accepted it yet: an absence explains it, however late it is told."""
    for task in waiting_tasks(SYSTEM, subject_kind="household", subject_id=household_id, or_held_by=by):
        alert = alert_of_case(task.case_id)
        if alert is not None and alert.kind in EXPLAINED_BY_ABSENCE:
            complete(task.id, person_id=by, result="AWAY", evidence=[Given("told_by", "RECORDED")], may_take=True, now=now)


def take_word(household_id: int, *, code: str, number: int, by: int, now: datetime) -> None:
    """Take what a resident or relative answered: away notes the absence; well is looked at again at the hard stop."""
    if code in AWAY:
        until = tonight(now) if number == 0 else until_day(f"{local(now).date() + timedelta(days=min(number, LONGEST_DAYS))}", now=now)
        row = Enrolment.objects.filter(household_id=household_id).first()
        if row is not None and (row.away_until is None or row.away_until < until):
            announce_absence(household_id, until=until, by=by, now=now)
    elif code in WELL:
        hours = facts_now(household_id, now).get(HOURS_SINCE_USE, 0.0)
        left = max(timedelta(hours=HARD_STOP_HOURS - hours), timedelta(0))
        with transaction.atomic():
            Enrolment.objects.filter(household_id=household_id).update(said_well_at=now, stop_at=now + left)
