"""One pass of the outbox: record what came back, deliver to inboxes, lease, and hand over to the senders.

A slow provider holds only its own channel's threads: they send outside any transaction and touch no table.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Protocol

import httpx
from django.conf import settings

from shouwang.journal.actions import wake_worker
from shouwang.journal.clock import clock
from shouwang.journal.rules import Lease
from shouwang.kernel.texts import Text
from shouwang.notify import actions, queries, registry
from shouwang.notify.actions import Leased, Result
from shouwang.notify.actions.sending import INBOX_PER_TRANSACTION
from shouwang.notify.contract import Channel, Manifest, Mention, Outcome, Outgoing, Rejected, Traits, Unknown
from shouwang.notify.jobs.playing import (
    MOVES,
    InlinePlayers,
    Players,
    PlayPass,
    PlaysSounds,
    check_speakers,
    on_moves,
    play_due,
    tidy_sounds,
)
from shouwang.notify.outside import TIMEOUT_S, client
from shouwang.notify.rules import INBOX, Bundle, Step, due_bundles, next_due_at
from shouwang.notify.rules.rates import Target, Turns
from shouwang.notify.rules.wording import Part, link_for, say

__all__ = [
    "MOVES", "InlinePlayers", "InlineSenders", "Pass", "PlayPass", "Players", "PlaysSounds", "PooledSenders", "Senders", "Served", "Work",
    "attempt", "check_speakers", "make_pass", "next_pass_at", "on_moves", "open_channels", "play_due", "send_due", "tidy_sounds",
]

LEASE_S = 15.0
LONGEST_SEND_S = 2 * TIMEOUT_S
"""How long the sending of one message may take: it is begun only where that fits into its lease."""
PER_CHANNEL = 8
INLINE_PER_PASS = 1_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Served:
    """A channel that is switched on."""

    manifest: Manifest
    channel: Channel


@dataclass(frozen=True, slots=True)
class Work:
    """One leased message and how to send it, or several that go to a group as one; without a channel where nobody can be reached."""

    leased: Leased
    channel: Channel | None
    outgoing: Outgoing
    others: tuple[Leased, ...] = ()

    def results(self, outcome: Outcome) -> list[Result]:
        """Return what `outcome` means for each of its messages."""
        return [Result(leased, outcome) for leased in (self.leased, *self.others)]


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass did, and when the next one is needed at the latest (None: when something is queued)."""

    delivered: int
    leased: int
    recorded: int
    failed: int
    next_at: datetime | None


class Senders(Protocol):
    """Carries leased messages out of the transaction and brings their outcomes back."""

    def free(self, channel: str) -> int:
        """Return how many more messages `channel` takes now."""
        ...

    def begin_by(self, now: datetime) -> float:
        """Return until when that may be begun which a pass of the moment `now` leases, in seconds of the clock that `start` compares with."""
        ...

    def start(self, works: Sequence[Work], until: float) -> None:
        """Begin to send `works`, in order; what cannot be begun before `until` is not sent."""
        ...

    def finished(self) -> list[Result]:
        """Return the outcomes that have come back since the last call."""
        ...


@dataclass
class InlineSenders:
    """Sends at once, one after another: for the simulator, commands and tests."""

    http: httpx.Client
    _results: list[Result] = field(default_factory=list)

    def free(self, channel: str) -> int:  # noqa: ARG002 - the same for every channel
        """Return how many messages one pass may take."""
        return INLINE_PER_PASS

    def begin_by(self, now: datetime) -> float:  # noqa: ARG002 - the same for every pass
        """Return no end: what is sent at once is sent in time."""
        return float("inf")

    def start(self, works: Sequence[Work], until: float) -> None:  # noqa: ARG002 - see begin_by
        """Send `works` now."""
        for work in works:
            self._results += work.results(attempt(work, self.http))

    def finished(self) -> list[Result]:
        """Return the outcomes of what was sent."""
        results, self._results = self._results, []
        return results


class PooledSenders:
    """Sends by a few threads per channel. `on_done` is called in a sender's thread after each message."""

    def __init__(self, http: httpx.Client, *, per_channel: int = PER_CHANNEL, on_done: Callable[[], None] = lambda: None) -> None:
        self._http = http
        self._per_channel = per_channel
        self._on_done = on_done
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._busy: dict[str, int] = {}
        self._back: queue.SimpleQueue[tuple[str, list[Result]]] = queue.SimpleQueue()

    def free(self, channel: str) -> int:
        """Return how many threads of `channel` are idle."""
        return self._per_channel - self._busy.get(channel, 0)

    def begin_by(self, now: datetime) -> float:
        """Return until when, on the machine's own clock, the sending still ends within the lease of a pass that began at `now`."""
        passed_s = clock().real_seconds(max(clock().now() - now, timedelta()))
        return time.monotonic() - passed_s + LEASE_S - LONGEST_SEND_S

    def start(self, works: Sequence[Work], until: float) -> None:
        """Give `works` to their channels' threads, to be begun before `until`."""
        for work in works:
            code = work.leased.channel
            self._busy[code] = self._busy.get(code, 0) + 1
            pool = self._pools.get(code)
            if pool is None:
                pool = self._pools[code] = ThreadPoolExecutor(self._per_channel, f"send-{code}")
            pool.submit(self._send, work, until)

    def finished(self) -> list[Result]:
        """Return the outcomes that have come back; one given up because its lease ran out brings none."""
        found: list[Result] = []
        while not self._back.empty():
            code, results = self._back.get()
            self._busy[code] -= 1
            found += results
        return found

    def close(self) -> None:
        """Wait for what is being sent, and end the threads."""
        for pool in self._pools.values():
            pool.shutdown()

    def _send(self, work: Work, until: float) -> None:
        results: list[Result] = []
        try:
            if time.monotonic() < until:
                results = work.results(attempt(work, self._http))
        finally:
            self._back.put((work.leased.channel, results))
            self._on_done()


def attempt(work: Work, http: httpx.Client) -> Outcome:
    """Return what came of sending, or asking about, one message; a channel that raises leaves it unknown."""
    if work.channel is None:
        return Rejected("NO_ADDRESS")
    try:
        if work.leased.step == Step.QUERY:
            return work.channel.query(work.leased.key, http=http)
        return work.channel.send(work.outgoing, http=http)
    except Exception as error:  # noqa: BLE001 - a channel is a plug-in: whatever it raises must not stop the others
        _log.error("channel %s raised %s for message %d", work.leased.channel, type(error).__name__, work.leased.id)
        return Unknown("CHANNEL_BROKEN")


def open_channels() -> dict[str, Served]:
    """Return the channels that are switched on, beside the inbox."""
    stored = queries.settings()
    return {
        code: Served(manifest, registry.make(code, stored[code].settings, allowed=settings.SHOUWANG_WEBHOOK_ALLOW))
        for code, manifest in registry.manifests().items()
        if code != INBOX and code in stored and stored[code].enabled
    }


def send_due(now: datetime, *, lease: Lease) -> int:
    """Make one pass over the channels that are switched on, with this process's senders; return how much there was to do."""
    speed = 1.0 / clock().real_seconds(timedelta(seconds=1))
    done = make_pass(now, channels=open_channels(), senders=_own_senders(), lease=lease, pace=speed)
    _alarm.at = done.next_at
    return done.delivered + done.leased + done.recorded + done.failed


def next_pass_at() -> datetime | None:
    """Return when this process's last `send_due` wanted the next one at the latest; None: when something is queued."""
    return _alarm.at


@dataclass
class _Alarm:
    at: datetime | None = None


_alarm = _Alarm()


@cache
def _own_senders() -> PooledSenders:
    return PooledSenders(client(), on_done=wake_worker)


def make_pass(now: datetime, *, channels: Mapping[str, Served], senders: Senders, lease: Lease, pace: float = 1.0) -> Pass:
    """Make one pass at `now`; returns without waiting for the senders. Raises LeaseLost when another worker took over.

    `pace` is how many seconds of the clock pass in a real one.
    """
    traits = {code: served.manifest.traits for code, served in channels.items()}
    recorded = actions.record_outcomes(senders.finished(), now=now, lease=lease, traits=traits, pace=pace)
    waiting = queries.waiting(now)
    last_sent, lapsed = queries.last_sent(now) if waiting else {}, queries.lapsed_channels(now)
    due = due_bundles(waiting, last_sent, now=now)
    delivered = sum(actions.deliver_inbox(batch, now=now, lease=lease) for batch in _batches(due))
    failed = _fail_unserved({each.channel for each in waiting} | lapsed, channels, now=now, lease=lease)
    until = senders.begin_by(now)  # before the commit: a process that sleeps right after it must not send what another has taken
    outside = _without_the_quiet([bundle for bundle in due if bundle.channel in channels], now=now, lease=lease)
    room = actions.Room({code: senders.free(code) for code in channels}, Turns(now, pace), _targets_of(channels))
    leased = _lease(outside, now=now, room=room, lease=lease, traits=traits, pace=pace, may_lapse=not lapsed.isdisjoint(traits))
    senders.start(_works(leased, channels, now), until)
    recorded += actions.record_outcomes(senders.finished(), now=now, lease=lease, traits=traits, pace=pace)
    alarms = (next_due_at(waiting, last_sent, now=now), queries.next_alarm_at(now), room.turns.next_at)
    return Pass(delivered, len(leased), recorded, failed, min((at for at in alarms if at is not None), default=None))


def _batches(due: Sequence[Bundle]) -> Iterator[list[Bundle]]:
    """Cut the inbox bundles into transactions of about INBOX_PER_TRANSACTION messages."""
    batch: list[Bundle] = []
    held = 0
    for bundle in due:
        if bundle.channel == INBOX:
            batch.append(bundle)
            held += bundle.count
            if held >= INBOX_PER_TRANSACTION:
                yield batch
                batch, held = [], 0
    yield batch


def _fail_unserved(asked: Collection[str], channels: Mapping[str, Served], *, now: datetime, lease: Lease) -> int:
    """End what waits for a channel that is switched off or gone, so that it does not wait for ever; `asked` are those with work."""
    served = {INBOX, *channels}
    return 0 if served.issuperset(asked) else actions.fail_unserved(served, now=now, lease=lease)


def _without_the_quiet(bundles: Sequence[Bundle], *, now: datetime, lease: Lease) -> list[Bundle]:
    """Put off what is not red and whose person has quiet hours now; return the rest."""
    ends = queries.quiet_ends({bundle.person_id for bundle in bundles if not bundle.urgent}, now=now)
    quiet = {bundle: ends[bundle.person_id] for bundle in bundles if not bundle.urgent and bundle.person_id in ends}
    actions.put_off(list(quiet.items()), now=now, lease=lease)
    return [bundle for bundle in bundles if bundle not in quiet]


def _targets_of(channels: Mapping[str, Served]) -> Callable[[str, Collection[int]], Mapping[int, Target]]:
    def targets_of(channel: str, person_ids: Collection[int]) -> Mapping[int, Target]:
        return queries.targets(person_ids, channels[channel].manifest)

    return targets_of


def _lease(
    due: Sequence[Bundle], *, now: datetime, room: actions.Room, lease: Lease, traits: Mapping[str, Traits], pace: float, may_lapse: bool,
) -> list[Leased]:
    """Lease what may go now, and what comes again if something has lapsed; nothing where another process took a turn at the same moment."""
    room.learn({(bundle.channel, bundle.person_id) for bundle in due})
    free = [bundle for bundle in due if room.may(bundle)]
    if not (free or may_lapse):
        return []
    try:
        return actions.lease_bundles(free, now=now, lease=lease, room=room, traits=traits, ttl=timedelta(seconds=LEASE_S * pace))
    except actions.TurnTaken:
        return []


def _works(leased: Sequence[Leased], channels: Mapping[str, Served], now: datetime) -> list[Work]:
    """Return the leased messages with their words and addresses; those of one group are one work."""
    books = {
        code: queries.contacts([each.person_id for each in leased if each.channel == code], code)
        for code in {each.channel for each in leased}
    }
    works: dict[tuple[str, int], list[Leased]] = {}
    for each in leased:
        works.setdefault((each.channel, each.group or -each.id), []).append(each)
    own = queries.texts_for({each.person_id for each in leased})
    return [_work(together, channels[together[0].channel], books[together[0].channel], own, now) for together in works.values()]


def _work(
    together: Sequence[Leased], served: Served, book: Mapping[int, queries.Contact], own: Mapping[int, queries.Texts], now: datetime,
) -> Work:
    """Return how these messages, mostly one, are sent: the gravest, then oldest, first."""
    leader, *others = sorted(together, key=lambda each: (-each.severity, each.id))
    contact = book.get(leader.person_id, queries.Contact("", "zh"))
    manifest = served.manifest
    parts = [_part(each, own.get(each.person_id, {}).get(each.template)) for each in (leader, *others)]
    link = _link(parts[0], manifest)
    text = _text(parts, manifest, language=contact.language, link=link if manifest.link == "IN_TEXT" else "")
    met = {each.person_id: book.get(each.person_id, queries.Contact("", "zh")) for each in (leader, *others)}
    outgoing = Outgoing(
        leader.key, contact.address, leader.template, {**leader.params, "link": link} if link else leader.params, text,
        contact.language, leader.severity, sum(each.count for each in together), now, leader.exercise_id is not None, link,
        contact.robot, tuple(Mention(each.address, each.phone) for each in met.values()) if manifest.is_shared else (),
    )
    unreachable = manifest.needs_address and not contact.address and leader.step == Step.SEND
    return Work(leader, None if unreachable else served.channel, outgoing, tuple(others))


def _link(part: Part, manifest: Manifest) -> str:
    """Return the address a message carries; none where it cannot be made: the words must go all the same."""
    try:
        return "" if manifest.link == "NONE" else link_for(part, is_shared=manifest.is_shared)
    except Exception as error:  # noqa: BLE001 - whatever one address meets, the other messages must go
        _log.error("no address for a message of template %s: %s", part.template, type(error).__name__)
        return ""


def _text(parts: Sequence[Part], manifest: Manifest, *, language: str, link: str) -> str:
    """Return what is said: an area's own words, else the shipped, else plain ones, for somebody waits for this message and others."""
    shipped = [replace(part, own=None) for part in parts]
    for said in (parts, shipped):
        try:
            return say(said, language=language, link=link, limit=manifest.text_limit)
        except Exception as error:  # noqa: BLE001 - whatever one template meets, the other messages must go
            _log.error("template %s cannot be said: %s", parts[0].template, type(error).__name__)
    return say([replace(part, is_plain=True) for part in shipped], language=language, link=link, limit=manifest.text_limit)


def _part(leased: Leased, own: Text | None) -> Part:
    return Part(
        leased.person_id, leased.template, leased.params, leased.count, task_id=leased.task_id,
        is_exercise=leased.exercise_id is not None, was_quiet=leased.was_quiet, own=own,
    )
