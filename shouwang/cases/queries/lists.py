"""Lists of cases and what belongs to them, as pages show them; each takes a Scope or the ids that one gave."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db.models import Count, Max, Q, QuerySet, Value

from shouwang.cases.models import OPEN_TASKS, Case, Clock, CoverageGap, Evidence, Note, Task
from shouwang.cases.queries.procedures import procedure_of
from shouwang.cases.rules.flow import case_number
from shouwang.cases.rules.procedures import Procedure
from shouwang.journal.prepared import Prepared
from shouwang.journal.sql import run
from shouwang.kernel.errors import NotFound
from shouwang.people.rules import Scope

DIGITS_MOST = 18
_TASK = (
    "id", "case_id", "step", "state", "rung", "assignee_id", "offered_at", "due_at", "accepted_at", "arrived_at", "ended_at", "result",
)
_TASKS = Prepared(lambda ids: Task.objects.filter(case_id__in=ids).order_by("id").values_list(*_TASK))
_TASK_OF_ID = Prepared(lambda task_id: Task.objects.filter(pk=task_id).values_list(*_TASK))
_CASES = Prepared(lambda ids: Case.objects.filter(pk__in=ids))
_EVIDENCE = Prepared(lambda case_id: Evidence.objects.filter(case_id=case_id).order_by("id"))


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


def waiting_tasks(kind: str, *, subject_kind: str, subject_id: int, or_held_by: int | None = None) -> list[TaskRow]:
    """Return the tasks of open, real cases about a subject that nobody, or one person, has accepted; takes no scope: for actions."""
    about = Case.objects.filter(kind=kind, subject_kind=subject_kind, subject_id=subject_id, state="OPEN", exercise_id=None)
    waiting = Q(state__in=("CONFIRM", "OFFERED")) | Q(state__in=("ACCEPTED", "ARRIVED"), assignee_id=or_held_by)
    found = Task.objects.filter(waiting, case_id__in=about.values("pk")).order_by("id")
    return [TaskRow(*row) for row in found.values_list(*_TASK)]


def case_in_scope(case_id: int, scope: Scope) -> CaseRow:
    """Return one case that `scope` sees. Raises NotFound otherwise."""
    found = _CASES.one([case_id])
    if found is None or not scope.may("case.read", found.path):
        raise NotFound(what=f"事件 {case_id}")
    return rows_of([found])[0]


@dataclass(frozen=True)
class Filters:
    """What a list of cases is narrowed to; it holds the real cases, or those of one exercise."""

    states: tuple[str, ...] = ("OPEN", "COMPLETED", "SUSPENDED")
    kind: str = ""
    severity: int = 0
    path: str = ""
    overdue_at: datetime | None = None
    opened_from: datetime | None = None
    subject: tuple[str, int] | None = None
    number: str = ""
    exercise_id: int | None = None
    upto_id: int | None = None


OPEN = Filters(states=("OPEN",))


def list_cases(scope: Scope, filters: Filters, *, offset: int = 0, limit: int = 100) -> list[CaseRow]:
    """Return the cases `scope` sees, gravest first, then by time left; three queries."""
    rows = _filtered(scope, filters).order_by("-severity", "due_at", "id")[offset : offset + limit]
    return rows_of(list(rows))


def count_cases(scope: Scope, filters: Filters) -> int:
    """Return how many cases the list holds."""
    return _filtered(scope, filters).count()


@dataclass(frozen=True, slots=True)
class Tally:
    """How many open cases there are of one severity, and how many of them came after a number; `newest` is the last number."""

    severity: int
    count: int
    later: int
    newest: int


def tally_open(scope: Scope, *, after: int | None = None, filters: Filters = OPEN) -> list[Tally]:
    """Return the open cases `scope` sees, as far as `filters` let them through, counted by severity, the gravest first; one query."""
    later = Count("id", filter=Q(pk__gt=after)) if after is not None else Value(0)
    rows = _filtered(scope, filters).values("severity").annotate(count=Count("id"), later=later, newest=Max("id"))
    return [Tally(row["severity"], row["count"], row["later"], row["newest"]) for row in rows.order_by("-severity")]


def _filtered(scope: Scope, filters: Filters) -> QuerySet[Case]:
    rows = within(scope).filter(state__in=filters.states, exercise_id=filters.exercise_id)
    if filters.kind:
        rows = rows.filter(kind=filters.kind)
    if filters.severity:
        rows = rows.filter(severity=filters.severity)
    if filters.path:
        rows = rows.filter(below(filters.path))
    if filters.overdue_at is not None:
        rows = rows.filter(due_at__lt=filters.overdue_at)
    if filters.opened_from is not None:
        rows = rows.filter(opened_at__gte=filters.opened_from)
    if filters.subject is not None:
        rows = rows.filter(subject_kind=filters.subject[0], subject_id=filters.subject[1])
    if filters.upto_id is not None:
        rows = rows.filter(pk__lte=filters.upto_id)
    if filters.number:
        pk = case_pk(filters.number)
        rows = rows.none() if pk is None else rows.filter(pk=pk)
    return rows


def case_pk(number: str) -> int | None:
    """Return the id in a case's number ("20260101-00012", or its end alone), None for what is no number."""
    digits = number.rpartition("-")[2]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= DIGITS_MOST else None


def within(scope: Scope) -> QuerySet[Case]:
    """Return the cases that `scope` sees."""
    inside = Q(pk__in=())
    for path in scope.paths_for("case.read"):
        inside |= below(path)
    return Case.objects.filter(inside)


def below(path: str) -> Q:
    """Return the condition that a row lies at or below `path`."""
    return Q(path__gte=path, path__lt=path[:-1] + "0")


def rows_of(cases: list[Case]) -> list[CaseRow]:
    """Return the cases as rows of a list, each with its open or last task; one read."""
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
    return [TaskRow(*row) for row in _TASKS.rows(case_ids)]


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


def evidence_of(case_id: int) -> list[Evidence]:
    """Return the evidence of a case, oldest first."""
    return _EVIDENCE.objects(case_id)


def notes_of(case_id: int) -> list[tuple[int | None, str, datetime]]:
    """Return the notes of a case as (person, text, moment), oldest first."""
    return list(Note.objects.filter(case_id=case_id).order_by("id").values_list("person_id", "text", "at"))


def clocks_of(case_id: int) -> list[Clock]:
    """Return the clocks of a case."""
    return list(Clock.objects.filter(case_id=case_id).order_by("id"))


def gaps_within(scope: Scope, *, since: datetime, limit: int = 100) -> list[CoverageGap]:
    """Return the coverage gaps of real cases in the scope since a moment, newest first."""
    cases = within(scope).filter(exercise_id=None).values("pk")
    return list(CoverageGap.objects.filter(case_id__in=cases, at__gte=since).order_by("-id")[:limit])


def procedure_of_case(case_id: int) -> Procedure:
    """Return the procedure a case runs. Raises NotFound."""
    row = run("SELECT procedure_id FROM cases_case WHERE id = %s", (case_id,)).fetchone()
    if row is None:
        raise NotFound(what=f"事件 {case_id}")
    return procedure_of(row[0])


def alert_id_of(case_id: int) -> int | None:
    """Return the alert that opened a case, None for a case without one or one there is not."""
    row = run("SELECT alert_id FROM cases_case WHERE id = %s", (case_id,)).fetchone()
    return None if row is None else row[0]


def case_row(case_id: int) -> CaseRow:
    """Return one case without asking who wants it: for pages whose principal is bound to one of its tasks."""
    found = _CASES.objects([case_id])
    if not found:
        raise NotFound(what=f"事件 {case_id}")
    return rows_of(found)[0]


def case_rows(case_ids: Sequence[int]) -> dict[int, CaseRow]:
    """Return these cases by id in two queries; takes no scope, as `case_row`: the caller shows what it has checked."""
    return {row.id: row for row in rows_of(_CASES.objects(sorted(set(case_ids))))}


def task_row(task_id: int) -> TaskRow:
    """Return one task. Raises NotFound."""
    row = _TASK_OF_ID.first(task_id)
    if row is None:
        raise NotFound(what=f"任务 {task_id}")
    return TaskRow(*row)


def paths_of(case_ids: Sequence[int]) -> dict[int, str]:
    """Return the area path of each case."""
    return dict(Case.objects.filter(pk__in=set(case_ids)).values_list("pk", "path"))


def count_open_of(version_ids: Collection[int], path: str) -> int:
    """Return how many open cases at or below `path` run these versions."""
    rows = Case.objects.filter(procedure_id__in=version_ids, state__in=("OPEN", "COMPLETED"))
    return rows.filter(below(path)).count() if path else rows.count()
