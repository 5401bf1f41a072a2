"""A case as a line of the statistics, made of its events alone and in their order (invariant I7). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

OPEN, COMPLETED, CLOSED, WITHDRAWN = "OPEN", "COMPLETED", "CLOSED", "WITHDRAWN"


@dataclass(frozen=True, slots=True)
class Line:
    """What the figures know of one case. `late` is that a limit passed while it was open."""

    case_id: int
    area_id: int
    kind: str
    severity: int
    opened_at: datetime
    exercise_id: int | None = None
    state: str = OPEN
    accepted_at: datetime | None = None
    arrived_at: datetime | None = None
    completed_at: datetime | None = None
    closed_at: datetime | None = None
    result: str = ""
    late: bool = False
    false_alarm: bool = False
    escalations: int = 0
    gaps: int = 0
    reopened: int = 0


class Counted(NamedTuple):
    """As much of a line as the figures count, as it is stored: moments in microseconds since 1970 UTC."""

    state: str
    opened_at: int
    accepted_at: int | None
    arrived_at: int | None
    completed_at: int | None
    late: bool
    false_alarm: bool
    path: str


def opened(case_id: int, payload: Mapping[str, Any], *, at: datetime, exercise_id: int | None) -> Line:
    """Return the line of a case that has just been opened."""
    return Line(case_id, payload["area"], payload["kind"], payload["severity"], at, exercise_id)


def folded(line: Line, kind: str, payload: Mapping[str, Any], *, at: datetime) -> Line:
    """Return the line after one more event of its case; an event that says nothing to the figures changes nothing."""
    change = _CHANGES.get(kind)
    return line if change is None else change(line, payload, at)


def _accepted(line: Line, _: Mapping[str, Any], at: datetime) -> Line:
    return replace(line, accepted_at=line.accepted_at or at)


def _arrived(line: Line, _: Mapping[str, Any], at: datetime) -> Line:
    return replace(line, arrived_at=line.arrived_at or at)


def _completed(line: Line, payload: Mapping[str, Any], at: datetime) -> Line:
    return replace(line, state=COMPLETED, completed_at=at, result=payload.get("result", ""))


def _closed(line: Line, payload: Mapping[str, Any], at: datetime) -> Line:
    result = payload.get("result") or line.result
    return replace(line, state=CLOSED, completed_at=line.completed_at or at, closed_at=at, result=result)


def _withdrawn(line: Line, payload: Mapping[str, Any], at: datetime) -> Line:
    return replace(line, state=WITHDRAWN, closed_at=at, result=payload.get("reason", ""))


def _reopened(line: Line, _: Mapping[str, Any], __: datetime) -> Line:
    return replace(line, state=OPEN, completed_at=None, closed_at=None, result="", late=False, reopened=line.reopened + 1)


_CHANGES: Mapping[str, Callable[[Line, Mapping[str, Any], datetime], Line]] = {
    "case.task_accepted": _accepted,
    "case.step_done": _accepted,
    "case.arrived": _arrived,
    "case.completed": _completed,
    "case.closed": _closed,
    "case.withdrawn": _withdrawn,
    "case.reopened": _reopened,
    "case.task_overdue": lambda line, _, __: replace(line, late=True),
    "case.clock_passed": lambda line, _, __: replace(line, late=True),
    "case.false_alarm": lambda line, _, __: replace(line, false_alarm=True),
    "case.escalated": lambda line, _, __: replace(line, escalations=line.escalations + 1),
    "case.coverage_gap": lambda line, _, __: replace(line, gaps=line.gaps + 1),
}
OPENED = "case.opened"
HEARD = (OPENED, *_CHANGES)
"""The events that the figures are made of; "a step done" counts as accepted, for whoever forgot to accept."""
