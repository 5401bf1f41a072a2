"""Claiming: who may send what now. Everything here is done by the holder of the worker's lease.

Each transaction checks the lease's fence, and each row is claimed by a conditional update, so a worker that was taken
for dead and wakes up changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Q

from shouwang.journal.actions import check_fence
from shouwang.journal.prepared import Prepared
from shouwang.journal.rules import Lease
from shouwang.journal.sql import run
from shouwang.kernel.moments import to_us
from shouwang.notify import queries
from shouwang.notify.actions.ending import append_failures, end
from shouwang.notify.actions.leading import CHUNK, lead, postpone, remember
from shouwang.notify.models import FRESH, TAKEN, Message, TargetUse
from shouwang.notify.rules import Bundle, Next, State, Step, Traits, retake
from shouwang.notify.rules.bundling import URGENT
from shouwang.notify.rules.rates import Target, Turns

RETAKEN_PER_PASS = 200
TargetsOf = Callable[[str, Collection[int]], Mapping[int, Target]]


class TurnTaken(Exception):
    """Another process has taken a turn of the same target at the same moment; the next pass counts again."""


@dataclass(frozen=True, slots=True)
class Leased:
    """A message, or a bundle of `count` that it leads, which this worker alone may send until `lease_until`.

    Those of the same `group` (but 0) go to a group of people as one; `target` is what its rate is counted for.
    """

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
    was_quiet: bool = False
    target: Target | None = None
    group: int = 0


@dataclass(frozen=True, slots=True)
class _Claim:
    step: Step
    was: State
    count: int
    target: Target | None
    group: int


@dataclass
class Room:
    """What one pass may still lease: idle threads of each channel, and turns of what has a rate."""

    free: dict[str, int]
    turns: Turns
    targets_of: TargetsOf
    claimed: dict[int, _Claim] = field(default_factory=dict)
    _targets: dict[tuple[str, int], Target | None] = field(default_factory=dict)

    def learn(self, wanted: Collection[tuple[str, int]]) -> None:
        """Look up what the rates of these (channel, person) are counted for, and how that has been used."""
        unknown = set(wanted) - self._targets.keys()
        for channel in {channel for channel, _ in unknown}:
            persons = [person for each, person in unknown if each == channel]
            found = self.targets_of(channel, persons)
            self._targets |= {(channel, person): found.get(person) for person in persons}
        new = {each for each in self._targets.values() if each is not None} - self.turns.used.keys()
        self.turns.used = {**self.turns.used, **queries.uses_of(new)}

    def may(self, bundle: Bundle) -> bool:
        """Return whether the target of `bundle` takes something now."""
        return self.turns.may(self._targets.get((bundle.channel, bundle.person_id)), urgent=bundle.urgent)

    def free_at(self, row: Message) -> datetime:
        """Return from when the target of `row` takes something; the moment of this pass where only threads are lacking."""
        target = self._targets.get((row.channel, row.person_id))
        return self.turns.now if target is None else self.turns.free_at(target, urgent=row.severity >= URGENT)

    def admit(self, channel: str, person_id: int, *, urgent: bool, exercise_id: int | None) -> tuple[Target | None, int] | None:
        """Return the target and the group of what may be sent now, None when there is no thread or no turn for it."""
        target = self._targets.get((channel, person_id))
        group = None if target is None else self.turns.join(target, urgent=urgent, exercise_id=exercise_id)
        if group is not None:
            return target, group
        if self.free.get(channel, 0) < 1 or not self.turns.may(target, urgent=urgent):
            return None
        self.free[channel] -= 1
        return target, 0 if target is None else self.turns.take(target, urgent=urgent, exercise_id=exercise_id)


def lease_bundles(
    bundles: Sequence[Bundle], *, now: datetime, lease: Lease, room: Room, traits: Mapping[str, Traits], ttl: timedelta,
) -> list[Leased]:
    """Lease what there is room for in one transaction: the urgent first, then what comes again, then bundles.

    What comes again is a retry, a question about a message that may have gone, or one whose sender died. A message that
    nobody can answer for ends UNKNOWN here. Turns are kept before anything is sent. Raises TurnTaken.
    """
    with transaction.atomic():
        check_fence(lease)
        ended: list[int] = []
        _claim_fresh([bundle for bundle in bundles if bundle.urgent], room, now=now, lease=lease, ttl=ttl)
        _claim_again(ended, room, traits=traits, now=now, lease=lease, ttl=ttl)
        _claim_fresh([bundle for bundle in bundles if not bundle.urgent], room, now=now, lease=lease, ttl=ttl)
        _keep_turns(room.turns)
        leased = _load(room.claimed)
        append_failures(end(ended, Next(State.UNKNOWN, None, "SENDER_DIED"), now=now), now=now)
    return leased


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
        never = end([pk for pk, state in found if state == State.PENDING], Next(State.FAILED, None, "CHANNEL_OFF"), now=now)
        maybe = end([pk for pk, state in found if state != State.PENDING], Next(State.UNKNOWN, None, "CHANNEL_OFF"), now=now)
        append_failures([*never, *maybe], now=now)
    return len(found)


def put_off(bundles: Sequence[tuple[Bundle, datetime]], *, now: datetime, lease: Lease) -> None:
    """Put bundles off to the end of their persons' quiet hours."""
    if not bundles:
        return
    with transaction.atomic():
        check_fence(lease)
        for bundle, until in bundles:
            postpone(bundle, until, now=now)


def take_turn(target: Target, *, now: datetime, pace: float = 1.0) -> datetime | None:
    """Take one urgent turn of `target`, for a message outside of the outbox; return from when there is one, if not now."""
    with transaction.atomic():
        turns = Turns(now, pace, queries.uses_of([target]))
        if not turns.may(target, urgent=True):
            return turns.next_at
        turns.take(target, urgent=True, exercise_id=None)
        _keep_turns(turns)
    return None


def hold(target: Target, until: datetime) -> None:
    """Send nothing more to `target` before `until`: its provider has said so. Inside the caller's transaction."""
    TargetUse.objects.update_or_create(channel=target.channel, target=target.key, defaults={"blocked_until": until})


def _keep_turns(turns: Turns) -> None:
    for target in turns.taken:
        sent = msgspec.json.encode([to_us(at) for at in turns.use_after(target).sent]).decode()
        used = turns.used.get(target)
        rows = TargetUse.objects.filter(channel=target.channel, target=target.key)
        if used is None:
            _, was_ours = TargetUse.objects.get_or_create(channel=target.channel, target=target.key, defaults={"sent": sent})
        else:
            before = msgspec.json.encode([to_us(at) for at in used.sent]).decode()
            was_ours = bool(rows.filter(sent=before).update(sent=sent))
        if not was_ours:
            raise TurnTaken


_LAPSED = Prepared(
    lambda now, channels: Message.objects.filter(TAKEN, lease_until__lte=now, channel__in=channels)
    .order_by("-severity", "lease_until", "id")[:RETAKEN_PER_PASS],
)
_CLAIMED = Prepared(
    lambda ids: Message.objects.filter(pk__in=ids).values_list(
        "pk", "person_id", "channel", "template", "params", "key", "severity", "exercise_id", "task_id", "attempts", "repeats", "was_quiet",
        "fence", "lease_until",
    ),
)
_WAIT = "UPDATE notify_message SET lease_until = %s WHERE id = %s AND done_at IS NULL AND lease_until = %s"
_CLAIM_FRESH = """
UPDATE notify_message SET state = %s, lease_until = %s, fence = %s, attempts = 1
WHERE id = %s AND done_at IS NULL AND leader_id IS NULL AND lease_until IS NULL
"""
_CLAIM_AGAIN = """
UPDATE notify_message SET state = %s, lease_until = %s, fence = %s, attempts = attempts + 1
WHERE id = %s AND done_at IS NULL AND lease_until = %s
"""


def _claim_fresh(bundles: Sequence[Bundle], room: Room, *, now: datetime, lease: Lease, ttl: timedelta) -> None:
    taken = []
    for bundle in bundles:
        admitted = room.admit(bundle.channel, bundle.person_id, urgent=bundle.urgent, exercise_id=bundle.exercise_id)
        if admitted is None:
            continue
        leader, others = lead(bundle, now=now) if bundle.count > 1 else (bundle.first_id, 0)
        if run(_CLAIM_FRESH, (State.LEASED, to_us(now + ttl), lease.fence, leader)).rowcount:
            room.claimed[leader] = _Claim(Step.SEND, State.PENDING, others + 1, *admitted)
            taken.append(bundle)
    remember(taken, now=now)


def _claim_again(
    ended: list[int], room: Room, *, traits: Mapping[str, Traits], now: datetime, lease: Lease, ttl: timedelta,
) -> None:
    """Claim the messages whose lease or wait has run out, gravest first; one whose target takes nothing now waits for it."""
    found = [row for row in _LAPSED.objects(now, sorted(traits)) if row.pk not in room.claimed]
    room.learn({(row.channel, row.person_id) for row in found})
    counts = queries.member_counts([row.pk for row in found])
    for row in found:
        step = retake(State(row.state), traits[row.channel])
        if step == Step.GIVE_UP:
            ended.append(row.pk)
            continue
        admitted = _admit_again(row, step, room)
        if admitted is None:
            waits_until = room.free_at(row)
            if waits_until > now:
                run(_WAIT, (to_us(waits_until), row.pk, to_us(row.lease_until)))
            continue
        if run(_CLAIM_AGAIN, (State.LEASED, to_us(now + ttl), lease.fence, row.pk, to_us(row.lease_until))).rowcount:
            room.claimed[row.pk] = _Claim(step, State(row.state), counts.get(row.pk, 0) + 1, *admitted)


def _admit_again(row: Message, step: Step, room: Room) -> tuple[Target | None, int] | None:
    """Return what `Room.admit` says; a question takes a thread but no turn."""
    if step == Step.SEND:
        return room.admit(row.channel, row.person_id, urgent=row.severity >= URGENT, exercise_id=row.exercise_id)
    if room.free.get(row.channel, 0) < 1:
        return None
    room.free[row.channel] -= 1
    return None, 0


def _load(claimed: Mapping[int, _Claim]) -> list[Leased]:
    rows = {row[0]: row for row in _CLAIMED.rows(claimed)}
    return [_leased(rows[pk], claim) for pk, claim in claimed.items()]


def _leased(row: Sequence[Any], claim: _Claim) -> Leased:
    pk, person_id, channel, template, params, key, severity, exercise_id, task_id, attempts, repeats, was_quiet, fence, lease_until = row
    if fence is None or lease_until is None:
        message = f"message {pk} was claimed but carries no lease"
        raise AssertionError(message)
    return Leased(
        pk, person_id, channel, template, msgspec.json.decode(params), key, severity, exercise_id, claim.count, attempts, repeats, fence,
        lease_until, claim.step, claim.was, task_id, bool(was_quiet), claim.target, claim.group,
    )
