"""Sign-ups: on the public page or at the desk, withdrawn in one tap, with a guardian's consent for minors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from shouwang.activities import events as kinds
from shouwang.activities.actions.holding import event, held, held_public, require_state, tell
from shouwang.activities.actions.seats import move_up, seats_taken
from shouwang.activities.models import PHONE, Activity, Consent, SignUp
from shouwang.activities.queries.catalogue import current_consent, kind_of
from shouwang.activities.rules.entries import NewSignUp, check, placed, require_open, tidied
from shouwang.activities.rules.errors import NoListOfWhoCame, SignedUpAlready, SignUpClosed
from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.journal.sealed import fingerprint_of
from shouwang.kernel.errors import NotFound
from shouwang.kernel.texts import Text
from shouwang.people.actions import note_access
from shouwang.people.rules import Scope
from shouwang.people.rules.errors import ReasonMissing

REVEAL = "people.reveal"
LEAST, MOST = 2, 200
HOUR = timedelta(hours=1)
MOST_AN_HOUR = 300
"""How many may sign up for one activity on its public page within an hour; the desk has no such limit."""
ARRIVING = Text("登记到场", "note arrivals")
WITHDRAWING = Text("取消报名", "withdraw a sign-up")


@dataclass(frozen=True, slots=True)
class Revealed:
    """A sign-up's name and telephone number in full, and the guardian's name."""

    name: str
    phone: str
    guardian: str


def sign_up(code: str, new: NewSignUp, *, now: datetime) -> int:
    """Sign up on the public page and return the sign-up's id; the same key again returns the first.

    Raises NotFound, NotUsed, SignUpClosed, SignedUpAlready, ActivityWrong, ConsentMissing.
    """
    with transaction.atomic():
        row = held_public(code, use="SIGN_UP")
        recent = SignUp.objects.filter(activity_id=row.pk, entered_by=None, signed_at__gt=now - HOUR).count()
        if recent >= MOST_AN_HOUR and not SignUp.objects.filter(activity_id=row.pk, key=new.key).exists():
            raise SignUpClosed(why="提交过多，请一小时后再试", why_en="too many at once, try again in an hour")
        return _sign_up(row, new, by=None, now=now)


def enter_sign_up(scope: Scope, activity_id: int, new: NewSignUp, *, now: datetime) -> int:
    """Sign somebody up at the desk; a guardian's consent on paper is recorded as given now. Raises as `sign_up`, and Refused."""
    with transaction.atomic():
        return _sign_up(held(scope, activity_id, use="SIGN_UP"), new, by=scope.person_id, now=now)


def _sign_up(row: Activity, new: NewSignUp, *, by: int | None, now: datetime) -> int:
    known = SignUp.objects.filter(activity_id=row.pk, key=new.key).values_list("pk", flat=True).first()
    if known is not None:
        return known
    require_open(row.state, row.entry)
    consent = current_consent().version if "CONSENT" in kind_of(row.kind).uses else ""
    new = tidied(new)
    check(new, consent=consent)
    rows = SignUp.objects.filter(activity_id=row.pk)
    if rows.filter(phone_hash=fingerprint_of(PHONE, new.phone), name=new.name).exclude(state="WITHDRAWN").exists():
        raise SignedUpAlready
    waiting = rows.filter(state="WAITING").count()
    state = placed(taken=seats_taken(row), waiting=waiting, party=new.party, capacity=row.capacity)
    made = SignUp.objects.create(
        activity_id=row.pk, key=new.key, name=new.name, phone=new.phone, party=new.party, is_minor=new.is_minor, state=state,
        signed_at=now, entered_by=by,
    )
    events = [event(row, kinds.SIGNED_UP, sign_up=made.pk, state=state, party=new.party, by=by)]
    append([*events, *(_consent(row, made, new, by=by, now=now) if consent else [])], now=now)
    return made.pk


def _consent(row: Activity, made: SignUp, new: NewSignUp, *, by: int | None, now: datetime) -> list[NewEvent]:
    """Keep a minor's guardian's consent and return its event."""
    guardian = new.guardian
    if not new.is_minor or guardian is None:
        return []
    Consent.objects.create(
        sign_up_id=made.pk, guardian=guardian.name, relation=guardian.relation, version=guardian.version,
        notes_arrival=guardian.notes_arrival, given_at=now, recorded_by=by,
    )
    return [event(row, kinds.CONSENT_GIVEN, sign_up=made.pk, version=guardian.version, by=by)]


def withdraw_own(code: str, sign_up_id: int, *, now: datetime) -> None:
    """Withdraw one's own sign-up; the caller has shown to hold its link. Again it changes nothing. Raises NotFound, MoveRefused."""
    with transaction.atomic():
        _withdraw(held_public(code, use="SIGN_UP"), sign_up_id, by=None, now=now)


def withdraw_sign_up(scope: Scope, activity_id: int, sign_up_id: int, *, now: datetime) -> None:
    """Withdraw somebody's sign-up at the desk. Raises NotFound, Refused, MoveRefused."""
    with transaction.atomic():
        _withdraw(held(scope, activity_id, use="SIGN_UP"), sign_up_id, by=scope.person_id, now=now)


def _withdraw(row: Activity, sign_up_id: int, *, by: int | None, now: datetime) -> None:
    """Forget the name and number, end a consent, and let those who wait move up."""
    found = SignUp.objects.filter(pk=sign_up_id, activity_id=row.pk).first()
    if found is None:
        raise NotFound(what=f"报名 {sign_up_id}")
    if found.state == "WITHDRAWN":
        return
    found.state, found.name, found.phone = "WITHDRAWN", "", ""
    found.save(update_fields=["state", "name", "phone", "phone_hash"])
    events = [event(row, kinds.SIGN_UP_WITHDRAWN, sign_up=found.pk, by=by)]
    if Consent.objects.filter(sign_up_id=found.pk, withdrawn_at=None).update(withdrawn_at=now):
        events.append(event(row, kinds.CONSENT_WITHDRAWN, sign_up=found.pk, by=by))
    append([*events, *(move_up(row) if row.state in {"OPEN", "RUNNING"} else [])], now=now)


def note_arrival(scope: Scope, activity_id: int, sign_up_id: int, *, now: datetime) -> None:
    """Note that a child has come, where its guardian asked for that; nobody else's arrival is ever noted. Again it changes nothing.

    Raises NotFound, Refused, MoveRefused, NoListOfWhoCame.
    """
    with transaction.atomic():
        row = held(scope, activity_id, use="CONSENT")
        require_state(row, "RUNNING", "ENDED", doing=ARRIVING)
        found = SignUp.objects.filter(pk=sign_up_id, activity_id=row.pk).first()
        if found is None:
            raise NotFound(what=f"报名 {sign_up_id}")
        asked = Consent.objects.filter(sign_up_id=found.pk, withdrawn_at=None, notes_arrival=True).exists()
        if not asked or found.state != "IN":
            raise NoListOfWhoCame(sign_up=sign_up_id)
        if found.came_at is None:
            SignUp.objects.filter(pk=found.pk).update(came_at=now)
            tell(row, kinds.ARRIVAL_NOTED, now=now, sign_up=found.pk, by=scope.person_id)


def reveal_sign_up(scope: Scope, activity_id: int, sign_up_id: int, *, reason: str, now: datetime) -> Revealed:
    """Return a sign-up's name and number in full, after the reason is in the access log. Raises NotFound, Refused, ReasonMissing."""
    reason = reason.strip()
    if not LEAST <= len(reason) <= MOST:
        raise ReasonMissing(least=LEAST, most=MOST)
    with transaction.atomic():
        row = held(scope, activity_id, use="SIGN_UP")
        scope.require(REVEAL, row.path)
        found = SignUp.objects.filter(pk=sign_up_id, activity_id=row.pk).first()
        if found is None:
            raise NotFound(what=f"报名 {sign_up_id}")
        consent = Consent.objects.filter(sign_up_id=found.pk, withdrawn_at=None).first()
        note_access(scope, action="REVEAL", object=("sign_up", found.pk), path=row.path, reason=reason, now=now)
        tell(row, kinds.SIGN_UP_REVEALED, now=now, sign_up=found.pk, by=scope.person_id)
    return Revealed(found.name, found.phone, consent.guardian if consent else "")
