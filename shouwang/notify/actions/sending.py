"""Sending: who may send what now, and what came of it. Everything here is done by the holder of the worker's lease.

Each transaction checks the lease's fence, and each row is claimed by a conditional update, so a worker that was taken
for dead and wakes up changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import F, Q, QuerySet

from shouwang.journal import wake
from shouwang.journal.actions import append, check_fence, lock_order
from shouwang.journal.rules import Lease, NewEvent
from shouwang.notify import events, queries
from shouwang.notify.models import ALIVE, FRESH, TAKEN, LastSent, Message
from shouwang.notify.rules import (
    Bundle,
    Delivered,
    Next,
    Outcome,
    Sent,
    State,
    Step,
    Traits,
    after_query,
    after_send,
    retake,
)
from shouwang.notify.rules.bundling import URGENT

CHUNK = 500
INBOX_PER_TRANSACTION = 5_000
RETAKEN_PER_PASS = 200
SILENT = Traits(honours_key=False, gives_receipt=False, can_query=False)


@dataclass(frozen=True, slots=True)
class Leased:
    """A message, or a bundle of `count` that it leads, which this worker alone may send until `lease_until`."""

    id: int
    person_id: int
    channel: str
    template: str
    params: Mapping[str, Any]
    key: str
    severity: int
    exercise_id: int | None
    count: int
    attempts: int
    repeats: int
    fence: int
    lease_until: datetime
    step: Step
    was: State
    task_id: int | None = None


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
        done = {"state": State.DELIVERED, "done_at": now}
        led = [_lead(bundle, now=now, **done) for bundle in several]
        delivered = _push(urgent, done) + _push([*alone, *(leader for leader, _ in led)], done) + sum(count for _, count in led)
        _remember(bundles, now=now)
        transaction.on_commit(partial(wake.ring, "pushes"))
    return delivered


def lease_bundles(
    bundles: Sequence[Bundle], *, now: datetime, lease: Lease, free: Mapping[str, int], traits: Mapping[str, Traits], ttl: timedelta,
) -> list[Leased]:
    """Lease what may be sent, at most `free` per channel, in one transaction: the urgent, then what comes again, then bundles.

    What comes again is a retry, a question about a message that may have gone, or one whose sender died. A message that
    nobody can answer for ends UNKNOWN here.
    """
    room = dict(free)
    with transaction.atomic():
        check_fence(lease)
        claimed: dict[int, tuple[Step, State, int]] = {}
        ended: list[int] = []
        urgent = [bundle for bundle in bundles if bundle.urgent]
        _claim_fresh(urgent, claimed, room, now=now, lease=lease, ttl=ttl)
        _claim_again(claimed, ended, room, traits=traits, now=now, lease=lease, ttl=ttl)
        _claim_fresh([bundle for bundle in bundles if not bundle.urgent], claimed, room, now=now, lease=lease, ttl=ttl)
        leased = _load(claimed)
        _append_failures(_end(ended, Next(State.UNKNOWN, None, "SENDER_DIED"), now=now), now=now)
    return leased


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
                if following.is_failure:
                    failures += failures_of(result.leased.id)
        _append_failures(failures, now=now)
    return recorded


def fail_unserved(served: Collection[str], *, now: datetime, lease: Lease) -> int:
    """End what waits for a channel that is not among `served`, and return how many messages and bundles that were.

    What was never sent ends FAILED; what may have gone ends UNKNOWN. What is being sent now is left to its outcome.
    """
    stranded = Message.objects.filter(FRESH | TAKEN & Q(lease_until__lte=now)).exclude(channel__in=served).order_by("id")
    found = list(stranded.values_list("pk", "state")[:CHUNK])
    if not found:
        return 0
    with transaction.atomic():
        check_fence(lease)
        never = _end([pk for pk, state in found if state == State.PENDING], Next(State.FAILED, None, "CHANNEL_OFF"), now=now)
        maybe = _end([pk for pk, state in found if state != State.PENDING], Next(State.UNKNOWN, None, "CHANNEL_OFF"), now=now)
        _append_failures([*never, *maybe], now=now)
    return len(found)


def _together(bundle: Bundle, now: datetime) -> QuerySet[Message]:
    return queries.visible(now).filter(
        person_id=bundle.person_id, channel=bundle.channel, severity__lt=URGENT, exercise_id=bundle.exercise_id,
    )


def _lead(bundle: Bundle, *, now: datetime, **columns: Any) -> tuple[int, int]:
    """Make the gravest, then oldest, message of `bundle` lead the others; return it and how many others there are."""
    rows = _together(bundle, now)
    leader = rows.order_by("-severity", "id").values_list("pk", flat=True).first() or bundle.first_id
    return leader, rows.exclude(pk=leader).update(leader_id=leader, **columns)


def _push(leaders: Sequence[int], done: Mapping[str, Any]) -> int:
    """Deliver these leaders; their numbers follow the last one, in the order of their ids. Returns how many there were."""
    if not leaders:
        return 0
    shift = queries.last_push_seq() + 1 - min(leaders)
    return sum(
        Message.objects.filter(FRESH, pk__in=leaders[at : at + CHUNK]).update(push_seq=F("id") + shift, **done)
        for at in range(0, len(leaders), CHUNK)
    )


def _remember(bundles: Iterable[Bundle], *, now: datetime) -> None:
    """Keep for the throttle that these persons are being sent something; urgent messages do not count."""
    rows = [
        LastSent(person_id=bundle.person_id, channel=bundle.channel, exercise_id=bundle.exercise_id or 0, at=now)
        for bundle in bundles
        if not bundle.urgent
    ]
    LastSent.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["person_id", "channel", "exercise_id"], update_fields=["at"], batch_size=CHUNK,
    )


def _claim_fresh(
    bundles: Sequence[Bundle], claimed: dict[int, tuple[Step, State, int]], room: dict[str, int], *, now: datetime, lease: Lease,
    ttl: timedelta,
) -> None:
    taken = []
    for bundle in bundles:
        if room.get(bundle.channel, 0) < 1:
            continue
        room[bundle.channel] -= 1
        leader, others = _lead(bundle, now=now) if bundle.count > 1 else (bundle.first_id, 0)
        columns = {"state": State.LEASED, "lease_until": now + ttl, "fence": lease.fence, "attempts": 1}
        if Message.objects.filter(FRESH, pk=leader).update(**columns):
            claimed[leader] = (Step.SEND, State.PENDING, others + 1)
            taken.append(bundle)
    _remember(taken, now=now)


def _claim_again(
    claimed: dict[int, tuple[Step, State, int]], ended: list[int], room: dict[str, int], *, traits: Mapping[str, Traits],
    now: datetime, lease: Lease, ttl: timedelta,
) -> None:
    """Claim the messages whose lease or wait has run out, gravest first."""
    rows = Message.objects.filter(TAKEN, lease_until__lte=now, channel__in=list(traits)).order_by("-severity", "lease_until", "id")
    found = list(rows.values_list("pk", "channel", "state", "lease_until")[:RETAKEN_PER_PASS])
    counts = queries.member_counts([pk for pk, *_ in found if pk not in claimed])
    for pk, channel, state, lease_until in found:
        step = retake(State(state), traits[channel])
        if step == Step.GIVE_UP:
            ended.append(pk)
        elif room.get(channel, 0) > 0:
            room[channel] -= 1
            columns = {"state": State.LEASED, "lease_until": now + ttl, "fence": lease.fence, "attempts": F("attempts") + 1}
            if Message.objects.filter(ALIVE, pk=pk, lease_until=lease_until).update(**columns):
                claimed[pk] = (step, State(state), counts.get(pk, 0) + 1)


def _load(claimed: Mapping[int, tuple[Step, State, int]]) -> list[Leased]:
    rows = Message.objects.in_bulk(list(claimed))
    return [_leased(rows[pk], step, was, count) for pk, (step, was, count) in claimed.items()]


def _leased(row: Message, step: Step, was: State, count: int) -> Leased:
    if row.fence is None or row.lease_until is None:
        message = f"message {row.pk} was claimed but carries no lease"
        raise AssertionError(message)
    return Leased(
        row.pk, row.person_id, row.channel, row.template, msgspec.json.decode(row.params), row.key, row.severity, row.exercise_id,
        count, row.attempts, row.repeats, row.fence, row.lease_until, step, was, row.task_id,
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
    columns: dict[str, Any] = {"state": following.state, "reason": following.reason, "done_at": now, "lease_until": None, "fence": None}
    if following.again_at is not None:
        columns |= {"done_at": None, "lease_until": now + (following.again_at - now) * pace, "attempts": following.attempts}
    if following.is_repeat:
        columns["repeats"] = leased.repeats + 1
    if isinstance(result.outcome, Sent | Delivered) and result.outcome.ref:
        columns["provider_ref"] = result.outcome.ref[:80]
    mine = Message.objects.filter(pk=leased.id, state=State.LEASED, fence=leased.fence, lease_until=leased.lease_until)
    if not mine.update(**columns):
        return False
    if leased.count > 1:
        others = Message.objects.filter(leader_id=leased.id)
        others.update(state=following.state, done_at=columns["done_at"], reason=following.reason)
    return True


def _end(ids: Sequence[int], following: Next, *, now: datetime) -> list[NewEvent]:
    """End these messages and the bundles they lead, and return the events of their failure."""
    columns = {"state": following.state, "reason": following.reason, "done_at": now}
    ended: list[NewEvent] = []
    for pk in ids:
        if Message.objects.filter(ALIVE, pk=pk).update(**columns, lease_until=None, fence=None):
            Message.objects.filter(leader_id=pk).update(**columns)
            ended += failures_of(pk)
    return ended


def failures_of(leader_id: int) -> list[NewEvent]:
    """Return the event of each message of a bundle that has ended without anybody knowing that it went."""
    rows = [*Message.objects.filter(pk=leader_id), *Message.objects.filter(leader_id=leader_id).order_by("id")]
    return [
        NewEvent(
            events.MESSAGE_FAILED, row.case_id,
            {
                "message": row.pk, "channel": row.channel, "state": State(row.state).name, "reason": row.reason,
                "task": row.task_id, "person": row.person_id,
            },
            row.exercise_id,
        )
        for row in rows
    ]


def _append_failures(failures: Sequence[NewEvent], *, now: datetime) -> None:
    if failures:
        append(failures, now=now)
