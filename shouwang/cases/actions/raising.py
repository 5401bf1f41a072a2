"""Raising: what was sensed has grown graver, so the open case says so, and whoever has its task is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from shouwang.cases import events as kinds
from shouwang.cases.actions.changes import Changes, compact
from shouwang.cases.actions.contacts import HELD
from shouwang.cases.models import Case
from shouwang.cases.queries import load_case, load_task, open_task_ids
from shouwang.journal.put import amend
from shouwang.journal.rules import NewEvent


def raise_case(case_id: int, *, severity: int, reason: str, params: Mapping[str, Any], now: datetime) -> list[NewEvent]:
    """Give an open case a graver severity and its reason, inside the caller's transaction; return the events it must append last.

    Whoever of those on duty has a task of it is told. A case that has ended stays as it is.
    """
    case = load_case(case_id)
    if case.state != "OPEN":
        return []
    raised = replace(case, severity=max(severity, case.severity), reason=reason, params={**case.params, **params})
    amend(Case, case.id, severity=raised.severity, reason=reason, params=compact(raised.params))
    changes = Changes(now)
    changes.event(kinds.RAISED, raised, severity=raised.severity, reason=reason)
    for task_id in open_task_ids(case_id):
        task = load_task(task_id)
        is_held = task.state in HELD or not task.step.rungs[task.rung].is_of_subject
        if task.assignee_id is not None and is_held:
            key = f"{task.id}:{task.rung}s{raised.severity}:{task.assignee_id}"
            changes.tell(task.assignee_id, "CASE_RAISED", key=key, case=raised, task_id=task.id)
    changes.write_rows()
    return changes.events
