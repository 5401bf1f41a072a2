"""Writes of the views an account has saved; each changes its own alone, and no event tells of it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from shouwang.kernel.errors import NotFound
from shouwang.people.models import Account, SavedView
from shouwang.people.rules.errors import ViewNameTaken, ViewsFull
from shouwang.people.rules.scope import Scope
from shouwang.people.rules.views import VIEWS_MOST, view_name, view_query


def save_view(scope: Scope, *, page: str, name: str, query: str, now: datetime) -> int:
    """Keep what a page is narrowed to under a name and return its id; what was dropped before is gone for good.

    Raises ViewNameWrong, ViewQueryLong, ViewNameTaken, ViewsFull.
    """
    name, query = view_name(name), view_query(query)
    with transaction.atomic():
        own = _own(scope).filter(page=page)
        own.filter(dropped_at__isnull=False).delete()
        _refuse(own, name=name)
        view = SavedView.objects.unscoped().create(account_id=scope.account_id, page=page, name=name, query=query, saved_at=now)
    return int(view.pk)


def rename_view(scope: Scope, view_id: int, *, name: str) -> None:
    """Give a view another name. Raises NotFound, ViewNameWrong, ViewNameTaken."""
    name = view_name(name)
    with transaction.atomic():
        view = _one(scope, view_id)
        if _own(scope).filter(page=view.page, name=name, dropped_at=None).exclude(pk=view.pk).exists():
            raise ViewNameTaken(name=name)
        _own(scope).filter(pk=view.pk).update(name=name)


def drop_view(scope: Scope, view_id: int, *, now: datetime) -> None:
    """Take a view away; `restore_view` gives it back until another is saved or dropped. Raises NotFound."""
    with transaction.atomic():
        view = _one(scope, view_id)
        _own(scope).filter(page=view.page, dropped_at__isnull=False).delete()
        _own(scope).filter(pk=view.pk).update(dropped_at=now)


def restore_view(scope: Scope, view_id: int) -> None:
    """Give a dropped view back. Raises NotFound, ViewNameTaken, ViewsFull."""
    with transaction.atomic():
        view = _one(scope, view_id, is_dropped=True)
        _refuse(_own(scope).filter(page=view.page), name=view.name)
        _own(scope).filter(pk=view.pk).update(dropped_at=None)


def _refuse(own: QuerySet[SavedView], *, name: str) -> None:
    """Raise unless one more view of this name may be there."""
    names = list(own.filter(dropped_at=None).values_list("name", flat=True))
    if name in names:
        raise ViewNameTaken(name=name)
    if len(names) >= VIEWS_MOST:
        raise ViewsFull(most=VIEWS_MOST, name=name)


def _one(scope: Scope, view_id: int, *, is_dropped: bool = False) -> SavedView:
    view = _own(scope).filter(pk=view_id, dropped_at__isnull=not is_dropped).first()
    if view is None:
        raise NotFound(what=f"视图 {view_id}")
    return view


def _own(scope: Scope) -> QuerySet[SavedView]:
    """Return the account's own views, its row locked so that two tabs save one after the other."""
    Account.objects.unscoped().select_for_update().filter(pk=scope.account_id or 0).first()
    return SavedView.objects.unscoped().filter(account_id=scope.account_id)
