"""Writes of the figures: fold events into lines; make all lines anew from the journal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import fields
from typing import Any

from django.db import models, transaction

from shouwang.indicators.models import ActivityRow, CaseLine
from shouwang.indicators.queries import activity_lines_of, lines_of
from shouwang.indicators.rules import doings
from shouwang.indicators.rules.doings import ActivityLine
from shouwang.indicators.rules.folding import HEARD, OPENED, Line, folded, opened
from shouwang.journal.paths import move_paths
from shouwang.journal.put import put, remove
from shouwang.journal.queries import cursor_of, events_after
from shouwang.journal.rules import Event
from shouwang.kernel.moments import to_us
from shouwang.places.events import AREA_MOVED
from shouwang.places.queries import paths_of

LISTENER = "indicators.cases"
KINDS = (*HEARD, AREA_MOVED)
ACTIVITIES = "indicators.activities"
ACTIVITY_KINDS = (*doings.HEARD, AREA_MOVED)
Progress = Callable[[int, int], None]


def fold(events: Sequence[Event]) -> None:
    """Fold `events` into the lines of their cases, inside the listener's transaction."""
    known = {line.case_id: line for line in lines_of(_subjects(events))}
    lines = dict(known)
    for event in events:
        case_id = event.subject_id or 0
        if event.kind == OPENED:
            lines[case_id] = opened(case_id, event.payload, at=event.at, exercise_id=event.exercise_id)
        elif case_id in lines and event.kind != AREA_MOVED:
            lines[case_id] = folded(lines[case_id], event.kind, event.payload, at=event.at)
    _write(CaseLine, Line, [line for case_id, line in lines.items() if known.get(case_id) != line])
    _follow_moves(CaseLine, events)


def fold_activities(events: Sequence[Event]) -> None:
    """Fold `events` into the lines of their activities, inside the listener's transaction."""
    known = {line.activity_id: line for line in activity_lines_of(_subjects(events))}
    lines = dict(known)
    for event in events:
        activity_id = event.subject_id or 0
        if event.kind == doings.PLANNED:
            lines[activity_id] = doings.planned(activity_id, event.payload, exercise_id=event.exercise_id)
        elif activity_id in lines and event.kind != AREA_MOVED:
            lines[activity_id] = doings.folded(lines[activity_id], event.kind, event.payload, at=event.at)
    _write(ActivityRow, ActivityLine, [line for activity_id, line in lines.items() if known.get(activity_id) != line])
    _follow_moves(ActivityRow, events)


def _subjects(events: Sequence[Event]) -> Collection[int]:
    return {event.subject_id for event in events if event.subject_id is not None and event.kind != AREA_MOVED}


def _write(model: type[models.Model], shape: type[Any], changed: Sequence[Any]) -> None:
    """Put down lines, the first column of which is their key: those that are there already are replaced."""
    names = tuple(each.name for each in fields(shape))
    rows = [tuple(getattr(line, name) for name in names) for line in changed]
    remove(model, [row[0] for row in rows])
    paths = paths_of({line.area_id for line in changed})
    put(model, ("path", *names), [(paths.get(line.area_id, ""), *_stored(row)) for line, row in zip(changed, rows, strict=True)])


def _stored(row: Sequence[Any]) -> list[Any]:
    return [to_us(value) if hasattr(value, "tzinfo") else value for value in row]


def _follow_moves(model: type[models.Model], events: Sequence[Event]) -> None:
    for event in events:
        if event.kind == AREA_MOVED:
            rows = model._default_manager.all()  # noqa: SLF001 - Django's own name for it
            move_paths(rows, old=event.payload["from"], new=event.payload["to"])


def rebuild(progress: Progress = lambda *_: None, *, batch: int = 2_000) -> int:
    """Make every line anew from the journal, up to where its listener has read, and return how many events that took.

    The figures stay as they were until the end: all of it is one transaction.
    """
    with transaction.atomic():
        CaseLine.objects.all().delete()
        ActivityRow.objects.all().delete()
        done = _anew(LISTENER, KINDS, fold, progress, batch=batch)
        return done + _anew(ACTIVITIES, ACTIVITY_KINDS, fold_activities, progress, batch=batch)


def _anew(
    listener: str, kinds: Sequence[str], do: Callable[[Sequence[Event]], None], progress: Progress, *, batch: int,
) -> int:
    upto, seq, done = cursor_of(listener), 0, 0
    while events := [event for event in events_after(seq, kinds=kinds, limit=batch) if event.seq <= upto]:
        do(events)
        seq, done = events[-1].seq, done + len(events)
        progress(seq, upto)
    return done
