"""What the desk and the supervisor do with a case: suspend, extend, hand over, withdraw, close, reopen, merge, split."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from shouwang.cases import events as kinds
from shouwang.cases.actions.changes import ANSWER_TIMER, TIMER, Changes, compact, start_steps
from shouwang.cases.actions.handling import cancel_tasks, stop_clocks
from shouwang.cases.models import OPEN_TASKS, Case, Clock, Note, Offer, Task
from shouwang.cases.queries import CaseState, load_case, load_task, require_state
from shouwang.cases.rules.errors import ClockUnknown, CorrectionTwice, ExerciseMixed, NotTakenIn, TaskEnded
from shouwang.cases.rules.flow import READY, taken_up_again
from shouwang.cases.rules.procedures import rung_above, rung_on_duty
from shouwang.journal.actions import drop_timers, set_timers
from shouwang.journal.prepared import Prepared
from shouwang.journal.put import amend, put
from shouwang.journal.queries import events_of
from shouwang.journal.rules import NewTimer
from shouwang.journal.sql import run
from shouwang.kernel.moments import MICROSECOND, to_us

_CLOCKS = Prepared(lambda case_id: Clock.objects.filter(case_id=case_id).order_by("id"))
_OPEN = Prepared(lambda case_id: Task.objects.filter(case_id=case_id, state__in=OPEN_TASKS).order_by("id"))


def suspend(case_id: int, *, clocks: Sequence[str], reason: str, review_at: datetime, by: int, now: datetime) -> None:
    """Stop the named clocks of a case (its own, or "task:<step>"); what remained of each is kept to the microsecond.

    A stopped task gets a review timer at `review_at` (I3). Raises ClockUnknown, CaseNotOpen.
    """
    with transaction.atomic():
        case = load_case(case_id)
        require_state(case, "OPEN", doing="中止 / suspend")
        own = {clock.code: clock for clock in _CLOCKS.objects(case.id)}
        tasks = {f"task:{task.step}": task for task in _OPEN.objects(case.id)}
        unknown = [code for code in clocks if code not in own and code not in tasks]
        if unknown:
            raise ClockUnknown(case=case.id, found=unknown[0], expected=", ".join([*own, *tasks]))
        for code in clocks:
            if code in own:
                _stop_clock(own[code], now)
            else:
                _stop_task(tasks[code], review_at=review_at, now=now)
        _note_due(case.id)
        changes = Changes(now)
        changes.event(kinds.SUSPENDED, case, clocks=list(clocks), reason=reason, by=by)
        changes.write()


def _stop_clock(clock: Clock, now: datetime) -> None:
    if clock.running_since is None:
        return
    clock.remaining_us -= (now - clock.running_since) // MICROSECOND
    amend(Clock, clock.pk, remaining_us=clock.remaining_us, running_since=None, due_at=None)
    drop_timers("clock", [clock.pk])


def _stop_task(task: Task, *, review_at: datetime, now: datetime) -> None:
    if task.state == "SUSPENDED":
        return
    remaining_us = (task.due_at - now) // MICROSECOND
    amend(Task, task.pk, state="SUSPENDED", remaining_us=remaining_us, due_at=to_us(review_at))
    set_timers([NewTimer(TIMER, task.pk, review_at)])


def _note_due(case_id: int) -> None:
    """Note on the case when the first of its running clocks ends; nothing while none runs."""
    run("UPDATE cases_case SET due_at = (SELECT min(due_at) FROM cases_clock WHERE case_id = %s) WHERE id = %s", (case_id, case_id))


def resume(case_id: int, *, by: int, now: datetime) -> None:
    """Start every stopped clock and task of a case again, each with what remained of it."""
    with transaction.atomic():
        case = load_case(case_id)
        require_state(case, "OPEN", doing="恢复 / resume")
        for clock in _CLOCKS.objects(case.id):
            if clock.running_since is None:
                _start_clock(clock, now)
        _note_due(case.id)
        for task in _OPEN.objects(case.id):
            if task.state != "SUSPENDED":
                continue
            state = "ARRIVED" if task.arrived_at else "ACCEPTED" if task.accepted_at else _before_acceptance(case, task)
            due = now + timedelta(microseconds=task.remaining_us or 0)
            amend(Task, task.pk, state=state, remaining_us=None, due_at=to_us(due))
            set_timers([NewTimer(TIMER, task.pk, due)])
        changes = Changes(now)
        changes.event(kinds.RESUMED, case, by=by)
        changes.write()


def _start_clock(clock: Clock, now: datetime) -> None:
    due = now + timedelta(microseconds=clock.remaining_us)
    amend(Clock, clock.pk, running_since=to_us(now), due_at=to_us(due))
    if clock.remaining_us > 0:  # one that had passed before has rung already
        set_timers([NewTimer("clock", clock.pk, due)])


def _before_acceptance(case: CaseState, task: Task) -> str:
    """Return CONFIRM for a task that nobody has sent on its way yet, else OFFERED."""
    if case.procedure.step(task.step).dispatch != "CONFIRM":
        return "OFFERED"
    sent_on = {kinds.DISPATCHED, kinds.ESCALATED, kinds.HANDED_OVER}
    is_sent = any(event.kind in sent_on and event.payload.get("task") == task.pk for event in events_of(case.id, prefix="case."))
    return "OFFERED" if is_sent else "CONFIRM"


def extend(task_id: int, *, minutes: int, reason: str, by: int, now: datetime) -> None:
    """Give an accepted task `minutes` more; the reason stands in the log."""
    with transaction.atomic():
        task = load_task(task_id)
        if task.state not in {"ACCEPTED", "ARRIVED"}:
            raise TaskEnded(task=task.id, state=task.state)
        due = max(task.due_at, now) + timedelta(minutes=minutes)
        amend(Task, task.id, due_at=to_us(due))
        changes = Changes(now)
        changes.timers.append(NewTimer(TIMER, task.id, due))
        changes.event(kinds.EXTENDED, task.case, task=task.id, minutes=minutes, reason=reason, by=by)
        changes.write()


def hand_over(task_id: int, *, to: int, reason: str, by: int, now: datetime) -> None:
    """Offer an open task to another person; whoever had it may still take it back."""
    with transaction.atomic():
        task = load_task(task_id)
        if task.state not in OPEN_TASKS:
            raise TaskEnded(task=task.id, state=task.state)
        if task.assignee_id is not None:
            put(Offer, ("task_id", "person_id", "rung", "at"), [(task.id, task.assignee_id, task.rung, to_us(now))])
        rung = rung_on_duty(task.step, task.rung)
        due = now + timedelta(minutes=task.step.rungs[rung].accept_minutes)
        number = task.reminders + 1
        amend(
            Task, task.id, state="OFFERED", rung=rung, assignee_id=to, due_at=to_us(due), reminders=number, accepted_at=None, arrived_at=None,
            remaining_us=None,
        )
        changes = Changes(now)
        changes.timers.append(NewTimer(TIMER, task.id, due))
        changes.event(kinds.HANDED_OVER, task.case, task=task.id, to=to, reason=reason, by=by)
        changes.tell(to, "TASK_HANDED_OVER", key=f"{task.id}:{rung}h{number}:0", case=task.case, task_id=task.id)
        changes.write()


def ask_correction(case_id: int, *, what: str, review_at: datetime, by: int, now: datetime) -> None:
    """Ask the applicant once for everything that is lacking, and stop all clocks until it is there."""
    with transaction.atomic():
        case = load_case(case_id)
        if any(event.kind == kinds.CORRECTION_ASKED for event in events_of(case.id, prefix="case.")):
            raise CorrectionTwice(case=case.id)
        codes = list(Clock.objects.filter(case_id=case.id).order_by("id").values_list("code", flat=True))
        codes += [f"task:{step}" for step, state in case.steps.items() if state == READY]
        Note.objects.create(case_id=case.id, person_id=by, text=what, at=now)
        suspend(case_id, clocks=codes, reason="CORRECTION", review_at=review_at, by=by, now=now)
        changes = Changes(now)
        changes.event(kinds.CORRECTION_ASKED, case, by=by)
        changes.write()


def withdraw(case_id: int, *, reason: str, by: int, now: datetime) -> None:
    """End a case because the applicant takes it back."""
    _end(case_id, "WITHDRAWN", kinds.WITHDRAWN, reason, by=by, now=now)


def false_alarm(case_id: int, *, reason: str, by: int, now: datetime) -> None:
    """End a case because what was sensed was not so; the reason code feeds the figures."""
    _end(case_id, "CLOSED", kinds.FALSE_ALARM, reason, by=by, now=now)


def close(case_id: int, *, by: int | None, answer: str = "", now: datetime) -> None:
    """Close a completed case after the supervisor's check, or with what its reporter answered as its result."""
    with transaction.atomic():
        case = load_case(case_id)
        require_state(case, "COMPLETED", doing="销号 / close")
        ending = {"result": answer} if answer else {}
        amend(Case, case.id, state="CLOSED", **ending)
        drop_timers(ANSWER_TIMER, [case.id])
        changes = Changes(now)
        changes.event(kinds.CLOSED, case, by=by, alert=case.alert_id, **ending)
        changes.write()


def _end(case_id: int, state: str, kind: str, reason: str, *, by: int, now: datetime) -> None:
    with transaction.atomic():
        case = load_case(case_id)
        require_state(case, "OPEN", doing="结束 / end")
        amend(Case, case.id, state=state, ended_at=to_us(now), result=reason)
        changes = Changes(now)
        cancel_tasks(case, changes)
        stop_clocks(case)
        changes.event(kind, case, reason=reason, by=by, alert=case.alert_id)
        if state == "CLOSED":
            changes.event(kinds.CLOSED, case, result=reason, alert=case.alert_id)
        changes.write()


def reopen(case_id: int, *, reason: str, by: int | None, to_above: bool = False, now: datetime) -> None:
    """Open an ended case again where it stood, or at its last step when it was complete, its history kept.

    `to_above`: at the level above whoever did the last step.
    """
    with transaction.atomic():
        case = load_case(case_id)
        require_state(case, "COMPLETED", "CLOSED", "WITHDRAWN", doing="重新打开 / reopen")
        changes = Changes(now)
        _take_up_again(case, changes, reason=reason, by=by, to_above=to_above)
        changes.write()


def _take_up_again(case: CaseState, changes: Changes, *, reason: str, by: int | None, to_above: bool = False) -> None:
    last = Task.objects.filter(case_id=case.id).order_by("id").last()
    step = case.procedure.step(last.step) if last else case.procedure.steps[0]
    stood = [step for step in case.procedure.steps if case.steps.get(step.code) == READY]
    again = [(case, each) for each in stood or [step]]
    steps = taken_up_again(case.procedure, case.steps, [each.code for _, each in again])
    amend(Case, case.id, state="OPEN", ended_at=None, result="", merged_into=None, steps=compact(steps))
    drop_timers(ANSWER_TIMER, [case.id])
    changes.event(kinds.REOPENED, case, reason=reason, by=by)
    start_steps(again, changes, first_rung=rung_above(step, last.rung) if to_above and last and not stood else 0)


def merge(case_id: int, *, into: int, by: int, now: datetime) -> None:
    """End a case as part of another one about the same thing. Raises ExerciseMixed, CaseNotOpen."""
    with transaction.atomic():
        case, target = load_case(case_id), load_case(into)
        require_state(case, "OPEN", doing="合并 / merge")
        require_state(target, "OPEN", doing="合并 / merge")
        if case.exercise_id != target.exercise_id:
            raise ExerciseMixed(case=case.id, into=target.id)
        amend(Case, case.id, state="CLOSED", ended_at=to_us(now), result="MERGED", merged_into=target.id)
        changes = Changes(now)
        cancel_tasks(case, changes)
        stop_clocks(case)
        changes.event(kinds.MERGED, case, into=target.id, by=by)
        changes.event(kinds.TOOK_IN, target, taken=case.id, by=by)
        changes.event(kinds.CLOSED, case, result="MERGED", alert=case.alert_id)
        changes.write()


def split(case_id: int, *, taken: int, reason: str, by: int, now: datetime) -> None:
    """Split a case that was merged into `case_id` off again: it goes on by itself where it stood. Raises NotTakenIn.

    It keeps its number and its alert, so no figure counts either of them twice. Merging it again takes this back.
    """
    with transaction.atomic():
        case, source = load_case(taken), load_case(case_id)
        if not Case.objects.filter(pk=case.id, merged_into=source.id, state="CLOSED").exists():
            raise NotTakenIn(case=case.id, source=source.id)
        amend(Case, case.id, split_from=source.id)
        changes = Changes(now)
        _take_up_again(case, changes, reason="SPLIT", by=by)
        changes.event(kinds.SPLIT_OFF, case, source=source.id, reason=reason, by=by)
        changes.event(kinds.GAVE_OFF, source, split=case.id, reason=reason, by=by)
        changes.write()


def add_note(case_id: int, *, text: str, by: int | None, now: datetime) -> None:
    """Add a remark to a case."""
    with transaction.atomic():
        case: CaseState = load_case(case_id)
        Note.objects.create(case_id=case.id, person_id=by, text=text, at=now)
        changes = Changes(now)
        changes.event(kinds.NOTED, case, by=by)
        changes.write()
