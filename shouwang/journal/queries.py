"""Reads of the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from shouwang.journal.models import EventRow, Head, ListenerCursor, Timer
from shouwang.journal.rules import GENESIS, DueTimer, Event, LogBroken, chain_hash
from shouwang.journal.sql import run
from shouwang.kernel.moments import from_us, to_us

VERIFY_PAGE = 5_000
_DUE = "SELECT id, kind, subject_id, due_at FROM journal_timer WHERE due_at <= %s ORDER BY due_at, id LIMIT %s"
_COLUMNS = "seq, at, kind, version, subject_id, payload, exercise_id"


def _event(row: tuple[Any, ...]) -> Event:
    seq, at, kind, version, subject_id, payload, exercise_id = row
    moment = at if isinstance(at, datetime) else from_us(at)
    return Event(seq, moment, kind, version, subject_id, msgspec.json.decode(payload), exercise_id)


def last_seq() -> int:
    """Return the number of the last event, 0 for an empty log."""
    row = run("SELECT seq FROM journal_head WHERE id = 1").fetchone()
    return int(row[0]) if row else 0


def events_after(seq: int, *, kinds: Sequence[str] | None = None, limit: int = 500) -> list[Event]:
    """Return at most `limit` events after number `seq`, oldest first."""
    if kinds is not None and not kinds:
        return []
    wanted = f"AND kind IN ({', '.join(['%s'] * len(kinds))}) " if kinds else ""
    statement = f"SELECT {_COLUMNS} FROM journal_event WHERE seq > %s {wanted}ORDER BY seq LIMIT %s"  # noqa: S608 - names from here
    return [_event(row) for row in run(statement, (seq, *(kinds or ()), limit)).fetchall()]


def last_of_kinds(seq: int) -> dict[str, int]:
    """Return the number of the last event of each kind that there is after number `seq`."""
    return dict(run("SELECT kind, max(seq) FROM journal_event WHERE seq > %s GROUP BY kind", (seq,)).fetchall())


def events_of(subject_id: int, *, prefix: str = "") -> list[Event]:
    """Return the events of one subject, oldest first; `prefix` limits the kinds ("case.")."""
    rows = EventRow.objects.filter(subject_id=subject_id, kind__startswith=prefix).order_by("seq")
    return [_event(row) for row in rows.values_list(*_COLUMNS.split(", "))]


def cursor_of(listener: str) -> int:
    """Return the number up to which a listener has read."""
    return ListenerCursor.objects.filter(name=listener).values_list("seq", flat=True).first() or 0


def due_timers(now: datetime, *, limit: int = 500) -> list[DueTimer]:
    """Return the timers due at or before `now`, earliest first."""
    rows = run(_DUE, (to_us(now), limit)).fetchall()
    return [DueTimer(number, kind, subject_id, from_us(due_us)) for number, kind, subject_id, due_us in rows]


def next_timer_at() -> datetime | None:
    """Return when the next timer is due."""
    return Timer.objects.order_by("due_at").values_list("due_at", flat=True).first()


def timers_of(kind: str, subject_ids: Sequence[int]) -> dict[int, datetime]:
    """Return when the timer of `kind` of each subject is due."""
    return dict(Timer.objects.filter(kind=kind, subject_id__in=subject_ids).values_list("subject_id", "due_at"))


def verify(progress: Callable[[int, int], None] = lambda *_: None) -> int:
    """Return how many events the log holds after checking every hash. Raises LogBroken at the first that fails."""
    head = Head.objects.filter(pk=1).first()
    if head is None:
        if EventRow.objects.exists():
            raise LogBroken(seq=0, found="events", expected="a head row")
        return 0
    expected_seq, previous = 0, GENESIS
    for row in _pages():
        expected_seq += 1
        expected = chain_hash(
            head.algorithm, previous, seq=row.seq, at_us=to_us(row.at), kind=row.kind, version=row.version,
            subject_id=row.subject_id, exercise_id=row.exercise_id, payload=row.payload,
        )
        if row.seq != expected_seq or bytes(row.hash) != expected:
            raise LogBroken(seq=row.seq, found=bytes(row.hash).hex()[:16], expected=expected.hex()[:16])
        previous = expected
        if expected_seq % VERIFY_PAGE == 0:
            progress(expected_seq, head.seq)
    if expected_seq != head.seq or previous != bytes(head.hash):
        raise LogBroken(seq=head.seq, found=f"{expected_seq} events", expected=f"{head.seq} events")
    return expected_seq


def _pages() -> Iterator[EventRow]:
    seq = 0
    while page := list(EventRow.objects.filter(seq__gt=seq).order_by("seq")[:VERIFY_PAGE]):
        yield from page
        seq = page[-1].seq
