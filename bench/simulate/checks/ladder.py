"""What a worker's pass may do to tasks: nothing before its time, everything that is due, one covered rung at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from bench.simulate import store
from bench.simulate.roster import Oracle
from bench.simulate.stage import Stage
from bench.simulate.tables import OPEN
from shouwang.cases.queries import procedure_of
from shouwang.cases.rules.procedures import Step
from shouwang.kernel.moments import from_us, to_us

LIMIT_PER_PASS = 200
_OPEN = (
    "SELECT t.id, t.case_id, t.step, t.state, t.rung, t.reminders, t.assignee_id, t.due_at, c.path, c.procedure_id "
    f"FROM cases_task t JOIN cases_case c ON c.id = t.case_id WHERE t.state IN {OPEN}"
)


class OpenTask(NamedTuple):
    """An open task as it stands in the table."""

    id: int
    case: int
    step: str
    state: str
    rung: int
    reminders: int
    assignee: int | None
    due_us: int
    path: str
    procedure: int


@dataclass(frozen=True)
class Watched:
    """The open tasks before a pass, and how many steps the play had made."""

    tasks: Mapping[int, OpenTask]
    steps: int


@dataclass
class Ladder:
    """Compares the open tasks before and after each pass of a worker; persons who have `replied` may have accepted in it."""

    stage: Stage
    oracle: Oracle
    replied: set[int] = field(default_factory=set)

    def before(self, now: datetime) -> Watched:
        """Return the open tasks as they are before a pass at `now`."""
        del now
        return Watched(_open(), self.stage.steps)

    def after(self, watched: Watched, now: datetime) -> bool:
        """Check what the pass at `now` did; a pass during which others acted is not judged. Return whether another must follow at once.

        What became due by what the pass itself did, as a task that goes on after a pause that has long ended, is the next pass's.
        """
        if self.stage.steps != watched.steps:
            return True
        now_us = to_us(now)
        found = _open()
        for number, task in watched.tasks.items():
            then = found.get(number)
            if then is not None and then != task and not (then.state == "ACCEPTED" and then.assignee in self.replied):
                self._compare(task, then, now_us)
        due = [task for task in found.values() if task.due_us <= now_us]
        left = [task for task in due if task == watched.tasks.get(task.id)]
        if left and len(watched.tasks) < LIMIT_PER_PASS:
            first = min(left, key=lambda task: task.due_us)
            self.stage.violate(
                "I3 what is due is done", found=f"task {first.id} {first.state} due {from_us(first.due_us)} after the pass at {now}",
                expected="a later moment", case=first.case, task=first.id,
            )
        return bool(due)

    def _compare(self, task: OpenTask, then: OpenTask, now_us: int) -> None:
        climbed = then.rung != task.rung
        if task.due_us > now_us and not (climbed and self._unreached(task)):
            self.stage.violate(
                "no escalation early", found=f"{task} became {then} at {from_us(now_us)}", expected=f"nothing before {from_us(task.due_us)}",
                case=task.case, task=task.id,
            )
        if climbed:
            self._climbed(task, then)

    def _unreached(self, task: OpenTask) -> bool:
        """Return whether a message about a task is known not to have reached its person: then the next rung is asked at once."""
        return bool(store.rows(
            "SELECT 1 FROM notify_message WHERE task_id = %s AND person_id = %s AND state IN (4, 5) AND done_at IS NOT NULL LIMIT 1",
            (task.id, task.assignee),
        ))

    def _climbed(self, task: OpenTask, then: OpenTask) -> None:
        """A task climbs to the next rung that somebody holds, past none that somebody holds; each gap is recorded."""
        step = procedure_of(task.procedure).step(task.step)
        at = from_us(then.due_us) - timedelta(minutes=step.rungs[then.rung].accept_minutes)
        people = [self.on_rung(step, rung, task.path, at) for rung in range(len(step.rungs))]
        expected = next((rung for rung in range(task.rung + 1, len(people)) if people[rung] is not None), len(people) - 1)
        holder = people[expected] if people[expected] is not None else task.assignee
        if (then.rung, then.assignee) != (expected, holder):
            self.stage.violate(
                "the ladder", found=f"from rung {task.rung} to {then.rung}, person {then.assignee}",
                expected=f"rung {expected}, person {holder}", case=task.case, task=task.id,
            )
        passed = sum(1 for rung in range(task.rung + 1, expected + 1) if people[rung] is None and not step.rungs[rung].is_of_subject)
        ((recorded,),) = store.rows("SELECT count(*) FROM cases_gap WHERE task_id = %s AND at = %s", (task.id, to_us(at)))
        if recorded != passed:
            self.stage.violate("coverage gaps are recorded", found=str(recorded), expected=str(passed), case=task.case, task=task.id)

    def on_rung(self, step: Step, rung: int, path: str, at: datetime) -> int | None:
        """Return who stands on a rung, by the simulator's own roster."""
        asked = step.rungs[rung]
        if asked.is_of_subject:
            return None  # nobody in the simulated world has agreed to be asked
        return self.oracle.who(path, duty=asked.duty, level=asked.level, rank=asked.rank, at=at)


def _open() -> dict[int, OpenTask]:
    return {int(row[0]): OpenTask(*row) for row in store.rows(_OPEN)}  # type: ignore[arg-type, call-overload]
