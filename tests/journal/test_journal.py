"""The journal: order, chain, timers, leases, listeners."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction

from shouwang.journal import actions, queries
from shouwang.journal.models import EventRow, Head
from shouwang.journal.rules import Event, LeaseLost, LogBroken, NewEvent, NewTimer


def append(*kinds: str, now: datetime) -> int:
    with transaction.atomic():
        return actions.append([NewEvent(kind, 7, {"n": n}) for n, kind in enumerate(kinds)], now=now)


@pytest.mark.django_db
def test_events_are_numbered_in_order_and_read_back(now: datetime) -> None:
    append("case.opened", "case.closed", now=now)
    last = append("case.reopened", now=now)
    assert last == 3
    assert [event.kind for event in queries.events_after(1)] == ["case.closed", "case.reopened"]
    assert queries.events_after(0, kinds=["case.opened"]) == [Event(1, now, "case.opened", 1, 7, {"n": 0}, None)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        {"payload": '{"n":9}'},  # the content
        {"kind": "case.closes"},  # the kind
        {"at": 5},  # the moment
        {"subject_id": 8},  # whom it concerns
        {"exercise_id": 1},  # real turned into an exercise
        {"version": 2},
    ],
)
def test_a_changed_column_breaks_the_chain(now: datetime, change: dict[str, object]) -> None:
    append("a", "b", "c", now=now)
    assert queries.verify() == 3
    EventRow.objects.filter(seq=2).update(**change)
    with pytest.raises(LogBroken):
        queries.verify()


@pytest.mark.django_db
@pytest.mark.parametrize("seq", [1, 2, 3])
def test_a_removed_event_breaks_the_chain(now: datetime, seq: int) -> None:
    append("a", "b", "c", now=now)
    EventRow.objects.filter(seq=seq).delete()
    with pytest.raises(LogBroken):
        queries.verify()


@pytest.mark.django_db
def test_a_removed_head_breaks_the_chain(now: datetime) -> None:
    append("a", now=now)
    Head.objects.all().delete()
    with pytest.raises(LogBroken):
        queries.verify()


@pytest.mark.django_db
def test_a_timer_replaces_the_live_one_and_is_claimed_once(now: datetime) -> None:
    later = now + timedelta(minutes=5)
    with transaction.atomic():
        actions.set_timers([NewTimer("task", 1, now), NewTimer("task", 2, later)])
        actions.set_timers([NewTimer("task", 1, later)])
    assert queries.due_timers(now) == []
    due = queries.due_timers(later)
    assert [timer.subject_id for timer in due] == [1, 2]
    with transaction.atomic():
        assert actions.claim_timer(due[0].id, due_at=later)
        assert not actions.claim_timer(due[0].id, due_at=later)
        actions.drop_timers("task", [2])
    assert queries.next_timer_at() is None


@pytest.mark.django_db
def test_a_lease_is_held_renewed_and_taken_over_with_a_higher_fence(now: datetime) -> None:
    ttl = timedelta(seconds=10)
    first = actions.take_lease("worker", "a", now=now, ttl=ttl)
    assert first is not None
    assert actions.take_lease("worker", "b", now=now, ttl=ttl) is None
    assert actions.take_lease("worker", "a", now=now + timedelta(seconds=9), ttl=ttl) == first
    second = actions.take_lease("worker", "b", now=now + timedelta(seconds=20), ttl=ttl)
    assert second is not None
    assert second.fence == first.fence + 1
    with transaction.atomic():
        actions.check_fence(second)
        with pytest.raises(LeaseLost):
            actions.check_fence(first)


@pytest.mark.django_db
def test_a_lease_taken_while_the_clock_was_ahead_is_not_waited_for(now: datetime) -> None:
    ttl = timedelta(seconds=10)
    first = actions.take_lease("worker", "a", now=now + timedelta(hours=1), ttl=ttl)
    assert first is not None
    second = actions.take_lease("worker", "b", now=now, ttl=ttl)
    assert second is not None, "the clock was set back by an hour"
    assert second.fence == first.fence + 1
    assert actions.take_lease("worker", "a", now=now + timedelta(seconds=1), ttl=ttl) is None
    slightly_ahead = actions.take_lease("watch", "a", now=now + timedelta(seconds=8), ttl=ttl)
    assert slightly_ahead is not None
    assert actions.take_lease("watch", "b", now=now, ttl=ttl) is None, "two machines' clocks may differ a little"


@pytest.mark.django_db
def test_a_listener_that_hears_nothing_follows_the_log_and_misses_nothing(now: datetime) -> None:
    read: list[int] = []
    seen: list[int] = []

    def rarely(seq: int) -> list[Event]:
        read.append(seq)
        return queries.events_after(seq, kinds=["rare"])

    def listen() -> actions.Told:
        return actions.listen("moves", lambda events: seen.extend(event.seq for event in events), rarely)

    for count in (actions.FOLLOW_AFTER - 1, 1, 10):
        append(*["often"] * count, now=now)
        assert listen().count == 0
    append("rare", "often", "rare", now=now)
    assert listen().count == 2
    assert listen().count == 0
    assert read == [0, 0, 500, 500, 513]
    assert seen == [511, 513]
    assert queries.events_after(0, kinds=[]) == []


@pytest.mark.django_db
def test_a_listener_moves_its_cursor_with_its_work(now: datetime) -> None:
    append("a", "b", now=now)
    seen: list[str] = []

    def handle(events: Sequence[Event]) -> None:
        seen.extend(event.kind for event in events)

    assert actions.listen("figures", handle, queries.events_after).count == 2
    assert actions.listen("figures", handle, queries.events_after).count == 0
    assert seen == ["a", "b"]


@pytest.mark.django_db(transaction=True)
def test_interleaved_writers_leave_no_gap_a_reader_could_skip(now: datetime) -> None:
    """Two writers interleave; a reader that follows the numbers meets every event (DESIGN: Order)."""
    stop = threading.Event()
    followed: list[int] = []

    def write() -> None:
        for _ in range(40):
            append("x", now=now)
        connection.close()

    def follow() -> None:
        while not stop.is_set() or queries.last_seq() > (followed[-1] if followed else 0):
            followed.extend(event.seq for event in queries.events_after(followed[-1] if followed else 0))
        connection.close()

    writers = [threading.Thread(target=write) for _ in range(2)]
    reader = threading.Thread(target=follow)
    for thread in [*writers, reader]:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()
    assert followed == list(range(1, 81))
    assert queries.verify() == 80
