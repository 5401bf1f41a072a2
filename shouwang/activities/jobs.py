"""What activities do by the clock and when an area moves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shouwang.activities.actions import drop_old_consents, erase_names
from shouwang.activities.models import Activity
from shouwang.journal.paths import move_paths
from shouwang.journal.rules import Event
from shouwang.places.events import AREA_MOVED

MOVES = "activities.area_moved"


def on_moves(events: Sequence[Event]) -> None:
    """Give activities below moved areas their new paths."""
    for event in events:
        if event.kind == AREA_MOVED:
            move_paths(Activity.objects.all(), old=event.payload["from"], new=event.payload["to"])


def tidy(now: datetime) -> None:
    """Forget what has passed its time."""
    erase_names(now=now)
    drop_old_consents(now=now)
