"""Labelling: what each closed case turned out to be, kept for the figures and for whoever fits the detectors."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shouwang.alerts.queries import alert_of_case
from shouwang.cases.queries import case_row, evidence_of, tasks_of
from shouwang.journal.prepared import Prepared
from shouwang.journal.put import amend, put
from shouwang.kernel.moments import to_us
from shouwang.systems.living_alone.models import Label
from shouwang.systems.living_alone.rules.labels import label_of
from shouwang.systems.living_alone.rules.procedures import SYSTEM

_LABEL = Prepared(lambda case_id: Label.objects.filter(case_id=case_id).values_list("pk"))


def label_case(case_id: int, *, now: datetime) -> bool:
    """Keep what a closed, real case about a home turned out to be; doing it again replaces it. Return whether it is one."""
    case = case_row(case_id)
    if case.kind != SYSTEM or case.subject_kind != "household" or case.exercise_id is not None:
        return False
    tasks = tasks_of([case_id])
    alert = alert_of_case(case_id)
    what = next((str(each.value) for each in reversed(evidence_of(case_id)) if each.code == "what"), "")
    label = label_of([task.result for task in tasks], what, ended=case.result)
    if label is None:
        return False
    accepted = [task.accepted_at for task in tasks if task.accepted_at is not None]
    contact_at = min(accepted, default=None)
    columns = {
        "household_id": case.subject_id, "path": case.path, "alert_kind": alert.kind if alert else "", "opened_at": to_us(case.opened_at),
        "label": label, "contact_at": contact_at and to_us(contact_at), "closed_at": to_us(now),
    }
    with transaction.atomic(savepoint=False):
        known = _LABEL.first(case_id)
        if known is not None:
            amend(Label, known[0], **columns)
        else:
            put(Label, ("case_id", *columns), [(case_id, *columns.values())])
    return True
