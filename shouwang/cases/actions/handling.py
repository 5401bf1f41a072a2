"""What the answerable person does: accept, arrive, complete with evidence. Repeating any of them changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from shouwang.cases import events as kinds
from shouwang.cases.actions.changes import ANSWER_TIMER, TIMER, Changes, compact, span, start_steps
from shouwang.cases.models import Case, Evidence, Offer, Task
from shouwang.cases.queries import CaseState, TaskState, asked_rungs, facts_of, load_task, open_task_ids
from shouwang.cases.rules.errors import ContactCannotTake, TaskEnded, TaskNotYours, TaskTaken
from shouwang.cases.rules.evidence import Given, require
from shouwang.cases.rules.flow import advance, done
from shouwang.journal.actions import drop_timers
from shouwang.journal.put import amend, put
from shouwang.journal.rules import NewTimer
from shouwang.journal.sql import run, run_many
from shouwang.kernel.moments import to_us

_EVIDENCE_COLUMNS = ("case_id", "task_id", "code", "value", "file_id", "person_id", "at")


def accept(task_id: int, *, person_id: int, may_take: bool = False, now: datetime) -> None:
    """Accept a task for a person to whom it was offered, or who may take any task of the area.

    Accepting again is fine. Raises TaskTaken, TaskEnded, TaskNotYours.
    """
    with transaction.atomic():
        task = load_task(task_id)
        if _is_mine(task, person_id):
            return
        _require_takeable(task, person_id, may_take=may_take)
        changes = Changes(now)
        due = now + timedelta(microseconds=task.limit_us)
        _remember_asked(task, person_id, now)
        amend(Task, task.id, state="ACCEPTED", assignee_id=person_id, accepted_at=to_us(now), due_at=to_us(due))
        changes.timers.append(NewTimer(TIMER, task.id, due))
        changes.event(kinds.ACCEPTED, task.case, task=task.id, person=person_id, rung=task.rung)
        changes.write()


def arrive(task_id: int, *, person_id: int, may_take: bool = False, now: datetime) -> None:
    """Note that the person is on site; accepts first where that was forgotten. Arriving again is fine."""
    with transaction.atomic():
        task = load_task(task_id)
        if task.state == "ARRIVED" and task.assignee_id == person_id:
            return
        mine = _is_mine(task, person_id)
        if not mine:
            _require_takeable(task, person_id, may_take=may_take)
        changes = Changes(now)
        values: dict[str, Any] = {"state": "ARRIVED", "arrived_at": to_us(now)}
        if not mine:
            _remember_asked(task, person_id, now)
            due = now + timedelta(microseconds=task.limit_us)
            values |= {"assignee_id": person_id, "accepted_at": to_us(now), "due_at": to_us(due)}
            changes.timers.append(NewTimer(TIMER, task.id, due))
            changes.event(kinds.ACCEPTED, task.case, task=task.id, person=person_id, rung=task.rung)
        amend(Task, task.id, **values)
        changes.event(kinds.ARRIVED, task.case, task=task.id, person=person_id)
        changes.write()


def complete(
    task_id: int, *, person_id: int, result: str, evidence: Sequence[Given] = (), key: str = "", may_take: bool = False,
    now: datetime,
) -> None:
    """End a task with a result and the evidence that result asks for, and let the case go on.

    `key` makes a repeated submission (a phone without a network) harmless. Raises UnknownResult, EvidenceMissing,
    TaskTaken, TaskEnded, TaskNotYours.
    """
    with transaction.atomic():
        task = load_task(task_id)
        if task.state == "DONE" and key and task.done_key == key:
            return
        mine = _is_mine(task, person_id)
        if not mine:
            _require_takeable(task, person_id, may_take=may_take)
        require(task.step, result, {given.code: given for given in evidence})
        changes = Changes(now)
        _end_task(task, person_id, result, key, mine=mine, now=now)
        changes.dropped_timers.append(task.id)
        rows = [(task.case.id, task.id, given.code, given.value, given.file_id, person_id, to_us(now)) for given in evidence]
        put(Evidence, _EVIDENCE_COLUMNS, rows)
        changes.event(kinds.STEP_DONE, task.case, task=task.id, step=task.step.code, result=result, person=person_id)
        go_on(task.case, {**task.case.steps, task.step.code: done(result)}, result, changes)
        changes.write()


def _end_task(task: TaskState, person_id: int, result: str, key: str, *, mine: bool, now: datetime) -> None:
    values: dict[str, Any] = {"state": "DONE", "ended_at": to_us(now), "result": result, "done_key": key}
    if not mine:
        _remember_asked(task, person_id, now)
        values |= {"assignee_id": person_id, "accepted_at": to_us(now)}
    amend(Task, task.id, **values)


def _remember_asked(task: TaskState, person_id: int, now: datetime) -> None:
    """Remember whom the task was offered to when another takes it, so that they may take it where it is offered again."""
    if task.assignee_id not in {None, person_id}:
        put(Offer, ("task_id", "person_id", "rung", "at"), [(task.id, task.assignee_id, task.rung, to_us(now))])


def go_on(case: CaseState, steps: dict[str, str], result: str, changes: Changes) -> None:
    """Start what follows from `steps`, or complete the case when nothing is left."""
    following = advance(case.procedure, steps, facts_of(case))
    if not following.complete:
        amend(Case, case.id, steps=compact(following.states))
        start_steps([(case, step) for step in following.started], changes)
        return
    closing = case.procedure.closes == "AUTO"
    state = "CLOSED" if closing else "COMPLETED"
    amend(Case, case.id, steps=compact(following.states), state=state, ended_at=to_us(changes.now), result=result)
    cancel_tasks(case, changes)
    stop_clocks(case)
    changes.event(kinds.COMPLETED, case, result=result, alert=case.alert_id)
    if closing:
        changes.event(kinds.CLOSED, case, result=result, alert=case.alert_id)
    elif case.procedure.closes == "REPORTER":
        wait = span(case.procedure.answer, case.area_id, changes.now)
        changes.timers.append(NewTimer(ANSWER_TIMER, case.id, changes.now + wait))


def cancel_tasks(case: CaseState, changes: Changes) -> None:
    """Cancel the case's tasks that are still open, with their timers."""
    open_ids = [task_id for task_id in open_task_ids(case.id) if task_id not in changes.dropped_timers]
    if open_ids:
        run_many("UPDATE cases_task SET state = 'CANCELLED', ended_at = %s WHERE id = %s", [(to_us(changes.now), each) for each in open_ids])
        changes.dropped_timers.extend(open_ids)


def stop_clocks(case: CaseState) -> None:
    """End the case's clocks, with their timers."""
    if not case.procedure.clocks:
        return
    ids = [row[0] for row in run("SELECT id FROM cases_clock WHERE case_id = %s", (case.id,)).fetchall()]
    run("UPDATE cases_clock SET running_since = NULL, due_at = NULL WHERE case_id = %s", (case.id,))
    drop_timers("clock", ids)


def _is_mine(task: TaskState, person_id: int) -> bool:
    return task.assignee_id == person_id and task.state in {"ACCEPTED", "ARRIVED"}


def _require_takeable(task: TaskState, person_id: int, *, may_take: bool) -> None:
    if task.state in {"DONE", "CANCELLED"}:
        raise TaskEnded(task=task.id, state=task.state)
    is_held = task.state in {"ACCEPTED", "ARRIVED"} or (task.state == "SUSPENDED" and task.accepted_at and task.assignee_id != person_id)
    if is_held and not may_take:
        raise TaskTaken(task=task.id, who=f"#{task.assignee_id}")
    if may_take:
        return
    asked = asked_rungs(task.id, person_id)
    if not asked:
        raise TaskNotYours(task=task.id)
    if all(rung < len(task.step.rungs) and task.step.rungs[rung].is_of_subject for rung in asked):
        raise ContactCannotTake(task=task.id)
