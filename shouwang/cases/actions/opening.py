"""Opening cases, many at once: a storm of fifty thousand and a single one take the same way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from shouwang.cases import events as kinds
from shouwang.cases.actions.changes import Changes, compact, span, start_steps
from shouwang.cases.models import Case, Clock
from shouwang.cases.queries import CaseState, procedure_of, version_for, versions_in_force
from shouwang.cases.rules.flow import Advance, advance, depends_on_facts
from shouwang.cases.rules.procedures import Step
from shouwang.journal.put import put, reserve_ids
from shouwang.journal.rules import NewEvent, NewTimer
from shouwang.kernel.moments import MICROSECOND, from_us, to_us

_CASE_COLUMNS = (
    "id", "procedure_id", "kind", "severity", "area_id", "path", "subject_kind", "subject_id", "reason", "params", "state",
    "steps", "opened_at", "due_at", "result", "alert_id", "exercise_id",
)
_CLOCK_COLUMNS = ("id", "case_id", "code", "kind", "remaining_us", "running_since", "due_at")


@dataclass(frozen=True)
class NewCase:
    """A case to open. `reason` is a registered template code, `params` its ids and numbers."""

    procedure: str
    kind: str
    severity: int
    area_id: int
    path: str
    subject_kind: str
    subject_id: int
    reason: str
    params: dict[str, Any] = field(default_factory=dict)
    alert_id: int | None = None
    exercise_id: int | None = None


@dataclass(frozen=True)
class OpenedCases:
    """The ids of the opened cases in the order asked, and the events the caller must append last."""

    ids: Sequence[int]
    events: list[NewEvent]


def open_case(new: NewCase, *, now: datetime) -> int:
    """Open one case in its own transaction and return its id."""
    with transaction.atomic():
        changes = Changes(now)
        ids = _open([new], changes)
        changes.write()
    return ids[0]


def open_cases(new: Sequence[NewCase], *, now: datetime) -> OpenedCases:
    """Open cases inside the caller's transaction; the caller appends the returned events as its last statement."""
    changes = Changes(now)
    ids = _open(new, changes)
    changes.write_rows()
    return OpenedCases(ids, changes.events)


def _open(new: Sequence[NewCase], changes: Changes) -> Sequence[int]:
    ids = reserve_ids(Case, len(new))
    now_us = to_us(changes.now)
    rows: list[tuple[Any, ...]] = []
    clocks: list[tuple[Any, ...]] = []
    starting: list[tuple[CaseState, Step]] = []
    in_force = {code: versions_in_force(code) for code in {wanted.procedure for wanted in new}}
    always: dict[int, Advance] = {}
    for case_id, wanted in zip(ids, new, strict=True):
        version_id = version_for(in_force[wanted.procedure], wanted.path)
        procedure = procedure_of(version_id)
        first = always.get(version_id) or advance(procedure, {}, wanted.params)
        if not depends_on_facts(procedure):
            always[version_id] = first
        state = CaseState(
            id=case_id, procedure_id=version_id, procedure=procedure, severity=wanted.severity, area_id=wanted.area_id,
            path=wanted.path, reason=wanted.reason, params=wanted.params, state="OPEN", steps=first.states,
            alert_id=wanted.alert_id, exercise_id=wanted.exercise_id, kind=wanted.kind, subject_kind=wanted.subject_kind,
            subject_id=wanted.subject_id,
        )
        starting.extend((state, step) for step in first.started)
        due_us = None
        for limit in procedure.clocks:
            remaining_us = span(limit.limit, wanted.area_id, changes.now) // MICROSECOND
            clock_due = now_us + remaining_us
            due_us = clock_due if due_us is None else min(due_us, clock_due)
            clocks.append((case_id, limit.code, limit.kind, remaining_us, now_us, clock_due))
        rows.append((
            case_id, version_id, wanted.kind, wanted.severity, wanted.area_id, wanted.path, wanted.subject_kind,
            wanted.subject_id, wanted.reason, compact(wanted.params), "OPEN", compact(first.states), now_us, due_us, "",
            wanted.alert_id, wanted.exercise_id,
        ))
        changes.event(kinds.OPENED, state, kind=wanted.kind, severity=wanted.severity, area=wanted.area_id)
    put(Case, _CASE_COLUMNS, rows)
    _put_clocks(clocks, changes)
    start_steps(starting, changes)
    return ids


def _put_clocks(clocks: list[tuple[Any, ...]], changes: Changes) -> None:
    ids = reserve_ids(Clock, len(clocks))
    put(Clock, _CLOCK_COLUMNS, [(clock_id, *row) for clock_id, row in zip(ids, clocks, strict=True)])
    changes.timers.extend(
        NewTimer("clock", clock_id, from_us(row[-1])) for clock_id, row in zip(ids, clocks, strict=True)
    )
