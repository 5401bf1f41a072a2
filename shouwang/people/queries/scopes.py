"""The scope of whoever asks: an account's from its person's duties and shifts of the moment, a token's from its row."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.db import DatabaseError, transaction
from django.db.models import Q

from shouwang.journal.prepared import Prepared
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import local
from shouwang.people.models import Account, Credential, Duty, Shift
from shouwang.people.rules.codes import DEVICE, INTEGRATION, LINK
from shouwang.people.rules.scope import Kind, Scope, outermost, rights_of, rights_of_token

FRESH_S = 5.0
KEPT_AT_MOST = 20_000
USE_NOTED_EVERY = timedelta(hours=24)
ENTRY = "account"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    scope: Scope
    expires_at: datetime | None
    loaded_s: float


_known: dict[bytes, _Known] = {}


def scope_of_account(who: Account, at: datetime) -> Scope:
    """Return what an account sees and may do at a moment; two queries. An account without duty sees nothing."""
    person_id = who.person_id
    if person_id is None or not who.is_active:
        return Scope(None, (), frozenset(), account_id=who.pk)
    today = local(at).date()
    duties = Duty.objects.unscoped().filter(
        Q(until_date__isnull=True) | Q(until_date__gt=today), person_id=person_id, object_kind="AREA", from_date__lte=today,
    )
    shifts = Shift.objects.unscoped().filter(
        Q(person_id=person_id) | Q(deputy_id=person_id), start_at__lte=at, until_at__gt=at,
    )
    held = [*duties.values_list("code", "path"), *shifts.values_list("code", "path")]
    paths, rights, grants = rights_of(held)
    return Scope(person_id, paths, rights, grants=grants, account_id=who.pk)


def hash_of(raw_token: str) -> bytes:
    """Return the SHA-256 of a token: it holds 256 random bits, so it needs no salt and no slow hash."""
    return hashlib.sha256(raw_token.encode()).digest()


def scope_of_token(
    raw_token: str, kind: str, at: datetime, *, monotonic: Callable[[], float] = time.monotonic,
) -> Scope | None:
    """Return the scope of a live token of `kind`, None for any other.

    DEVICE and INTEGRATION tokens are remembered for 5 s per process (about 2 µs), and the day of their use is noted; a LINK
    is read every time, so that it ends the moment it is revoked.
    """
    digest = hash_of(raw_token)
    known = _known.get(digest)
    now_s = monotonic()
    if known is None or now_s - known.loaded_s >= FRESH_S:
        known = _load(digest, now_s, at=at)
        if known is None:
            return None
    if known.scope.kind != kind or (known.expires_at is not None and known.expires_at <= at):
        return None
    return known.scope


def account(account_id: int) -> Account:
    """Return an account; for commands. Raises NotFound."""
    found = Account.objects.unscoped().filter(pk=account_id).first()
    if found is None:
        raise NotFound(what=f"账号 {account_id}")
    return found


def forget_tokens() -> None:
    """Forget the tokens this process remembers."""
    _known.clear()


def account_of_entry_link(raw_token: str, *, at: datetime) -> Account | None:
    """Return the active account that a live entry link signs in, None for any other token."""
    row = _live(hash_of(raw_token))
    if row is None or row.kind != LINK or row.object_kind != ENTRY or row.object_id is None or row.expires_at is None or row.expires_at <= at:
        return None
    return Account.objects.unscoped().filter(pk=row.object_id, is_active=True).first()


def _load(digest: bytes, now_s: float, *, at: datetime) -> _Known | None:
    _known.pop(digest, None)
    row = _live(digest)
    if row is None or row.object_kind == ENTRY:
        return None
    known = _Known(_scope(row), row.expires_at, now_s)
    if row.kind in {DEVICE, INTEGRATION}:
        if len(_known) >= KEPT_AT_MOST:
            _known.clear()
        _known[digest] = known
        if row.expires_at is None or row.expires_at > at:
            _note_use(row, at)
    return known


def _note_use(row: Credential, at: datetime) -> None:
    """Note that a token was used, at most once a day; where that cannot be written, what was asked is done all the same."""
    if row.used_at is not None and at - row.used_at < USE_NOTED_EVERY:
        return
    try:
        with transaction.atomic():
            Credential.objects.unscoped().filter(pk=row.pk).update(used_at=at)
    except DatabaseError:
        _log.warning("the use of credential %s was not noted", row.pk)


_LIVE = Prepared(lambda hashed: Credential.objects.unscoped().filter(hash=hashed, revoked_at__isnull=True)[:1])


def _live(digest: bytes) -> Credential | None:
    return cast("Credential | None", _LIVE.one(digest.hex()))


def _scope(row: Credential) -> Scope:
    bound = (row.object_kind, row.object_id) if row.object_kind and row.object_id is not None else None
    return Scope(
        row.person_id, outermost(row.paths), rights_of_token(row.kind, row.rights.split()), kind=cast("Kind", row.kind),
        object=bound, subject=row.subject,
    )
