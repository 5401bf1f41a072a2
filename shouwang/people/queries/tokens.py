"""Reads of the tokens of devices and integrations: whose, where, last used; never the token itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from shouwang.kernel.errors import NotFound
from shouwang.people.models import Credential
from shouwang.people.rules.codes import DEVICE, INTEGRATION
from shouwang.people.rules.scope import EVERYWHERE, Scope

RIGHT = "settings.edit"


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One token as whoever set it up sees it. `used_at` is right to within a day, None when it was never used."""

    id: int
    kind: str
    subject: str
    paths: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None

    def is_live(self, at: datetime) -> bool:
        """Return whether the token opens anything at a moment."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > at)


def tokens(
    scope: Scope, *, now: datetime, kind: str = "", live: bool | None = None, text: str = "", offset: int = 0, limit: int = 50,
) -> tuple[Sequence[TokenRow], int]:
    """Return a slice of the tokens that work only where `scope` sets up, newest first, and how many there are."""
    found = _within(scope)
    if kind:
        found = found.filter(kind=kind)
    if live is not None:
        alive = Q(Q(expires_at__isnull=True) | Q(expires_at__gt=now), revoked_at__isnull=True)
        found = found.filter(alive if live else ~alive)
    if text:
        found = found.filter(subject__icontains=text)
    return [_row(each) for each in found.order_by("-issued_at", "-pk")[offset : offset + limit]], found.count()


def count_tokens(scope: Scope) -> int:
    """Return how many tokens that were not revoked work where `scope` sets up."""
    return int(_within(scope).filter(revoked_at__isnull=True).count())


def token(scope: Scope, credential_id: int) -> TokenRow:
    """Return one token. Raises NotFound outside of `scope`."""
    row = _within(scope).filter(pk=credential_id).first()
    if row is None:
        raise NotFound(what=f"令牌 {credential_id}")
    return _row(row)


def _within(scope: Scope) -> QuerySet[Credential]:
    """Return the tokens all of whose paths lie inside the scope; a token without a path is the installation's alone."""
    rows = Credential.objects.unscoped().filter(kind__in=(DEVICE, INTEGRATION))
    paths = scope.paths_for(RIGHT)
    if EVERYWHERE in paths:
        return rows
    inside = Q(pk__in=())
    for path in paths:
        inside |= Q(paths__0__startswith=path)
    # Few tokens have a second path; those are looked at one by one.
    several = rows.filter(inside, paths__1__isnull=False).values_list("pk", "paths")
    return rows.filter(inside).exclude(pk__in=[pk for pk, own in several if not all(scope.may(RIGHT, path) for path in own)])


def _row(row: Credential) -> TokenRow:
    return TokenRow(row.pk, row.kind, row.subject, tuple(row.paths), row.issued_at, row.expires_at, row.revoked_at, row.used_at)
