"""Which activities a principal sees and may run: nothing, unless a duty says otherwise (I6)."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from shouwang.activities.models import Activity
from shouwang.kernel.errors import NotFound, Refused
from shouwang.people.rules import Scope

READ = "case.read"
MANAGE = ("case.handle", "case.dispatch", "people.edit")
"""Whoever handles or dispatches cases, or enters people, plans and runs activities at those places."""


def within(scope: Scope, right: str = READ) -> QuerySet[Activity]:
    """Return the activities at the places where `scope` has `right`; none without it."""
    inside = Q(pk__in=())
    for path in scope.paths_for(right):
        inside |= Q(path__gte=path, path__lt=path[:-1] + "0")
    return Activity.objects.filter(inside)


def activity_in(scope: Scope, activity_id: int) -> Activity:
    """Return an activity that `scope` sees. Raises NotFound otherwise."""
    row = within(scope).filter(pk=activity_id).first()
    if row is None:
        raise NotFound(what=f"活动 {activity_id}")
    return row


def may_manage(scope: Scope, path: str) -> bool:
    """Return whether `scope` may plan and run activities at `path`."""
    return any(scope.may(right, path) for right in MANAGE)


def require_manage(scope: Scope, path: str, *, what: str) -> None:
    """Raise NotFound where `scope` does not see `path`, Refused where it may not run activities there."""
    if not scope.may(READ, path):
        raise NotFound(what=what)
    if not may_manage(scope, path):
        raise Refused(right=MANAGE[0])
