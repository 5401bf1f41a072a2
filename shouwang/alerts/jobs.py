"""What alerts do on news from below: a closed case ends its alert."""

from __future__ import annotations

from collections.abc import Sequence

from shouwang.alerts.actions import close_for_case
from shouwang.alerts.models import Alert
from shouwang.journal.paths import move_paths
from shouwang.journal.rules import Event
from shouwang.places.events import AREA_MOVED

LISTENER = "alerts.case_closed"
KINDS = ("case.closed", "case.withdrawn")


def on_case_ended(events: Sequence[Event]) -> None:
    """End the alert of each case that has ended."""
    for event in events:
        alert_id = event.payload.get("alert")
        if event.kind in KINDS and alert_id is not None:
            close_for_case(alert_id, now=event.at)


def on_moves(events: Sequence[Event]) -> None:
    """Give alerts below moved areas their new paths."""
    for event in events:
        if event.kind == AREA_MOVED:
            move_paths(Alert.objects.all(), old=event.payload["from"], new=event.payload["to"])
