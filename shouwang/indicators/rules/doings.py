"""An activity as a line of the statistics, made of its events alone and in their order (invariant I7). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shouwang.activities import events as kinds

HANDED_ON = "HANDED_ON"
HELD_STATES = frozenset({"RUNNING", "ENDED"})


@dataclass(frozen=True, slots=True)
class ActivityLine:
    """What the figures know of one activity. `attended` is None until somebody has counted."""

    activity_id: int
    area_id: int
    kind: str
    exercise_id: int | None = None
    state: str = "PLANNED"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    matters: int = 0
    on_the_spot: int = 0
    numbers_done: int = 0
    attended: int | None = None

    @property
    def people(self) -> int:
        """Return how many people were served: the counted attendance, else the queue numbers that were served."""
        return self.numbers_done if self.attended is None else self.attended


def planned(activity_id: int, payload: Mapping[str, Any], *, exercise_id: int | None) -> ActivityLine:
    """Return the line of an activity that has just been planned."""
    return ActivityLine(activity_id, payload["area"], payload["kind"], exercise_id)


def folded(line: ActivityLine, kind: str, payload: Mapping[str, Any], *, at: datetime) -> ActivityLine:
    """Return the line after one more event of its activity; an event that says nothing to the figures changes nothing."""
    change = _CHANGES.get(kind)
    return line if change is None else change(line, payload, at)


def _started(line: ActivityLine, _: Mapping[str, Any], at: datetime) -> ActivityLine:
    return replace(line, state="RUNNING", started_at=line.started_at or at)


def _ended(line: ActivityLine, _: Mapping[str, Any], at: datetime) -> ActivityLine:
    return replace(line, state="ENDED", ended_at=at)


def _reopened(line: ActivityLine, payload: Mapping[str, Any], _: datetime) -> ActivityLine:
    """One that goes on keeps its beginning; one that was cancelled begins anew."""
    state = payload["state"]
    return replace(line, state=state, ended_at=None, started_at=line.started_at if state in HELD_STATES else None)


def _matter(line: ActivityLine, payload: Mapping[str, Any], _: datetime) -> ActivityLine:
    here = payload["handled"] != HANDED_ON
    return replace(line, matters=line.matters + 1, on_the_spot=line.on_the_spot + here)


_CHANGES: Mapping[str, Callable[[ActivityLine, Mapping[str, Any], datetime], ActivityLine]] = {
    kinds.CHANGED: lambda line, payload, _: replace(line, area_id=payload["area"]),
    kinds.OPENED: lambda line, _, __: replace(line, state="OPEN"),
    kinds.STARTED: _started,
    kinds.ENDED: _ended,
    kinds.CANCELLED: lambda line, _, __: replace(line, state="CANCELLED"),
    kinds.REOPENED: _reopened,
    kinds.NUMBER_DONE: lambda line, _, __: replace(line, numbers_done=line.numbers_done + 1),
    kinds.MATTER_RECORDED: _matter,
    kinds.ATTENDANCE_COUNTED: lambda line, payload, _: replace(line, attended=payload["count"]),
}
PLANNED = kinds.PLANNED
HEARD = (PLANNED, *_CHANGES)
"""The events of activities that the figures are made of."""
