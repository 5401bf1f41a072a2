"""Whether anybody can come in yet, and what an administrator has set up so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Q

from shouwang.people.models import Account, Credential, Duty, Person, Shift
from shouwang.people.rules.scope import Scope


@dataclass(frozen=True, slots=True)
class SetUp:
    """How many persons, holders of each duty (by its code), accounts and shifts still to come there are in a scope."""

    persons: int
    holders: Mapping[str, int]
    accounts: int
    shifts: int


def nobody_yet() -> bool:
    """Return whether there is neither an account nor a credential: nobody and nothing can come in."""
    return not Account.objects.unscoped().exists() and not Credential.objects.unscoped().exists()


def set_up(scope: Scope, *, today: date, now: datetime) -> SetUp:
    """Return what is there in the scope; four queries."""
    duties = Duty.objects.within(scope).filter(Q(until_date__isnull=True) | Q(until_date__gt=today), object_kind="AREA")
    return SetUp(
        Person.objects.within(scope).count(),
        dict(duties.values_list("code").annotate(Count("person_id", distinct=True))),
        Account.objects.within(scope).filter(is_active=True).count(),
        Shift.objects.within(scope).filter(until_at__gt=now).count(),
    )
