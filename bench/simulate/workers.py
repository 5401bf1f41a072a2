"""The worker and watch processes of the play: several of each, each with its own lease, dying and starting again.

They do what `config.wiring.run_worker` and `watch.jobs.serve` do, without the waiting: the passes themselves are the
product's. A process whose pass could do nothing is not started.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from unittest.mock import patch

from django.conf import settings

from bench.simulate import store, tables
from bench.simulate.checks.ladder import Ladder
from bench.simulate.faults import WORKER, Faults
from bench.simulate.gateway import Gateway
from bench.simulate.stage import Stage
from shouwang.config import wiring
from shouwang.journal import actions as journal
from shouwang.journal.rules import Lease, LeaseLost
from shouwang.kernel.moments import to_us
from shouwang.notify import jobs as notify
from shouwang.notify import queries as messages
from shouwang.notify import registry
from shouwang.notify.actions import Result
from shouwang.notify.contract import Unknown
from shouwang.notify.events import MESSAGE_FAILED, REPLY_RECEIVED
from shouwang.watch import jobs as watch

WORKERS = 3
WATCHES = 2
PER_CHANNEL = 8
POLL = timedelta(minutes=120)
AT_LEAST_EVERY = timedelta(hours=4)
_HURRY = {"case.closed", "case.withdrawn", REPLY_RECEIVED, MESSAGE_FAILED}
_WORK = (
    "SELECT 1 FROM journal_timer WHERE due_at <= %s LIMIT 1",
    "SELECT 1 FROM notify_message WHERE done_at IS NULL AND leader_id IS NULL AND lease_until IS NULL LIMIT 1",
    "SELECT 1 FROM notify_message WHERE done_at IS NULL AND lease_until IS NOT NULL AND lease_until <= %s LIMIT 1",
    *(
        f"SELECT 1 FROM journal_event WHERE kind IN ({', '.join(repr(kind) for kind in kinds)}) AND seq > coalesce("
        f"(SELECT seq FROM journal_listenercursor WHERE name = '{name}'), 0) LIMIT 1"
        for name, kinds, _ in wiring.LISTENERS if {*kinds} <= _HURRY
    ),
)
_OUTBOX = "SELECT sum(state), sum(attempts), count(done_at), count(lease_until), max(push_seq) FROM notify_message"
JOBS_EVERY = timedelta(hours=8)
JOBS = [job for job in wiring.JOBS if job.name in ("living_alone.look_again", "living_alone.check_meters", "watch.review")]
Pushed = Callable[[Sequence[tables.Pushed]], None]


@dataclass
class Senders:
    """Sends as the product's pool does: an outcome comes back later, and what cannot be begun within the lease is left.

    `look` is called while a slow one is still on its way: a worker makes its passes all the same.
    """

    stage: Stage
    gateway: Gateway
    dice: Random
    look: Callable[[], None]
    _back: deque[tuple[datetime, Result]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._http = self.gateway.client()

    def free(self, channel: str) -> int:
        """Return how many more messages `channel` takes now."""
        return PER_CHANNEL - sum(result.leased.channel == channel for _, result in self._back)

    def begin_by(self, now: datetime) -> float:
        """Return until when, in true time, the sending still ends within the lease of a pass that began at `now`."""
        passed = max(self.stage.wall() - now, timedelta())
        return (self.stage.true - passed).timestamp() + notify.LEASE_S - notify.LONGEST_SEND_S

    def start(self, works: Sequence[notify.Work], until: float) -> None:
        """Send `works`, as long as their lease lasts."""
        for work in works:
            if self.stage.true.timestamp() < until:
                takes = timedelta(seconds=self.dice.uniform(1, 30) if self.gateway.faults.happens("delay", 0.03) else 0)
                self.gateway.takes = takes
                outcome = notify.attempt(work, self._http)
                if outcome == Unknown("CHANNEL_BROKEN"):
                    self.stage.violate("a channel does not break", found=f"{work.leased.channel} for {work.leased.key}", expected="an outcome", message=work.leased.id)
                self._back += [(self.stage.true + takes, result) for result in work.results(outcome)]
                if takes:
                    self.stage.after(takes / 2, self.look)

    def waits(self) -> bool:
        """Return whether an outcome is there that was not fetched."""
        return any(at <= self.stage.true for at, _ in self._back)

    def finished(self) -> list[Result]:
        """Return the outcomes that are there by now."""
        ready = [result for at, result in self._back if at <= self.stage.true]
        self._back = deque((at, result) for at, result in self._back if at > self.stage.true)
        return ready


@dataclass
class Dispatch:
    """What the workers share: the bell that rings when there is work, and when the next is due."""

    stage: Stage
    faults: Faults
    gateway: Gateway
    ladder: Ladder
    pushed: Pushed
    last_at: datetime | None = None
    jobs_at: datetime | None = None
    push_seq: int = 0
    holders: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    channels: dict[str, notify.Served] = field(default_factory=dict)

    def open_channels(self) -> None:
        """Open the channels that the county has switched on, allowed to reach the simulator's outside only."""
        manifests = registry.manifests()
        self.channels = {
            code: notify.Served(manifests[code], registry.make(code, each.settings, allowed=settings.SHOUWANG_WEBHOOK_ALLOW))
            for code, each in messages.settings().items() if each.enabled
        }

    def has_work(self) -> bool:
        """Return whether a pass could do something."""
        now = self.stage.wall()
        if self.last_at is None or not timedelta() <= now - self.last_at < AT_LEAST_EVERY:
            return True
        now_us = to_us(now)
        return any(store.rows(asked, (now_us,) if "%s" in asked else ()) for asked in _WORK)

    def lease(self, name: str, owner: str, ttl: timedelta) -> Lease | None:
        """Take a lease as a process does; nobody may get it while another's has not run out."""
        now = self.stage.wall()
        lease = journal.take_lease(name, owner, now=now, ttl=ttl)
        if lease is not None:
            self.held(name, owner, now, ttl)
        return lease

    def held(self, name: str, owner: str, now: datetime, ttl: timedelta) -> None:
        """Note who holds a lease, and check that nobody else did."""
        other, until = self.holders.get(name, ("", now))
        if other not in ("", owner) and now < until <= now + ttl:
            self.stage.violate(f"one holder of the lease {name}", found=f"{owner} beside {other} until {until}", expected="one")
        self.holders[name] = (owner, now + ttl)


@dataclass
class Outdated:
    """Looks at the outbox when a worker wakes up whose lease was taken over, and again when its pass ends: nothing was taken up, sent or ended.

    It may have queued something: a timer is claimed by itself, whoever rings it.
    """

    stage: Stage
    lease: Lease
    outbox: list[tuple[object, ...]] | None = None

    def woke(self) -> None:
        """Note how the outbox stands if the lease is another's by now."""
        ((fence,),) = store.rows("SELECT fence FROM journal_lease WHERE name = %s", (self.lease.name,))
        self.outbox = store.rows(_OUTBOX) if fence != self.lease.fence else None

    def check(self) -> None:
        """Compare the outbox with what it was."""
        if self.outbox is not None and store.rows(_OUTBOX) != self.outbox:
            self.stage.violate("I5 whoever lost the lease sends nothing", found=str(store.rows(_OUTBOX)), expected=str(self.outbox))


@dataclass
class Worker:
    """One worker process."""

    number: int
    dispatch: Dispatch
    dice: Random
    life: int = 0
    busy: bool = False
    alive: bool = True

    def __post_init__(self) -> None:
        self._begin()

    @property
    def owner(self) -> str:
        """Return the name under which this process holds its lease: the first of a machine bears its dead predecessor's."""
        return f"worker-{self.number}" if self.number == 0 else f"worker-{self.number}.{self.life}"

    def _begin(self) -> None:
        self.life += 1
        self.alive = True
        self.senders = Senders(self.dispatch.stage, self.dispatch.gateway, self.dice, lambda: self.poll(anyway=True))
        self.news, self.schedule = wiring.News(), wiring.Schedule(JOBS)

    def _begin_again(self) -> None:
        self._begin()
        self.poll()

    def poll(self, *, anyway: bool = False) -> None:
        """Make one pass if there may be something to do, or anyway; die or sleep on the way if it so happens."""
        dispatch = self.dispatch
        if self.busy or not self.alive or not (anyway or dispatch.has_work() or self.senders.waits()):
            return
        self.busy = True
        try:
            if not dispatch.faults.attempt(self.owner, self._pass, WORKER):
                self.alive = False
                dispatch.stage.log("died", who=self.owner)
                dispatch.stage.after(timedelta(seconds=self.dice.uniform(2, 1200)), self._begin_again)
        finally:
            self.busy = False

    def _pass(self) -> None:
        dispatch, now = self.dispatch, self.dispatch.stage.wall()
        lease = dispatch.lease("worker", self.owner, wiring.LEASE_TTL)
        if lease is None:
            dispatch.stage.log("lease is held by another")
            dispatch.stage.after(wiring.LEASE_TTL, self.poll)
            return
        dispatch.stage.counts["passes"] += 1
        outdated = Outdated(dispatch.stage, lease)
        dispatch.faults.woken = outdated.woke
        watched = dispatch.ladder.before(now)
        try:
            self.work(lease, now)
            dispatch.last_at = now
            if dispatch.ladder.after(watched, now):
                dispatch.stage.after(timedelta(seconds=1), self.poll)
        except LeaseLost:
            dispatch.stage.counts["leases_lost"] += 1
            dispatch.stage.log("lease lost")
        except Exception as error:  # noqa: BLE001 - a worker that fails is what is looked for
            dispatch.stage.violate("a worker's pass ends", found=f"{type(error).__name__}: {error}"[:300], expected="no error")
        finally:
            dispatch.faults.woken = None
            outdated.check()
            self._look_at_inboxes()

    def work(self, lease: Lease, now: datetime) -> None:
        """Do what `wiring.run_worker` does in one pass, and the jobs of its schedule now and then."""
        with patch.object(wiring, "send_due", self.send):
            wiring.work_once(lease, now=now, news=self.news)
        if self.dispatch.jobs_at is None or self.dispatch.jobs_at <= now:
            self.dispatch.jobs_at = now + JOBS_EVERY
            while self.schedule.run(now):
                self.dispatch.stage.counts["jobs"] += 1

    def send(self, now: datetime, *, lease: Lease) -> int:
        """Make the product's pass of the outbox, with the channels, senders and outside of the play."""
        done = notify.make_pass(now, channels=self.dispatch.channels, senders=self.senders, lease=lease)
        return done.delivered + done.leased + done.recorded + done.failed

    def _look_at_inboxes(self) -> None:
        entries = tables.pushes_after(self.dispatch.push_seq)
        if entries:
            self.dispatch.push_seq = entries[-1].push_seq
            self.dispatch.pushed(entries)


@dataclass
class Watcher:
    """One watch process."""

    number: int
    dispatch: Dispatch
    dice: Random
    life: int = 0
    busy: bool = False
    alive: bool = True

    def __post_init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.life += 1
        self.alive = True
        self.runner = watch.Runner(f"watch-{self.number}.{self.life}")

    def poll(self) -> None:
        """Judge what is new."""
        if self.busy or not self.alive:
            return
        self.busy = True
        faults = self.dispatch.faults
        try:
            if not faults.attempt(self.runner.owner, self._tick, WORKER):
                self.alive = False
                self.dispatch.stage.after(timedelta(seconds=self.dice.uniform(2, 1200)), self._begin)
        finally:
            self.busy = False

    def _tick(self) -> None:
        stage, now = self.dispatch.stage, self.dispatch.stage.wall()
        for _ in range(10):
            try:
                passed = self.runner.tick(now, real_now=now)
            except Exception as error:  # noqa: BLE001 - a watch that fails is what is looked for
                stage.violate("a watch's pass ends", found=f"{type(error).__name__}: {error}"[:300], expected="no error")
                return
            if passed.leads:
                stage.counts["ticks"] += 1
                self.dispatch.held("watch", self.runner.owner, now, watch.LEASE_TTL)
            if not passed.behind:
                return
