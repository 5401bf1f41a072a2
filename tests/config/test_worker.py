"""The worker's loop: it sleeps until something is due, reads the log once for all listeners, and starts without ballast."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.test.utils import CaptureQueriesContext

from shouwang.cases import jobs as cases
from shouwang.config import wiring
from shouwang.journal import actions as journal
from shouwang.journal.actions import append, set_timers, take_lease
from shouwang.journal.models import ListenerCursor
from shouwang.journal.rules import DueTimer, Event, NewEvent, NewTimer

HEAVY = ("openpyxl", "polars", "pyarrow", "PIL", "ninja")


@pytest.fixture
def waited(db: None, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return how long the worker has waited for a bell, at each pass; nothing is waited for."""
    found: list[float] = []
    monkeypatch.setattr(wiring, "wait_any", lambda _, timeout_s: found.append(timeout_s))
    monkeypatch.setattr(wiring.time, "sleep", lambda _: None)
    monkeypatch.setattr(wiring, "JOBS", ())
    monkeypatch.setattr(wiring, "next_pass_at", lambda: None)
    return found


def passes(number: int) -> Callable[[], bool]:
    left = iter(range(number))
    return lambda: next(left, None) is None


def test_an_idle_worker_polls_seldom_and_asks_for_its_lease_once(waited: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(journal, "take_lease", lambda *given, **how: asked.append(given[0]) or take_lease(*given, **how))
    wiring.run_worker(passes(5))
    assert [wiring.POLL_S] * 5 == waited
    assert ["worker"] == asked


def test_a_worker_waits_no_longer_than_until_the_next_timer(waited: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "POLL_S", 3600)
    with transaction.atomic():
        set_timers([NewTimer("task", 1, datetime.now(UTC) + timedelta(seconds=600))])
    wiring.run_worker(passes(1))
    assert 0 < waited[0] <= 600


def test_a_worker_waits_no_longer_than_until_the_next_message(waited: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "POLL_S", 3600)
    monkeypatch.setattr(wiring, "next_pass_at", lambda: datetime.now(UTC) + timedelta(seconds=600))
    wiring.run_worker(passes(1))
    assert 0 < waited[0] <= 600


def test_a_worker_that_did_something_looks_again_at_once(waited: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "send_due", lambda *_, **__: 3)
    wiring.run_worker(passes(2))
    assert [0.0, 0.0] == waited


def test_passes_begin_a_gap_apart_however_often_the_bell_rings(waited: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(wiring.time, "sleep", slept.append)
    monkeypatch.setattr(wiring.time, "monotonic", lambda: 1000.0)
    wiring.run_worker(passes(2))
    assert [pytest.approx(wiring.GAP_S)] * 2 == slept


def test_a_worker_beside_the_one_that_works_does_nothing(waited: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    assert take_lease("worker", "another machine", now=datetime.now(UTC), ttl=wiring.LEASE_TTL)
    monkeypatch.setattr(wiring, "work_once", lambda *_, **__: pytest.fail("it works without the lease"))
    wiring.run_worker(passes(2))
    assert [wiring.POLL_S] * 2 == waited


@pytest.fixture
def heard(db: None, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Return what two listeners have heard: (name, number) of each event."""
    found: list[tuple[str, int]] = []

    def hear(name: str) -> Callable[[Sequence[Event]], None]:
        return lambda events: found.extend((name, event.seq) for event in events)

    monkeypatch.setattr(wiring, "LISTENERS", (("rare", ["area.moved"], hear("rare")), ("often", ["case.opened"], hear("often"))))
    return found


def told(*kinds: str, now: datetime) -> int:
    with transaction.atomic():
        return append([NewEvent(kind) for kind in kinds], now=now)


def test_each_listener_hears_each_event_of_its_kinds_once(heard: list[tuple[str, int]], now: datetime) -> None:
    first = told("case.opened", "x", now=now)
    news = wiring.News()
    while news.tell():
        pass
    told("x", "area.moved", "case.opened", "case.opened", now=now)
    while news.tell():
        pass
    expected = [("often", 1), ("rare", first + 2), ("often", first + 3), ("often", first + 4)]
    assert sorted(expected) == sorted(heard)
    again = wiring.News()  # the cursors stand in the database, so another worker tells nothing twice
    assert again.tell() == 0
    assert len(heard) == len(expected)


def test_what_fails_holds_up_nothing_else_and_is_done_again(
    heard: list[tuple[str, int]], waited: list[float], monkeypatch: pytest.MonkeyPatch, now: datetime,
) -> None:
    rung: list[int] = []
    sent: list[datetime] = []

    def ring(timer: DueTimer, **_: object) -> bool:
        if timer.subject_id == 1:
            raise IntegrityError
        rung.append(timer.subject_id)
        return False

    def deaf(_: Sequence[Event]) -> None:
        raise KeyError

    monkeypatch.setattr(cases, "task_due", ring)
    monkeypatch.setattr(wiring, "LISTENERS", (("deaf", ["case.opened"], deaf), *wiring.LISTENERS))
    monkeypatch.setattr(wiring, "send_due", lambda at, **_: sent.append(at) or 0)
    with transaction.atomic():
        set_timers([NewTimer("task", subject, now - timedelta(days=9)) for subject in (1, 2)])
    first = told("case.opened", now=now)
    wiring.run_worker(passes(2))
    assert ([2, 2], 2) == (rung, len(sent))
    assert [("often", first)] == heard
    assert {"often": first} == dict(ListenerCursor.objects.filter(seq__gt=0).values_list("name", "seq"))


def test_a_full_disk_ends_the_pass(waited: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> int:
        raise OperationalError

    monkeypatch.setattr(wiring, "run_due_timers", fails)
    monkeypatch.setattr(wiring, "send_due", lambda *_, **__: pytest.fail("it goes on"))
    wiring.run_worker(passes(2))
    assert [0.0, 0.0] == waited


def test_a_listener_hears_more_than_one_reading_holds(heard: list[tuple[str, int]], now: datetime) -> None:
    told(*["case.opened"] * 501, now=now)
    news = wiring.News()
    assert [500, 1, 0] == [news.tell() for _ in range(3)]
    told(*["case.opened"] * 501, now=now)
    assert [500, 1, 0] == [news.tell() for _ in range(3)]


def test_a_log_in_which_nothing_is_new_costs_one_query_and_foreign_kinds_two(heard: list[tuple[str, int]], now: datetime) -> None:
    told("case.opened", now=now)
    news = wiring.News()
    while news.tell():
        pass
    with CaptureQueriesContext(wiring_connection()) as nothing:
        assert news.tell() == 0
    told("x", now=now)
    with CaptureQueriesContext(wiring_connection()) as foreign:
        assert news.tell() == 0
    assert (1, 2) == (len(nothing), len(foreign))


def wiring_connection() -> Any:
    from django.db import connection  # noqa: PLC0415 - the settings must be chosen first

    return connection


def test_a_listener_far_behind_that_missed_nothing_is_moved_on(
    heard: list[tuple[str, int]], now: datetime, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journal, "FOLLOW_AFTER", 2)
    end = told("case.opened", "x", "x", "x", now=now)
    news = wiring.News()
    while news.tell():
        pass
    assert {"rare": end, "often": end} == dict(ListenerCursor.objects.values_list("name", "seq"))
    told("area.moved", now=now)
    assert news.tell() == 1
    assert ("rare", end + 1) in heard


def test_the_worker_starts_without_what_only_pages_and_commands_need() -> None:
    """What a process loads at its start is how long nobody is alarmed after a crash."""
    program = "import sys; from shouwang.cli.main import app; from shouwang.cli.app import start_django; start_django(); import shouwang.config.wiring; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in HEAVY if name in said] == []
