"""What may come of an attempt, and what follows it. Every path ends: delivered, sent, failed or unknown (invariant I4). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

INBOX = "inbox"
MAX_ATTEMPTS = 6
MAX_REPEATS = 2
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=15)
RECEIPT_WAITS = tuple(timedelta(seconds=s) for s in (5, 20, 60, 300, 1800))

_CODE = re.compile(r"[A-Z0-9_.-]{1,40}")


class State(IntEnum):
    """Where a message stands. It has ended once its `done_at` is set; numbers, because they cost no bytes."""

    PENDING = 0
    LEASED = 1
    SENT = 2
    DELIVERED = 3
    FAILED = 4
    UNKNOWN = 5


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider has accepted the message; `ref` is its own number for it."""

    ref: str = ""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The message has reached the person."""

    ref: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """The message certainly did not go; try again after `after_s` seconds, or later."""

    after_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The message will never go that way. `reason` is a code, never a personal value."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The message may have gone: no answer came, or none that says."""

    reason: str


@dataclass(frozen=True, slots=True)
class Missing:
    """Asked by key, the provider says that it never had the message."""


Outcome = Sent | Delivered | Retry | Rejected | Unknown | Missing


@dataclass(frozen=True, slots=True)
class Traits:
    """What a channel can: drop a second message of the same key, report receipts, answer a question by key."""

    honours_key: bool
    gives_receipt: bool
    can_query: bool


class Step(IntEnum):
    """What to do with a message whose lease or wait has run out."""

    SEND = 1
    QUERY = 2
    GIVE_UP = 3


@dataclass(frozen=True, slots=True)
class Next:
    """What follows an outcome: the new state, and when to take the message up again (None: it has ended)."""

    state: State
    again_at: datetime | None = None
    reason: str = ""
    attempts: int = 0
    is_repeat: bool = False

    @property
    def is_failure(self) -> bool:
        """Return whether the message has ended without anybody knowing that it went."""
        return self.again_at is None and self.state in (State.FAILED, State.UNKNOWN)


def retake(state: State, traits: Traits) -> Step:
    """Return what to do when a message's time has come again.

    LEASED here means that its sender died: it may have gone, as with UNKNOWN. Then ask; where nobody answers, send again
    only if the channel drops a second one.
    """
    if state == State.PENDING:
        return Step.SEND
    if traits.can_query:
        return Step.QUERY
    if state != State.SENT and traits.honours_key:
        return Step.SEND
    return Step.GIVE_UP


def after_send(outcome: Outcome, *, traits: Traits, attempts: int, now: datetime) -> Next:  # noqa: PLR0911 - one line per outcome
    """Return what follows the outcome of attempt number `attempts` (the first is 1)."""
    match outcome:
        case Sent() if traits.gives_receipt:
            return Next(State.SENT, now + RECEIPT_WAITS[0])
        case Sent():
            return Next(State.SENT)
        case Delivered():
            return Next(State.DELIVERED)
        case Rejected(reason):
            return Next(State.FAILED, None, code_of(reason))
        case Retry(after_s, reason):
            return _again(State.PENDING, State.FAILED, code_of(reason), attempts=attempts, now=now, at_least_s=after_s)
        case Unknown(reason):
            return _again(State.UNKNOWN, State.UNKNOWN, code_of(reason), attempts=attempts, now=now)
        case Missing():
            return _again(State.PENDING, State.FAILED, "MISSING", attempts=attempts, now=now)


def after_query(  # noqa: PLR0911 - one line per outcome
    outcome: Outcome, *, was: State, traits: Traits, attempts: int, repeats: int, now: datetime,
) -> Next:
    """Return what follows the answer to question number `attempts` about a message that was SENT or may have gone.

    A message that the provider never had goes again, counted as a repeat. A receipt that never comes leaves it
    unknown.
    """
    match outcome:
        case Delivered():
            return Next(State.DELIVERED)
        case Rejected(reason):
            return Next(State.FAILED, None, code_of(reason))
        case Missing() if repeats < MAX_REPEATS:
            return Next(State.PENDING, now + FIRST_WAIT, "MISSING", attempts, is_repeat=True)
        case Missing():
            return Next(State.FAILED, None, "MISSING")
        case _ if was == State.SENT:
            return _await_receipt(attempts, now)
        case Sent():
            return after_send(outcome, traits=traits, attempts=attempts, now=now)
        case Retry(after_s, reason):
            return _again(State.UNKNOWN, State.UNKNOWN, code_of(reason), attempts=attempts, now=now, at_least_s=after_s)
        case Unknown(reason):
            return _again(State.UNKNOWN, State.UNKNOWN, code_of(reason), attempts=attempts, now=now)


def wait(attempts: int, *, at_least_s: float = 0.0) -> timedelta:
    """Return how long to wait after attempt number `attempts`: doubling, and never longer than a quarter of an hour."""
    doubled = FIRST_WAIT * (1 << min(attempts - 1, 10))
    asked = timedelta(seconds=min(max(at_least_s, 0.0), LONGEST_WAIT.total_seconds()))
    return min(max(doubled, asked), LONGEST_WAIT)


def code_of(reason: str) -> str:
    """Return `reason` if it is a code, else a word that is: what a provider writes may hold a name or number."""
    return reason if _CODE.fullmatch(reason) else "OTHER"


def _again(live: State, ended: State, reason: str, *, attempts: int, now: datetime, at_least_s: float = 0.0) -> Next:
    if attempts >= MAX_ATTEMPTS:
        return Next(ended, None, reason)
    return Next(live, now + wait(attempts, at_least_s=at_least_s), reason, attempts)


def _await_receipt(attempts: int, now: datetime) -> Next:
    if attempts >= len(RECEIPT_WAITS):
        return Next(State.UNKNOWN, None, "NO_RECEIPT")
    return Next(State.SENT, now + RECEIPT_WAITS[attempts], attempts=attempts)
