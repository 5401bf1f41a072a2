"""The pure rules of activities: tables, and properties over whatever may happen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.activities import queries
from shouwang.activities.rules import entries, plans, queue, states
from shouwang.activities.rules.consents import consent_texts
from shouwang.activities.rules.entries import Guardian, NewSignUp
from shouwang.activities.rules.errors import (
    ActivityError,
    ActivityWrong,
    CatalogueInvalid,
    ConsentMissing,
    MoveRefused,
    NotUsed,
    NumberElsewhere,
    NumbersNotGiven,
    SignUpClosed,
    WindowBusy,
    WindowUnknown,
)
from shouwang.activities.rules.evaluation import evaluated, require_score
from shouwang.activities.rules.kinds import catalogue
from shouwang.activities.rules.money import MOST_FEN, fen_of, yuan_of
from shouwang.activities.rules.months import month_before, month_of, next_month, weeks_of
from shouwang.activities.rules.notice import span_of
from shouwang.activities.rules.plans import Plan
from shouwang.activities.rules.procedures import LEVELS, PROCEDURES, procedure_code, procedure_of
from shouwang.activities.rules.queue import Ticket
from shouwang.cases.rules.flow import advance
from shouwang.cases.rules.procedures import check as check_procedure
from shouwang.kernel.moments import local

NOW = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
PLAN = Plan("HELP_DAY", "一月帮办日", 1, "文化广场", NOW + timedelta(days=1), NOW + timedelta(days=1, hours=3), "WALK_IN", organiser_id=1)
NEW = NewSignUp("示例甲", "10000000001", "key-00001")


def test_every_pair_of_state_and_move_is_decided() -> None:
    expected = {
        ("PLANNED", "OPEN"): "OPEN", ("PLANNED", "CANCEL"): "CANCELLED", ("OPEN", "START"): "RUNNING", ("OPEN", "CANCEL"): "CANCELLED",
        ("RUNNING", "END"): "ENDED", ("RUNNING", "CANCEL"): "CANCELLED", ("ENDED", "REOPEN"): "RUNNING", ("CANCELLED", "REOPEN"): "PLANNED",
    }
    for state in states.STATES:
        for move in states.MOVES:
            if (state, move) in expected:
                assert states.after(7, state, move) == expected[state, move]
                assert move in states.moves_from(state)
            else:
                with pytest.raises(MoveRefused, match="活动 7"):
                    states.after(7, state, move)


@pytest.mark.parametrize(("state", "doing", "at", "window", "has", "expected"), [
    # Who waits is called to a free window, and by nobody else's doing.
    ("WAITING", "CALL", None, 1, None, "CALLED"), ("WAITING", "DONE", None, 1, None, NumberElsewhere), ("WAITING", "SKIP", None, 1, None, NumberElsewhere),
    # A window that has another in hand calls nobody.
    ("WAITING", "CALL", None, 1, 9, WindowBusy), ("SKIPPED", "CALL", 2, 1, 9, WindowBusy),
    # The number in hand is called again, served or passed over by its own window only.
    ("CALLED", "CALL", 1, 1, 5, "CALLED"), ("CALLED", "DONE", 1, 1, 5, "DONE"), ("CALLED", "SKIP", 1, 1, 5, "SKIPPED"),
    ("CALLED", "CALL", 2, 1, None, NumberElsewhere), ("CALLED", "DONE", 2, 1, None, NumberElsewhere), ("CALLED", "SKIP", 2, 1, None, NumberElsewhere),
    # Who was passed over may come to any free window; who was served stays served.
    ("SKIPPED", "CALL", 2, 1, None, "CALLED"), ("SKIPPED", "DONE", 1, 1, None, NumberElsewhere),
    ("DONE", "CALL", 1, 1, None, NumberElsewhere), ("DONE", "SKIP", 1, 1, None, NumberElsewhere),
])
def test_what_may_happen_to_a_number(
    state: queue.TicketState, doing: queue.Doing, at: int | None, window: int, has: int | None, expected: str | type[ActivityError],
) -> None:
    ticket = Ticket(5, state, at)
    in_hand = None if has is None else Ticket(has, "CALLED", window)
    if isinstance(expected, str):
        assert queue.moved(ticket, doing, window=window, has=in_hand) == Ticket(5, expected, window)  # type: ignore[arg-type]
    else:
        with pytest.raises(expected):
            queue.moved(ticket, doing, window=window, has=in_hand)


Step = tuple[str, int]
STEPS = st.lists(st.tuples(st.sampled_from(["GIVE", "NEXT", "DONE", "SKIP", "AGAIN"]), st.integers(1, 3)), max_size=80)


def played(steps: Sequence[Step]) -> tuple[list[Ticket], list[tuple[int, int]]]:
    """Return the numbers and the first calls as (number, window) after windows have done these steps, each when it could."""
    tickets: dict[int, Ticket] = {}
    first: list[tuple[int, int]] = []
    for what, window in steps:
        has = queue.in_hand(tickets.values(), window)
        if what == "GIVE":
            tickets[len(tickets) + 1] = Ticket(len(tickets) + 1)
        elif what == "NEXT":
            following = queue.next_waiting(tickets.values())
            if following is not None and has is None:
                tickets[following.number] = queue.moved(following, "CALL", window=window, has=None)
                first.append((following.number, window))
        elif what in {"DONE", "SKIP"} and has is not None:
            tickets[has.number] = queue.moved(has, what, window=window, has=has)  # type: ignore[arg-type]
        elif what == "AGAIN":
            skipped = [ticket for ticket in tickets.values() if ticket.state == "SKIPPED"]
            if skipped and has is None:
                tickets[skipped[0].number] = queue.moved(skipped[0], "CALL", window=window, has=None)
    return list(tickets.values()), first


@given(STEPS)
def test_no_number_is_called_first_twice_and_the_order_is_kept(steps: list[Step]) -> None:
    tickets, first = played(steps)
    numbers = [number for number, _ in first]
    assert numbers == list(range(1, len(numbers) + 1))
    in_hand = [ticket.window for ticket in tickets if ticket.state == "CALLED"]
    assert len(in_hand) == len(set(in_hand))
    assert [ticket.number for ticket in tickets if ticket.state == "WAITING"] == list(range(len(numbers) + 1, len(tickets) + 1))


@given(STEPS, st.integers(1, 80))
def test_before_somebody_are_those_who_wait_with_a_lower_number(steps: list[Step], number: int) -> None:
    tickets, first = played(steps)
    assert queue.before(tickets, number) == len([each for each in range(len(first) + 1, len(tickets) + 1) if each < number])


@pytest.mark.parametrize(("state", "hours", "waiting", "given"), [
    ("OPEN", 3, 0, False), ("OPEN", 2, 0, True), ("OPEN", 1, 499, True), ("OPEN", 1, 500, False), ("RUNNING", -1, 0, True),
    ("ENDED", -1, 0, False), ("CANCELLED", 1, 0, False), ("PLANNED", 1, 0, False),
])
def test_when_numbers_are_given(state: str, hours: int, waiting: int, given: bool) -> None:
    starts_at = NOW + timedelta(hours=hours)
    if given:
        queue.require_numbers(state=state, starts_at=starts_at, waiting=waiting, now=NOW)
    else:
        with pytest.raises(NumbersNotGiven):
            queue.require_numbers(state=state, starts_at=starts_at, waiting=waiting, now=NOW)


@pytest.mark.parametrize("window", [0, 3, -1])
def test_a_window_that_is_not_there_is_named(window: int) -> None:
    queue.require_window(2, 2)
    with pytest.raises(WindowUnknown, match="2"):
        queue.require_window(window, 2)


GUARDIAN = Guardian("示例乙", "母亲", "2026-1")


@pytest.mark.parametrize(("new", "consent", "error"), [
    (NEW, "", None), (replace(NEW, name=""), "", ActivityWrong), (replace(NEW, name="长" * 41), "", ActivityWrong),
    (replace(NEW, phone="12"), "", ActivityWrong), (replace(NEW, party=0), "", ActivityWrong), (replace(NEW, party=11), "", ActivityWrong),
    (replace(NEW, key="short"), "", ActivityWrong),
    # A minor needs a guardian's consent to the present text, where the kind asks for consent at all.
    (replace(NEW, is_minor=True), "", None), (replace(NEW, is_minor=True), "2026-1", ConsentMissing),
    (replace(NEW, is_minor=True, guardian=GUARDIAN), "2026-1", None), (replace(NEW, is_minor=True, guardian=GUARDIAN), "2027-1", ConsentMissing),
    (replace(NEW, is_minor=True, guardian=replace(GUARDIAN, name="")), "2026-1", ConsentMissing),
    (replace(NEW, is_minor=True, guardian=replace(GUARDIAN, name="长" * 41)), "2026-1", ActivityWrong),
    (replace(NEW, is_minor=True, guardian=replace(GUARDIAN, relation="")), "2026-1", ActivityWrong),
    (NEW, "2026-1", None),
])
def test_what_a_sign_up_must_say(new: NewSignUp, consent: str, error: type[ActivityError] | None) -> None:
    if error is None:
        entries.check(new, consent=consent)
    else:
        with pytest.raises(error):
            entries.check(new, consent=consent)


def test_what_was_entered_is_tidied() -> None:
    found = entries.tidied(replace(NEW, name="  示例\n甲 ", phone="100 0000-0001", guardian=replace(GUARDIAN, name=" 示例乙 ")))
    assert (found.name, found.phone, found.guardian) == ("示例 甲", "10000000001", GUARDIAN)
    assert entries.tidied(NEW) == NEW


@pytest.mark.parametrize(("taken", "waiting", "party", "capacity", "expected"), [
    (0, 0, 3, None, "IN"), (9, 0, 1, 10, "IN"), (9, 0, 2, 10, "WAITING"), (10, 0, 1, 10, "WAITING"),
    # Nobody overtakes those who wait, even where a small party would fit.
    (8, 1, 1, 10, "WAITING"),
])
def test_who_gets_a_place(taken: int, waiting: int, party: int, capacity: int | None, expected: str) -> None:
    assert entries.placed(taken=taken, waiting=waiting, party=party, capacity=capacity) == expected


def test_a_full_waiting_list_says_so() -> None:
    with pytest.raises(SignUpClosed, match="候补"):
        entries.placed(taken=10, waiting=entries.MOST_WAITING, party=1, capacity=10)


@pytest.mark.parametrize(("state", "entry", "open_"), [
    ("OPEN", "SIGN_UP", True), ("OPEN", "BOTH", True), ("RUNNING", "BOTH", True), ("OPEN", "WALK_IN", False),
    ("PLANNED", "BOTH", False), ("ENDED", "BOTH", False), ("CANCELLED", "SIGN_UP", False),
])
def test_when_people_may_sign_up(state: str, entry: str, open_: bool) -> None:
    if open_:
        entries.require_open(state, entry)
    else:
        with pytest.raises(SignUpClosed):
            entries.require_open(state, entry)


@given(st.lists(st.tuples(st.sampled_from(["IN", "OUT"]), st.integers(1, 5)), max_size=40), st.integers(1, 12))
def test_places_are_never_too_many_and_go_in_the_order_of_signing_up(steps: list[tuple[str, int]], capacity: int) -> None:
    seated: dict[int, int] = {}
    waiting: dict[int, int] = {}
    for number, (what, party) in enumerate(steps):
        if what == "IN":
            place = entries.placed(taken=sum(seated.values()), waiting=len(waiting), party=party, capacity=capacity)
            (seated if place == "IN" else waiting)[number] = party
        elif seated:
            seated.pop(sorted(seated)[party % len(seated)])
            for lucky in entries.moving_up(taken=sum(seated.values()), waiting=waiting.items(), capacity=capacity):
                assert lucky == min(waiting)
                seated[lucky] = waiting.pop(lucky)
        assert sum(seated.values()) <= capacity
        if waiting:
            assert sum(seated.values()) + waiting[min(waiting)] > capacity


def test_without_a_limit_all_who_wait_move_up() -> None:
    assert entries.moving_up(taken=0, waiting=[(1, 5), (2, 9)], capacity=None) == [1, 2]


@pytest.mark.parametrize(("change", "said"), [
    ({"title": ""}, "名称"), ({"title": "长" * 61}, "名称"), ({"place": ""}, "地点"), ({"about": "长" * 1001}, "说明"),
    ({"ends_at": PLAN.starts_at}, "结束时间"), ({"ends_at": PLAN.starts_at + timedelta(days=32)}, "结束时间"),
    ({"starts_at": NOW - timedelta(days=400), "ends_at": NOW - timedelta(days=399)}, "开始时间"),
    ({"entry": "SIGN_UP"}, "参加方式"), ({"capacity": 0}, "名额"), ({"capacity": 100_001}, "名额"), ({"windows": 0}, "窗口数"),
    ({"windows": 21}, "窗口数"), ({"organiser_id": None}, "主办"),
])
def test_a_plan_that_cannot_be_is_refused(change: dict[str, object], said: str) -> None:
    plans.check(PLAN, queries.kind_of("HELP_DAY"), now=NOW)
    with pytest.raises(ActivityWrong, match=said):
        plans.check(replace(PLAN, **change), queries.kind_of("HELP_DAY"), now=NOW)  # type: ignore[arg-type]


def test_the_same_on_another_day_keeps_its_hours_and_lasts_as_long() -> None:
    start, end = plans.on_day(PLAN.starts_at, PLAN.ends_at, date(2026, 2, 20))
    assert (local(start).date(), local(start).time(), end - start) == (date(2026, 2, 20), local(PLAN.starts_at).time(), timedelta(hours=3))


@pytest.mark.parametrize(("text", "fen"), [
    ("0", 0), ("80", 8000), ("1,280.5", 128050), ("￥1280.05", 128005), (" 3.20 元", 320), ("999999999.99", None), ("100000000", MOST_FEN),
    ("", None), ("-1", None), ("1.234", None), ("1e5", None), ("十", None), ("１２", None),
])
def test_yuan_are_read_as_fen(text: str, fen: int | None) -> None:
    if fen is None:
        with pytest.raises(ActivityWrong, match="费用"):
            fen_of(text)
    else:
        assert fen_of(text) == fen


@given(st.integers(0, MOST_FEN))
def test_what_is_shown_is_read_back_to_the_fen(fen: int) -> None:
    assert fen_of(yuan_of(fen)) == fen


@pytest.mark.parametrize(("counts", "n", "mean"), [
    ({}, 0, None), ({5: 4}, 4, None), ({5: 4, 1: 1}, 5, 4.2), ({1: 5}, 5, 1.0), ({3: 10, 4: 10}, 20, 3.5),
])
def test_a_few_taps_say_nothing(counts: dict[int, int], n: int, mean: float | None) -> None:
    found = evaluated(counts)
    assert (found.n, found.mean) == (n, mean)


@pytest.mark.parametrize("score", [0, 6, -1])
def test_there_are_five_scores(score: int) -> None:
    require_score(1)
    with pytest.raises(ActivityWrong, match="评价"):
        require_score(score)


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_a_month_is_whole_weeks_that_hold_it(day: date) -> None:
    month = day.replace(day=1)
    weeks = weeks_of(month)
    days = [each for week in weeks for each in week]
    assert all(len(week) == 7 and week[0].weekday() == 0 for week in weeks)
    assert days == [days[0] + timedelta(days=n) for n in range(len(days))]
    assert {each for each in days if each.month == month.month} == {month + timedelta(days=n) for n in range((next_month(month) - month).days)}
    assert any(each.month == month.month for each in weeks[0]) and any(each.month == month.month for each in weeks[-1])
    assert month_before(next_month(month)) == month
    assert month_of(f"{month:%Y-%m}", today=date(1999, 5, 5)) == month


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-00", "1999-01", "2026-1", "abcd-ef", "２０２６-01"])
def test_a_month_written_otherwise_is_the_present_one(text: str) -> None:
    assert month_of(text, today=date(2026, 1, 15)) == date(2026, 1, 1)


def test_a_notice_names_a_single_day_once() -> None:
    assert span_of(PLAN.starts_at, PLAN.ends_at).zh == "2026 年 1 月 16 日（星期五） 10:00 至 13:00"
    assert "至 2026 年 1 月 17 日" in span_of(PLAN.starts_at, PLAN.starts_at + timedelta(days=1)).zh
    assert span_of(PLAN.starts_at, PLAN.ends_at).en == "Friday 2026-01-16, 10:00 to 13:00"
    assert "to Saturday" in span_of(PLAN.starts_at, PLAN.starts_at + timedelta(days=1)).en


def test_the_shipped_kinds_say_what_they_use() -> None:
    uses = {kind.code: kind.uses for kind in queries.kinds()}
    assert set(uses) == {"HELP_DAY", "SERVICE_DAY", "SAFETY_LESSON", "WATER_LESSON", "WATER_EXPERIENCE", "DRILL", "PUBLIC_CLASS"}
    assert all("CONSENT" in uses[code] for code in ("WATER_LESSON", "WATER_EXPERIENCE"))
    assert "QUEUE" in uses["HELP_DAY"] and "CONSENT" in uses["SAFETY_LESSON"] and "QUEUE" not in uses["DRILL"]
    assert [kind.code for kind in queries.kinds() if not kind.entries] == []
    with pytest.raises(NotUsed, match="演练"):
        queries.kind_of("DRILL").require("QUEUE")


KIND = '[[kind]]\ncode = "A"\nzh = "甲"\nen = "A"\nuses = [{uses}]\nmatters = [{matters}]\nbring_zh = "无"\nbring_en = "none"\n'
MATTER = '[[matter]]\ncode = "M"\nzh = "事"\nen = "M"\nduty = "GRID_WORKER"\n'


@pytest.mark.parametrize(("text", "said"), [
    (KIND.format(uses='"QUEUE"', matters="") + MATTER, "SIGN_UP 或 WALK_IN"),
    (KIND.format(uses='"WALK_IN", "MATTERS"', matters="") + MATTER, "同时"),
    (KIND.format(uses='"WALK_IN"', matters='"M"') + MATTER, "同时"),
    (KIND.format(uses='"WALK_IN", "MATTERS"', matters='"N"') + MATTER, "没有事项 N"),
    (KIND.format(uses='"WALK_IN", "CONSENT"', matters="") + MATTER, "CONSENT 须有 SIGN_UP"),
    (KIND.format(uses='"FLYING"', matters="") + MATTER, "FLYING"),
    (2 * KIND.format(uses='"WALK_IN"', matters="") + MATTER, "编码重复"),
    (KIND.format(uses='"WALK_IN"', matters="") + MATTER.replace("GRID_WORKER", "MAYOR"), "MAYOR"),
    ("[[kind]", "kinds.toml"),
])
def test_kinds_that_cannot_be_are_refused(text: str, said: str) -> None:
    with pytest.raises(CatalogueInvalid, match=said):
        catalogue(text)


def test_a_kind_with_both_ways_in_offers_both_first() -> None:
    assert catalogue(KIND.format(uses='"WALK_IN", "SIGN_UP"', matters="") + MATTER).kinds["A"].entries == ("BOTH", "SIGN_UP", "WALK_IN")


@pytest.mark.parametrize("text", ["", "text = 1", '[[text]]\nversion = "1"\nzh = "甲"', 2 * '[[text]]\nversion = "1"\nzh = "甲"\nen = "A"\n', "["])
def test_consent_texts_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(CatalogueInvalid, match=r"consents\.toml"):
        consent_texts(text)


def test_a_consent_text_that_was_shown_never_changes() -> None:
    known = {"2026-1": ("我是参加者的监护人", "deleted 30 days after it")}
    for version, (zh, en) in known.items():
        assert zh in queries.consent_text(version).zh
        assert en in queries.consent_text(version).en
    assert queries.current_consent() == queries.consent_texts()[-1]


@pytest.mark.parametrize("level", LEVELS)
def test_a_matter_goes_one_way_only(level: str) -> None:
    procedure = procedure_of(level)  # type: ignore[arg-type]
    check_procedure(procedure)
    ways = {
        ("HERE", "GRID_WORKER"): "here", ("HERE", "CIVIL_AFFAIRS"): "here", ("HANDED_ON", "GRID_WORKER"): "follow_grid_worker",
        ("HANDED_ON", "TOWNSHIP_DUTY"): "follow_township_duty", ("HANDED_ON", "CIVIL_AFFAIRS"): "follow_civil_affairs",
    }
    for (handled, duty), step in ways.items():
        first = advance(procedure, {}, {"handled": handled, "duty": duty})
        assert [each.code for each in first.started] == [step]
        assert advance(procedure, {**first.states, step: "D:SETTLED"}, {"handled": handled, "duty": duty}).complete


def test_no_ladder_begins_below_the_activity() -> None:
    order = {"VILLAGE": 0, "TOWNSHIP": 1, "COUNTY": 2, "PREFECTURE": 3}
    for level, procedure in zip(LEVELS, PROCEDURES, strict=True):
        rungs = [rung for step in procedure.steps for rung in step.rungs]
        assert min(order[rung.level] for rung in rungs) >= order[level]
        assert all([order[rung.level] for rung in step.rungs] == sorted(order[rung.level] for rung in step.rungs) for step in procedure.steps)
    assert procedure_code("GRID") == procedure_code("VILLAGE") == PROCEDURES[0].code
