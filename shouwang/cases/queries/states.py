"""What an action needs to know of one case or task, in a single read that also locks it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from shouwang.cases.models import OPEN_TASKS
from shouwang.cases.queries.procedures import procedure_of
from shouwang.cases.rules.errors import CaseNotOpen
from shouwang.cases.rules.flow import depends_on_facts
from shouwang.cases.rules.procedures import Answer, Procedure, Step
from shouwang.journal.sql import is_postgres, run
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import from_us


@dataclass(frozen=True, slots=True)
class CaseState:
    """What an action needs to know of a case."""

    id: int
    procedure_id: int
    procedure: Procedure
    severity: int
    area_id: int
    path: str
    reason: str
    params: dict[str, Any]
    state: str
    steps: dict[str, str]
    alert_id: int | None
    exercise_id: int | None
    kind: str = ""
    subject_kind: str = ""
    subject_id: int = 0


@dataclass(frozen=True, slots=True)
class TaskState:
    """What an action needs to know of a task and its case."""

    id: int
    step: Step
    state: str
    rung: int
    reminders: int
    assignee_id: int | None
    due_at: datetime
    limit_us: int
    remaining_us: int | None
    accepted_at: datetime | None
    arrived_at: datetime | None
    done_key: str
    case: CaseState


_OPEN_TASKS = f"SELECT id FROM cases_task WHERE case_id = %s AND state IN ({', '.join(['%s'] * len(OPEN_TASKS))})"  # noqa: S608
_LOAD = """
SELECT t.id, t.step, t.state, t.rung, t.reminders, t.assignee_id, t.due_at, t.limit_us, t.remaining_us, t.accepted_at,
       t.arrived_at, t.done_key, c.id, c.procedure_id, c.severity, c.area_id, c.path, c.reason, c.params, c.state,
       c.steps, c.alert_id, c.exercise_id, c.kind, c.subject_kind, c.subject_id
FROM cases_task t JOIN cases_case c ON c.id = t.case_id WHERE t.id = %s
"""


def load_task(task_id: int) -> TaskState:
    """Return a task and its case, locking the case until the transaction ends. Raises NotFound."""
    row = run(_LOAD + " FOR UPDATE OF c, t" if is_postgres() else _LOAD, (task_id,)).fetchone()
    if row is None:
        raise NotFound(what=f"任务 {task_id}")
    case = _case_state(row[12:])
    return TaskState(
        id=row[0], step=case.procedure.step(row[1]), state=row[2], rung=row[3], reminders=row[4], assignee_id=row[5],
        due_at=from_us(row[6]), limit_us=row[7], remaining_us=row[8], accepted_at=_moment(row[9]),
        arrived_at=_moment(row[10]), done_key=row[11], case=case,
    )


def _case_state(row: tuple[Any, ...]) -> CaseState:
    id_, version, severity, area_id, path, reason, params, state, steps, alert_id, exercise_id, kind, subject_kind, subject_id = row
    return CaseState(
        id_, version, procedure_of(version), severity, area_id, path, reason, msgspec.json.decode(params), state,
        msgspec.json.decode(steps), alert_id, exercise_id, kind, subject_kind, subject_id,
    )


def _moment(us: int | None) -> datetime | None:
    return None if us is None else from_us(us)


_LOAD_CASE = """
SELECT id, procedure_id, severity, area_id, path, reason, params, state, steps, alert_id, exercise_id, kind, subject_kind, subject_id
FROM cases_case WHERE id = %s
"""


def load_case(case_id: int) -> CaseState:
    """Return a case, locking it until the transaction ends. Raises NotFound."""
    row = run(_LOAD_CASE + " FOR UPDATE" if is_postgres() else _LOAD_CASE, (case_id,)).fetchone()
    if row is None:
        raise NotFound(what=f"事件 {case_id}")
    return _case_state(row)


_FACTS = "SELECT name, value FROM cases_casefact WHERE case_id = %s ORDER BY id"


def require_state(case: CaseState, *expected: str, doing: str) -> None:
    """Raise CaseNotOpen unless the case is in one of the `expected` states."""
    if case.state not in expected:
        raise CaseNotOpen(case=case.id, state=case.state, expected="/".join(expected), doing=doing)


def facts_of(case: CaseState) -> dict[str, Any]:
    """Return the latest value of each fact of a case, its opening parameters first."""
    facts = dict(case.params)
    if depends_on_facts(case.procedure):
        for name, value in run(_FACTS, (case.id,)).fetchall():
            facts[name] = msgspec.json.decode(value)
    return facts


_OFFERED = """
SELECT rung FROM cases_task WHERE id = %s AND assignee_id = %s UNION ALL
SELECT rung FROM cases_offer WHERE task_id = %s AND person_id = %s
"""


def asked_rungs(task_id: int, person_id: int) -> list[int]:
    """Return the rungs at which the task was offered to the person, the present one first; none for never."""
    return [rung for (rung,) in run(_OFFERED, (task_id, person_id, task_id, person_id)).fetchall()]


def answers_for(task: TaskState, person_id: int) -> tuple[Answer, ...]:
    """Return what a person may answer who is asked only as a contact of the subject; nothing for anybody else."""
    rungs = [task.step.rungs[rung] for rung in asked_rungs(task.id, person_id) if rung < len(task.step.rungs)]
    if not rungs or not all(rung.is_of_subject for rung in rungs):
        return ()
    return tuple({answer.code: answer for rung in rungs for answer in rung.answers}.values())


def open_task_ids(case_id: int) -> list[int]:
    """Return the ids of the case's open tasks."""
    return [row[0] for row in run(_OPEN_TASKS, (case_id, *OPEN_TASKS)).fetchall()]
