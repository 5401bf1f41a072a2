"""One play from its seed: a county, its people and its faults for thirty days, then quiet until everything has ended."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from bench.simulate import VARIANTS, county, procedures, store
from bench.simulate.checks import cases, journal, messages, sensed
from bench.simulate.checks.hourly import Hourly
from bench.simulate.checks.ladder import Ladder
from bench.simulate.desk import Desk
from bench.simulate.faults import Faults, Wall
from bench.simulate.gateway import Gateway
from bench.simulate.people import People
from bench.simulate.requests import Requests
from bench.simulate.sources import Meters, OtherSystems
from bench.simulate.stage import MOST_VIOLATIONS, Enough, Stage
from bench.simulate.workers import POLL, WATCHES, WORKERS, Dispatch, Watcher, Worker
from shouwang.kernel.clock import ManualClock

CASES_PER_DAY = 15.0
LOOK = timedelta(minutes=60)
TICK = timedelta(hours=16)
QUIET = timedelta(hours=12)
LAST_PASSES = 40
_ALIVE = "SELECT 1 FROM notify_message WHERE done_at IS NULL LIMIT 1"


@dataclass(frozen=True)
class Outcome:
    """What came of one seed."""

    seed: int
    seconds: float
    cpu_s: float
    hash: str
    counts: dict[str, int]
    faults: dict[str, int]
    violations: list[dict[str, Any]]
    trail: list[str]


def simulate(seed: int, *, days: int = 30, stop_at: int = MOST_VIOLATIONS, cases_per_day: float = CASES_PER_DAY) -> Outcome:
    """Play `seed` in the database of this process, which is emptied first, and return what was found."""
    began, began_cpu = time.perf_counter(), time.process_time()
    procedures.register()
    variant = seed % VARIANTS
    play = Play(seed, store.fresh(variant, days=days, make=lambda: county.make(variant, days=days)), days=days, stop_at=stop_at, cases_per_day=cases_per_day)
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        play.run()
    finally:
        gc.enable()
        gc.unfreeze()
    stage = play.stage
    trail = stage.trail(stage.violations[0]) if stage.violations else []
    return Outcome(
        seed, round(time.perf_counter() - began, 2), round(time.process_time() - began_cpu, 2), play.hash, dict(stage.counts), dict(play.faults.counts),
        [asdict(each) for each in stage.violations], trail,
    )


class Play:
    """The players of one seed."""

    def __init__(self, seed: int, place: county.County, *, days: int, stop_at: int, cases_per_day: float) -> None:
        self.stage = stage = Stage(seed, place.start, place.start + timedelta(days=days), stop_at=stop_at)
        self.county = place
        self.faults = Faults(stage, stage.chance("faults"))
        self.ladder = Ladder(stage, place.oracle)
        self.requests = Requests(stage, self.faults, stage.chance("requests"))
        self.people = People(stage, self.faults, stage.chance("people"), place, self.requests, self.ladder.replied)
        self.gateway = Gateway(stage, self.faults, stage.chance("gateway"), place.phones, self.people.told, self.people.reported)
        self.dispatch = Dispatch(stage, self.faults, self.gateway, self.ladder, self.people.pushed)
        self.workers = [Worker(n, self.dispatch, stage.chance(f"worker {n}")) for n in range(WORKERS)]
        self.watchers = [Watcher(n, self.dispatch, stage.chance(f"watcher {n}")) for n in range(WATCHES)]
        self.meters = Meters(stage, self.faults, stage.chance("meters"), place)
        self.others = OtherSystems(stage, self.faults, stage.chance("others"), place, bursts_per_day=cases_per_day * 0.27)
        self.desk = Desk(stage, stage.chance("desk"), place, self.requests)
        self.hourly = Hourly(stage)
        self.wall = Wall(stage, self.faults, stage.chance("wall"))
        self.faults.meanwhile = self._meanwhile
        self.hash = ""

    def run(self) -> None:
        """Play until the end, or until enough was found."""
        with self._on_stage():
            try:
                self._begin()
                self.stage.play(self.stage.end)
                self._quiet()
                self._look_back()
            except Enough:
                pass

    @contextmanager
    def _on_stage(self) -> Iterator[None]:
        """Give the product the wall clock, our bells and our faults: time, the outside and chance are arguments."""
        clock = _WallClock(self.stage)
        with ExitStack() as stack:
            stack.enter_context(patch("shouwang.journal.clock.clock", lambda: clock))
            stack.enter_context(patch("shouwang.journal.wake.ring", lambda _: None))
            stack.enter_context(self.faults.at_commits())
            yield

    def _begin(self) -> None:
        self.dispatch.open_channels()
        self.meters.begin()
        self.others.begin()
        self.desk.begin()
        self.wall.begin()
        stage = self.stage
        for n, worker in enumerate(self.workers):
            stage.every(POLL, worker.poll, first=POLL * n / WORKERS)
        stage.every(POLL * 7, self._crowd, first=POLL * 3)
        for n, watcher in enumerate(self.watchers):
            stage.every(TICK, watcher.poll, first=timedelta(hours=8.5 + 8 * n))
        stage.every(LOOK, self.hourly.check)
        stage.every(timedelta(hours=6), self.hourly.told)

    def _meanwhile(self) -> None:
        """Let the first worker that does not sleep make a pass while another sleeps."""
        awake = [worker for worker in self.workers if worker.alive and not worker.busy]
        if awake:
            awake[0].poll(anyway=True)

    def _crowd(self) -> None:
        """Let all processes come at once, within each other's leases."""
        for n, process in enumerate([*self.workers, *self.watchers]):
            self.stage.after(timedelta(seconds=1 + 2 * n), process.poll)

    def _quiet(self) -> None:
        """Without faults and without new alerts, let everything end that has an end."""
        self.faults.enabled = False
        self.stage.jump(timedelta())
        self.stage.end += QUIET
        self.desk.resume_all()
        for worker in self.workers:
            worker.alive = True
            self.stage.every(timedelta(minutes=10), worker.poll)
        self.stage.play(self.stage.end)
        self.stage.end -= QUIET
        self.hourly.check()
        self.hourly.told()
        self._last_passes()

    def _last_passes(self) -> None:
        """Let a last whole pass follow the last answer, and its messages go; nobody answers any more."""
        self.people.looking |= set(self.county.persons)
        worker = self.workers[0]
        for turn in range(LAST_PASSES):
            if turn > 1 and not store.rows(_ALIVE):
                break
            self.stage.true += timedelta(minutes=5)
            now = self.stage.wall()
            lease = self.dispatch.lease("worker", "last", timedelta(seconds=10))
            if lease is not None and turn == 0:
                worker.work(lease, now)
            elif lease is not None:
                worker.send(now, lease=lease)

    def _look_back(self) -> None:
        counts = self.stage.counts
        counts["messages"] = messages.check(self.stage, self.gateway)
        counts["cases"] = cases.check(self.stage, self.people.completed)
        counts["silences"] = sensed.silences(self.stage, self.meters)
        counts["readings"] = len(self.meters.acknowledged)
        sensed.readings(self.stage, self.meters)
        sensed.posted(self.stage, self.others.acknowledged)
        sensed.scopes(self.stage, self.county)
        counts["events"] = journal.check(self.stage)
        self.hash = journal.head()


class _WallClock(ManualClock):
    """The wall clock of the stage, for what asks the installation's clock."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.start)
        self._stage = stage

    def now(self) -> datetime:
        """Return what the clock on the wall shows."""
        return self._stage.wall()
