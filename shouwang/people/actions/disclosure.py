"""Showing personal data in full: only for a reason, which is written down before anything is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.people import events as kinds
from shouwang.people.actions.checks import known, person_in
from shouwang.people.models import AccessLog
from shouwang.people.rules.codes import ACCESSES
from shouwang.people.rules.errors import ReasonMissing
from shouwang.people.rules.scope import Scope

LEAST = 2
MOST = 200


@dataclass(frozen=True, slots=True)
class Revealed:
    """A person's name and numbers in full."""

    name: str
    phone: str
    id_number: str


def reveal(scope: Scope, person_id: int, *, reason: str, now: datetime) -> Revealed:
    """Return a person's name and numbers in full, after the reason is in the access log.

    Raises Refused, NotFound, ReasonMissing.
    """
    reason = reason.strip()
    if not LEAST <= len(reason) <= MOST:
        raise ReasonMissing(least=LEAST, most=MOST)
    person = person_in(scope, person_id, "people.reveal")
    with transaction.atomic():
        note_access(scope, action="REVEAL", object=("person", person_id), path=person.path, reason=reason, now=now)
        append([NewEvent(kinds.PERSONAL_DATA_REVEALED, person_id, {"by": scope.person_id})], now=now)
    return Revealed(person.name, person.phone, person.id_number)


def note_access(
    scope: Scope, *, action: str, object: tuple[str, int | None] = ("", None), path: str = "", reason: str = "",  # noqa: A002
    now: datetime,
) -> None:
    """Write one row into the access log; without a path it lies at the actor's own first path."""
    known("动作", action, ACCESSES)
    with transaction.atomic():
        AccessLog(
            at=now, action=action, account_id=scope.account_id, actor_id=scope.person_id, object_kind=object[0],
            object_id=object[1], path=path or next(iter(scope.paths), ""), reason=reason[:MOST],
        ).save(force_insert=True)
