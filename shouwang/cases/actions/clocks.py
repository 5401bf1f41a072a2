"""What happens when the limit of a whole case passes."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shouwang.cases import events as kinds
from shouwang.cases.actions.changes import Changes
from shouwang.cases.models import OPEN_TASKS, Clock, Task
from shouwang.cases.queries import load_case
from shouwang.journal.actions import claim_timer
from shouwang.journal.rules import DueTimer


def clock_due(timer: DueTimer, *, now: datetime) -> bool:
    """Record that a limit has passed and tell whoever holds the case's open tasks; False when another did it."""
    with transaction.atomic():
        if not claim_timer(timer.id, due_at=timer.due_at):
            return False
        clock = Clock.objects.filter(pk=timer.subject_id).first()
        if clock is None:
            return True
        case = load_case(clock.case_id)
        changes = Changes(now)
        changes.event(kinds.CLOCK_PASSED, case, clock=clock.code, kind=clock.kind)
        holders = Task.objects.filter(case_id=case.id, state__in=OPEN_TASKS, assignee_id__isnull=False)
        for task_id, person in holders.values_list("pk", "assignee_id"):
            if person is not None:
                changes.tell(person, "CASE_LATE", key=f"{task_id}:c{clock.pk}:0", case=case, task_id=task_id)
        changes.write()
    return True
