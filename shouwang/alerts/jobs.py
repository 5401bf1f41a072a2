"""What alerts do on news from below: a closed case ends its alert."""

from __future__ import annotations

from collections.abc import Sequence

from shouwang.alerts.actions import close_for_case
from shouwang.journal.rules import Event

LISTENER = "alerts.case_closed"
KINDS = ("case.closed", "case.withdrawn")


def on_case_ended(events: Sequence[Event]) -> None:
    """End the alert of each case that has ended."""
    for event in events:
        alert_id = event.payload.get("alert")
        if event.kind in KINDS and alert_id is not None:
            close_for_case(alert_id, now=event.at)
