"""The queue: what may happen to a number, who is next, and how many are before somebody. Pure.

A number is given once, called first in its order by one window, and after that only called again: by the window that has
it, or by any free window when it was passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shouwang.activities.rules.errors import NumberElsewhere, NumbersNotGiven, WindowBusy, WindowUnknown
from shouwang.kernel.texts import Text

TicketState = Literal["WAITING", "CALLED", "DONE", "SKIPPED"]
Doing = Literal["CALL", "DONE", "SKIP"]
STATES: Mapping[TicketState, Text] = {
    "WAITING": Text("等候", "waiting"),
    "CALLED": Text("办理中", "called"),
    "DONE": Text("已办", "done"),
    "SKIPPED": Text("已过号", "passed over"),
}
TABLE: Mapping[tuple[TicketState, Doing], TicketState] = {
    ("WAITING", "CALL"): "CALLED",
    ("SKIPPED", "CALL"): "CALLED",
    ("CALLED", "CALL"): "CALLED",
    ("CALLED", "DONE"): "DONE",
    ("CALLED", "SKIP"): "SKIPPED",
}
MOST_WINDOWS = 20
MOST_WAITING = 500
BEFORE = timedelta(hours=2)
"""How long before the start numbers may be taken."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One number: where it stands, and at which window it is while it is called."""

    number: int
    state: TicketState = "WAITING"
    window: int | None = None


def next_waiting(tickets: Iterable[Ticket]) -> Ticket | None:
    """Return the lowest number that waits, None when nobody does."""
    return min((ticket for ticket in tickets if ticket.state == "WAITING"), key=lambda ticket: ticket.number, default=None)


def in_hand(tickets: Iterable[Ticket], window: int) -> Ticket | None:
    """Return the number that a window has called and not finished."""
    return next((ticket for ticket in tickets if ticket.state == "CALLED" and ticket.window == window), None)


def before(tickets: Iterable[Ticket], number: int) -> int:
    """Return how many wait before `number`."""
    return sum(ticket.state == "WAITING" and ticket.number < number for ticket in tickets)


def moved(ticket: Ticket, doing: Doing, *, window: int, has: Ticket | None) -> Ticket:
    """Return a number after something was done to it at a window, which `has` another in hand or none.

    Raises WindowBusy for calling one while another is in hand, NumberElsewhere for a number that is not this window's.
    """
    state = TABLE.get((ticket.state, doing))
    elsewhere = ticket.state == "CALLED" and ticket.window != window
    if state is None or elsewhere:
        said = STATES[ticket.state]
        raise NumberElsewhere(number=ticket.number, state=said.zh, state_en=said.en, window=window)
    if doing == "CALL" and has is not None and has.number != ticket.number:
        raise WindowBusy(window=window, number=has.number)
    return Ticket(ticket.number, state, window)


def require_window(window: int, windows: int) -> None:
    """Raise WindowUnknown unless there is such a window."""
    if not 1 <= window <= windows:
        raise WindowUnknown(found=window, most=windows)


def require_numbers(*, state: str, starts_at: datetime, waiting: int, now: datetime) -> None:
    """Raise NumbersNotGiven unless a number may be taken now: from two hours before the start, while not too many wait."""
    if state == "OPEN" and now < starts_at - BEFORE:
        raise NumbersNotGiven(why="开始前 2 小时起取号", why_en="they are given from two hours before the start")
    if state not in {"OPEN", "RUNNING"}:
        raise NumbersNotGiven(why="活动没有在进行", why_en="the activity is not running")
    if waiting >= MOST_WAITING:
        raise NumbersNotGiven(why=f"已有 {waiting} 人等候", why_en=f"{waiting} people are waiting")
