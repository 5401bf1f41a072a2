"""The desks: officers who confirm, remind, escalate, hand over, give time, suspend and resume, withdraw, merge, check, reopen.

What is suspended is written down here to the microsecond, and compared when it goes on (time is conserved).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from bench.simulate import store
from bench.simulate.county import County
from bench.simulate.requests import Requests
from bench.simulate.stage import Stage
from bench.simulate.tables import OPEN, cases_in
from shouwang.cases import actions
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.moments import from_us, to_us
from shouwang.people.actions import NewDuty, assign_duties, cancel_shift, end_duty
from shouwang.people.rules import SYSTEM

ROUND = timedelta(minutes=100)
_TASKS = f"SELECT id, step, state, assignee_id, due_at, rung FROM cases_task WHERE case_id = %s AND state IN {OPEN} ORDER BY id"
_CLOCKS = "SELECT id, code, remaining_us, running_since, due_at FROM cases_clock WHERE case_id = %s ORDER BY id"
_STOPPED = "SELECT id FROM cases_task WHERE case_id = %s AND state = 'SUSPENDED' ORDER BY id"


@dataclass
class Suspended:
    """What remained of each task and clock of a case when it was stopped, in µs."""

    tasks: dict[int, int] = field(default_factory=dict)
    clocks: dict[int, int] = field(default_factory=dict)


@dataclass
class Desk:
    """The officers of the county and what they do from their desks."""

    stage: Stage
    dice: Random
    county: County
    requests: Requests
    suspended: dict[int, Suspended] = field(default_factory=dict)
    ended_by_desk: set[int] = field(default_factory=set)

    def begin(self) -> None:
        """Go round the desk again and again; change who is on duty now and then."""
        self.stage.every(ROUND, self._round, first=timedelta(minutes=70))
        self.stage.every(timedelta(hours=29), self._change_roster, first=timedelta(hours=20))

    def _round(self) -> None:
        """Confirm most of what waits for it, check what is completed, and do one or two other things."""
        for task, case, to in store.rows("SELECT id, case_id, assignee_id FROM cases_task WHERE state = 'CONFIRM' ORDER BY id LIMIT 3"):
            if self.dice.random() < 0.7:
                to_other = self.dice.choice(self.county.persons) if self.dice.random() < 0.1 else None
                self._send("dispatch", lambda task=task, to=to_other: actions.dispatch(task, by=self._officer(), to=to, now=self._now()), int(case), int(task))  # type: ignore[misc, call-overload]
        for case in cases_in("COMPLETED", limit=3):
            if self.dice.random() < 0.8:
                self._send("close", lambda case=case: actions.close(case, by=self._officer(), now=self._now()), case)  # type: ignore[misc]
        open_ones = cases_in("OPEN", limit=12)
        for case_id in self.dice.sample(open_ones, min(2, len(open_ones))):
            self._interfere(case_id)
        ended = cases_in("CLOSED", "WITHDRAWN", "COMPLETED", newest_first=True, limit=8)
        if ended and self.dice.random() < 0.08:
            case_id = self.dice.choice(ended)
            self._send("reopen", lambda: actions.reopen(case_id, reason="DESK", by=self._officer(), now=self._now()), case_id)

    def _now(self) -> datetime:
        return self.stage.wall()

    def _officer(self) -> int:
        return self.county.oracle.duties[-1].person

    def _send(self, name: str, action: Callable[[], object], case: int, task: int | None = None, then: Callable[[ShouwangError | None], None] = lambda _: None) -> None:
        self.requests.send(name, action, then=then, case=case, task=task)

    def _interfere(self, case: int) -> None:
        tasks = store.rows(_TASKS, (case,))
        if case in self.suspended:
            if self.dice.random() < 0.5:
                self._resume(case)
            return
        choice = self.dice.random()
        by, now = self._officer(), self._now
        if not tasks or choice < 0.15:
            self._send("note", lambda: actions.add_note(case, text="已联系", by=by, now=now()), case)
        elif choice < 0.40:
            self._with_task(case, int(self.dice.choice(tasks)[0]))  # type: ignore[call-overload]
        elif choice < 0.62:
            self._suspend(case)
        elif choice < 0.68:
            self._send("withdraw", lambda: actions.withdraw(case, reason="APPLICANT", by=by, now=now()), case)
        elif choice < 0.72:
            self._send("false alarm", lambda: actions.false_alarm(case, reason="DEVICE", by=by, now=now()), case)
        elif choice < 0.78:
            self._merge(case)
        elif choice < 0.84:
            self._ask_correction(case)

    def _with_task(self, case: int, task: int) -> None:
        by, now = self._officer(), self._now
        choice = self.dice.random()
        if choice < 0.35:
            self._send("remind", lambda: actions.remind(task, by=by, now=now()), case, task)
        elif choice < 0.65:
            self._send("escalate", lambda: actions.escalate(task, by=by, now=now()), case, task)
        elif choice < 0.85:
            to = self.dice.choice(self.county.persons)
            self._send("hand over", lambda: actions.hand_over(task, to=to, reason="DESK", by=by, now=now()), case, task)
        else:
            self._send("extend", lambda: actions.extend(task, minutes=30, reason="DESK", by=by, now=now()), case, task)

    def _merge(self, case: int) -> None:
        """Merge into another open case of the same kind; an exercise into the real is refused."""
        others = store.rows(
            "SELECT o.id, o.exercise_id, c.exercise_id FROM cases_case c JOIN cases_case o ON o.kind = c.kind AND o.id <> c.id "
            "WHERE c.id = %s AND o.state = 'OPEN' ORDER BY o.id LIMIT 5", (case,),
        )
        if not others:
            return
        into, exercise, own = self.dice.choice(others)

        def merged(refusal: ShouwangError | None) -> None:
            if refusal is None and exercise != own:
                self.stage.violate("I10 an exercise is not merged with the real", found=f"into case {into}", expected="refused", case=case)

        self._send("merge", lambda: actions.merge(case, into=int(into), by=self._officer(), now=self._now()), case, then=merged)  # type: ignore[call-overload]

    def _suspend(self, case: int) -> None:
        names = [str(row[1]) for row in store.rows(_CLOCKS, (case,))] + [f"task:{row[1]}" for row in store.rows(_TASKS, (case,))]
        chosen = [name for name in names if self.dice.random() < 0.7] or names[:1]
        review = self._now() + timedelta(hours=self.dice.choice((6, 30, 80)))
        self._stop("suspend", case, chosen, lambda: actions.suspend(
            case, clocks=chosen, reason="WEATHER", review_at=review, by=self._officer(), now=self._now(),
        ))

    def _ask_correction(self, case: int) -> None:
        review = self._now() + timedelta(days=2)
        names = [str(row[1]) for row in store.rows(_CLOCKS, (case,))] + [f"task:{row[1]}" for row in store.rows(_TASKS, (case,))]
        self._stop("ask correction", case, names, lambda: actions.ask_correction(
            case, what="补材料", review_at=review, by=self._officer(), now=self._now(),
        ))

    def _stop(self, name: str, case: int, names: Sequence[str], action: Callable[[], None]) -> None:
        """Stop clocks and tasks, and write down what remained of them at the moment of the last try."""
        remained = Suspended()

        def stop() -> None:
            now_us = to_us(self._now())
            tasks, clocks = store.rows(_TASKS, (case,)), store.rows(_CLOCKS, (case,))
            if any(row[2] != "SUSPENDED" and f"task:{row[1]}" in names for row in tasks) or any(row[3] is not None and row[1] in names for row in clocks):
                remained.tasks = {int(row[0]): int(row[4]) - now_us for row in tasks if f"task:{row[1]}" in names and row[2] != "SUSPENDED"}  # type: ignore[call-overload]
                remained.clocks = {int(row[0]): int(row[2]) - (now_us - int(row[3])) for row in clocks if row[1] in names and row[3] is not None}  # type: ignore[call-overload]
            action()

        def stopped(refusal: ShouwangError | None) -> None:
            self.suspended[case] = remained if refusal is None else Suspended()

        self._send(name, stop, case, then=stopped)

    def _resume(self, case: int) -> None:
        """Let a case go on, and compare what remains with what remained."""
        stopped: set[int] = set()
        tries: list[datetime] = []

        def resume() -> None:
            tries.append(self._now())
            if len(tries) == 1:
                stopped.update(int(row[0]) for row in store.rows(_STOPPED, (case,)))  # type: ignore[call-overload]
            actions.resume(case, by=self._officer(), now=tries[-1])

        def resumed(refusal: ShouwangError | None) -> None:
            remained = self.suspended.pop(case)
            if refusal is None and len(tries) == 1:
                self._compare(case, remained, stopped, tries[0])

        self._send("resume", resume, case, then=resumed)

    def _compare(self, case: int, remained: Suspended, stopped: set[int], at: datetime) -> None:
        dues = {int(row[0]): int(row[4]) for row in store.rows(_TASKS, (case,))}  # type: ignore[call-overload]
        for task in stopped & remained.tasks.keys() & dues.keys():
            expected = to_us(at) + remained.tasks[task]
            if dues[task] != expected:
                self.stage.violate("suspension conserves time", found=str(from_us(dues[task])), expected=str(from_us(expected)), case=case, task=task)
        for clock, _, _, running, due in store.rows(_CLOCKS, (case,)):
            left = remained.clocks.get(int(clock))  # type: ignore[call-overload]
            if left is not None and (running != to_us(at) or due != to_us(at) + left):
                self.stage.violate("suspension conserves time", found=f"clock {clock} due {due}", expected=str(to_us(at) + left), case=case)

    def resume_all(self) -> None:
        """Let everything go on that is still stopped."""
        for case in list(self.suspended):
            self._resume(case)

    def _change_roster(self) -> None:
        """End a duty, cancel a shift, or give a village a second grid worker; these changes themselves do not fail."""
        now, oracle, choice = self._now(), self.county.oracle, self.dice.random()
        today = now.astimezone(self.county.start.tzinfo).date()
        if choice < 0.4:
            ahead = [shift for shift in oracle.shifts if shift.start_at > now]
            if ahead:
                shift = self.dice.choice(ahead[:6])
                cancel_shift(SYSTEM, shift.id, now=now)
                oracle.shifts.remove(shift)
        elif choice < 0.6:
            held = [duty for duty in oracle.duties if duty.code == "GRID_WORKER" and (duty.until_date is None or duty.until_date > today)]
            duty = self.dice.choice(held)
            end_duty(SYSTEM, duty.id, now=now)
            duty.until_date = max(today, duty.from_date)
        else:
            self._appoint(now)

    def _appoint(self, now: datetime) -> None:
        oracle = self.county.oracle
        today = now.astimezone(self.county.start.tzinfo).date()
        empty = [village for village in self.county.villages if oracle.who(self.county.paths[village], duty="GRID_WORKER", level="VILLAGE", rank="PRIMARY", at=now) is None]
        village = self.dice.choice(empty or self.county.villages)
        person = self.dice.choice(self.county.persons)
        taken = any(duty.person == person and duty.area == village and duty.code == "GRID_WORKER" for duty in oracle.duties)
        if not taken:
            (number,) = assign_duties(SYSTEM, [NewDuty(person, "GRID_WORKER", village, today)], now=now)
            oracle.duties.append(type(oracle.duties[0])(village, "GRID_WORKER", "PRIMARY", person, today, id=number))
