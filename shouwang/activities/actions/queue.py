"""The queue: numbers are given once, called in order, and by one window each however many call at once.

Every action holds the activity first, so two windows that press at the same moment follow one another.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from django.db import transaction

from shouwang.activities import events as kinds
from shouwang.activities.actions.holding import event, held, held_public, require_state, tell
from shouwang.activities.models import Activity, Call, Ticket
from shouwang.activities.rules.checks import require_key
from shouwang.activities.rules.queue import Ticket as Number
from shouwang.activities.rules.queue import moved, require_numbers, require_window
from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.kernel.errors import NotFound
from shouwang.kernel.texts import Text
from shouwang.people.rules import Scope

CALLING = Text("叫号", "call numbers")
Finish = Literal["DONE", "SKIP"]
_KIND_OF = {"DONE": kinds.NUMBER_DONE, "SKIP": kinds.NUMBER_SKIPPED}


def give_number(scope: Scope, activity_id: int, *, key: str, now: datetime) -> int:
    """Give the next number at the desk and return it; the same key again returns the same. Raises NotFound, NumbersNotGiven."""
    with transaction.atomic():
        return _give(held(scope, activity_id, use="QUEUE"), key, now=now)


def take_number(code: str, *, key: str, now: datetime) -> int:
    """Give the next number to whoever asks on the public page, and return it. Raises NotFound, NotUsed, NumbersNotGiven."""
    with transaction.atomic():
        return _give(held_public(code, use="QUEUE"), key, now=now)


def _give(row: Activity, key: str, *, now: datetime) -> int:
    require_key(key)
    known = Ticket.objects.filter(activity_id=row.pk, key=key).values_list("number", flat=True).first()
    if known is not None:
        return known
    waiting = Ticket.objects.filter(activity_id=row.pk, state="WAITING").count()
    require_numbers(state=row.state, starts_at=row.starts_at, waiting=waiting, now=now)
    row.last_number += 1
    row.save(update_fields=["last_number"])
    Ticket.objects.create(activity_id=row.pk, number=row.last_number, key=key, given_at=now)
    tell(row, kinds.NUMBER_GIVEN, now=now, number=row.last_number)
    return row.last_number


def call_next(
    scope: Scope, activity_id: int, *, window: int, key: str, having: int | None = None, finishing: Finish = "DONE", now: datetime,
) -> int | None:
    """Call the next number to a window and return it, None when nobody waits; what the window has in hand is finished first.

    `having` is the number the caller believes to have in hand: where another was called meanwhile nothing is finished.
    The same key again returns the same number. Raises NotFound, MoveRefused, WindowUnknown, WindowBusy.
    """
    require_key(key)
    with transaction.atomic():
        row = _running(scope, activity_id, window)
        known = Call.objects.filter(activity_id=row.pk, key=key).values_list("ticket__number", flat=True).first()
        if known is not None:
            return known
        events = []
        in_hand = Ticket.objects.filter(activity_id=row.pk, state="CALLED", window=window).first()
        if in_hand is not None and in_hand.number == having:
            events.append(_finish(row, in_hand, finishing, window=window, now=now))
            in_hand = None
        following = Ticket.objects.filter(activity_id=row.pk, state="WAITING").order_by("number").first()
        if following is not None:
            events.append(_call(scope, row, following, window=window, has=in_hand, key=key, now=now))
        if events:
            append(events, now=now)
    return following.number if following else None


def call_again(scope: Scope, activity_id: int, *, number: int, window: int, key: str, now: datetime) -> None:
    """Call the number in hand again, or one that was passed over to a free window; the same key again changes nothing.

    Raises NotFound, MoveRefused, WindowUnknown, NumberElsewhere, WindowBusy.
    """
    require_key(key)
    with transaction.atomic():
        row = _running(scope, activity_id, window)
        if Call.objects.filter(activity_id=row.pk, key=key).exists():
            return
        ticket = _ticket(row, number)
        has = Ticket.objects.filter(activity_id=row.pk, state="CALLED", window=window).first()
        append([_call(scope, row, ticket, window=window, has=has, key=key, now=now)], now=now)


def finish(scope: Scope, activity_id: int, *, number: int, window: int, finishing: Finish, now: datetime) -> None:
    """Note that the number in a window's hand was served, or that nobody came; again it changes nothing.

    Raises NotFound, MoveRefused, WindowUnknown, NumberElsewhere.
    """
    with transaction.atomic():
        row = _running(scope, activity_id, window)
        ticket = _ticket(row, number)
        if ticket.window == window and ticket.state == {"DONE": "DONE", "SKIP": "SKIPPED"}[finishing]:
            return
        append([_finish(row, ticket, finishing, window=window, now=now)], now=now)


def _running(scope: Scope, activity_id: int, window: int) -> Activity:
    row = held(scope, activity_id, use="QUEUE")
    require_state(row, "RUNNING", doing=CALLING)
    require_window(window, row.windows)
    return row


def _ticket(row: Activity, number: int) -> Ticket:
    ticket = Ticket.objects.filter(activity_id=row.pk, number=number).first()
    if ticket is None:
        raise NotFound(what=f"{number} 号")
    return ticket


def _call(scope: Scope, row: Activity, ticket: Ticket, *, window: int, has: Ticket | None, key: str, now: datetime) -> NewEvent:
    _put(ticket, moved(_known(ticket), "CALL", window=window, has=_known(has) if has else None))
    Call.objects.create(activity_id=row.pk, ticket_id=ticket.pk, window=window, key=key, at=now, by=scope.person_id)
    return event(row, kinds.NUMBER_CALLED, number=ticket.number, window=window, by=scope.person_id)


def _finish(row: Activity, ticket: Ticket, finishing: Finish, *, window: int, now: datetime) -> NewEvent:
    ticket.ended_at = now
    _put(ticket, moved(_known(ticket), finishing, window=window, has=None))
    return event(row, _KIND_OF[finishing], number=ticket.number, window=window)


def _known(ticket: Ticket) -> Number:
    return Number(ticket.number, ticket.state, ticket.window)  # type: ignore[arg-type] # states are written from the table of rules


def _put(ticket: Ticket, to: Number) -> None:
    ticket.state, ticket.window = to.state, to.window
    ticket.save(update_fields=["state", "window", "ended_at"])
