"""The queue on the real databases: two windows at once never call a number twice, and the order is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shouwang.activities import actions, queries
from shouwang.activities.models import Call, SignUp, Ticket
from shouwang.activities.rules.entries import NewSignUp
from shouwang.activities.rules.errors import (
    ActivityError,
    MoveRefused,
    NotUsed,
    NumberElsewhere,
    NumbersNotGiven,
    WindowBusy,
    WindowUnknown,
)
from shouwang.journal.queries import events_of
from shouwang.kernel.errors import NotFound
from tests.activities.conftest import Hall

pytestmark = pytest.mark.django_db


def give(hall: Hall, activity: int, numbers: int) -> None:
    for n in range(numbers):
        actions.give_number(hall.officer, activity, key=f"ticket-{n}", now=hall.now)


def first_calls(activity: int) -> list[int]:
    numbers = list(Call.objects.filter(activity_id=activity).order_by("pk").values_list("ticket__number", flat=True))
    return [number for n, number in enumerate(numbers) if number not in numbers[:n]]


def test_numbers_are_given_in_order_and_a_repeated_asking_gives_the_same(hall: Hall) -> None:
    activity = hall.open()
    code = queries.activity_in(hall.officer, activity).code
    assert [actions.give_number(hall.officer, activity, key=key, now=hall.now) for key in ("key-aaaa", "key-bbbb", "key-aaaa")] == [1, 2, 1]
    assert [actions.take_number(code, key=key, now=hall.now) for key in ("key-cccc", "key-bbbb", "key-cccc")] == [3, 2, 3]
    kinds = [(event.kind, event.payload.get("number")) for event in events_of(activity, prefix="activity.number")]
    assert kinds == [("activity.number_given", 1), ("activity.number_given", 2), ("activity.number_given", 3)]


def test_no_number_before_the_day_nor_where_there_is_no_queue(hall: Hall) -> None:
    planned = hall.plan()
    with pytest.raises(NumbersNotGiven):
        actions.give_number(hall.officer, planned, key="key-aaaa", now=hall.now)
    with pytest.raises(NotFound):
        actions.take_number(queries.activity_in(hall.officer, planned).code, key="key-aaaa", now=hall.now)
    later = hall.open(starts_at=hall.now + timedelta(hours=3), ends_at=hall.now + timedelta(hours=5))
    with pytest.raises(NumbersNotGiven, match="2 小时"):
        actions.take_number(queries.activity_in(hall.officer, later).code, key="key-aaaa", now=hall.now)
    drill = hall.run("DRILL")
    with pytest.raises(NotUsed, match="演练"):
        actions.give_number(hall.officer, drill, key="key-aaaa", now=hall.now)


def test_a_window_calls_serves_passes_over_and_calls_again(hall: Hall) -> None:
    activity = hall.run()
    give(hall, activity, 4)

    def after(key: str, having: int | None = None, finishing: str = "DONE") -> int | None:
        return actions.call_next(hall.officer, activity, window=1, key=key, having=having, finishing=finishing, now=hall.now)  # type: ignore[arg-type]

    assert after("call-1111") == 1
    assert after("call-1111") == 1  # the same press again
    assert after("call-2222", 1) == 2
    assert after("call-3333", 2, "SKIP") == 3
    actions.call_again(hall.officer, activity, number=3, window=1, key="call-4444", now=hall.now)
    actions.call_again(hall.officer, activity, number=3, window=1, key="call-4444", now=hall.now)
    with pytest.raises(WindowBusy, match="3 号"):
        actions.call_again(hall.officer, activity, number=2, window=1, key="call-5555", now=hall.now)
    for _ in range(2):
        actions.finish(hall.officer, activity, number=3, window=1, finishing="DONE", now=hall.now)
    actions.call_again(hall.officer, activity, number=2, window=1, key="call-5555", now=hall.now)
    shown = queries.window_now(queries.activity_in(hall.officer, activity), 1)
    assert (shown.number, shown.next, shown.waiting, shown.done, list(shown.skipped)) == (2, 4, 1, 2, [])
    board = queries.board_of(queries.activity_in(hall.officer, activity).code)
    assert (list(board.windows), board.last, board.waiting) == ([(1, 2, 2), (2, None, 0)], (2, 1), 1)
    assert after("call-6666", 2) == 4
    assert after("call-7777", 4) is None
    assert first_calls(activity) == [1, 2, 3, 4]
    said = [event.kind.rpartition("_")[2] for event in events_of(activity, prefix="activity.number")][4:]
    assert said == ["called", "done", "called", "skipped", "called", "called", "done", "called", "done", "called", "done"]


def test_what_is_no_windows_business_is_refused(hall: Hall) -> None:
    activity = hall.run()
    give(hall, activity, 3)
    actions.call_next(hall.officer, activity, window=1, key="call-1111", now=hall.now)
    with pytest.raises(WindowBusy, match="1 号"):
        actions.call_next(hall.officer, activity, window=1, key="call-2222", now=hall.now)
    with pytest.raises(WindowUnknown):
        actions.call_next(hall.officer, activity, window=3, key="call-3333", now=hall.now)
    with pytest.raises(NumberElsewhere):
        actions.finish(hall.officer, activity, number=1, window=2, finishing="DONE", now=hall.now)
    with pytest.raises(NumberElsewhere):
        actions.call_again(hall.officer, activity, number=1, window=2, key="call-4444", now=hall.now)
    with pytest.raises(NotFound):
        actions.call_again(hall.officer, activity, number=9, window=2, key="call-5555", now=hall.now)
    assert first_calls(activity) == [1]


def test_a_stale_page_finishes_nothing(hall: Hall) -> None:
    activity = hall.run()
    give(hall, activity, 3)
    actions.call_next(hall.officer, activity, window=1, key="call-1111", now=hall.now)
    actions.call_next(hall.officer, activity, window=1, key="call-2222", having=1, now=hall.now)
    with pytest.raises(WindowBusy):  # a second screen of the same window still believes it has number 1
        actions.call_next(hall.officer, activity, window=1, key="call-3333", having=1, now=hall.now)
    assert Ticket.objects.get(activity_id=activity, number=2).state == "CALLED"


def test_numbers_are_called_only_while_it_runs_and_those_in_hand_count_at_the_end(hall: Hall) -> None:
    activity = hall.open()
    give(hall, activity, 3)
    with pytest.raises(MoveRefused):
        actions.call_next(hall.officer, activity, window=1, key="call-1111", now=hall.now)
    actions.move(hall.officer, activity, "START", now=hall.now)
    actions.call_next(hall.officer, activity, window=1, key="call-1111", now=hall.now)
    actions.move(hall.officer, activity, "END", now=hall.now)
    assert list(Ticket.objects.filter(activity_id=activity).order_by("number").values_list("state", flat=True)) == ["DONE", "WAITING", "WAITING"]
    assert [event.kind for event in events_of(activity)][-2:] == ["activity.number_done", "activity.ended"]
    actions.move(hall.officer, activity, "REOPEN", now=hall.now)
    assert actions.call_next(hall.officer, activity, window=2, key="call-2222", now=hall.now) == 2


DOINGS = st.lists(st.tuples(st.sampled_from(["GIVE", "NEXT", "PASS", "DONE", "SKIP", "AGAIN", "REPEAT"]), st.integers(1, 2)), max_size=25)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=DOINGS)
def test_whatever_two_windows_do_no_number_is_called_first_twice_and_the_order_is_kept(hall: Hall, steps: list[tuple[str, int]]) -> None:
    activity = hall.run()
    row = queries.activity_in(hall.officer, activity)
    last: dict[int, str] = {1: "", 2: ""}
    for n, (what, window) in enumerate(steps):
        shown = queries.window_now(row, window)
        key = f"step-{n:04d}"
        try:
            if what == "GIVE":
                actions.give_number(hall.officer, activity, key=key, now=hall.now)
            elif what in {"NEXT", "PASS"}:
                last[window] = key
                finishing = "SKIP" if what == "PASS" else "DONE"
                actions.call_next(hall.officer, activity, window=window, key=key, having=shown.number, finishing=finishing, now=hall.now)  # type: ignore[arg-type]
            elif what == "REPEAT" and last[window]:
                actions.call_next(hall.officer, activity, window=window, key=last[window], having=shown.number, now=hall.now)
            elif what == "AGAIN" and (shown.skipped or shown.number):
                number = shown.number or shown.skipped[0]
                actions.call_again(hall.officer, activity, number=number, window=window, key=key, now=hall.now)
            elif what in {"DONE", "SKIP"} and shown.number:
                actions.finish(hall.officer, activity, number=shown.number, window=window, finishing=what, now=hall.now)  # type: ignore[arg-type]
        except (WindowBusy, NumberElsewhere):
            continue
    called = first_calls(activity)
    assert called == list(range(1, len(called) + 1))
    tickets = queries.tickets_of(activity)
    assert [ticket.number for ticket in tickets if ticket.state == "WAITING"] == list(range(len(called) + 1, len(tickets) + 1))
    assert len({ticket.window for ticket in tickets if ticket.state == "CALLED"}) == sum(ticket.state == "CALLED" for ticket in tickets)


def at_once(*doings: Callable[[], None]) -> list[ActivityError]:
    """Do things in a thread each and return what was refused."""
    refused: list[ActivityError] = []

    def doing(do: Callable[[], None]) -> None:
        try:
            do()
        except ActivityError as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=doing, args=(do,)) for do in doings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


@pytest.mark.writers
@pytest.mark.django_db(transaction=True)
def test_two_windows_that_press_at_once_share_the_numbers_out(hall: Hall) -> None:
    activity = hall.run()
    called: dict[int, list[int]] = {1: [], 2: []}

    def door(at: int) -> None:
        for n in range(20):
            actions.give_number(hall.officer, activity, key=f"door-{at}-{n:04d}", now=hall.now)

    def window(at: int) -> None:
        having: int | None = None
        for press in range(41):
            having = actions.call_next(hall.officer, activity, window=at, key=f"window-{at}-{press}", having=having, now=hall.now)
            if having is None:
                return
            called[at].append(having)

    assert at_once(partial(door, 1), partial(door, 2)) == []
    assert at_once(partial(window, 1), partial(window, 2)) == []
    assert sorted(called[1] + called[2]) == list(range(1, 41))
    assert all(numbers == sorted(numbers) for numbers in called.values())
    assert list(Call.objects.filter(activity_id=activity).order_by("pk").values_list("ticket__number", flat=True)) == list(range(1, 41))
    assert Ticket.objects.filter(activity_id=activity, state="DONE").count() == 40


@pytest.mark.writers
@pytest.mark.django_db(transaction=True)
def test_the_last_place_is_given_once_however_many_ask_at_once(hall: Hall) -> None:
    activity = hall.open("PUBLIC_CLASS", entry="SIGN_UP", capacity=3)
    code = queries.activity_in(hall.officer, activity).code

    def signs_up(n: int) -> None:
        actions.sign_up(code, NewSignUp(f"示例{n}", f"1000000020{n}", f"sign-up-{n:04d}"), now=hall.now)

    assert at_once(*(partial(signs_up, n) for n in range(6))) == []
    states = list(SignUp.objects.filter(activity_id=activity).order_by("pk").values_list("state", flat=True))
    assert states == ["IN"] * 3 + ["WAITING"] * 3
