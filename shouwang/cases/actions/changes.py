"""What one action changes, collected first and written once: tasks, timers, messages, gaps, and the events last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from shouwang.cases import events as kinds
from shouwang.cases.models import CoverageGap, Task
from shouwang.cases.queries import CaseState
from shouwang.cases.rules.procedures import Limit, Rung, Step
from shouwang.journal.actions import append, drop_timers, set_timers
from shouwang.journal.put import FEW, put, reserve_ids
from shouwang.journal.rules import NewEvent, NewTimer
from shouwang.journal.sql import together
from shouwang.kernel.moments import MICROSECOND, local, to_us
from shouwang.notify.actions import NewMessage, queue
from shouwang.notify.queries import enabled_channels, plans_of, ring_wait_at
from shouwang.notify.rules import INBOX
from shouwang.notify.rules.texts import ANSWERS, ASKS_TO_ACCEPT, CONTACT_ASKED, SUBJECT_ASKED
from shouwang.notify.rules.wishes import Plan
from shouwang.people.queries import Who, answerable, askable
from shouwang.places.queries import working_calendar
from shouwang.places.rules import add_working_days

RESIDENT = "RESIDENT"
HOUSEHOLD = "household"
TIMER = "task"
RING = "ring"
ANSWER_TIMER = "answer"
_TASK_COLUMNS = (
    "id", "case_id", "step", "state", "rung", "reminders", "assignee_id", "offered_at", "due_at", "limit_us", "result",
    "done_key",
)
_GAP_COLUMNS = ("task_id", "case_id", "path", "duty", "level", "rank", "at")


@dataclass(frozen=True, slots=True)
class _Told:
    """What a person is told about a task: on `channels`, else on the inbox and those of the person's first step."""

    person_id: int
    template: str
    key: str
    case: CaseState
    task_id: int
    params: dict[str, Any]
    channels: tuple[str, ...] = ()


@dataclass
class Changes:
    """Collects what an action changes until `write` puts it down in one go."""

    now: datetime
    tasks: list[tuple[Any, ...]] = field(default_factory=list)
    timers: list[NewTimer] = field(default_factory=list)
    dropped_timers: list[int] = field(default_factory=list)
    messages: list[_Told] = field(default_factory=list)
    gaps: list[tuple[Any, ...]] = field(default_factory=list)
    events: list[NewEvent] = field(default_factory=list)
    _causes: dict[int, dict[str, Any]] = field(default_factory=dict)

    def event(self, kind: str, case: CaseState, /, **payload: Any) -> None:
        """Note an event of `case`; the first of a case is the cause of what is offered in this action."""
        self.events.append(NewEvent(kind, case.id, payload, case.exercise_id))
        self._causes.setdefault(case.id, payload)

    def offer(self, person_id: int, case: CaseState, *, task_id: int, step: Step, rung: int) -> None:
        """Note in the cause's event that a new task was offered to a person, and tell the person."""
        self._causes[case.id].setdefault("offers", {})[str(task_id)] = (step.code, rung, person_id)
        self.ask(person_id, "TASK_OFFERED", key=f"{task_id}:{rung}:0", case=case, task_id=task_id, asked=step.rungs[rung])

    def ask(self, person_id: int, template: str, *, key: str, case: CaseState, task_id: int, asked: Rung) -> None:
        """Note that a person is asked to accept, or, as a contact of the subject, what may be answered."""
        if not asked.is_of_subject:
            self.tell(person_id, template, key=key, case=case, task_id=task_id)
            return
        answers = [(answer.key, answer.code, answer.title.zh, answer.title.en) for answer in asked.answers]
        template = SUBJECT_ASKED if asked.duty == RESIDENT else CONTACT_ASKED
        self.messages.append(_Told(person_id, template, key, case, task_id, {ANSWERS: answers}, open_channel(asked)))

    def tell(self, person_id: int, template: str, *, key: str, case: CaseState, task_id: int, **params: Any) -> None:
        """Note a message to a person about a task, on the channels that the person is told on at once."""
        self.messages.append(_Told(person_id, template, key, case, task_id, params))

    def tell_on(self, channels: tuple[str, ...], person_id: int, template: str, *, key: str, case: CaseState, task_id: int) -> None:
        """Note a message to a person about a task on these channels only."""
        self.messages.append(_Told(person_id, template, key, case, task_id, {}, channels))

    def write_rows(self) -> None:
        """Write everything but the events, inside the caller's transaction."""
        plans = plans_of([told.person_id for told in self.messages]) if self.messages else {}
        self.timers.extend(self._rings(plans))
        put(Task, _TASK_COLUMNS, self.tasks)
        drop_timers(TIMER, self.dropped_timers)
        set_timers(self.timers)
        put(CoverageGap, _GAP_COLUMNS, self.gaps)
        self._queue(plans)

    def write(self) -> None:
        """Write everything, the events last."""
        most = max(len(self.tasks), len(self.gaps), len(self.messages), len(self.events))
        with together() if most <= FEW else nullcontext():
            self.write_rows()
            if self.events:
                append(self.events, now=self.now)

    def _rings(self, plans: Mapping[int, Plan]) -> list[NewTimer]:
        """Return when the next channel of those is tried who are asked to accept a task and have one for later."""
        rings = []
        for told in self.messages:
            if told.template in ASKS_TO_ACCEPT and not told.channels and plans[told.person_id].later(told.case.severity):
                wait = ring_after(told.case)
                if wait is not None:
                    rings.append(NewTimer(RING, told.task_id, self.now + wait))
        return rings

    def _queue(self, plans: Mapping[int, Plan]) -> None:
        queue(
            [
                NewMessage(
                    person_id=told.person_id, channel=channel, template=told.template,
                    params={"reason": told.case.reason, **told.case.params, **told.params}, key=told.key, severity=told.case.severity,
                    task_id=told.task_id, case_id=told.case.id, exercise_id=told.case.exercise_id,
                )
                for told in self.messages
                for channel in told.channels or (INBOX, *plans[told.person_id].first)
            ],
            now=self.now,
        )


def ring_after(case: CaseState) -> timedelta | None:
    """Return how long somebody asked about `case` has before the next channel is tried, None for ever."""
    if case.procedure.ring_seconds:
        return timedelta(seconds=case.procedure.ring_seconds)
    return ring_wait_at(case.area_id, case.severity)


def start_steps(starting: Sequence[tuple[CaseState, Step]], changes: Changes, *, first_rung: int = 0) -> None:
    """Make a task of each starting step and offer it to the first rung of its ladder, from `first_rung` on, that is covered.

    What made the case go on must already be noted as an event: it carries the offers.
    """
    if not starting:
        return
    now_us = to_us(changes.now)
    ids = reserve_ids(Task, len(starting))
    found = climb([(case, step, first_rung) for case, step in starting], at=changes.now)
    for task_id, (case, step), (rung, person, gaps) in zip(ids, starting, found, strict=True):
        confirm = step.dispatch == "CONFIRM"
        minutes = step.confirm_minutes if confirm else step.rungs[rung].accept_minutes
        due = changes.now + timedelta(minutes=minutes)
        limit = span(step.limit, case.area_id, changes.now)
        state = "CONFIRM" if confirm else "OFFERED"
        changes.tasks.append(
            (task_id, case.id, step.code, state, rung, 0, person, now_us, to_us(due), limit // MICROSECOND, "", ""),
        )
        changes.timers.append(NewTimer(TIMER, task_id, due))
        note_gaps(changes, case, task_id, gaps)
        if person is not None and not confirm:
            changes.offer(person, case, task_id=task_id, step=step, rung=rung)


def climb(
    asked: Sequence[tuple[CaseState, Step, int]], *, at: datetime,
) -> list[tuple[int, int | None, list[Rung]]]:
    """Return for each (case, step, first rung) the first covered rung, its person, and the uncovered rungs passed.

    When no rung is covered the rung is the last one and the person None.
    """
    found: list[tuple[int, int | None, list[Rung]] | None] = [None] * len(asked)
    gaps: list[list[Rung]] = [[] for _ in asked]
    rungs = [rung for _, _, rung in asked]
    open_ = list(range(len(asked)))
    while open_:
        still = []
        for n, person in zip(open_, _persons([(asked[n][0], asked[n][1].rungs[rungs[n]]) for n in open_], at), strict=True):
            ladder = asked[n][1].rungs
            if person is not None:
                found[n] = (rungs[n], person, gaps[n])
                continue
            if not ladder[rungs[n]].is_of_subject:
                gaps[n].append(ladder[rungs[n]])
            if rungs[n] + 1 == len(ladder):
                found[n] = (rungs[n], None, gaps[n])
            else:
                rungs[n] += 1
                still.append(n)
        open_ = still
    return [entry for entry in found if entry is not None]


def open_channel(rung: Rung) -> tuple[str, ...]:
    """Return the first channel of a contact's rung that is switched on; none where all are off."""
    return tuple(channel for channel in rung.channels if channel in enabled_channels())[:1]


def _persons(asked: Sequence[tuple[CaseState, Rung]], at: datetime) -> list[int | None]:
    """Return who is asked on each of these rungs; contacts are looked up by role, the others by duty."""
    found: list[int | None] = [None] * len(asked)
    on_duty = [n for n, (_, rung) in enumerate(asked) if not rung.is_of_subject]
    for n, person in zip(on_duty, answerable([_who(*asked[n]) for n in on_duty], at=at), strict=True):
        found[n] = person
    homes: dict[tuple[str, str], list[int]] = {}
    for n, (case, rung) in enumerate(asked):
        if rung.is_of_subject and case.subject_kind == HOUSEHOLD and open_channel(rung):
            homes.setdefault((rung.duty, rung.consent), []).append(n)
    for (role, consent), places in homes.items():
        persons = askable({asked[n][0].subject_id for n in places}, role=role, consent=consent, at=at)
        for n in places:
            found[n] = persons.get(asked[n][0].subject_id)
    return found


def note_gaps(changes: Changes, case: CaseState, task_id: int, gaps: Sequence[Rung]) -> None:
    """Note that these rungs were not covered."""
    for rung in gaps:
        changes.gaps.append((task_id, case.id, case.path, rung.duty, rung.level, rung.rank, to_us(changes.now)))
        changes.event(kinds.GAP_FOUND, case, task=task_id, duty=rung.duty, level=rung.level, rank=rung.rank)


def span(limit: Limit, area_id: int, start: datetime) -> timedelta:
    """Return how long `limit` lasts from `start`; working days end at the same hour of the last of them."""
    if limit.unit == "MINUTES":
        return timedelta(minutes=limit.amount)
    day = local(start).date()
    return add_working_days(day, limit.amount, working_calendar(area_id)) - day


def _who(case: CaseState, rung: Rung) -> Who:
    return Who(area_path=case.path, duty=rung.duty, level=rung.level, rank=rung.rank)


def compact(values: Mapping[str, Any]) -> str:
    """Return `values` as compact JSON."""
    return msgspec.json.encode(values).decode()
