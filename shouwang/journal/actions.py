"""Writes of the journal: append events as a transaction's last statement; set timers; take leases; move cursors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from django.db import connection, transaction
from django.db.models import F, Q

from shouwang.journal import wake
from shouwang.journal.models import EventRow, Head, LeaseRow, ListenerCursor
from shouwang.journal.put import amend, put
from shouwang.journal.rules import GENESIS, Event, Lease, LeaseLost, NewEvent, NewTimer, best_hash, chain_hash
from shouwang.journal.sql import is_postgres, run, run_many
from shouwang.kernel.moments import to_us

APPEND_LOCK = 7300
_EVENT_COLUMNS = ("seq", "at", "kind", "version", "subject_id", "exercise_id", "payload", "hash")
_SET_TIMERS = (
    "INSERT INTO journal_timer (kind, subject_id, due_at) {} ON CONFLICT (subject_id, kind) DO UPDATE SET due_at = excluded.due_at"
)
_encode = msgspec.json.Encoder(order="deterministic").encode


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
    """Return the lease `name` for `owner`, renewed or taken over when it has expired; None while another holds it."""
    with transaction.atomic():
        LeaseRow.objects.bulk_create([LeaseRow(name=name, owner="", fence=0, expires_at=now - ttl)], ignore_conflicts=True)
        renewed = LeaseRow.objects.filter(name=name, owner=owner).update(expires_at=now + ttl)
        if not renewed:
            free = Q(name=name) & (Q(expires_at__lte=now) | Q(owner=""))
            taken = LeaseRow.objects.filter(free).update(owner=owner, fence=F("fence") + 1, expires_at=now + ttl)
            if not taken:
                return None
        return Lease(name, owner, LeaseRow.objects.values_list("fence", flat=True).get(name=name))


def check_fence(lease: Lease) -> None:
    """Raise LeaseLost when `lease` was taken over; holds the lease row against take-over until the commit."""
    rows = LeaseRow.objects.filter(name=lease.name, fence=lease.fence)
    if connection.vendor == "postgresql":
        rows = rows.select_for_update(of=("self",), no_key=True)
    if not rows.values_list("name", flat=True).first():
        raise LeaseLost(name=lease.name, fence=lease.fence)


def listen(
    name: str, handle: Callable[[Sequence[Event]], None], read: Callable[[int], list[Event]], *, start_at: int = 0,
) -> int:
    """Give the next events to the listener `name` and move its cursor, in one transaction; return how many there were.

    At least once: `handle` must be idempotent on the event's number.
    """
    cursor, _ = ListenerCursor.objects.get_or_create(name=name, defaults={"seq": start_at})
    events = read(cursor.seq)
    if not events:
        return 0
    with transaction.atomic():
        moved = ListenerCursor.objects.filter(name=name, seq=cursor.seq).update(seq=events[-1].seq)
        if moved:
            handle(events)
    return len(events) if moved else 0
