"""The watch's own work: on new batches and on the clock, judge every partition, then store state and findings together.

State is remembered in the process between passes. With findings it is stored at once, in their transaction; without, at a
checkpoint: a new process then judges the ticks since again, and finds the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shouwang.alerts.actions import take_findings
from shouwang.alerts.rules import FoundFinding
from shouwang.detectors.contract import Columns, Finding, Int64s, dump, load
from shouwang.detectors.registry import detectors_found, params_hash
from shouwang.journal import wake
from shouwang.journal.actions import take_lease
from shouwang.journal.clock import clock
from shouwang.journal.holders import holder
from shouwang.journal.paths import move_paths
from shouwang.journal.rules import Event, Lease, LeaseLost
from shouwang.kernel.clock import SystemClock
from shouwang.kernel.moments import SECOND_US, to_us
from shouwang.places.events import AREA_MOVED
from shouwang.telemetry import queries as telemetry
from shouwang.telemetry.actions import READINGS
from shouwang.telemetry.queries import Catalogue
from shouwang.telemetry.rules import PARTITIONS
from shouwang.watch import actions, queries
from shouwang.watch.actions import Judged
from shouwang.watch.families import Family, Held, Watching, families
from shouwang.watch.learning import take_learnt
from shouwang.watch.models import Watch
from shouwang.watch.queries import WatchRow
from shouwang.watch.rules import (
    MAX_BATCHES_PER_TICK,
    MAX_FINDINGS_PER_TRANSACTION,
    DetectorUnknown,
    Passed,
    Tick,
    portions,
    tick_due,
)

LEASE = "watch"
MOVES = "watch.area_moved"
LEASE_TTL = timedelta(seconds=15)
CHECKPOINT_ROWS = 200_000
CHECKPOINT_US = 600 * SECOND_US
POLL_S = 1.0
TICKS_FORGOTTEN_AT_ONCE = 1_000
_log = logging.getLogger(__name__)


class TakeFindings(Protocol):
    """Who is told of findings: `alerts.actions.take_findings`."""

    def __call__(self, findings: Sequence[FoundFinding], *, now: datetime) -> object:
        """Take the findings, in the caller's transaction."""
        ...


@dataclass(frozen=True)
class Rows:
    """The rows of the ingest log that a tick covers, by partition, each with its batch."""

    columns: Columns
    seq: Int64s
    partition: NDArray[np.uint8]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.seq)

    def by_partition(self, chosen: NDArray[np.bool_]) -> Iterator[tuple[int, Columns, Int64s]]:
        """Yield the chosen rows of each partition in log order, with their batches."""
        places = np.flatnonzero(chosen)
        places = places[np.argsort(self.partition[places], kind="stable")]
        counts = np.bincount(self.partition[places], minlength=PARTITIONS)
        begin = 0
        for partition in np.flatnonzero(counts).tolist():
            part = places[begin : begin + int(counts[partition])]
            begin += len(part)
            yield partition, self.columns.where(part), self.seq[part]


@dataclass
class Runner:
    """Judges for every enabled watch as long as it holds the lease."""

    owner: str
    take: TakeFindings = take_findings
    _lease: Lease | None = None
    _watching: dict[int, Watching] = field(default_factory=dict)
    _families: dict[str, Family] = field(default_factory=dict)

    def tick(self, now: datetime, *, real_now: datetime | None = None) -> Passed:
        """Judge what is new at `now`, or nothing while another process holds the lease.

        `real_now` is the machine's clock, which leases run on whatever clock the installation keeps.
        """
        lease = take_lease(LEASE, self.owner, now=real_now or SystemClock().now(), ttl=LEASE_TTL)
        if lease is None:
            self._forget()
            return Passed(leads=False)
        if lease != self._lease:
            self._forget()
            self._lease = lease
        try:
            return self._pass(lease, now)
        except LeaseLost:
            self._forget()
            return Passed(leads=False)
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        self._lease = None
        self._watching = {}
        self._families = {}

    def _pass(self, lease: Lease, now: datetime) -> Passed:
        self._look_up()
        last = queries.last_tick()
        end = telemetry.last_batch()
        held = [each for watching in self._watching.values() for each in watching.held]
        read = last.upto_seq if last else min((each.cursor for each in held), default=end)
        upto = min(end, read + MAX_BATCHES_PER_TICK)
        if tick_due(last, now=now, upto_seq=upto):
            at = max(now, last.at) if last else now
            actions.record_tick(lease, upto_seq=upto, at=at)
        if not held:
            return Passed(leads=True, behind=end - upto)
        ticks = queries.ticks_after(min(each.tick_id for each in held))
        rows = findings = 0
        for tick in ticks:
            judged_rows, told = self._judge(lease, tick, is_last=tick is ticks[-1])
            rows += judged_rows
            findings += told
        take_learnt(lease, self._watching, self._families, now=now)
        behind = end - ticks[-1].upto_seq if ticks else 0
        return Passed(leads=True, ticks=len(ticks), rows=rows, findings=findings, behind=behind)

    def _look_up(self) -> None:
        """Take up watches that were set and drop those that were stopped or changed; a watch that cannot run is logged."""
        rows = {row.id: row for row in queries.family_rows(enabled_only=True)}
        anew = {each.row.code for each in self._watching.values() if not each.row.path and rows.get(each.row.id) != each.row}
        for watch_id, watching in list(self._watching.items()):
            row = rows.get(watch_id)
            if row is None or row.code in anew or not _remembers_alike(row, watching.row):
                del self._watching[watch_id]
            elif row != watching.row:
                watching.judge_by(row)
        for row in rows.values():
            if row.id in self._watching:
                continue
            try:
                taken = _take_up(row)
            except DetectorUnknown as error:
                _log.error("%s", error)
                continue
            if taken.held:
                self._watching[row.id] = taken
        self._families = families(list(rows.values()), self._watching, self._families) if any(row.path for row in rows.values()) else {}

    def _judge(self, lease: Lease, tick: Tick, *, is_last: bool) -> tuple[int, int]:
        """Judge one tick for every watch that has not passed it; return the rows and findings."""
        waiting = [each for each in self._watching.values() if any(held.tick_id < tick.id for held in each.held)]
        if not waiting:
            return 0, 0
        rows = _rows(min(held.cursor for each in waiting for held in each.held), upto=tick.upto_seq)
        known, place = _places(rows.columns.stream)
        waiting = self._settled(lease, known, tick)
        told = 0
        for watching in waiting:
            family = self._families.get(watching.row.code)
            found = _judge_watch(watching, tick, rows=rows, known=known, place=place, family=family)
            told += sum(len(findings) for _, findings in found)
            self._store(lease, watching, found, tick, is_last=is_last)
        return len(rows), told

    def _settled(self, lease: Lease, known: Catalogue, tick: Tick) -> list[Watching]:
        """Let streams be held by the watches that should hear them; return the watches that have not passed the tick."""
        for family in self._families.values():
            before = {each.row.id for each in family.members}
            after = {each.row.id: each for each in family.settle(lease, known)}
            for watch_id in before - set(after):
                del self._watching[watch_id]
            self._watching |= after
        return [each for each in self._watching.values() if any(held.tick_id < tick.id for held in each.held)]

    def _store(
        self, lease: Lease, watching: Watching, found: list[tuple[Held, list[FoundFinding]]], tick: Tick, *, is_last: bool,
    ) -> None:
        """Store the states that have findings, and at a checkpoint the others; what came late first, so that no stop loses it.

        A new process makes its first checkpoint once it has caught up: one that is killed often gets on all the same.
        """
        if watching.late:
            streams, moments = (np.concatenate([getattr(part, name) for part in watching.late]) for name in ("stream", "at_us"))
            actions.note_late(lease, watching.row.id, streams, moments, now=tick.at)
            watching.late = []
        work: list[tuple[Held, Sequence[FoundFinding]]] = [each for each in found if each[1]]
        is_time = is_last and to_us(tick.at) - watching.saved_us >= CHECKPOINT_US
        checkpoint = is_time or watching.rows_unsaved >= CHECKPOINT_ROWS
        if checkpoint:
            telling = {held.id for held, _ in work}
            work += [(held, ()) for held in watching.held if held.changed and held.id not in telling]
        take = partial(self.take, now=tick.at)
        for portion in portions(work, limit=MAX_FINDINGS_PER_TRANSACTION):
            judged = [Judged(held.id, dump(held.state), held.cursor, held.tick_id) for held in portion.done]
            actions.save(lease, judged, findings=portion.findings, take=take)
            for held in portion.done:
                held.changed = False
        if checkpoint:
            stored = {held.id for held, _ in work}
            actions.move_on(lease, [held.id for held in watching.held if held.id not in stored], cursor=tick.upto_seq, tick_id=tick.id)
            watching.rows_unsaved, watching.saved_us = 0, to_us(tick.at)


def _remembers_alike(row: WatchRow, before: WatchRow) -> bool:
    """Return whether what a watch of an area remembers stays of use though its row has changed."""
    return row == before or (bool(row.path) and replace(row, params=before.params, own=before.own) == before)


def _take_up(row: WatchRow) -> Watching:
    detector = detectors_found().get(row.detector)
    if detector is None or detector.version != row.version:
        found = str(detector.version) if detector else "—"
        raise DetectorUnknown(watch=row.code, detector=row.detector, version=row.version, found=found)
    held = [Held(each.id, each.partition, load(each.state), each.cursor, each.tick_id) for each in queries.states(row.id)]
    return Watching(row, detector, params_hash(row.params), held)


def _rows(after_seq: int, *, upto: int) -> Rows:
    batches = telemetry.batches_after(after_seq, upto=upto, limit=upto - after_seq) if upto > after_seq else []
    if not batches:
        return Rows(Columns.empty(), np.zeros(0, np.int64), np.zeros(0, np.uint8))
    columns = Columns.of([batch.columns for batch in batches])
    seq = np.repeat(np.array([batch.seq for batch in batches], np.int64), [len(batch.columns) for batch in batches])
    return Rows(columns, seq, np.concatenate([batch.partition for batch in batches]))


def _places(streams: Int64s) -> tuple[Catalogue, NDArray[np.intp]]:
    known = telemetry.catalogue()
    place = known.place(streams)
    if (place < 0).any():
        known = telemetry.newer_catalogue()
        place = known.place(streams)
    return known, place


def _judge_watch(
    watching: Watching, tick: Tick, *, rows: Rows, known: Catalogue, place: NDArray[np.intp], family: Family | None,
) -> list[tuple[Held, list[FoundFinding]]]:
    selected = known.selected(kind=watching.row.thing_kind, observed=watching.row.property)
    chosen = place >= 0
    chosen[chosen] = selected[place[chosen]]
    if family is not None and chosen.any():
        chosen[chosen] = family.hearers(rows.columns.stream[chosen], known) == watching.row.id
    parts = {partition: (columns, seq) for partition, columns, seq in rows.by_partition(chosen)}
    nothing = (Columns.empty(), np.zeros(0, np.int64))
    now_us = to_us(tick.at)
    told = []
    for held in watching.held:
        if held.tick_id >= tick.id:
            continue
        columns, seq = parts.get(held.partition, nothing)
        fresh = seq > held.cursor
        if not fresh.all():
            columns = columns.where(fresh)
        _note_late(watching, columns, judged_us=int(held.state["judged_us"][0]))
        state, findings = watching.detector.judge(
            columns, held.state, now_us=now_us, watermark_us=now_us - watching.row.lateness_s * SECOND_US, params=watching.row.params,
        )
        held.changed = held.changed or state is not held.state
        held.state, held.cursor, held.tick_id = state, tick.upto_seq, tick.id
        watching.rows_unsaved += len(columns)
        told.append((held, [_found(each, watching, known) for each in findings]))
    return told


def _note_late(watching: Watching, columns: Columns, *, judged_us: int) -> None:
    """Note the rows whose moment was judged without them; what lies before the watch began was never to be judged."""
    late = (columns.at_us <= judged_us) & (columns.at_us > to_us(watching.row.since))
    if late.any():
        watching.late.append(columns.where(late))


def _found(finding: Finding, watching: Watching, known: Catalogue) -> FoundFinding:
    place = int(known.place(np.array([finding.stream], np.int64))[0])
    exercise_id = int(known.exercise_id[place]) if place >= 0 else 0
    return FoundFinding(
        finding.kind, "datastream", finding.stream, finding.episode_us, finding.phase, finding.severity, finding.at_us,
        finding.reason_code, dict(finding.params), watching.detector.name, str(watching.detector.version), watching.params_hash,
        exercise_id or None,
    )


@cache
def runner() -> Runner:
    """Return this process's runner."""
    return Runner(holder(LEASE))


def tick(now: datetime) -> Passed:
    """Judge what is new at `now` with this process's runner; call again while the answer is behind."""
    passed = runner().tick(now)
    if not passed.leads:
        runner().owner = holder(LEASE)
    return passed


def serve(stopped: Callable[[], bool]) -> None:
    """Judge whenever readings arrive or a second has passed, until `stopped()`; an error is logged and tried again."""
    bell = wake.Bell(READINGS)
    try:
        while not stopped():
            try:
                behind = tick(clock().now()).behind
            except Exception:  # noqa: BLE001 - whatever failed, the watch must go on watching
                _log.exception("the watch failed and tries again")
                behind = 0
            if not behind:
                bell.wait(POLL_S)
    finally:
        bell.close()


def on_moves(events: Sequence[Event]) -> None:
    """Give the watches of moved areas their new paths."""
    for event in events:
        if event.kind == AREA_MOVED:
            move_paths(Watch.objects.all(), old=event.payload["from"], new=event.payload["to"])


def tidy() -> int:
    """Delete ticks that no watch needs any more and return how many."""
    return actions.forget_ticks(queries.needed_from_tick(), limit=TICKS_FORGOTTEN_AT_ONCE)
