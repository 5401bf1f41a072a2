"""Sending: what reaches an inbox, and what came of the messages that were leased. Done by the holder of the worker's lease.

Each transaction checks the lease's fence, and each row is changed only while it is still this worker's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction

from shouwang.journal import wake
from shouwang.journal.actions import check_fence, lock_order
from shouwang.journal.rules import Lease, NewEvent
from shouwang.journal.sql import run
from shouwang.kernel.moments import to_us
from shouwang.notify import queries
from shouwang.notify.actions.claiming import Leased, hold
from shouwang.notify.actions.ending import append_failures, failures_of
from shouwang.notify.actions.leading import CHUNK, lead, remember
from shouwang.notify.rules import Bundle, Delivered, Next, Outcome, Retry, Sent, State, Step, Traits, after_query, after_send

INBOX_PER_TRANSACTION = 5_000
SILENT = Traits(honours_key=False, gives_receipt=False, can_query=False)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one leased message."""

    leased: Leased
    outcome: Outcome


def deliver_inbox(bundles: Sequence[Bundle], *, now: datetime, lease: Lease) -> int:
    """Deliver inbox `bundles` in one transaction, the urgent ones first, and return how many messages that were.

    Nothing leaves, so the rows are the delivery: each bundle's leader gets the next number of the live stream. Whoever
    calls limits the bundles to about INBOX_PER_TRANSACTION messages.
    """
    if not bundles:
        return 0
    with transaction.atomic():
        check_fence(lease)
        lock_order()
        urgent = [bundle.first_id for bundle in bundles if bundle.urgent]
        alone = [bundle.first_id for bundle in bundles if not bundle.urgent and bundle.count == 1]
        several = [bundle for bundle in bundles if bundle.count > 1]
        done = {"state": int(State.DELIVERED), "done_at": to_us(now)}
        led = [lead(bundle, now=now, **done) for bundle in several]
        delivered = _push(urgent, done) + _push([*alone, *(leader for leader, _ in led)], done) + sum(count for _, count in led)
        remember(bundles, now=now)
        transaction.on_commit(partial(wake.ring, "pushes"))
    return delivered


def record_outcomes(
    results: Sequence[Result], *, now: datetime, lease: Lease, traits: Mapping[str, Traits], pace: float = 1.0,
) -> int:
    """Record what came of leased messages in one transaction and return how many of them were still this worker's.

    `pace` is how many seconds of the clock pass in a real one: waits before another attempt are real time. What ends
    failed or unknown is published, so that escalation goes on.
    """
    if not results:
        return 0
    failures: list[NewEvent] = []
    recorded = 0
    with transaction.atomic():
        check_fence(lease)
        for result in results:
            following = _following(result, traits.get(result.leased.channel, SILENT), now)
            if _record(result, following, now=now, pace=pace):
                recorded += 1
                _hold(result, now=now, pace=pace)
                if following.is_failure:
                    failures += failures_of(result.leased.id)
        append_failures(failures, now=now)
    return recorded


_PUSH = """
UPDATE notify_message SET push_seq = id + %s, state = %s, done_at = %s
WHERE done_at IS NULL AND leader_id IS NULL AND lease_until IS NULL AND id IN {ids}
"""
_MINE = "id = %s AND state = %s AND fence = %s AND lease_until = %s"


def _push(leaders: Sequence[int], done: Mapping[str, Any]) -> int:
    """Deliver these leaders; their numbers follow the last one, in the order of their ids. Returns how many there were."""
    if not leaders:
        return 0
    shift = queries.last_push_seq() + 1 - min(leaders)
    return sum(
        run(_PUSH.replace("{ids}", f"({', '.join(['%s'] * len(some))})"), (shift, *done.values(), *some)).rowcount
        for some in (leaders[at : at + CHUNK] for at in range(0, len(leaders), CHUNK))
    )


def _following(result: Result, traits: Traits, now: datetime) -> Next:
    leased = result.leased
    if leased.step == Step.QUERY:
        return after_query(
            result.outcome, was=leased.was, traits=traits, attempts=leased.attempts, repeats=leased.repeats, now=now,
        )
    return after_send(result.outcome, traits=traits, attempts=leased.attempts, now=now)


def _record(result: Result, following: Next, *, now: datetime, pace: float) -> bool:
    leased = result.leased
    columns: dict[str, Any] = {"state": int(following.state), "reason": following.reason, "done_at": to_us(now), "lease_until": None, "fence": None}
    if following.again_at is not None:
        again_us = to_us(now + (following.again_at - now) * pace)
        columns |= {"done_at": None, "lease_until": again_us, "attempts": following.attempts}
    if following.is_repeat:
        columns["repeats"] = leased.repeats + 1
    if isinstance(result.outcome, Sent | Delivered) and result.outcome.ref:
        columns["provider_ref"] = result.outcome.ref[:80]
    mine = (leased.id, int(State.LEASED), leased.fence, to_us(leased.lease_until))
    changes = ", ".join(f"{column} = %s" for column in columns)
    record = f"UPDATE notify_message SET {changes} WHERE {_MINE}"  # noqa: S608 - names come from the code
    if not run(record, (*columns.values(), *mine)).rowcount:
        return False
    if leased.count > 1:
        ended = (int(following.state), columns["done_at"], following.reason, leased.id)
        run("UPDATE notify_message SET state = %s, done_at = %s, reason = %s WHERE leader_id = %s", ended)
    return True


def _hold(result: Result, *, now: datetime, pace: float) -> None:
    """Hold back whatever has the same target, as long as its provider asks for."""
    if isinstance(result.outcome, Retry) and result.leased.target is not None:
        hold(result.leased.target, now + timedelta(seconds=result.outcome.after_s) * pace)
