"""The rules of requests, by tables and properties."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.cases.rules.procedures import check as check_procedure
from shouwang.kernel.errors import NotFound
from shouwang.kernel.geometry import distance_m
from shouwang.kernel.texts import Text
from shouwang.people.rules.lines import Found
from shouwang.requests.rules.catalogue import OTHER, SERVICES, guess, is_service, service_of
from shouwang.requests.rules.doubles import MOST, Spot, doubles, reach_deg
from shouwang.requests.rules.errors import ReportWrong
from shouwang.requests.rules.intake import NewReport, check, one_line, settled, tail_of, tidy_phone
from shouwang.requests.rules.limits import BUDGETS, HOUR, Budget, minutes_left, pseudonym, window_of
from shouwang.requests.rules.lines import EXAMPLE, HEADINGS, check_rows, moment_of
from shouwang.requests.rules.numbers import END, LEAST, is_number, number_of, spoken, tidy_number
from shouwang.requests.rules.procedures import (
    PROCEDURES,
    RESIDENT_REQUEST,
    TEMPLATES,
    WORDS,
    procedure_for,
    result_word,
    service_word,
)
from shouwang.requests.rules.progress import STATES, Happened, chain, state_of

NOW = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
GOOD = NewReport("LIGHT", "QR", 1, "路灯不亮", "key-00001", phone="10000001234")


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (["村头路灯坏了，晚上不亮"], "LIGHT"),  # two words of one kind
        (["下水道堵塞，路面积水"], "WASTE"),  # two words against one
        (["电线掉在路面上"], "DANGER"),  # as many: the graver
        (["路灯、照明"], "LIGHT"),  # its title as a hotline writes it
        (["Street light"], "LIGHT"),
        (["DISPUTE"], "DISPUTE"),
        (["谢谢"], OTHER),
        ([""], OTHER),
    ],
)
def test_the_kind_is_guessed_from_what_is_said(texts: list[str], code: str) -> None:
    assert guess(texts) == code


def test_the_catalogue_holds_each_kind_once_and_every_word_is_registered() -> None:
    assert len({service.code for service in SERVICES}) == len(SERVICES) == 10
    assert service_of("ROAD").code == "ROAD"
    assert not is_service("ROADS")
    with pytest.raises(NotFound):
        service_of("ROADS")
    for service in SERVICES:
        assert {service_word(service.code), f"REQUEST_{service.code}"} <= set(WORDS)
        assert len(f"REQUEST_{service.code}") <= 48
    assert all(len(code) <= 32 for code in TEMPLATES)


def test_the_shipped_procedures_can_run_and_every_result_has_words() -> None:
    for procedure in PROCEDURES:
        check_procedure(procedure)
        assert procedure.closes == "REPORTER"
        assert all(result_word(result.code) in WORDS for step in procedure.steps for result in step.results)


@pytest.mark.parametrize(
    ("channel", "severity", "procedure"),
    [
        ("QR", 1, "RESIDENT_REQUEST"), ("TELEPHONE", 2, "RESIDENT_REQUEST"), ("TELEPHONE", 3, "URGENT_REQUEST"),
        ("FIELD_REPORT", 1, "FIELD_REQUEST"),  # it has been looked at: the township goes on
        ("FIELD_REPORT", 3, "URGENT_FIELD_REQUEST"),
    ],
)
def test_which_procedure_answers(channel: str, severity: int, procedure: str) -> None:
    assert procedure_for(channel=channel, severity=severity) == procedure


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"service": "ROADS"}, "类别"), ({"description": ""}, "什么事"), ({"description": "长" * 501}, "什么事"),
    ({"address": "长" * 121}, "具体位置"), ({"name": "长" * 61}, "姓名"), ({"phone": "12"}, "电话"), ({"phone": "1" * 16}, "电话"),
    ({"key": "short"}, "提交编号"), ({"key": "<script>1"}, "提交编号"), ({"lon": 1.0}, "定位"), ({"lat": 1.0}, "定位"),
    ({"lon": 181.0, "lat": 1.0}, "定位"), ({"lon": float("nan"), "lat": 1.0}, "定位"), ({"said_at": NOW + timedelta(hours=1)}, "反映时间"),
    ({"said_at": NOW - timedelta(days=400)}, "反映时间"),
]


@pytest.mark.parametrize(("change", "what"), WRONG)
def test_what_cannot_be_taken_is_named(change: dict[str, Any], what: str) -> None:
    check(GOOD, now=NOW)
    with pytest.raises(ReportWrong) as wrong:
        check(replace(GOOD, **change), now=NOW)
    assert wrong.value.params["what"] == what
    assert what in wrong.value.text("zh")
    assert "expected" in wrong.value.text("en")
    assert str(change.get("phone", "no phone")) not in wrong.value.text("zh"), "no message repeats a phone"


def test_a_report_with_a_point_or_an_earlier_time_is_taken() -> None:
    check(replace(GOOD, lon=115.6, lat=36.3, said_at=NOW - timedelta(days=2)), now=NOW)


def test_texts_become_one_line_and_phones_digits() -> None:
    assert one_line("  路灯\n不亮\u200b \t晚上  ") == "路灯 不亮 晚上"
    assert tidy_phone("+86 100 0000-1234") == "10000001234"
    assert tidy_phone("（0635）1234567") == "06351234567"
    assert tail_of("10000001234") == "1234"
    assert tail_of("123") == ""


@pytest.mark.parametrize(
    ("claimed", "found", "expected"),
    [
        ((3, "/1/2/3/"), None, (3, "/1/2/3/")),  # no point
        ((3, "/1/2/3/"), (9, "/1/2/3/9/"), (9, "/1/2/3/9/")),  # a village inside the township of the poster
        ((3, "/1/2/3/"), (4, "/1/2/4/"), (3, "/1/2/3/")),  # somewhere else: the poster knows better where it hangs
        ((3, "/1/2/3/"), (3, "/1/2/3/"), (3, "/1/2/3/")),
    ],
)
def test_where_a_report_belongs(claimed: tuple[int, str], found: tuple[int, str] | None, expected: tuple[int, str]) -> None:
    assert settled(claimed, found) == expected


LIGHT = service_of("LIGHT")
HERE = Spot(0, "LIGHT", 5, 115.6, 36.3, "村委会门前", NOW)
NORTH_50_M = 36.3 + 50 / 111_320


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (replace(HERE, id=1), True),  # the same
        (replace(HERE, id=1, lat=NORTH_50_M, address="别处"), True),  # 50 m away, 60 m count
        (replace(HERE, id=1, lat=36.31, address="别处"), False),  # 1.1 km away
        (replace(HERE, id=1, lat=36.31), True),  # far, but the same written address in the same area
        (replace(HERE, id=1, lat=36.31, area_id=6), False),  # the same words in another village
        (replace(HERE, id=1, lon=None, lat=None, address=""), True),  # no point: the same village counts
        (replace(HERE, id=1, lon=None, lat=None, area_id=6), False),
        (replace(HERE, id=1, service="ROAD"), False),  # another kind
        (replace(HERE, id=1, at=NOW - timedelta(days=30)), True),  # the last day of the window
        (replace(HERE, id=1, at=NOW - timedelta(days=31)), False),
    ],
)
def test_which_open_request_may_be_the_same(known: Spot, expected: bool) -> None:
    assert bool(doubles(HERE, [known], service=LIGHT)) is expected


def test_doubles_come_with_the_same_address_first_then_the_nearest_and_never_more_than_five() -> None:
    near = replace(HERE, id=2, address="甲")
    nearer_but_older = replace(HERE, id=3, address="乙", at=NOW - timedelta(days=3))
    away = replace(HERE, id=4, lat=NORTH_50_M, address="丙")
    same = replace(HERE, id=5, lat=36.4, address="村委会·门前")
    found = doubles(HERE, [away, nearer_but_older, near, same], service=LIGHT)
    assert [each.id for each in found] == [5, 2, 3, 4]
    assert found[0].is_same_address
    assert found[-1].away_m == pytest.approx(50, abs=1)
    assert len(doubles(HERE, [replace(HERE, id=n) for n in range(1, 20)], service=LIGHT)) == MOST
    assert doubles(HERE, [replace(HERE, id=1, service="QUESTION")], service=service_of("QUESTION")) == []


@given(st.floats(min_value=-180, max_value=179), st.floats(min_value=18, max_value=54), st.floats(0, 360), st.sampled_from(SERVICES))
def test_nothing_near_enough_lies_outside_the_box_that_is_looked_through(lon: float, lat: float, towards: float, service: Any) -> None:
    import math  # noqa: PLC0415

    reach = reach_deg(service)
    away = service.within_m / 111_195
    other_lat = lat + away * math.cos(math.radians(towards))
    other_lon = lon + away * math.sin(math.radians(towards)) / math.cos(math.radians(lat))
    if distance_m(lon, lat, other_lon, other_lat) <= service.within_m:
        assert abs(other_lat - lat) <= reach + 1e-12
        assert abs(other_lon - lon) <= 3 * reach + 1e-12


@given(st.integers(LEAST, END - 1), st.integers(0, 8), st.integers(1, 9))
def test_a_mistyped_digit_makes_a_number_wrong(drawn: int, place: int, add: int) -> None:
    number = number_of(drawn)
    assert is_number(number)
    assert tidy_number(spoken(number)) == number
    mistyped = number[:place] + str((int(number[place]) + add) % 10) + number[place + 1 :]
    assert not is_number(mistyped)


def test_numbers_are_nine_ascii_digits() -> None:
    assert spoken(number_of(48392017)) == "483 920 179"
    assert not is_number("１２３４５６７８９")
    for wrong in (LEAST - 1, END):
        with pytest.raises(ValueError, match="eight digits"):
            number_of(wrong)


@given(st.timedeltas(timedelta(0), timedelta(days=400)), st.sampled_from(sorted(BUDGETS)))
def test_a_window_holds_its_moment_and_the_wait_ends_in_the_next(later: timedelta, name: str) -> None:
    budget, at = BUDGETS[name], NOW + later
    start = window_of(budget, at)
    assert start <= at < start + budget.window
    assert start + budget.window <= at + timedelta(minutes=minutes_left(budget, at)) < start + budget.window + timedelta(minutes=1)


def test_pseudonyms_differ_by_secret_purpose_and_person_and_hide_the_person() -> None:
    made = {pseudonym(*each) for each in (("s", "p", "10.0.0.1"), ("t", "p", "10.0.0.1"), ("s", "q", "10.0.0.1"), ("s", "p", "10.0.0.2"))}
    assert len(made) == 4
    assert not any("10.0.0" in each for each in made)
    assert minutes_left(Budget(1, HOUR), NOW) == 60


STATES_OF = [
    ("OPEN", "OFFERED", "WAITING"), ("OPEN", "CONFIRM", "WAITING"), ("OPEN", None, "WAITING"), ("OPEN", "ACCEPTED", "HANDLING"),
    ("OPEN", "ARRIVED", "HANDLING"), ("OPEN", "SUSPENDED", "SUSPENDED"), ("COMPLETED", "DONE", "TO_ANSWER"),
    ("CLOSED", "DONE", "CLOSED"), ("WITHDRAWN", "CANCELLED", "WITHDRAWN"),
]


@pytest.mark.parametrize(("case", "task", "state"), STATES_OF)
def test_the_state_is_that_of_the_case(case: str, task: str | None, state: str) -> None:
    assert state_of(case, task) == state
    assert state in STATES


def happened(kind: str, minutes: int, **payload: Any) -> Happened:
    return Happened(f"case.{kind}", NOW + timedelta(minutes=minutes), payload)


STORY = [
    happened("opened", 0, offers={"7": ["look", 0, 11]}),
    happened("coverage_gap", 0, task=7, duty="GRID_WORKER"),
    happened("escalated", 30, task=7, rung=2, person=12),
    happened("task_accepted", 40, task=7, person=12),
    happened("arrived", 50, task=7, person=12),
    happened("step_done", 60, task=7, step="look", result="PASSED_ON", person=12, offers={"8": ["handle", 0, 13]}),
    happened("escalated", 65, task=8, rung=1, person=14),
    happened("completed", 70, result="SOLVED"),
    happened("reopened", 80, reason="NOT_SOLVED", by=None, offers={"9": ["handle", 1, 14]}),
    happened("completed", 90, result="UNHEARD_OF"),
    happened("closed", 100, result="NO_ANSWER", by=None),
    happened("reopened", 110, reason="DESK", by=3),
    happened("closed", 120, by=3),
]
TOLD = [
    "已收到您的反映", "已交给网格员", "转给上一级：乡镇值班员", "已有人接手", "已到现场", "已交给乡镇值班员", "转给上一级：县级值班员", "已办结：已解决",
    "您说没有解决，已交上一级重新办理", "已交给县级值班员", "已办结：UNHEARD_OF", "没有收到您的答复，已结束；仍未解决可在下面告诉我们", "重新办理", "已结束",
]


def test_the_chain_tells_the_story_in_plain_words_and_names_nobody() -> None:
    lines = chain(NOW, STORY, RESIDENT_REQUEST)
    assert [line.render("zh") for line in lines] == TOLD
    assert "Given to: Grid worker" in [line.render("en") for line in lines]


def test_who_joined_later_is_told_what_happened_since() -> None:
    lines = chain(NOW + timedelta(minutes=65), STORY, RESIDENT_REQUEST, joined=True)
    assert [line.render("zh") for line in lines][:3] == ["您的反映已并入同一件事", "转给上一级：县级值班员", "已办结：已解决"]


def test_a_merged_case_is_told_once() -> None:
    lines = chain(NOW, [happened("merged", 5, into=4, by=3), happened("closed", 5, result="MERGED", alert=None)], RESIDENT_REQUEST)
    assert [line.render("zh") for line in lines] == ["已收到您的反映", "并入同一件事一起办理"]


COLUMNS = {field: place for place, field in enumerate(HEADINGS)}
AREAS = {"莘县 张寨镇 黄庙村": Found(7, 1), "两处": Found(None, 2)}


def row(**changes: str) -> list[str]:
    cells = dict(zip(HEADINGS, EXAMPLE, strict=True))
    return [{**cells, **changes}[field] for field in HEADINGS]


def test_a_good_row_becomes_a_report() -> None:
    good, bad = check_rows([(2, row()), (3, [""] * 8)], COLUMNS, AREAS, now=NOW)
    assert bad == []
    (line,) = good
    assert (line.row, line.is_known, line.report.service, line.report.area_id) == (2, False, "LIGHT", 7)
    assert line.report.said_at == datetime(2026, 1, 15, 1, 30, tzinfo=UTC)
    check(line.report, now=NOW)
    (again,), _ = check_rows([(2, row(kind="不知道", said_at="", phone="", name=""))], COLUMNS, AREAS, known={line.report.key}, now=NOW)
    assert (again.is_known, again.report.service, again.report.said_at) == (True, "LIGHT", None)


BAD_CELLS = [
    ({"key": ""}, "MISSING"), ({"area": ""}, "MISSING"), ({"description": ""}, "MISSING"), ({"description": "长" * 501}, "LONG"),
    ({"key": "a b"}, "KEY_WRONG"), ({"phone": "12"}, "PHONE_WRONG"), ({"said_at": "昨天"}, "TIME_WRONG"),
    ({"said_at": "2027-01-01"}, "TIME_WRONG"), ({"area": "无此村"}, "AREA_UNKNOWN"), ({"area": "两处"}, "AREA_AMBIGUOUS"),
]


@pytest.mark.parametrize(("change", "code"), BAD_CELLS)
def test_a_bad_row_says_what_is_wrong(change: dict[str, str], code: str) -> None:
    good, bad = check_rows([(2, row(**change))], COLUMNS, AREAS, now=NOW)
    assert good == []
    assert [problem.code for problem in bad[0].problems] == [code]
    assert all(isinstance(problem.text(language), str) for problem in bad[0].problems for language in ("zh", "en"))


def test_a_ticket_that_stands_twice_is_refused_twice() -> None:
    good, bad = check_rows([(2, row()), (3, row())], COLUMNS, AREAS, now=NOW)
    assert (good, [each.problems[0].code for each in bad]) == ([], ["TWICE", "TWICE"])


@pytest.mark.parametrize("text", ["2026-01-15 09:30", "2026/01/15 09:30", "2026年01月15日 09:30", "2026-01-15 09:30:00"])
def test_moments_are_read_as_hotlines_write_them(text: str) -> None:
    assert moment_of(text) == datetime(2026, 1, 15, 1, 30, tzinfo=UTC)


def test_every_word_has_both_languages() -> None:
    assert all(isinstance(text, Text) and text.zh and text.en for text in [*WORDS.values(), *TEMPLATES.values(), *STATES.values()])
