"""The ladder: what happens when a task's timer rings, and what the desk does before it rings."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from shouwang.cases import events as kinds
from shouwang.cases.actions.changes import TIMER, Changes, climb, note_gaps
from shouwang.cases.models import OPEN_TASKS, Offer, Task
from shouwang.cases.queries import TaskState, load_task
from shouwang.cases.rules.errors import TaskEnded
from shouwang.cases.rules.procedures import rung_on_duty
from shouwang.journal.actions import claim_timer
from shouwang.journal.put import amend, put
from shouwang.journal.rules import DueTimer, NewTimer
from shouwang.kernel.moments import to_us


def task_due(timer: DueTimer, *, now: datetime) -> bool:
    """Do what is due for a task, in one transaction with the timer's end; return False when another did it.

    Waiting for confirmation → dispatch by itself. Offered → the next rung, or again the last one. Accepted → tell the
    level above that it is overdue. Suspended → remind of the review.
    """
    with transaction.atomic():
        if not claim_timer(timer.id, due_at=timer.due_at):
            return False
        task = load_task(timer.subject_id)
        if task.state not in OPEN_TASKS:
            return True
        changes = Changes(now)
        if task.state == "CONFIRM":
            _dispatch(task, changes, by=None)
        elif task.state == "OFFERED":
            climb_on(task, changes, by=None)
        elif task.state == "SUSPENDED":
            _remind_of_review(task, changes)
        else:
            _overdue(task, changes)
        changes.write()
    return True


def dispatch(task_id: int, *, by: int, to: int | None = None, now: datetime) -> None:
    """Confirm a waiting task: offer it to the chosen person, or to another one."""
    with transaction.atomic():
        task = load_task(task_id)
        if task.state != "CONFIRM":
            raise TaskEnded(task=task.id, state=task.state)
        changes = Changes(now)
        _dispatch(task, changes, by=by, to=to)
        changes.write()


def escalate(task_id: int, *, by: int, now: datetime) -> None:
    """Go up one rung now."""
    with transaction.atomic():
        task = load_task(task_id)
        _require_open(task)
        changes = Changes(now)
        climb_on(task, changes, by=by)
        changes.write()


def remind(task_id: int, *, by: int, now: datetime) -> None:
    """Remind whoever holds the task, once more."""
    with transaction.atomic():
        task = load_task(task_id)
        _require_open(task)
        changes = Changes(now)
        _remind(task, changes, by=by, template="TASK_REMINDER")
        changes.write()


def _require_open(task: TaskState) -> None:
    if task.state not in OPEN_TASKS:
        raise TaskEnded(task=task.id, state=task.state)


def _dispatch(task: TaskState, changes: Changes, *, by: int | None, to: int | None = None) -> None:
    person = to or task.assignee_id
    rung = task.rung if to is None else rung_on_duty(task.step, task.rung)
    due = changes.now + timedelta(minutes=task.step.rungs[rung].accept_minutes)
    amend(Task, task.id, state="OFFERED", rung=rung, assignee_id=person, due_at=to_us(due), offered_at=to_us(changes.now))
    changes.timers.append(NewTimer(TIMER, task.id, due))
    changes.event(kinds.DISPATCHED, task.case, task=task.id, by=by, to=person)
    if person is not None:
        changes.offer(person, task.case, task_id=task.id, step=task.step, rung=rung)


def climb_on(task: TaskState, changes: Changes, *, by: int | None) -> None:
    """Offer the task to the next covered rung; on the last one, ask again there after a while."""
    if task.rung + 1 >= len(task.step.rungs):
        _ask_again(task, changes, by=by)
        return
    ((rung, person, gaps),) = climb([(task.case, task.step, task.rung + 1)], at=changes.now)
    due = changes.now + timedelta(minutes=task.step.rungs[rung].accept_minutes)
    _keep_offer(task, changes)
    amend(
        Task, task.id, state="OFFERED", rung=rung, reminders=0, assignee_id=person or task.assignee_id, due_at=to_us(due),
        accepted_at=None, arrived_at=None, remaining_us=None,
    )
    changes.timers.append(NewTimer(TIMER, task.id, due))
    note_gaps(changes, task.case, task.id, gaps)
    changes.event(kinds.ESCALATED, task.case, task=task.id, rung=rung, person=person, by=by)
    if person is not None:
        changes.ask(person, "TASK_ESCALATED", key=f"{task.id}:{rung}:0", case=task.case, task_id=task.id, asked=task.step.rungs[rung])


def _keep_offer(task: TaskState, changes: Changes) -> None:
    """Note who had the task: whoever was asked may still accept."""
    if task.assignee_id is not None:
        put(Offer, ("task_id", "person_id", "rung", "at"), [(task.id, task.assignee_id, task.rung, to_us(changes.now))])


def _ask_again(task: TaskState, changes: Changes, *, by: int | None) -> None:
    """On the last rung: look again for somebody on duty there, and remind; until somebody accepts."""
    ((rung, person, gaps),) = climb([(task.case, task.step, task.rung)], at=changes.now)
    holder = person or task.assignee_id
    due = changes.now + timedelta(minutes=task.step.repeat_minutes)
    number = task.reminders + 1
    if holder != task.assignee_id:
        _keep_offer(task, changes)
    amend(
        Task, task.id, state="OFFERED", reminders=number, assignee_id=holder, due_at=to_us(due), accepted_at=None,
        arrived_at=None, remaining_us=None,
    )
    changes.timers.append(NewTimer(TIMER, task.id, due))
    note_gaps(changes, task.case, task.id, gaps)
    changes.event(kinds.REMINDED, task.case, task=task.id, rung=rung, person=holder, by=by)
    if holder is not None:
        changes.tell(holder, "TASK_REMINDER", key=f"{task.id}:{task.rung}:{number}", case=task.case, task_id=task.id)


def _overdue(task: TaskState, changes: Changes) -> None:
    """Tell the holder and the level above that an accepted task is late, and again until it is done."""
    number = task.reminders + 1
    due = changes.now + timedelta(minutes=task.step.repeat_minutes)
    amend(Task, task.id, reminders=number, due_at=to_us(due))
    changes.timers.append(NewTimer(TIMER, task.id, due))
    above = min(task.rung + number, len(task.step.rungs) - 1)
    ((rung, person, gaps),) = climb([(task.case, task.step, above)], at=changes.now)
    note_gaps(changes, task.case, task.id, gaps)
    changes.event(kinds.OVERDUE, task.case, task=task.id, holder=task.assignee_id, told=person, rung=rung)
    for told in {task.assignee_id, person} - {None}:
        if told is not None:
            changes.tell(told, "TASK_OVERDUE", key=f"{task.id}:{task.rung}o{number}:{told}", case=task.case, task_id=task.id)


def _remind(task: TaskState, changes: Changes, *, by: int | None, template: str) -> None:
    number = task.reminders + 1
    amend(Task, task.id, reminders=number)
    changes.event(kinds.REMINDED, task.case, task=task.id, rung=task.rung, person=task.assignee_id, by=by)
    if task.assignee_id is not None:
        changes.tell(task.assignee_id, template, key=f"{task.id}:{task.rung}:{number}", case=task.case, task_id=task.id)


def _remind_of_review(task: TaskState, changes: Changes) -> None:
    due = changes.now + timedelta(days=1)
    amend(Task, task.id, due_at=to_us(due))
    changes.timers.append(NewTimer(TIMER, task.id, due))
    _remind(task, changes, by=None, template="TASK_REVIEW")
