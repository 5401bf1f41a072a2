"""Learning from readings that exist: a meter that has sent for weeks is known by them, not from the day somebody asked for it.

What a detector remembers of a stream is made beside the watch, by judging its past up to a moment with a state of its own,
and taken into the watch's state between two ticks, with the readings since. A past tells nothing that must be done:
findings come from the next reading on. Learning is bounded: a few streams at a time, LOOKS_BACK at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby

import numpy as np
from django.db import transaction

from shouwang.detectors.contract import Columns, State, drop_streams, dump, fresh, load, only_streams, streams_of
from shouwang.detectors.registry import Detector, detectors_found
from shouwang.journal.prepared import Prepared
from shouwang.journal.rules import Lease
from shouwang.kernel.moments import HOUR_US, from_us, to_us
from shouwang.telemetry import queries as telemetry
from shouwang.watch import actions, queries
from shouwang.watch.actions import Judged
from shouwang.watch.families import Family, Held, Watching
from shouwang.watch.models import Learning

LOOKS_BACK = timedelta(days=56)
STREAMS_AT_ONCE = 20
TAKEN_AT_ONCE = 20
READINGS = 20_000
TRY_AGAIN = timedelta(minutes=10)
NEVER = -1
_LEARNT = Prepared(lambda until: Learning.objects.filter(taken_at=None, tried_at__lte=until).order_by("tried_at", "pk")[:TAKEN_AT_ONCE])


def learn(now: datetime, *, most_s: float = 1.0, monotonic: Callable[[], float] = time.monotonic) -> int:
    """Learn the past of streams that wait for it, for about `most_s` seconds, oldest first, and return how many were learnt."""
    until_s, learnt = monotonic() + most_s, 0
    watches = {row.id: row for row in queries.watches(enabled_only=True)}
    while monotonic() < until_s:
        rows = list(Learning.objects.filter(learnt_at=None, watch_id__in=watches).order_by("watch_id", "pk")[:STREAMS_AT_ONCE])
        if not rows:
            break
        for watch_id, own in groupby(rows, key=lambda row: row.watch_id):
            learnt += _learn(watches[watch_id], list(own), now=now)
    return learnt


def _learn(watch: queries.WatchRow, rows: Sequence[Learning], *, now: datetime) -> int:
    detector = detectors_found()[watch.detector]
    upto_us = to_us(now - timedelta(seconds=watch.lateness_s)) // HOUR_US * HOUR_US
    upto = from_us(upto_us)
    columns = telemetry.columns_of([row.stream for row in rows], upto - LOOKS_BACK, upto, max_points=READINGS)
    state, _ = detector.judge(columns, fresh(upto_us), now_us=upto_us, watermark_us=upto_us, params=watch.params)
    for row in rows:
        mine = columns.at_us[columns.stream == row.stream]
        row.learnt_at, row.readings, row.first_at = upto, len(mine), from_us(int(mine.min())) if len(mine) else None
        row.state = dump(only_streams(state, np.array([row.stream], np.int64))) if len(mine) else None
        row.tried_at, row.taken_at = now - TRY_AGAIN, None if len(mine) else now
    Learning.objects.bulk_update(rows, ["learnt_at", "readings", "first_at", "state", "tried_at", "taken_at"])
    return len(rows)


def take_learnt(lease: Lease, watching: Mapping[int, Watching], families: Mapping[str, Family], *, now: datetime) -> int:
    """Let the watches remember what was learnt, at most TAKEN_AT_ONCE streams at once, and return how many streams were looked at.

    Called between two ticks by whoever holds the lease. A stream with an open episode is tried again later, so that no
    alarm is told twice; one that is known for as long already stays as it is. Raises LeaseLost.
    """
    rows = [row for row in _LEARNT.objects(now - TRY_AGAIN) if row.watch_id in watching]
    for row in rows:
        base = watching[row.watch_id]
        target = _hearer(row.stream, base, watching, families.get(base.row.code))
        held = _held(row.stream, target) if target else None
        if target is None or held is None:
            Learning.objects.filter(pk=row.pk).update(taken_at=now, state=None)
        elif to_us(_learnt_at(row)) > _upto_us(held.state) or _is_open(held.state, _learnt(row), row.stream):
            Learning.objects.filter(pk=row.pk).update(tried_at=now)
        else:
            _take(lease, row, target, held, now=now)
    for family in families.values() if rows else ():
        family.note_held()
    return len(rows)


def _take(lease: Lease, row: Learning, target: Watching, held: Held, *, now: datetime) -> None:
    learnt = _caught_up(row, target, held.state)
    if _since(learnt, row.stream) < _since(held.state, row.stream) or _since(held.state, row.stream) == NEVER:
        streams = np.array([row.stream], np.int64)
        state = target.detector.take_streams(drop_streams(held.state, streams), learnt)
        with transaction.atomic():
            actions.save(lease, [Judged(held.id, dump(state), held.cursor, held.tick_id)], findings=(), take=_nobody)
            Learning.objects.filter(pk=row.pk).update(taken_at=now, state=None)
        held.state, held.changed = state, False
    else:
        Learning.objects.filter(pk=row.pk).update(taken_at=now, state=None)


def _caught_up(row: Learning, target: Watching, state: State) -> State:
    """Return what was learnt with the readings since, those that wait in `state` included, judged up to where `state` is."""
    upto_us = _upto_us(state)
    since = telemetry.columns_of([row.stream], _learnt_at(row), from_us(upto_us), max_points=READINGS)
    waits = only_streams(state, np.array([row.stream], np.int64))
    waiting = Columns(*(waits[f"pending_{name}"] for name in ("stream", "at_us", "value"))) if "pending_stream" in waits else Columns.empty()  # type: ignore[arg-type] # as the contract says
    learnt: State = {**_learnt(row), "judged_us": np.array([upto_us], np.int64)}
    return _judged(target.detector, since.joined(waiting), learnt, upto_us=upto_us, params=target.row.params)


def _learnt(row: Learning) -> State:
    return load(bytes(row.state or b""))


def _learnt_at(row: Learning) -> datetime:
    assert row.learnt_at is not None, f"stream {row.stream} waits to be taken and was never learnt"
    return row.learnt_at


def _judged(detector: Detector, columns: Columns, state: State, *, upto_us: int, params: Mapping[str, float]) -> State:
    return detector.judge(columns, state, now_us=upto_us, watermark_us=upto_us, params=params)[0]


def _hearer(stream: int, base: Watching, watching: Mapping[int, Watching], family: Family | None) -> Watching | None:
    """Return the watch that hears a stream, None where none does."""
    known = telemetry.catalogue()
    place = int(known.place(np.array([stream], np.int64))[0])
    if place < 0 or not known.selected(kind=base.row.thing_kind, observed=base.row.property)[place]:
        return None
    if family is None:
        return base
    return watching.get(int(family.hearers(np.array([stream], np.int64), known)[0]))


def _held(stream: int, target: Watching) -> Held | None:
    known = telemetry.catalogue()
    partition = int(known.partition[known.place(np.array([stream], np.int64))[0]])
    holding = [held for held in target.held if stream in streams_of(held.state)]
    return next(iter(holding or [held for held in target.held if held.partition == partition]), None)


def _upto_us(state: State) -> int:
    """Return the moment up to which a state by habit has judged: the hours it has taken."""
    return int(state["next_slot"][0]) * HOUR_US if "next_slot" in state else int(state["judged_us"][0]) // HOUR_US * HOUR_US


def _since(state: State, stream: int) -> int:
    """Return the hour since which a state knows a stream, NEVER where it does not."""
    place = _place(state, stream)
    return int(state["since_slot"][place]) if place >= 0 and "since_slot" in state else NEVER


def _is_open(state: State, learnt: State, stream: int) -> bool:
    """Return whether a state has an open episode of a stream; one that was just learnt has none, and shows how that looks."""
    place = _place(state, stream)
    return place >= 0 and any(
        bool(np.any(state[name][place] != learnt[name][0])) for name in learnt if name.startswith("open_") and name in state
    )


def _place(state: State, stream: int) -> int:
    """Return where a stream stands in a state, −1 where it does not."""
    found = np.flatnonzero(state.get("stream", np.zeros(0, np.int64)) == stream)
    return int(found[0]) if len(found) else -1


def _nobody(_: Sequence[object]) -> None:
    """Take no findings: a past tells nothing that must be done."""
