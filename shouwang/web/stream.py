"""The live stream: what happened to cases, as server-sent events, each reader hearing of its own areas only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from shouwang.cases.queries import paths_of
from shouwang.journal.queries import events_after
from shouwang.kernel.moments import to_us

BATCH = 500


@dataclass(frozen=True)
class Item:
    """One event of the stream; `path` says who may hear it, `person_id` narrows it to one person."""

    seq: int
    path: str
    data: str


def items_after(seq: int) -> tuple[list[Item], int]:
    """Return the stream's items after a number, and the number read up to; two queries."""
    events = events_after(seq, limit=BATCH)
    subjects = [event.subject_id for event in events if event.kind.startswith("case.") and event.subject_id is not None]
    paths = paths_of(subjects)
    items = [
        Item(event.seq, paths[event.subject_id], msgspec.json.encode({
            "topic": "case", "id": event.subject_id, "kind": event.kind, "at": event.at.isoformat(),
        }).decode())
        for event in events
        if event.subject_id in paths and event.kind.startswith("case.")
    ]
    return items, events[-1].seq if events else seq


def heard(items: Sequence[Item], paths: tuple[str, ...]) -> str:
    """Return the items a reader of `paths` hears, as text/event-stream."""
    return "".join(f"id: {item.seq}\ndata: {item.data}\n\n" for item in items if item.path.startswith(paths))


def beat(now: datetime) -> str:
    """Return the sign of life, with the page's clock in milliseconds."""
    return f'data: {{"topic":"beat","now":{to_us(now) // 1000}}}\n\n'
