"""Reads of the access log, of locked accounts and of lists that wait to be imported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from shouwang.kernel.errors import NotFound
from shouwang.kernel.texts import Text
from shouwang.people.models import AccessLog, Account, ImportDraft, Person
from shouwang.people.rules.codes import ACCESSES, LOGGED
from shouwang.people.rules.lines import BadRow, Line
from shouwang.people.rules.scope import Scope


@dataclass(frozen=True, slots=True)
class AccessView:
    """One row of the access log."""

    at: datetime
    action: Text
    actor: str
    object: Text
    reason: str


@dataclass(frozen=True)
class Draft:
    """A checked list that waits for its reader's word."""

    id: int
    file_name: str
    head: tuple[str, ...]
    good: Sequence[Line]
    bad: Sequence[BadRow]


def access_log(scope: Scope, *, action: str = "", offset: int = 0, limit: int = 50) -> tuple[list[AccessView], int]:
    """Return a page of the access log, newest first, at the places where `scope` may audit, and how many rows there are."""
    rows = AccessLog.objects.within(scope, "audit.read")
    if action:
        rows = rows.filter(action=action)
    page = list(rows.order_by("-pk")[offset : offset + limit])
    actors = dict(Person.objects.unscoped().filter(pk__in={row.actor_id for row in page}).values_list("pk", "name"))
    shown = [
        AccessView(
            row.at, ACCESSES[row.action], actors.get(row.actor_id, ""),
            _object(row.object_kind, row.object_id), row.reason,
        )
        for row in page
    ]
    return shown, rows.count()


def _object(kind: str, number: int | None) -> Text:
    known = LOGGED.get(kind, Text(kind, kind))
    return Text(f"{known.zh} {number}", f"{known.en} {number}") if number else known


def failed_sign_in_until(username: str, *, at: datetime) -> datetime | None:
    """Return until when the account with this user name is locked, None when it is not or does not exist."""
    return Account.objects.unscoped().filter(username=username, locked_until__gt=at).values_list("locked_until", flat=True).first()


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account as whoever appoints sees it; without a password it is entered by a link only."""

    id: int
    username: str
    is_active: bool
    has_password: bool
    signed_in_at: datetime | None


def accounts_of(scope: Scope, person_id: int) -> list[AccountView]:
    """Return a person's accounts where `scope` appoints."""
    rows = Account.objects.within(scope, "duties.edit").filter(person_id=person_id).order_by("pk")
    return [AccountView(row.pk, row.username, row.is_active, row.has_usable_password(), row.signed_in_at) for row in rows]


def import_draft(account_id: int, draft_id: int) -> Draft:
    """Return a list this account has uploaded. Raises NotFound for another's."""
    row = ImportDraft.objects.unscoped().filter(pk=draft_id, account_id=account_id).first()
    if row is None:
        raise NotFound(what=f"导入清单 {draft_id}")
    return Draft(
        row.pk, row.file_name, tuple(msgspec.json.decode(row.head, type=list[str])),
        msgspec.json.decode(row.good, type=list[Line]), msgspec.json.decode(row.bad, type=list[BadRow]),
    )
