"""Ringing: the next channel of the same person, when what was silent was not accepted in time or did not arrive.

It stands beside the ladder: whom to ask, and until when, stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from shouwang.cases import events as kinds
from shouwang.cases.actions.changes import RING, Changes, ring_after
from shouwang.cases.queries import TaskState, load_task
from shouwang.journal.actions import claim_timer
from shouwang.journal.rules import DueTimer, NewTimer
from shouwang.kernel.severity import Severity
from shouwang.notify.queries import Sending, messages_of_tasks, plans_of, quiet_ends
from shouwang.notify.rules import INBOX
from shouwang.notify.rules.texts import ASKS_TO_ACCEPT


def ring_due(timer: DueTimer, *, now: datetime) -> bool:
    """Try the next channel of whoever has been offered a task and has not accepted it; False when another did it."""
    with transaction.atomic():
        if not claim_timer(timer.id, due_at=timer.due_at):
            return False
        task = load_task(timer.subject_id)
        if task.state == "OFFERED" and task.assignee_id is not None:
            ring_next(task, task.assignee_id, now=now)
    return True


def ring_next(task: TaskState, person: int, *, now: datetime) -> bool:
    """Tell a person on the channels of the next step and set the time of the step after it; return whether there was one.

    Nothing in the person's quiet hours, but for red. Inside the caller's transaction, as its last statement.
    """
    plan, told = plans_of([person])[person], _told(task, person)
    channels = plan.following(told, task.case.severity)
    if not channels or (task.case.severity < Severity.RED and quiet_ends([person], now=now)):
        return False
    changes = Changes(now)
    key = f"{task.id}:{task.rung}:{task.reminders}"
    changes.tell_on(channels, person, "TASK_REMINDER", key=key, case=task.case, task_id=task.id)
    changes.event(kinds.REMINDED, task.case, task=task.id, rung=task.rung, person=person, by=None, channels=list(channels))
    wait = ring_after(task.case)
    if wait is not None and plan.following({*told, *channels}, task.case.severity):
        changes.timers.append(NewTimer(RING, task.id, now + wait))
    changes.write()
    return True


def _told(task: TaskState, person: int) -> Mapping[str, Sending]:
    """Return by channel what the person was sent since the task was last offered or called to mind: the inbox always is."""
    asked = [each for each in messages_of_tasks([task.id]) if each.person_id == person and each.template in ASKS_TO_ACCEPT]
    since = max((each.queued_at for each in asked if each.channel == INBOX), default=None)
    return {each.channel: each for each in asked if since is not None and each.queued_at >= since}
