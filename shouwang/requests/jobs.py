"""What requests do on news from below, and by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shouwang.cases.events import COMPLETED, MERGED, SPLIT_OFF
from shouwang.journal.paths import move_paths
from shouwang.journal.rules import Event
from shouwang.places.events import AREA_MOVED
from shouwang.requests.actions import follow_merge, follow_split, tell_done
from shouwang.requests.actions.limiting import tidy as tidy_limits
from shouwang.requests.models import ServiceRequest

LISTENER = "requests.cases"
MOVES = "requests.area_moved"
KINDS = (COMPLETED, MERGED, SPLIT_OFF)


def on_cases(events: Sequence[Event]) -> None:
    """Tell the reporters of completed cases, and follow merged ones."""
    for event in events:
        if event.subject_id is None:
            continue
        if event.kind == COMPLETED:
            tell_done(event.subject_id, result=event.payload["result"], seq=event.seq, now=event.at)
        elif event.kind == MERGED:
            follow_merge(event.subject_id, into_case_id=event.payload["into"], now=event.at)
        elif event.kind == SPLIT_OFF:
            follow_split(event.subject_id, now=event.at)


def on_moves(events: Sequence[Event]) -> None:
    """Give requests below moved areas their new paths."""
    for event in events:
        if event.kind == AREA_MOVED:
            move_paths(ServiceRequest.objects.all(), old=event.payload["from"], new=event.payload["to"])


def tidy(now: datetime) -> int:
    """Forget who used the public forms in windows that are over."""
    return tidy_limits(now=now)
