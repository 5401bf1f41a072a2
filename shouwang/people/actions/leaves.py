"""Leave: who is away from a day until a day, noted by whoever plans the roster there."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import local
from shouwang.people import events as kinds
from shouwang.people.actions.checks import APPOINT, person_in, require_span
from shouwang.people.models import Leave
from shouwang.people.queries.roster import forget
from shouwang.people.rules.scope import Scope


def note_leave(scope: Scope, person_id: int, *, from_date: date, until_date: date, now: datetime) -> int:
    """Note that a person is away from a day until a day (exclusive) and return the leave's id. Raises Refused, NotFound, SpanEmpty."""
    person_in(scope, person_id, planner_right(scope))
    require_span(from_date, until_date)
    with transaction.atomic():
        row = Leave(person_id=person_id, from_date=from_date, until_date=until_date, noted_by=scope.person_id, noted_at=now)
        row.save(force_insert=True)
        _forget()
        append([NewEvent(kinds.LEAVE_NOTED, row.pk, {"person": person_id, "by": scope.person_id})], now=now)
    return int(row.pk)


def end_leave(scope: Scope, leave_id: int, *, now: datetime) -> int:
    """End a leave today, or drop one that lies ahead; return whose it is. Raises Refused, NotFound."""
    right, today = planner_right(scope), local(now).date()
    scope.require(right)
    with transaction.atomic():
        leave: Leave | None = Leave.objects.within(scope, right).filter(pk=leave_id).first()
        if leave is None or not scope.may(right, leave.person.path):
            raise NotFound(what=f"请假 {leave_id}")
        if leave.from_date >= today:
            leave.delete()
        elif leave.until_date > today:
            leave.until_date = today
            leave.save(update_fields=["until_date"])
        _forget()
        append([NewEvent(kinds.LEAVE_ENDED, leave_id, {"person": leave.person_id, "by": scope.person_id})], now=now)
    return int(leave.person_id)


def planner_right(scope: Scope) -> str:
    """Return the right by which this scope plans a roster: that of an administrator, else that of whoever dispatches."""
    return APPOINT if APPOINT in scope.rights else "case.dispatch"


def _forget() -> None:
    forget()
    transaction.on_commit(forget)
