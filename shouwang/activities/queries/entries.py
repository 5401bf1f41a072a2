"""Who has signed up: masked in every list, in full only for a reason; and one's own sign-up for whoever holds its link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shouwang.activities.models import Activity, Consent, SignUp
from shouwang.activities.rules.entries import STATES
from shouwang.kernel.errors import NotFound
from shouwang.kernel.texts import Text
from shouwang.people.rules import Scope
from shouwang.people.rules.masking import mask_name, mask_phone

MOST = 2_000
PEOPLE = "people.read"


@dataclass(frozen=True, slots=True)
class SignUpRow:
    """One sign-up as lists and sheets show it, masked. `consent` is the version a guardian agreed to, empty without."""

    id: int
    name: str
    phone: str
    party: int
    is_minor: bool
    state_code: str
    state: Text
    signed_at: datetime
    guardian: str
    consent: str
    notes_arrival: bool
    came_at: datetime | None


@dataclass(frozen=True, slots=True)
class OwnSignUp:
    """One's own sign-up; `before` is how many wait before it."""

    row: SignUpRow
    activity_id: int
    before: int


def sign_ups(scope: Scope, activity: Activity, *, with_withdrawn: bool = False) -> list[SignUpRow]:
    """Return who has signed up for an activity, in order, at most 2,000; nobody without the right to see people there."""
    if not scope.may(PEOPLE, activity.path):
        return []
    rows = SignUp.objects.filter(activity_id=activity.pk).order_by("pk")
    if not with_withdrawn:
        rows = rows.exclude(state="WITHDRAWN")
    found = list(rows[:MOST])
    consents = {each.sign_up_id: each for each in Consent.objects.filter(sign_up__in=found, withdrawn_at=None)}
    return [_row(row, consents.get(row.pk)) for row in found]


def own_sign_up(code: str, sign_up_id: int) -> OwnSignUp:
    """Return a sign-up of the activity with this public code. Raises NotFound."""
    row = SignUp.objects.filter(pk=sign_up_id, activity__code=code).first()
    if row is None:
        raise NotFound(what="报名")
    before = SignUp.objects.filter(activity_id=row.activity_id, state="WAITING", pk__lt=row.pk).count()
    consent = Consent.objects.filter(sign_up_id=row.pk, withdrawn_at=None).first()
    return OwnSignUp(_row(row, consent), row.activity_id, before)


def _row(row: SignUp, consent: Consent | None) -> SignUpRow:
    return SignUpRow(
        row.pk, mask_name(row.name), mask_phone(row.phone), row.party, row.is_minor, row.state, STATES[row.state], row.signed_at,
        f"{mask_name(consent.guardian)}（{consent.relation}）" if consent else "", consent.version if consent else "",
        consent.notes_arrival if consent else False, row.came_at,
    )
