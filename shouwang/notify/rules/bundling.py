"""When the messages that wait for one person on one channel go, and which go together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shouwang.kernel.severity import Severity

URGENT = Severity.RED
GRACE = timedelta(milliseconds=150)
QUIET = timedelta(milliseconds=1500)
LONGEST = timedelta(seconds=12)
APART = timedelta(minutes=1)

LastSent = Mapping[tuple[int, str, int | None], datetime]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for one person on one channel: all that is not urgent together, or one urgent message.

    Messages of an exercise wait, go and are throttled apart from the real ones.

    `first_id` is the message with the lowest id; `first_at` and `last_at` are when the first and the last were queued.
    """

    person_id: int
    channel: str
    count: int
    first_id: int
    first_at: datetime
    last_at: datetime
    urgent: bool = False
    exercise_id: int | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """Messages that go now, as one."""

    person_id: int
    channel: str
    count: int
    first_id: int
    urgent: bool
    exercise_id: int | None


def ready_at(waiting: Waiting, last_sent: LastSent) -> datetime:
    """Return when `waiting` may go.

    An urgent message at once and alone, whatever went before. One message after a short grace; several when no further
    one has come for `QUIET`, or `LONGEST` after the first; never within `APART` of what the person was last sent there.
    """
    if waiting.urgent:
        return waiting.first_at
    ready = waiting.first_at + GRACE
    if waiting.count > 1:
        ready = min(waiting.last_at + QUIET, waiting.first_at + LONGEST)
    last = last_sent.get((waiting.person_id, waiting.channel, waiting.exercise_id))
    return ready if last is None else max(ready, last + APART)


def due_bundles(waiting: Iterable[Waiting], last_sent: LastSent, *, now: datetime) -> list[Bundle]:
    """Return what goes at `now`: the urgent first, then whatever has been ready longest."""
    ready = [(ready_at(_seen(each, now), last_sent), each) for each in waiting]
    due = sorted((not each.urgent, at, each.first_id, each) for at, each in ready if at <= now)
    return [
        Bundle(each.person_id, each.channel, each.count, each.first_id, each.urgent, each.exercise_id) for _, _, _, each in due
    ]


def next_due_at(waiting: Iterable[Waiting], last_sent: LastSent, *, now: datetime) -> datetime | None:
    """Return when the next of `waiting` becomes ready after `now`."""
    return min((at for each in waiting if (at := ready_at(_seen(each, now), last_sent)) > now), default=None)


def _seen(waiting: Waiting, now: datetime) -> Waiting:
    """Return `waiting`, long ready if a clock queued it that was ahead of `now`, as before it was set right."""
    if waiting.last_at <= now + LONGEST:
        return waiting
    return replace(waiting, first_at=min(waiting.first_at, now - LONGEST), last_at=now - QUIET)
