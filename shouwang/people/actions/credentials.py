"""Tokens: issued once in clear, kept as a hash, bound to a person and one object or to a device, rotated, revoked."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from shouwang.journal.actions import append
from shouwang.journal.put import put
from shouwang.journal.rules import NewEvent
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import to_us
from shouwang.people import events as kinds
from shouwang.people.models import Credential
from shouwang.people.queries.scopes import forget_tokens, hash_of
from shouwang.people.rules.codes import DEVICE, INTEGRATION, LINK
from shouwang.people.rules.errors import CredentialEnded, CredentialUnbound, RightNotGrantable, TokenLive
from shouwang.people.rules.scope import Scope, grantable

TOKEN_BYTES = 32
LINK_LIFE = timedelta(hours=24)
_LINK_COLUMNS = ("kind", "hash", "person_id", "subject", "object_kind", "object_id", "paths", "issued_at", "expires_at")


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link to issue: for one person, to one object, until a moment (exclusive)."""

    person_id: int
    object_kind: str
    object_id: int
    expires_at: datetime


def issue_credential(
    kind: str, *, person_id: int | None = None, subject: str = "", object: tuple[str, int] | None = None,  # noqa: A002
    paths: Sequence[str] = (), rights: Collection[str] = (), expires_at: datetime | None = None, now: datetime,
) -> str:
    """Issue a credential and return its token, which is shown this once and kept only as a hash.

    A LINK needs person, object and expiry; a DEVICE or INTEGRATION a subject and the paths it works at. Without `rights` it
    has the usual ones of its kind. Takes no scope: the page or command that offers it checks the right. Raises
    CredentialUnbound, RightNotGrantable.
    """
    _require_bound(kind, person_id, subject, object, expires_at)
    _require_grantable(kind, rights)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with transaction.atomic():
        row = Credential(
            kind=kind, hash=hash_of(token).hex(), person_id=person_id, subject=subject, object_kind=object[0] if object else "",
            object_id=object[1] if object else None, paths=list(paths), rights=" ".join(sorted(rights)), issued_at=now,
            expires_at=expires_at,
        )
        row.save(force_insert=True)
        append([NewEvent(kinds.CREDENTIAL_ISSUED, row.pk, {"kind": kind, "person": person_id})], now=now)
    return token


def issue_token(scope: Scope, kind: str, *, subject: str, path: str, now: datetime) -> str:
    """Issue the token of a device or integration that works at `path`, and return it; it is shown this once.

    One subject has one live token: rotate that one instead. Raises Refused, TokenLive, CredentialUnbound.
    """
    scope.require("settings.edit", path)
    live = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    held = Credential.objects.unscoped().filter(live, kind=kind, subject=subject, revoked_at__isnull=True).values_list("pk", flat=True).first()
    if held is not None:
        raise TokenLive(subject=subject, credential=held)
    return issue_credential(kind, subject=subject, paths=[path], now=now)


def issue_links(links: Sequence[NewLink], *, now: datetime) -> list[str]:
    """Issue links in bulk, inside the caller's transaction, and return their tokens in order; writes no events."""
    tokens = [secrets.token_urlsafe(TOKEN_BYTES) for _ in links]
    put(Credential, _LINK_COLUMNS, [
        (LINK, hash_of(token).hex(), link.person_id, "", link.object_kind, link.object_id, "[]", to_us(now), to_us(link.expires_at))
        for token, link in zip(tokens, links, strict=True)
    ])
    return tokens


def rotate_credential(scope: Scope, credential_id: int, *, now: datetime) -> str:
    """Give a live device or integration a new token and return it; the old one ends at once, in other processes within 5 s.

    Raises Refused, NotFound, CredentialEnded.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with transaction.atomic():
        row = _credential_in(scope, credential_id)
        if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
            raise CredentialEnded(credential=credential_id)
        row.hash = hash_of(token).hex()
        row.issued_at = now
        row.save(update_fields=["hash", "issued_at"])
        _forget()
        append([NewEvent(kinds.CREDENTIAL_ROTATED, credential_id, {"kind": row.kind})], now=now)
    return token


def revoke_credential(scope: Scope, credential_id: int, *, now: datetime) -> None:
    """End the token of a device or integration; ending it twice changes nothing. Raises Refused, NotFound."""
    with transaction.atomic():
        row = _credential_in(scope, credential_id)
        if row.revoked_at is not None:
            return
        row.revoked_at = now
        row.save(update_fields=["revoked_at"])
        _forget()
        append([NewEvent(kinds.CREDENTIAL_REVOKED, credential_id, {"kind": row.kind})], now=now)


def revoke_links(object_kind: str, object_ids: Collection[int], *, now: datetime, keep_person_id: int | None = None) -> int:
    """End the live links to these objects, but those of one person; return how many. Inside the caller's transaction."""
    rows = Credential.objects.unscoped().filter(
        kind=LINK, object_kind=object_kind, object_id__in=object_ids, revoked_at__isnull=True,
    )
    if keep_person_id is not None:
        rows = rows.exclude(person_id=keep_person_id)
    return int(rows.update(revoked_at=now))


def move_credentials(old_path: str, new_path: str) -> None:
    """Give the tokens that work at or below `old_path` their new paths; inside the caller's transaction."""
    for row in Credential.objects.unscoped().exclude(kind=LINK).filter(revoked_at__isnull=True).iterator(chunk_size=500):
        paths = [new_path + path[len(old_path):] if path.startswith(old_path) else path for path in row.paths]
        if paths != row.paths:
            Credential.objects.unscoped().filter(pk=row.pk).update(paths=paths)
    _forget()


def _require_bound(
    kind: str, person_id: int | None, subject: str, bound: tuple[str, int] | None, expires_at: datetime | None,
) -> None:
    needed: dict[str, dict[str, object]] = {
        LINK: {"person_id": person_id, "object": bound, "expires_at": expires_at},
        DEVICE: {"subject": subject or None},
        INTEGRATION: {"subject": subject or None},
    }
    if kind not in needed:
        raise CredentialUnbound(kind=kind, missing="kind (LINK, DEVICE, INTEGRATION)")
    missing = [name for name, value in needed[kind].items() if value is None]
    if missing:
        raise CredentialUnbound(kind=kind, missing=", ".join(missing))


def _require_grantable(kind: str, rights: Collection[str]) -> None:
    beyond = sorted(set(rights) - grantable(kind))
    if beyond:
        raise RightNotGrantable(kind=kind, right=beyond[0], expected=", ".join(sorted(grantable(kind))))


def _credential_in(scope: Scope, credential_id: int) -> Credential:
    scope.require("settings.edit")
    row: Credential | None = Credential.objects.unscoped().filter(pk=credential_id, kind__in=(DEVICE, INTEGRATION)).first()
    if row is None or not row.paths or not all(scope.may("settings.edit", path) for path in row.paths):
        raise NotFound(what=f"凭据 {credential_id}")
    return row


def _forget() -> None:
    forget_tokens()
    transaction.on_commit(forget_tokens)
