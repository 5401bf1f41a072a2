"""One pass of the outbox: record what came back, deliver to inboxes, lease, and hand over to the senders.

A slow provider holds only its own channel's threads: they send outside any transaction and touch no table.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Protocol

import httpx
from django.conf import settings

from shouwang.journal.actions import wake_worker
from shouwang.journal.clock import clock
from shouwang.journal.rules import Lease
from shouwang.notify import actions, queries, registry
from shouwang.notify.actions import Leased, Result
from shouwang.notify.actions.sending import INBOX_PER_TRANSACTION
from shouwang.notify.contract import Channel, Manifest, Outcome, Outgoing, Rejected, Traits, Unknown
from shouwang.notify.outside import client
from shouwang.notify.rules import INBOX, Bundle, Step, Waiting, due_bundles, link_of, next_due_at, render

LEASE_S = 15.0
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
    """One leased message and how to send it; without a channel when the person has no address there."""

    leased: Leased
    channel: Channel | None
    outgoing: Outgoing


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

    def start(self, works: Sequence[Work]) -> None:
        """Begin to send `works`, in order."""
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

    def start(self, works: Sequence[Work]) -> None:
        """Send `works` now."""
        self._results += [Result(work.leased, attempt(work, self.http)) for work in works]

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
        self._back: queue.SimpleQueue[tuple[str, Result | None]] = queue.SimpleQueue()

    def free(self, channel: str) -> int:
        """Return how many threads of `channel` are idle."""
        return self._per_channel - self._busy.get(channel, 0)

    def start(self, works: Sequence[Work]) -> None:
        """Give `works` to their channels' threads."""
        until = time.monotonic() + LEASE_S
        for work in works:
            code = work.leased.channel
            self._busy[code] = self._busy.get(code, 0) + 1
            pool = self._pools.get(code)
            if pool is None:
                pool = self._pools[code] = ThreadPoolExecutor(self._per_channel, f"send-{code}")
            pool.submit(self._send, work, until)

    def finished(self) -> list[Result]:
        """Return the outcomes that have come back; one given up because its lease ran out brings none."""
        found = []
        while not self._back.empty():
            code, result = self._back.get()
            self._busy[code] -= 1
            if result is not None:
                found.append(result)
        return found

    def close(self) -> None:
        """Wait for what is being sent, and end the threads."""
        for pool in self._pools.values():
            pool.shutdown()

    def _send(self, work: Work, until: float) -> None:
        result = None
        try:
            if time.monotonic() < until:
                result = Result(work.leased, attempt(work, self._http))
        finally:
            self._back.put((work.leased.channel, result))
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
    return done.delivered + done.leased + done.recorded + done.failed


@cache
def _own_senders() -> PooledSenders:
    return PooledSenders(client(), on_done=wake_worker)


def make_pass(now: datetime, *, channels: Mapping[str, Served], senders: Senders, lease: Lease, pace: float = 1.0) -> Pass:
    """Make one pass at `now`; returns without waiting for the senders. Raises LeaseLost when another worker took over.

    `pace` is how many seconds of the clock pass in a real one.
    """
    traits = {code: served.manifest.traits for code, served in channels.items()}
    recorded = actions.record_outcomes(senders.finished(), now=now, lease=lease, traits=traits, pace=pace)
    waiting, last_sent = queries.waiting(now), queries.last_sent(now)
    due = due_bundles(waiting, last_sent, now=now)
    delivered = sum(actions.deliver_inbox(batch, now=now, lease=lease) for batch in _batches(due))
    failed = _fail_unserved(waiting, channels, now=now, lease=lease)
    leased = _lease(due, now=now, senders=senders, lease=lease, traits=traits, pace=pace)
    senders.start(_works(leased, channels, now))
    recorded += actions.record_outcomes(senders.finished(), now=now, lease=lease, traits=traits, pace=pace)
    alarms = (next_due_at(waiting, last_sent, now=now), queries.next_alarm_at(now))
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


def _fail_unserved(waiting: Sequence[Waiting], channels: Mapping[str, Served], *, now: datetime, lease: Lease) -> int:
    """End what waits for a channel that is switched off or gone, so that it does not wait for ever."""
    served = {INBOX, *channels}
    if all(each.channel in served for each in waiting) and not queries.has_lapsed(now, but=served):
        return 0
    return actions.fail_unserved(served, now=now, lease=lease)


def _lease(
    due: Sequence[Bundle], *, now: datetime, senders: Senders, lease: Lease, traits: Mapping[str, Traits], pace: float,
) -> list[Leased]:
    outside = [bundle for bundle in due if bundle.channel in traits]
    if not (outside or queries.has_lapsed(now, channels=traits)):
        return []
    free = {code: senders.free(code) for code in traits}
    return actions.lease_bundles(outside, now=now, lease=lease, free=free, traits=traits, ttl=timedelta(seconds=LEASE_S * pace))


def _works(leased: Sequence[Leased], channels: Mapping[str, Served], now: datetime) -> list[Work]:
    """Return the leased messages with their words and addresses."""
    books = {
        code: queries.contacts([each.person_id for each in leased if each.channel == code], code)
        for code in {each.channel for each in leased}
    }
    return [
        _work(each, channels[each.channel], books[each.channel].get(each.person_id, queries.Contact("", "zh")), now) for each in leased
    ]


def _work(leased: Leased, served: Served, contact: queries.Contact, now: datetime) -> Work:
    is_exercise = leased.exercise_id is not None
    link = link_of(leased.task_id, leased.person_id, template=leased.template, params=leased.params)
    limit = served.manifest.text_limit - len(link) - 1 if served.manifest.text_limit and link else served.manifest.text_limit
    text = render(
        leased.template, leased.params, language=contact.language, count=leased.count, limit=limit,
        is_exercise=is_exercise,
    )
    params = {**leased.params, "link": link} if link else leased.params
    outgoing = Outgoing(
        leased.key, contact.address, leased.template, params, f"{text} {link}" if link else text, contact.language, leased.severity, leased.count, now,
        is_exercise,
    )
    unreachable = served.manifest.needs_address and not contact.address and leased.step == Step.SEND
    return Work(leased, None if unreachable else served.channel, outgoing)
