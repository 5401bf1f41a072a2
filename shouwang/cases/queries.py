"""Reads of cases. Lists take a Scope; what an action needs about one task comes in a single read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db.models import Q, QuerySet

from shouwang.cases.models import (
    OPEN_TASKS,
    Case,
    CaseFact,
    Clock,
    CoverageGap,
    Evidence,
    Handover,
    Note,
    Offer,
    ProcedureVersion,
    Task,
)
from shouwang.cases.rules.errors import CaseNotOpen
from shouwang.cases.rules.flow import case_number, depends_on_facts
from shouwang.cases.rules.procedures import Procedure, Step, decode
from shouwang.journal.sql import is_postgres, run
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import from_us
from shouwang.people.rules import Scope

_procedures: dict[int, Procedure] = {}


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


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One row of a list of cases."""

    id: int
    number: str
    kind: str
    severity: int
    area_id: int
    path: str
    reason: str
    params: dict[str, Any]
    state: str
    opened_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    result: str
    subject_kind: str
    subject_id: int
    exercise_id: int | None
    task: TaskRow | None


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task as lists and chains show it."""

    id: int
    case_id: int
    step: str
    state: str
    rung: int
    assignee_id: int | None
    offered_at: datetime
    due_at: datetime
    accepted_at: datetime | None
    arrived_at: datetime | None
    ended_at: datetime | None
    result: str


def procedure_of(version_id: int) -> Procedure:
    """Return the procedure of a version; versions never change, so each is decoded once per process."""
    found = _procedures.get(version_id)
    if found is None:
        found = decode(ProcedureVersion.objects.values_list("definition", flat=True).get(pk=version_id))
        _procedures[version_id] = found
    return found


def forget() -> None:
    """Forget the procedures this process has decoded: another database has others."""
    _procedures.clear()


def current_procedure(code: str) -> tuple[int, Procedure]:
    """Return the latest version's id and procedure. Raises NotFound."""
    row = run("SELECT id FROM cases_procedure WHERE code = %s ORDER BY number DESC LIMIT 1", (code,)).fetchone()
    if row is None:
        raise NotFound(what=f"流程 {code}")
    return row[0], procedure_of(row[0])


def is_published(code: str) -> bool:
    """Return whether there is a version of the procedure `code`."""
    return ProcedureVersion.objects.filter(code=code).exists()


_OPEN_TASKS = f"SELECT id FROM cases_task WHERE case_id = %s AND state IN ({', '.join(['%s'] * len(OPEN_TASKS))})"  # noqa: S608
_LOAD = """
SELECT t.id, t.step, t.state, t.rung, t.reminders, t.assignee_id, t.due_at, t.limit_us, t.remaining_us, t.accepted_at,
       t.arrived_at, t.done_key, c.id, c.procedure_id, c.severity, c.area_id, c.path, c.reason, c.params, c.state,
       c.steps, c.alert_id, c.exercise_id
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
    id_, version, severity, area_id, path, reason, params, state, steps, alert_id, exercise_id = row
    return CaseState(
        id_, version, procedure_of(version), severity, area_id, path, reason, msgspec.json.decode(params), state,
        msgspec.json.decode(steps), alert_id, exercise_id,
    )


def _moment(us: int | None) -> datetime | None:
    return None if us is None else from_us(us)


def load_case(case_id: int) -> CaseState:
    """Return a case, locking it until the transaction ends. Raises NotFound."""
    rows = Case.objects.filter(pk=case_id)
    if is_postgres():
        rows = rows.select_for_update()
    row = rows.values_list(
        "id", "procedure_id", "severity", "area_id", "path", "reason", "params", "state", "steps", "alert_id", "exercise_id",
    ).first()
    if row is None:
        raise NotFound(what=f"事件 {case_id}")
    return _case_state(row)


def require_state(case: CaseState, *expected: str, doing: str) -> None:
    """Raise CaseNotOpen unless the case is in one of the `expected` states."""
    if case.state not in expected:
        raise CaseNotOpen(case=case.id, state=case.state, expected="/".join(expected), doing=doing)


def facts_of(case: CaseState) -> dict[str, Any]:
    """Return the latest value of each fact of a case, its opening parameters first."""
    facts = dict(case.params)
    if depends_on_facts(case.procedure):
        for name, value in CaseFact.objects.filter(case_id=case.id).order_by("id").values_list("name", "value"):
            facts[name] = msgspec.json.decode(value)
    return facts


def case_in_scope(case_id: int, scope: Scope) -> CaseRow:
    """Return one case that `scope` sees. Raises NotFound otherwise."""
    row = _within(scope).filter(pk=case_id).first()
    if row is None:
        raise NotFound(what=f"事件 {case_id}")
    return _rows([row])[0]


@dataclass(frozen=True)
class Filters:
    """What a list of cases is narrowed to."""

    states: tuple[str, ...] = ("OPEN", "COMPLETED", "SUSPENDED")
    kind: str = ""
    severity: int = 0
    path: str = ""
    overdue_at: datetime | None = None
    opened_from: datetime | None = None
    subject: tuple[str, int] | None = None
    number: str = ""


def list_cases(scope: Scope, filters: Filters, *, offset: int = 0, limit: int = 100) -> list[CaseRow]:
    """Return the cases `scope` sees, gravest first, then by time left; three queries."""
    rows = _filtered(scope, filters).order_by("-severity", "due_at", "id")[offset : offset + limit]
    return _rows(list(rows))


def count_cases(scope: Scope, filters: Filters) -> int:
    """Return how many cases the list holds."""
    return _filtered(scope, filters).count()


def _filtered(scope: Scope, filters: Filters) -> QuerySet[Case]:
    rows = _within(scope).filter(state__in=filters.states)
    if filters.kind:
        rows = rows.filter(kind=filters.kind)
    if filters.severity:
        rows = rows.filter(severity=filters.severity)
    if filters.path:
        rows = rows.filter(_below(filters.path))
    if filters.overdue_at is not None:
        rows = rows.filter(due_at__lt=filters.overdue_at)
    if filters.opened_from is not None:
        rows = rows.filter(opened_at__gte=filters.opened_from)
    if filters.subject is not None:
        rows = rows.filter(subject_kind=filters.subject[0], subject_id=filters.subject[1])
    if filters.number:
        digits = filters.number.rpartition("-")[2]
        rows = rows.filter(pk=int(digits)) if digits.isdigit() else rows.none()
    return rows


def _within(scope: Scope) -> QuerySet[Case]:
    if "case.read" not in scope.rights or not scope.paths:
        return Case.objects.none()
    inside = Q()
    for path in scope.paths:
        inside |= _below(path)
    return Case.objects.filter(inside)


def _below(path: str) -> Q:
    return Q(path__gte=path, path__lt=path[:-1] + "0")


def _rows(cases: list[Case]) -> list[CaseRow]:
    tasks: dict[int, TaskRow] = {}
    for task in tasks_of([case.pk for case in cases]):
        shown = tasks.get(task.case_id)
        if shown is None or (task.state in OPEN_TASKS and shown.state not in OPEN_TASKS) or task.state in OPEN_TASKS:
            tasks[task.case_id] = task
    return [
        CaseRow(
            case.pk, case_number(case.opened_at, case.pk), case.kind, case.severity, case.area_id, case.path, case.reason,
            msgspec.json.decode(case.params), case.state, case.opened_at, case.due_at, case.ended_at, case.result,
            case.subject_kind, case.subject_id, case.exercise_id, tasks.get(case.pk),
        )
        for case in cases
    ]


def tasks_of(case_ids: Sequence[int]) -> list[TaskRow]:
    """Return the tasks of these cases, oldest first."""
    return [_task_row(task) for task in Task.objects.filter(case_id__in=case_ids).order_by("id")]


def tasks_for(person_id: int, *, open_only: bool = True, limit: int = 100) -> list[TaskRow]:
    """Return a person's tasks, most urgent first."""
    rows = Task.objects.filter(assignee_id=person_id)
    if open_only:
        rows = rows.filter(state__in=OPEN_TASKS)
    return [_task_row(task) for task in rows.order_by("due_at")[:limit]]


def _task_row(task: Task) -> TaskRow:
    return TaskRow(
        task.pk, task.case_id, task.step, task.state, task.rung, task.assignee_id, task.offered_at, task.due_at,
        task.accepted_at, task.arrived_at, task.ended_at, task.result,
    )


def was_offered(task_id: int, person_id: int) -> bool:
    """Return whether the task was ever offered to the person."""
    return (
        Task.objects.filter(pk=task_id, assignee_id=person_id).exists()
        or Offer.objects.filter(task_id=task_id, person_id=person_id).exists()
    )


def evidence_of(case_id: int) -> list[Evidence]:
    """Return the evidence of a case, oldest first."""
    return list(Evidence.objects.filter(case_id=case_id).order_by("id"))


def notes_of(case_id: int) -> list[tuple[int | None, str, datetime]]:
    """Return the notes of a case as (person, text, moment), oldest first."""
    return list(Note.objects.filter(case_id=case_id).order_by("id").values_list("person_id", "text", "at"))


def clocks_of(case_id: int) -> list[Clock]:
    """Return the clocks of a case."""
    return list(Clock.objects.filter(case_id=case_id).order_by("id"))


def gaps_within(scope: Scope, *, since: datetime, limit: int = 100) -> list[CoverageGap]:
    """Return the coverage gaps found in the scope since a moment, newest first."""
    inside = Q(pk__in=())
    for path in scope.paths:
        inside |= _below(path)
    return list(CoverageGap.objects.filter(inside, at__gte=since).order_by("-id")[:limit])


def open_task_ids(case_id: int) -> list[int]:
    """Return the ids of the case's open tasks."""
    return [row[0] for row in run(_OPEN_TASKS, (case_id, *OPEN_TASKS)).fetchall()]


def procedure_of_case(case_id: int) -> Procedure:
    """Return the procedure a case runs. Raises NotFound."""
    version_id = Case.objects.filter(pk=case_id).values_list("procedure_id", flat=True).first()
    if version_id is None:
        raise NotFound(what=f"事件 {case_id}")
    return procedure_of(version_id)


def case_row(case_id: int) -> CaseRow:
    """Return one case without asking who wants it: for pages whose principal is bound to one of its tasks."""
    row = Case.objects.filter(pk=case_id).first()
    if row is None:
        raise NotFound(what=f"事件 {case_id}")
    return _rows([row])[0]


def case_rows(case_ids: Sequence[int]) -> dict[int, CaseRow]:
    """Return these cases by id in two queries; takes no scope, as `case_row`: the caller shows what it has checked."""
    return {row.id: row for row in _rows(list(Case.objects.filter(pk__in=set(case_ids))))}


def task_row(task_id: int) -> TaskRow:
    """Return one task. Raises NotFound."""
    row = Task.objects.filter(pk=task_id).first()
    if row is None:
        raise NotFound(what=f"任务 {task_id}")
    return _task_row(row)


def paths_of(case_ids: Sequence[int]) -> dict[int, str]:
    """Return the area path of each case."""
    return dict(Case.objects.filter(pk__in=set(case_ids)).values_list("pk", "path"))


@dataclass(frozen=True, slots=True)
class HandoverRow:
    """One watch handed over; `kept` are case ids by section, `taken_at` is None until the second signature."""

    id: int
    area_id: int
    path: str
    duty: str
    given_by: int
    given_at: datetime
    taken_by: int
    taken_at: datetime | None
    note: str
    kept: dict[str, list[int]]


def handover_row(handover_id: int) -> HandoverRow:
    """Return one hand-over. Raises NotFound."""
    row = Handover.objects.filter(pk=handover_id).first()
    if row is None:
        raise NotFound(what=f"交班 {handover_id}")
    return _handover(row)


def handovers(scope: Scope, *, area_id: int | None = None, offset: int = 0, limit: int = 50) -> tuple[list[HandoverRow], int]:
    """Return the hand-overs `scope` sees, newest first, and how many there are."""
    inside = Q()
    for path in scope.paths_for("case.read"):
        inside |= _below(path)
    rows = Handover.objects.filter(inside) if inside else Handover.objects.none()
    if area_id is not None:
        rows = rows.filter(area_id=area_id)
    return [_handover(row) for row in rows.order_by("-given_at")[offset : offset + limit]], rows.count()


def _handover(row: Handover) -> HandoverRow:
    return HandoverRow(
        row.pk, row.area_id, row.path, row.duty, row.given_by, row.given_at, row.taken_by, row.taken_at, row.note,
        msgspec.json.decode(row.kept),
    )
