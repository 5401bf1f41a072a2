"""The people who are told: they accept, arrive, complete with evidence, hand over, ask for more time, report a false alarm,
ignore, answer late, twice, without evidence, for others, or all at once from a phone that was offline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from bench.simulate.county import County
from bench.simulate.faults import Faults
from bench.simulate.requests import Requests
from bench.simulate.stage import Stage
from bench.simulate.tables import Pushed, TaskRow, task_row, tasks_for, was_told
from shouwang.cases import actions
from shouwang.cases.links import read_link
from shouwang.cases.queries import procedure_of_case
from shouwang.cases.rules.errors import CaseError, TaskNotYours
from shouwang.cases.rules.evidence import Given
from shouwang.cases.rules.procedures import EvidenceNeed, Result, Step
from shouwang.kernel.errors import ShouwangError
from shouwang.notify.actions import report_delivery, take_reply
from shouwang.notify.channels.sms import outcome_of

ACTIVE = ("ACCEPTED", "ARRIVED")
TASKS_LOOKED_AT = 4


@dataclass(frozen=True)
class Completed:
    """An answer that was acknowledged: it must be found at the end."""

    task: int
    person: int
    key: str
    result: str
    evidence: tuple[Given, ...]


@dataclass
class People:
    """Everybody who may be told of a task."""

    stage: Stage
    faults: Faults
    dice: Random
    county: County
    requests: Requests
    replied: set[int]
    completed: list[Completed] = field(default_factory=list)
    looking: set[int] = field(default_factory=set)
    busy: set[tuple[int, int]] = field(default_factory=set)

    def pushed(self, entries: Sequence[Pushed]) -> None:
        """Hear what has been put into inboxes."""
        for entry in entries:
            self.stage.log("inbox", person=entry.person_id, task=entry.task_id, template=entry.template)
            self._notice(entry.person_id)

    def told(self, person: int, channel: str, link: str) -> None:
        """Hear a short message or a webhook; its link opens a task of nobody else."""
        if link:
            opened = read_link(link.rstrip("/").rpartition("/")[2])
            if opened.person_id != person:
                self.stage.violate("I6 a link is for its reader", found=f"{channel} to {person} opens as {opened.person_id}", expected=str(person), task=opened.task_id)
        self._notice(person)

    def reported(self, person: int, key: str, status: str) -> None:
        """Carry a report of the gateway to the product, again until it is taken."""
        now = self.stage.wall
        self.requests.send("report", lambda: report_delivery("sms", key, outcome_of(status), now=now()))
        if status == "DELIVERED" and self.dice.random() < 0.05:
            self._reply(person, key)

    def _reply(self, person: int, key: str) -> None:
        said = "1" if self.dice.random() < 0.8 else "？"
        times = 2 if self.faults.happens("duplicate", 0.1) else 1
        for _ in range(times):
            self.replied.add(person)
            self.stage.after(
                timedelta(seconds=self.dice.uniform(20, 900)),
                lambda: self.requests.send("reply", lambda: take_reply("sms", key, said=said, now=self.stage.wall()), person=person),
            )

    def _notice(self, person: int) -> None:
        """Most look at their phone within the hour, some do not."""
        if person not in self.looking and self.dice.random() < 0.85:
            self.looking.add(person)
            self.stage.after(timedelta(minutes=min(self.dice.expovariate(1 / 7), 55)), lambda: self._look(person))

    def _look(self, person: int) -> None:
        self.looking.discard(person)
        for task in tasks_for(person, limit=TASKS_LOOKED_AT):
            if (person, task.id) not in self.busy:
                self._decide(person, task)

    def _decide(self, person: int, task: TaskRow) -> None:
        chance = self.dice.random()
        if task.state in ACTIVE:
            if chance < 0.8:
                self._plan(person, task)
        elif task.state == "OFFERED":
            if chance < 0.14:
                return
            self.busy.add((person, task.id))
            if chance < 0.20:
                self._later(timedelta(minutes=self.dice.uniform(20, 120)), lambda: self._accept(person, task))
            elif chance < 0.27:
                self._offline(person, task)
            elif chance < 0.31:
                self._as_stranger(task)
                self._accept(person, task)
            elif chance < 0.36:
                self._arrive(person, task)
                self._plan(person, task)
            else:
                self._accept(person, task)

    def _later(self, span: timedelta, what: object) -> None:
        self.stage.after(span, what)  # type: ignore[arg-type]

    def _send(self, name: str, action: object, person: int, task: TaskRow, then: object = lambda _: None) -> None:
        self.requests.send(name, action, then=then, case=task.case_id, task=task.id, person=person)  # type: ignore[arg-type]

    def _accept(self, person: int, task: TaskRow) -> None:
        def accepted(refusal: ShouwangError | None) -> None:
            self.busy.discard((person, task.id))
            if refusal is None:
                self._holds(person, task)
                self._plan(person, task)
            elif isinstance(refusal, TaskNotYours):
                self.stage.violate("whoever was asked may accept", found=repr(refusal), expected="done or taken", case=task.case_id, task=task.id)

        accept = lambda: actions.accept(task.id, person_id=person, now=self.stage.wall())  # noqa: E731
        self._send("accept", accept, person, task, accepted)
        if self.faults.happens("duplicate", 0.04):
            self._send("accept again", accept, person, task)

    def _holds(self, person: int, task: TaskRow) -> None:
        """Whoever was told that the task is theirs finds it so."""
        found = task_row(task.id)
        if found.state not in ACTIVE or found.assignee_id != person:
            self.stage.violate(
                "I1 an acceptance that was acknowledged stands", found=f"{found.state} of {found.assignee_id}", expected=f"ACCEPTED of {person}",
                case=task.case_id, task=task.id,
            )

    def _as_stranger(self, task: TaskRow) -> None:
        """Somebody who was never asked tries to accept."""
        asked = self.stage.counts
        stranger = self.dice.choice(self.county.persons)

        def refused(refusal: ShouwangError | None) -> None:
            asked["strangers"] += 1
            if refusal is None and task_row(task.id).assignee_id == stranger and not was_told(task.id, stranger):
                self.stage.violate("I6 only who was asked may accept", found=f"person {stranger} accepted", expected=TaskNotYours.__name__, case=task.case_id, task=task.id)

        self._send("accept as a stranger", lambda: actions.accept(task.id, person_id=stranger, now=self.stage.wall()), stranger, task, refused)

    def _arrive(self, person: int, task: TaskRow) -> None:
        self._send("arrive", lambda: actions.arrive(task.id, person_id=person, now=self.stage.wall()), person, task)

    def _plan(self, person: int, task: TaskRow) -> None:
        """Plan how the task goes on: usually arrive and complete, sometimes something else, sometimes nothing."""
        now_row = task_row(task.id)
        minutes = max((now_row.due_at - self.stage.wall()) / timedelta(minutes=1), 20.0)
        scale = minutes if minutes < 700 else min(minutes, 2500)
        chance = self.dice.random()
        self.busy.add((person, task.id))
        if chance < 0.07:
            self.busy.discard((person, task.id))
            return
        if chance < 0.12:
            self._later(timedelta(minutes=scale * 0.3), lambda: self._more_time(person, task))
        elif chance < 0.16:
            self._later(timedelta(minutes=scale * 0.2), lambda: self._pass_on(person, task))
            return
        elif chance < 0.20:
            self._later(timedelta(minutes=scale * 0.4), lambda: self._false_alarm(person, task))
            return
        if self.dice.random() < 0.7:
            self._later(timedelta(minutes=scale * self.dice.uniform(0.1, 0.4)), lambda: self._arrive(person, task))
        late = 1.6 if chance > 0.95 else 1.0
        self._later(timedelta(minutes=scale * self.dice.uniform(0.4, 0.9) * late), lambda: self._complete(person, task))

    def _more_time(self, person: int, task: TaskRow) -> None:
        minutes = self.dice.choice((15, 30, 60))
        self._send("extend", lambda: actions.extend(task.id, minutes=minutes, reason="FAR", by=person, now=self.stage.wall()), person, task)

    def _pass_on(self, person: int, task: TaskRow) -> None:
        self.busy.discard((person, task.id))
        areas = self.county.oracle.areas_of(person)
        near = [other for other in self.county.persons if other != person and areas & self.county.oracle.areas_of(other)]
        if near:
            to = self.dice.choice(near)
            self._send("hand over", lambda: actions.hand_over(task.id, to=to, reason="NEAR", by=person, now=self.stage.wall()), person, task)

    def _false_alarm(self, person: int, task: TaskRow) -> None:
        self.busy.discard((person, task.id))
        self._send("false alarm", lambda: actions.false_alarm(task.case_id, reason="DEVICE", by=person, now=self.stage.wall()), person, task)

    def _offline(self, person: int, task: TaskRow) -> None:
        """A phone without a network sends all it has later, the newest first."""
        self.faults.happens("reorder", 1.0)
        self.faults.happens("delay", 1.0)
        self._later(timedelta(minutes=self.dice.uniform(15, 240)), lambda: self._complete(person, task, newest_first=True))

    def _complete(self, person: int, task: TaskRow, *, newest_first: bool = False) -> None:
        step = procedure_of_case(task.case_id).step(task.step)
        if self.dice.random() < 0.08:
            self._without_evidence(person, task, step)
        result = self.dice.choice(step.results)
        given = tuple(_given(need) for need in result.evidence)
        key = f"c{task.id}-{person}"

        def completed(refusal: ShouwangError | None) -> None:
            self.busy.discard((person, task.id))
            if refusal is None:
                self.completed.append(Completed(task.id, person, key, result.code, given))
                if newest_first or self.faults.happens("duplicate", 0.06):
                    self._again(person, task, result, given, key)
            elif not isinstance(refusal, CaseError):
                self.stage.violate("a complete answer is taken", found=repr(refusal), expected="done", case=task.case_id, task=task.id)

        self._send("complete", self._completion(person, task, result, given, key), person, task, completed)
        if newest_first:
            self._send("accept after that", lambda: actions.accept(task.id, person_id=person, now=self.stage.wall()), person, task)

    def _completion(self, person: int, task: TaskRow, result: Result, given: tuple[Given, ...], key: str) -> object:
        return lambda: actions.complete(task.id, person_id=person, result=result.code, evidence=given, key=key, now=self.stage.wall())

    def _again(self, person: int, task: TaskRow, result: Result, given: tuple[Given, ...], key: str) -> None:
        def harmless(refusal: ShouwangError | None) -> None:
            if refusal is not None:
                self.stage.violate("the same answer again is harmless", found=repr(refusal), expected="done", case=task.case_id, task=task.id)

        self._send("complete again", self._completion(person, task, result, given, key), person, task, harmless)

    def _without_evidence(self, person: int, task: TaskRow, step: Step) -> None:
        """Try to end the task without what its result asks for."""
        asking = [result for result in step.results if any(not need.optional for need in result.evidence)]
        result = self.dice.choice(asking).code if asking else "NOT_A_RESULT"
        self.stage.counts["gate_tried"] += 1

        def refused(refusal: ShouwangError | None) -> None:
            if refusal is None:
                self.stage.violate("I9 no result without its evidence", found=f"{result} taken", expected="refused", case=task.case_id, task=task.id)

        self._send("complete without evidence", lambda: actions.complete(task.id, person_id=person, result=result, now=self.stage.wall()), person, task, refused)


def _given(need: EvidenceNeed) -> Given:
    if need.kind == "PHOTO":
        return Given(need.code, file_id=7)
    return Given(need.code, need.options[0][0] if need.kind == "CHOICE" else "2026-01-01T08:00+08:00" if need.kind == "MOMENT" else "已办")
