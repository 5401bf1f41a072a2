"""What the living-alone system does on news from below."""

from __future__ import annotations

from collections.abc import Sequence

from shouwang.journal.paths import move_paths
from shouwang.journal.rules import Event
from shouwang.places.events import AREA_MOVED
from shouwang.systems.living_alone.models import Enrolment


def on_moves(events: Sequence[Event]) -> None:
    """Give the watched homes below moved areas their new paths."""
    for event in events:
        if event.kind == AREA_MOVED:
            move_paths(Enrolment.objects.all(), old=event.payload["from"], new=event.payload["to"])
