"""What the players look up: read from the tables as they are, so that looking costs little and trusts no query."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from bench.simulate import store
from shouwang.kernel.moments import from_us

OPEN = "('CONFIRM', 'OFFERED', 'ACCEPTED', 'ARRIVED', 'SUSPENDED')"
_TASK = "SELECT id, case_id, step, state, assignee_id, due_at FROM cases_task"


class TaskRow(NamedTuple):
    """A task as a person sees it."""

    id: int
    case_id: int
    step: str
    state: str
    assignee_id: int | None
    due_at: datetime


class Pushed(NamedTuple):
    """An entry of somebody's inbox."""

    push_seq: int
    person_id: int
    task_id: int | None
    template: str


def _task(row: tuple[object, ...]) -> TaskRow:
    return TaskRow(*row[:-1], from_us(int(row[-1])))  # type: ignore[arg-type, call-overload]


def task_row(task_id: int) -> TaskRow:
    """Return one task."""
    return _task(store.rows(f"{_TASK} WHERE id = %s", (task_id,))[0])


def tasks_for(person_id: int, *, limit: int) -> list[TaskRow]:
    """Return the open tasks that wait for a person, most urgent first."""
    return [_task(row) for row in store.rows(f"{_TASK} WHERE assignee_id = %s AND state IN {OPEN} ORDER BY due_at, id LIMIT {limit}", (person_id,))]


def was_told(task_id: int, person_id: int) -> bool:
    """Return whether a person was ever sent a message about a task."""
    return bool(store.rows("SELECT 1 FROM notify_message WHERE task_id = %s AND person_id = %s LIMIT 1", (task_id, person_id)))


def pushes_after(push_seq: int) -> list[Pushed]:
    """Return what inboxes have received after a number."""
    found = store.rows("SELECT push_seq, person_id, task_id, template FROM notify_message WHERE push_seq > %s ORDER BY push_seq", (push_seq,))
    return [Pushed(*row) for row in found]  # type: ignore[arg-type]


def cases_in(*states: str, newest_first: bool = False, limit: int) -> list[int]:
    """Return cases in any of these states."""
    named = ", ".join(f"'{state}'" for state in states)
    order = "id DESC" if newest_first else "severity DESC, id"
    return [int(row[0]) for row in store.rows(f"SELECT id FROM cases_case WHERE state IN ({named}) ORDER BY {order} LIMIT {limit}")]  # type: ignore[call-overload]
