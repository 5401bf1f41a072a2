"""Learning from readings that exist: a meter that has sent for weeks is known by them, not from the day somebody asked for it.

What a detector remembers of a stream is made beside the watch, by judging its past up to a moment with a state of its own,
and taken into the watch's state between two ticks, with the readings since. A past tells nothing that must be done:
findings come from the next reading on. Learning is bounded: a few streams at a time, LOOKS_BACK at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from django.db import transaction

from shouwang.detectors.contract import Columns, State, drop_streams, dump, fresh, load, only_streams, streams_of
from shouwang.detectors.registry import Detector, detectors_found
from shouwang.journal.prepared import Prepared
from shouwang.journal.rules import Lease
from shouwang.kernel.moments import DAY_US, HOUR_US, from_us, to_us
from shouwang.telemetry import queries as telemetry
from shouwang.watch import actions, queries
from shouwang.watch.actions import Judged
from shouwang.watch.families import Family, Held, Watching
from shouwang.watch.models import Learning
from shouwang.watch.queries import WatchRow

LOOKS_BACK = timedelta(days=56)
STREAMS_AT_ONCE = 20
TAKEN_AT_ONCE = 20
READINGS = 20_000
TRY_AGAIN = timedelta(minutes=10)
STALE_US = 6 * HOUR_US
"""What was learnt longer ago is learnt again: the watch judges the hours since in one go."""
NEVER = -1
_LEARNT = Prepared(lambda until: Learning.objects.filter(taken_at=None, tried_at__lte=until).order_by("tried_at", "pk")[:TAKEN_AT_ONCE])


@dataclass
class _Batch:
    """Streams of one watch on the way through their past: read one by one, then judged day by day."""

    watch: WatchRow
    rows: list[Learning]
    upto_us: int
    parts: list[Columns] = field(default_factory=list)
    columns: Columns | None = None
    state: State = field(default_factory=dict)
    judged_us: int = 0

    @property
    def is_over(self) -> bool:
        """Return whether the whole past was judged."""
        return self.columns is not None and (self.judged_us >= self.upto_us or not len(self.columns))

    def go_on(self) -> None:
        """Read one more stream, or judge one more day."""
        upto = from_us(self.upto_us)
        if len(self.parts) < len(self.rows):
            self.parts.append(telemetry.columns_of([self.rows[len(self.parts)].stream], upto - LOOKS_BACK, upto, max_points=READINGS))
        elif self.columns is None:
            whole = Columns.of(self.parts)
            self.columns = whole.where(np.argsort(whole.at_us, kind="stable"))
            self.state, self.judged_us = fresh(self.upto_us), int(whole.at_us.min(initial=self.upto_us))
        else:
            begin_us, self.judged_us = self.judged_us, min((self.judged_us // DAY_US + 1) * DAY_US, self.upto_us)
            first, last = np.searchsorted(self.columns.at_us, [begin_us, self.judged_us]).tolist()
            day = self.columns.where(np.arange(first, last))
            self.state = _judged(detectors_found()[self.watch.detector], day, self.state, upto_us=self.judged_us, params=self.watch.params)


_batches: list[_Batch] = []


def learn(now: datetime, *, most_s: float = 1.0, monotonic: Callable[[], float] = time.monotonic) -> int:
    """Go on learning the past of streams that wait for it, those asked for last first, for about `most_s` seconds; return how many were learnt.

    How far that has come is kept in this process; another one begins those streams anew.
    """
    until_s, learnt = monotonic() + most_s, 0
    while _batches or _begin(now):
        while not _batches[0].is_over:
            _batches[0].go_on()
            if monotonic() >= until_s:
                return learnt
        learnt += _keep(_batches.pop(), now=now)
    return learnt


def forget() -> None:
    """Begin anew what this process has come to learn."""
    _batches.clear()


def _begin(now: datetime) -> bool:
    """Take up the next streams that wait; return whether there are any."""
    watches = {row.id: row for row in queries.watches(enabled_only=True)}
    rows = list(Learning.objects.filter(learnt_at=None, watch_id__in=watches).order_by("-asked_at", "watch_id", "pk")[:STREAMS_AT_ONCE])
    if not rows:
        return False
    watch = watches[rows[0].watch_id]
    upto_us = to_us(now - timedelta(seconds=watch.lateness_s)) // HOUR_US * HOUR_US
    _batches.append(_Batch(watch, [row for row in rows if row.watch_id == watch.id], upto_us))
    return True


def _keep(batch: _Batch, *, now: datetime) -> int:
    """Keep what was learnt until the watch takes it; a stream without a past is done with."""
    for row, part in zip(batch.rows, batch.parts, strict=True):
        row.learnt_at, row.tried_at, row.readings = from_us(batch.upto_us), now - TRY_AGAIN, len(part)
        row.first_at = from_us(int(part.at_us.min())) if len(part) else None
        row.state = dump(only_streams(batch.state, np.array([row.stream], np.int64))) if len(part) else None
        row.taken_at = None if len(part) else now
    Learning.objects.bulk_update(batch.rows, ["learnt_at", "readings", "first_at", "state", "tried_at", "taken_at"])
    return len(batch.rows)


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
        elif _upto_us(held.state) - to_us(_learnt_at(row)) > STALE_US:
            Learning.objects.filter(pk=row.pk).update(learnt_at=None, tried_at=None, state=None)
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
