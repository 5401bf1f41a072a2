"""What holds at every moment, looked at again and again: timers, open alerts, open cases, clocks, messages that wait."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bench.simulate import store
from bench.simulate.stage import Stage
from bench.simulate.tables import OPEN
from shouwang.kernel.moments import from_us, to_us

LATE = timedelta(minutes=159)
RANG_ALREADY = timedelta(minutes=61)  # while the clock was ahead
LONGEST_LIFE = timedelta(hours=6)
UNTOUCHED = timedelta(minutes=159)
_TIMERS = f"""
SELECT t.id, t.case_id, t.state, t.due_at, j.due_at FROM cases_task t LEFT JOIN journal_timer j ON j.kind = 'task' AND j.subject_id = t.id
WHERE t.state IN {OPEN} AND (j.due_at IS NULL OR j.due_at <> t.due_at)
"""
_LEFT = f"""
SELECT j.subject_id, t.case_id, t.state FROM journal_timer j LEFT JOIN cases_task t ON t.id = j.subject_id
WHERE j.kind = 'task' AND (t.id IS NULL OR t.state NOT IN {OPEN})
"""
_CLOCKS = """
SELECT k.id, k.case_id, k.due_at, j.due_at FROM cases_clock k LEFT JOIN journal_timer j ON j.kind = 'clock' AND j.subject_id = k.id
WHERE (k.due_at > %s AND (j.due_at IS NULL OR j.due_at <> k.due_at)) OR (k.due_at IS NULL AND j.due_at IS NOT NULL)
"""
_KEYS = """
SELECT kind, subject_kind, subject_id, count(*) FROM alerts_alert WHERE state = 'OPEN'
GROUP BY kind, subject_kind, subject_id, exercise_id HAVING count(*) > 1
"""
_WAITING = f"""
SELECT c.id, c.state, 0 FROM cases_case c
WHERE c.state = 'OPEN' AND NOT EXISTS (SELECT 1 FROM cases_task t WHERE t.case_id = c.id AND t.state IN {OPEN})
UNION ALL
SELECT c.id, c.state, count(*) FROM cases_task t JOIN cases_case c ON c.id = t.case_id
WHERE t.state IN {OPEN} AND c.state <> 'OPEN' GROUP BY c.id, c.state
"""
_CASE_DUE = """
SELECT c.id, c.due_at, (SELECT min(k.due_at) FROM cases_clock k WHERE k.case_id = c.id) AS clocks FROM cases_case c
WHERE c.state = 'OPEN' AND EXISTS (SELECT 1 FROM cases_clock k WHERE k.case_id = c.id AND k.running_since IS NOT NULL)
"""
_UNTOLD = """
SELECT t.id, t.case_id, t.assignee_id FROM cases_task t WHERE t.state = 'OFFERED' AND t.assignee_id IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM notify_message m WHERE m.person_id = t.assignee_id AND m.case_id = t.case_id AND m.task_id = t.id)
"""
_ALIVE = """
SELECT id, TRUE, case_id FROM notify_message WHERE done_at IS NULL AND leader_id IS NULL AND lease_until IS NULL UNION ALL
SELECT id, FALSE, case_id FROM notify_message WHERE done_at IS NULL AND leader_id IS NULL AND lease_until IS NOT NULL
"""


@dataclass
class Hourly:
    """Looks at the tables again and again."""

    stage: Stage
    overdue: dict[tuple[object, ...], datetime] = field(default_factory=dict)
    seen: dict[int, datetime] = field(default_factory=dict)
    untouched: dict[int, datetime] = field(default_factory=dict)

    def check(self) -> None:
        """Check everything that holds at any moment."""
        self._timers()
        self._clocks()
        self._cases()
        self._messages()
        for kind, subject_kind, subject, count in store.rows(_KEYS):
            self.stage.violate("I2 one open alert per key", found=f"{count} of {kind} {subject_kind} {subject}", expected="1")

    def told(self) -> None:
        """Check that whoever is asked to accept a task was told of it."""
        for task, case, person in store.rows(_UNTOLD):
            self.stage.violate(
                "whoever is asked is told", found=f"no message to person {person}", expected="one", case=int(case), task=int(task),  # type: ignore[call-overload]
            )

    def _timers(self) -> None:
        for task, case, state, due, timer in store.rows(_TIMERS):
            self.stage.violate(
                "I3 an open task has its timer", found=_moment(timer), expected=f"{state} due {_moment(due)}", case=int(case), task=int(task),  # type: ignore[call-overload]
            )
        for task, case, state in store.rows(_LEFT):
            self.stage.violate("I3 an ended task has no timer", found=f"a timer of {state}", expected="none", case=case, task=task)  # type: ignore[arg-type]
        now = self.stage.true
        due = store.rows("SELECT kind, subject_id, due_at FROM journal_timer WHERE due_at < %s", (to_us(self.stage.wall()),))
        self.overdue = {timer: self.overdue.get(timer, now) for timer in due}
        for timer, since in self.overdue.items():
            if now - since >= LATE:
                self.stage.violate("I3 a timer rings in time", found=f"{timer} overdue since {since}", expected=f"within {LATE}")

    def _clocks(self) -> None:
        for _, case, due, timer in store.rows(_CLOCKS, (to_us(self.stage.wall() + RANG_ALREADY),)):
            self.stage.violate("a running clock has its timer", found=_moment(timer), expected=_moment(due), case=int(case))  # type: ignore[call-overload]
        for case, due, clocks in store.rows(_CASE_DUE):
            if due != clocks:
                self.stage.violate("a case's time left is its clocks'", found=_moment(due), expected=_moment(clocks), case=int(case))  # type: ignore[call-overload]

    def _cases(self) -> None:
        for case, state, tasks in store.rows(_WAITING):
            if state == "OPEN" and not tasks:
                self.stage.violate("an open case waits for somebody", found="no open task", expected="at least one", case=int(case))  # type: ignore[call-overload]
            if state != "OPEN" and tasks:
                self.stage.violate("an ended case waits for nobody", found=f"{state} with {tasks} open tasks", expected="none", case=int(case))  # type: ignore[call-overload]

    def _messages(self) -> None:
        """A message nobody has taken up is taken up soon; one that is being sent ends within hours."""
        alive = {int(row[0]): (bool(row[1]), row[2]) for row in store.rows(_ALIVE)}  # type: ignore[call-overload]
        now = self.stage.true
        self.seen = {number: self.seen.get(number, now) for number in alive}
        self.untouched = {number: self.untouched.get(number, now) for number, (fresh, _) in alive.items() if fresh}
        for number, since in self.untouched.items():
            if now - since >= UNTOUCHED:
                self.stage.violate("I4 a message is taken up", found=f"waits since {since}", expected=f"within {UNTOUCHED}", message=number, case=alive[number][1])  # type: ignore[arg-type]
        for number, since in self.seen.items():
            if now - since >= LONGEST_LIFE:
                self.stage.violate("I4 a message ends", found=f"alive since {since}", expected=f"within {LONGEST_LIFE}", message=number, case=alive[number][1])  # type: ignore[arg-type]


def _moment(us: object) -> str:
    return "none" if us is None else from_us(int(us)).isoformat()  # type: ignore[call-overload]
