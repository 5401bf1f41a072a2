"""Writes of the figures: fold events into lines; make all lines anew from the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, fields
from typing import Any

from django.db import transaction

from shouwang.indicators.models import CaseLine
from shouwang.indicators.queries import lines_of
from shouwang.indicators.rules.folding import HEARD, OPENED, Line, folded, opened
from shouwang.journal.paths import move_paths
from shouwang.journal.put import put
from shouwang.journal.queries import cursor_of, events_after
from shouwang.journal.rules import Event
from shouwang.kernel.moments import to_us
from shouwang.places.events import AREA_MOVED
from shouwang.places.queries import areas

LISTENER = "indicators.cases"
KINDS = (*HEARD, AREA_MOVED)
_COLUMNS = ("path", *(each.name for each in fields(Line)))


def fold(events: Sequence[Event]) -> None:
    """Fold `events` into the lines of their cases, inside the listener's transaction."""
    known = {line.case_id: line for line in lines_of({event.subject_id for event in events if event.subject_id is not None})}
    lines = dict(known)
    moves = []
    for event in events:
        case_id = event.subject_id or 0
        if event.kind == AREA_MOVED:
            moves.append(event)
        elif event.kind == OPENED:
            lines[case_id] = opened(case_id, event.payload, at=event.at, exercise_id=event.exercise_id)
        elif case_id in lines:
            lines[case_id] = folded(lines[case_id], event.kind, event.payload, at=event.at)
    _write([line for case_id, line in lines.items() if known.get(case_id) != line], known)
    for event in moves:
        move_paths(CaseLine.objects.all(), old=event.payload["from"], new=event.payload["to"])


def _write(changed: Sequence[Line], known: Iterable[int]) -> None:
    """Put down lines: those that are there already are replaced."""
    CaseLine.objects.filter(pk__in=[line.case_id for line in changed if line.case_id in set(known)]).delete()
    paths = {area_id: row.path for area_id, row in areas({line.area_id for line in changed}).items()}
    put(CaseLine, _COLUMNS, [(paths.get(line.area_id, ""), *_stored(line)) for line in changed])


def _stored(line: Line) -> list[Any]:
    return [to_us(value) if hasattr(value, "tzinfo") else value for value in astuple(line)]


def rebuild(progress: Callable[[int, int], None] = lambda *_: None, *, batch: int = 2_000) -> int:
    """Make every line anew from the journal, up to where the listener has read, and return how many events that took.

    The figures stay as they were until the end: all of it is one transaction.
    """
    with transaction.atomic():
        upto = cursor_of(LISTENER)
        CaseLine.objects.all().delete()
        seq = done = 0
        while events := [event for event in events_after(seq, kinds=KINDS, limit=batch) if event.seq <= upto]:
            fold(events)
            seq, done = events[-1].seq, done + len(events)
            progress(seq, upto)
    return done
