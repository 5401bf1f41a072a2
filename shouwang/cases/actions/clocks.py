"""What happens when the limit of a whole case passes."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shouwang.cases import events as kinds
from shouwang.cases.actions.changes import Changes
from shouwang.cases.models import OPEN_TASKS, Task
from shouwang.cases.queries import load_case
from shouwang.journal.actions import claim_timer
from shouwang.journal.prepared import Prepared
from shouwang.journal.rules import DueTimer
from shouwang.journal.sql import run
from shouwang.kernel.moments import SECOND_US, to_us

_HOLDERS = Prepared(
    lambda case_id: Task.objects.filter(case_id=case_id, state__in=OPEN_TASKS, assignee_id__isnull=False).order_by("pk")
    .values_list("pk", "assignee_id"),
)


def clock_due(timer: DueTimer, *, now: datetime) -> bool:
    """Record that a limit has passed and tell whoever holds the case's open tasks; False when another did it."""
    with transaction.atomic():
        if not claim_timer(timer.id, due_at=timer.due_at):
            return False
        clock = run("SELECT case_id, code, kind FROM cases_clock WHERE id = %s", (timer.subject_id,)).fetchone()
        if clock is None:
            return True
        case_id, code, kind = clock
        case = load_case(case_id)
        changes = Changes(now)
        changes.event(kinds.CLOCK_PASSED, case, clock=code, kind=kind)
        ring = f"c{timer.subject_id}@{to_us(timer.due_at) // SECOND_US}"  # after a pause, or a clock set right, it may pass again
        for task_id, person in _HOLDERS.rows(case.id):
            changes.tell(person, "CASE_LATE", key=f"{task_id}:{ring}:0", case=case, task_id=task_id)
        changes.write()
    return True
