"""Reads of the views an account has saved: each sees its own alone."""

from __future__ import annotations

from dataclasses import dataclass

from shouwang.people.models import SavedView
from shouwang.people.rules.scope import Scope


@dataclass(frozen=True, slots=True)
class ViewRow:
    """One saved view of a page."""

    id: int
    name: str
    query: str


def own_views(scope: Scope, page: str) -> list[ViewRow]:
    """Return the views of a page that this account has saved, in the order they were; one read."""
    rows = SavedView.objects.unscoped().filter(account_id=scope.account_id, page=page, dropped_at=None).order_by("pk")
    return [ViewRow(*row) for row in rows.values_list("pk", "name", "query")]


def dropped_view(scope: Scope, view_id: int) -> ViewRow | None:
    """Return a view that this account has dropped and may take back, None where there is no such."""
    rows = SavedView.objects.unscoped().filter(pk=view_id, account_id=scope.account_id, dropped_at__isnull=False)
    row = rows.values_list("pk", "name", "query").first()
    return ViewRow(*row) if row else None
