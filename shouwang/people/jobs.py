"""What people does by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shouwang.journal.rules import Event
from shouwang.people import actions
from shouwang.places.events import AREA_MOVED


def tidy(now: datetime) -> None:
    """Drop what is kept for a stated time only; once a day is enough."""
    actions.tidy(now=now)


def follow_moves(moves: Sequence[Event]) -> None:
    """Give rows below moved areas their new paths: the listener of `places.events.AREA_MOVED`; twice changes nothing."""
    for event in moves:
        if event.kind == AREA_MOVED:
            actions.follow_move(event.payload["from"], event.payload["to"])
