"""Writes of the journal: append events as a transaction's last statement; set timers; take leases; move cursors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from django.db import transaction

from shouwang.journal import wake
from shouwang.journal.models import EventRow, Head, ListenerCursor
from shouwang.journal.put import amend, put
from shouwang.journal.queries import last_seq
from shouwang.journal.rules import GENESIS, Event, Lease, LeaseLost, NewEvent, NewTimer, best_hash, chain_hash
from shouwang.journal.sql import is_postgres, run, run_many
from shouwang.kernel.moments import to_us

APPEND_LOCK = 7300
AHEAD = 2
FOLLOW_AFTER = 500
_EVENT_COLUMNS = ("seq", "at", "kind", "version", "subject_id", "exercise_id", "payload", "hash")
_SET_TIMERS = (
    "INSERT INTO journal_timer (kind, subject_id, due_at) {} ON CONFLICT (subject_id, kind) DO UPDATE SET due_at = excluded.due_at"
)
_KEEP_LEASE = "UPDATE journal_lease SET expires_at = %s WHERE name = %s AND owner = %s RETURNING fence"
_MAKE_LEASE = "INSERT INTO journal_lease (name, owner, fence, expires_at) VALUES (%s, '', 0, %s) ON CONFLICT (name) DO NOTHING"
_TAKE_LEASE = (
    "UPDATE journal_lease SET owner = %s, fence = fence + 1, expires_at = %s "
    "WHERE name = %s AND (owner = '' OR expires_at <= %s OR expires_at > %s) RETURNING fence"
)
_FENCE = "SELECT 1 FROM journal_lease WHERE name = %s AND fence = %s"
_MOVE_CURSOR = "UPDATE journal_listenercursor SET seq = %s WHERE name = %s AND seq = %s"
_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True)
class Told:
    """How many events a listener was given, and the number up to which it has certainly heard everything."""

    count: int
    upto: int


def append(events: Sequence[NewEvent], *, now: datetime) -> int:
    """Append `events` to the log and return the last number; must be the transaction's last statement.

    Numbers are given under one lock held to the commit, so a listener never passes over a row that commits late.
    Wakes the listeners and the live stream after the commit.
    """
    lock_order()
    algorithm, seq, previous = _head()
    at_us = to_us(now)
    rows = []
    for event in events:
        seq += 1
        payload = _encode(event.payload).decode()
        previous = chain_hash(
            algorithm, previous, seq=seq, at_us=at_us, kind=event.kind, version=event.version,
            subject_id=event.subject_id, exercise_id=event.exercise_id, payload=payload,
        )
        rows.append((seq, at_us, event.kind, event.version, event.subject_id, event.exercise_id, payload, previous))
    put(EventRow, _EVENT_COLUMNS, rows)
    amend(Head, 1, seq=seq, hash=previous)
    transaction.on_commit(wake_listeners)
    return seq


def _head() -> tuple[str, int, bytes]:
    row = run("SELECT algorithm, seq, hash FROM journal_head WHERE id = 1").fetchone()
    if row is None:
        Head.objects.create(pk=1, algorithm=best_hash(), seq=0, hash=GENESIS)
        return best_hash(), 0, GENESIS
    return row[0], row[1], bytes(row[2])


def wake_listeners() -> None:
    """Wake whoever waits for events."""
    wake.ring("events")


def lock_order() -> None:
    """Hold the lock of commit order until this transaction ends; on SQLite the gate is that lock."""
    if is_postgres():
        run("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,))


def set_timers(timers: Sequence[NewTimer]) -> None:
    """Set `timers`, each replacing the live one of its kind and subject."""
    if not timers:
        return
    rows = [(timer.kind, timer.subject_id, to_us(timer.due_at)) for timer in timers]
    if is_postgres():
        columns = [list(column) for column in zip(*rows, strict=True)]
        run(_SET_TIMERS.format("SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[])"), columns)
    else:
        run_many(_SET_TIMERS.format("VALUES (%s, %s, %s)"), rows)
    transaction.on_commit(wake_worker)


def wake_worker() -> None:
    """Wake the worker."""
    wake.ring("work")


def drop_timers(kind: str, subject_ids: Iterable[int]) -> None:
    """Drop the timers of `kind` of these subjects."""
    dropped = list(subject_ids)
    if dropped and is_postgres():
        run("DELETE FROM journal_timer WHERE kind = %s AND subject_id = ANY(%s::bigint[])", (kind, dropped))
    elif dropped:
        run_many("DELETE FROM journal_timer WHERE kind = %s AND subject_id = %s", [(kind, subject_id) for subject_id in dropped])


def claim_timer(timer_id: int, *, due_at: datetime) -> bool:
    """Delete the timer if it is still due at `due_at` and return whether it was; the caller's transaction does its work."""
    return bool(run("DELETE FROM journal_timer WHERE id = %s AND due_at = %s", (timer_id, to_us(due_at))).rowcount == 1)


def take_lease(name: str, owner: str, *, now: datetime, ttl: timedelta) -> Lease | None:
    """Return the lease `name` for `owner`, renewed or taken over when it has expired; None while another holds it.

    A lease that ends later than any that is taken now could has a holder whose clock was ahead, such as this machine's
    before it was set right: waiting for its end might take an hour, and the fence makes taking it safe.
    """
    until_us = to_us(now + ttl)
    with transaction.atomic():
        kept = run(_KEEP_LEASE, (until_us, name, owner)).fetchone()
        if kept is None:
            run(_MAKE_LEASE, (name, to_us(now)))
            kept = run(_TAKE_LEASE, (owner, until_us, name, to_us(now), to_us(now + AHEAD * ttl))).fetchone()
        return None if kept is None else Lease(name, owner, kept[0])


def check_fence(lease: Lease) -> None:
    """Raise LeaseLost when `lease` was taken over; holds the lease row against take-over until the commit."""
    if run(_FENCE + " FOR NO KEY UPDATE" if is_postgres() else _FENCE, (lease.name, lease.fence)).fetchone() is None:
        raise LeaseLost(name=lease.name, fence=lease.fence)


def listen(
    name: str, handle: Callable[[Sequence[Event]], None], read: Callable[[int], list[Event]], *, start_at: int = 0,
    head: int | None = None,
) -> Told:
    """Give the next events to the listener `name` and move its cursor, in one transaction; return what it was told.

    At least once: `handle` must be idempotent on the event's number. A listener that hears nothing for long follows the
    log all the same, else each pass would read ever more of it. `head` is the last event's number for whoever has it already.
    """
    head = last_seq() if head is None else head  # before the reading: what is committed after it must not be passed over
    seq = _cursor(name, start_at=start_at)
    events = read(seq)
    if not events:
        if head - seq >= FOLLOW_AFTER:
            with transaction.atomic():
                run(_MOVE_CURSOR, (head, name, seq))
        return Told(0, max(head, seq))
    with transaction.atomic():
        moved = run(_MOVE_CURSOR, (events[-1].seq, name, seq)).rowcount
        if moved:
            handle(events)
    return Told(len(events), events[-1].seq) if moved else Told(0, seq)


def _cursor(name: str, *, start_at: int) -> int:
    found = run("SELECT seq FROM journal_listenercursor WHERE name = %s", (name,)).fetchone()
    if found is None:
        return ListenerCursor.objects.get_or_create(name=name, defaults={"seq": start_at})[0].seq
    return int(found[0])
