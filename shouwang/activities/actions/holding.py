"""What every write begins and ends with: the activity held until the transaction ends, and its event as the last statement."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shouwang.activities.models import Activity
from shouwang.activities.queries.catalogue import kind_of
from shouwang.activities.queries.scoped import require_manage
from shouwang.activities.rules.kinds import Use
from shouwang.activities.rules.states import State, require
from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.kernel.errors import NotFound
from shouwang.kernel.texts import Text
from shouwang.people.rules import Scope


def held(scope: Scope, activity_id: int, *, use: Use | None = None) -> Activity:
    """Return an activity that `scope` may run, held until the transaction ends. Raises NotFound, Refused, NotUsed.

    Whatever numbers, seats or counts depend on it is read after this: two that write wait for one another.
    """
    row = Activity.objects.select_for_update().filter(pk=activity_id).first()
    if row is None:
        raise NotFound(what=f"活动 {activity_id}")
    require_manage(scope, row.path, what=f"活动 {activity_id}")
    if use is not None:
        kind_of(row.kind).require(use)
    return row


def held_public(code: str, *, use: Use) -> Activity:
    """Return the announced activity with a public code, held until the transaction ends. Raises NotFound, NotUsed."""
    row = Activity.objects.select_for_update().filter(code=code).exclude(state="PLANNED").first()
    if row is None:
        raise NotFound(what="活动")
    kind_of(row.kind).require(use)
    return row


def require_state(row: Activity, *expected: State, doing: Text) -> None:
    """Raise MoveRefused unless the activity is in one of the `expected` states."""
    require(row.pk, row.state, *expected, doing=doing)  # type: ignore[arg-type] # held to STATES by a constraint


def event(row: Activity, kind: str, /, **payload: Any) -> NewEvent:
    """Return an event of an activity; the payload holds ids, codes and numbers."""
    return NewEvent(kind, row.pk, payload, row.exercise_id)


def tell(row: Activity, kind: str, /, *, now: datetime, **payload: Any) -> None:
    """Append one event of an activity: the transaction's last statement."""
    append([event(row, kind, **payload)], now=now)
