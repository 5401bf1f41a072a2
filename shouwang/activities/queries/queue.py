"""The queue as its windows and its board see it: numbers, never whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shouwang.activities.models import Activity, Ticket
from shouwang.activities.rules.queue import Ticket as Number
from shouwang.activities.rules.queue import in_hand, next_waiting

SKIPPED_SHOWN = 20


@dataclass(frozen=True, slots=True)
class WindowNow:
    """What one window has before it: the number in hand, the next one, how many wait, and who was passed over."""

    window: int
    number: int | None
    next: int | None
    waiting: int
    done: int
    skipped: Sequence[int]


def tickets_of(activity_id: int) -> list[Number]:
    """Return every number of an activity, in order."""
    rows = Ticket.objects.filter(activity_id=activity_id).order_by("number").values_list("number", "state", "window")
    return [Number(*row) for row in rows]  # type: ignore[arg-type] # states are written from the table of rules


def window_now(activity: Activity, window: int) -> WindowNow:
    """Return what a window has before it; one query."""
    tickets = tickets_of(activity.pk)
    held, following = in_hand(tickets, window), next_waiting(tickets)
    return WindowNow(
        window, held.number if held else None, following.number if following else None,
        sum(ticket.state == "WAITING" for ticket in tickets), sum(ticket.state == "DONE" for ticket in tickets),
        [ticket.number for ticket in tickets if ticket.state == "SKIPPED"][-SKIPPED_SHOWN:],
    )
