"""The rules of hazards, patrols and the five parties: tables, and what holds for every rhythm."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.systems.drowning.queries.parties import shipped_items
from shouwang.systems.drowning.rules import hazards, parties, patrols
from shouwang.systems.drowning.rules.errors import HazardWrong, ItemsInvalid, ItemWrong
from shouwang.systems.drowning.rules.hazards import NewHazard
from shouwang.systems.drowning.rules.parties import NewJointItem
from shouwang.systems.drowning.rules.patrols import Rhythm, windows
from shouwang.systems.drowning.rules.zones import Season

TODAY = date(2026, 7, 1)
SUMMER = Season(501, 930)
HAZARD = NewHazard("FENCE", " 东岸  护栏断了 ", "东村村委会", TODAY + timedelta(days=7), "k1")
AGREED = NewJointItem("补齐救生圈", "示例镇政府", 1, TODAY, "k2")
ITEM = '[[item]]\ncode = "A"\nparty = "SCHOOL"\nzh = "课"\nen = "Lesson"\nmonths = [2, 6]\nby_day = 31\nevery = "MONTH"\n'


def test_a_finding_is_tidied() -> None:
    assert hazards.checked(HAZARD, today=TODAY).what == "东岸 护栏断了"


@pytest.mark.parametrize("change", [
    {"kind": "SEA"}, {"what": " "}, {"what": "长" * 201}, {"unit": ""}, {"until": TODAY - timedelta(days=1)}, {"until": TODAY + timedelta(days=367)},
    {"key": ""}, {"key": "k" * 41},
])
def test_a_wrong_finding_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(HazardWrong):
        hazards.checked(replace(HAZARD, **change), today=TODAY)  # type: ignore[arg-type]


@pytest.mark.parametrize(("case", "result", "expected"), [
    ("OPEN", "", "OPEN"), ("SUSPENDED", "", "OPEN"), ("COMPLETED", "MENDED", "MENDED"), ("COMPLETED", "NO_HAZARD", "MENDED"), ("CLOSED", "MENDED", "CLOSED"),
    ("CLOSED", "NO_HAZARD", "DROPPED"), ("CLOSED", "TEST", "DROPPED"),  # a false alarm
    ("WITHDRAWN", "", "DROPPED"), ("MERGED", "", "DROPPED"),
])
def test_a_hazard_stands_as_its_case_does(case: str, result: str, expected: str) -> None:
    assert expected == hazards.state_of(case, result)


def test_on_its_day_a_hazard_is_not_late() -> None:
    assert not hazards.is_overdue("OPEN", TODAY, today=TODAY)
    assert hazards.is_overdue("OPEN", TODAY - timedelta(days=1), today=TODAY)
    assert not hazards.is_overdue("CLOSED", TODAY - timedelta(days=1), today=TODAY)


@pytest.mark.parametrize(("rhythm", "since", "until", "expected"), [
    # In season a week, and what begins inside the span may end behind it.
    (Rhythm(7, 30, SUMMER), date(2026, 7, 1), date(2026, 7, 9), [(date(2026, 7, 1), date(2026, 7, 8)), (date(2026, 7, 8), date(2026, 7, 15))]),
    # The long window of winter ends where the season begins.
    (Rhythm(7, 30, SUMMER), date(2026, 4, 25), date(2026, 5, 2), [(date(2026, 4, 25), date(2026, 5, 1)), (date(2026, 5, 1), date(2026, 5, 8))]),
    (Rhythm(0, 30, SUMMER), date(2026, 7, 1), date(2026, 7, 9), []),
    # None out of season: from the first day of the season on.
    (Rhythm(7, 0, SUMMER), date(2026, 4, 29), date(2026, 5, 2), [(date(2026, 5, 1), date(2026, 5, 8))]),
    (Rhythm(-3, -1, SUMMER), date(2026, 7, 1), date(2026, 7, 9), []),
])
def test_patrols_have_windows_of_days(rhythm: Rhythm, since: date, until: date, expected: list[tuple[date, date]]) -> None:
    assert expected == list(windows(rhythm, since=since, until=until))


@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 700), st.integers(1, 60))
def test_windows_follow_one_another_without_a_gap(in_days: int, off_days: int, start: int, span: int) -> None:
    since = date(2026, 1, 1) + timedelta(days=start)
    found = list(windows(Rhythm(in_days, off_days, SUMMER), since=since, until=since + timedelta(days=span)))
    assert found[0][0] == since
    assert all(a[1] == b[0] for a, b in zip(found, found[1:], strict=False))
    assert all(1 <= (end - begin).days <= patrols.LONGEST_DAYS for begin, end in found)
    assert found[-1][1] >= since + timedelta(days=span)


def test_a_season_written_wrongly_is_the_usual_one() -> None:
    values = {spec.key: spec.default for spec in patrols.SETTINGS}
    assert patrols.rhythm_of({**values, patrols.SEASON_FIRST.key: 1399, patrols.SEASON_LAST.key: 900}) == Rhythm(7, 30, SUMMER)


def test_a_patrol_is_late_when_its_window_has_ended() -> None:
    start, end = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 7, 8, tzinfo=UTC)
    second = timedelta(seconds=1)
    states = [patrols.state_of(start, end, None, now=now) for now in (start - second, start, end - second, end)]
    assert states == ["NOT_YET", "DUE", "DUE", "OVERDUE"]
    assert patrols.state_of(start, end, end, now=end) == "DONE"


def test_a_month_that_is_shorter_ends_an_item() -> None:
    items = list(parties.items_in(ITEM).values())
    assert parties.dues(items, year=2026) == [("A", date(2026, 2, 28)), ("A", date(2026, 6, 30))]
    once = list(parties.items_in(ITEM.replace('"MONTH"', '"ONCE"')).values())
    assert parties.dues(once, year=2026) == [("A", date(2026, 2, 28))]
    with pytest.raises(ItemWrong):
        parties.dues(items, year=1999)


@pytest.mark.parametrize("text", [
    "x", ITEM + ITEM, ITEM.replace("[2, 6]", "[]"), ITEM.replace("[2, 6]", "[13]"), ITEM.replace("31", "32"), ITEM.replace("SCHOOL", "PARENTS"),
    ITEM + "more = 1\n",
])
def test_a_wrong_file_of_items_is_refused(text: str) -> None:
    with pytest.raises(ItemsInvalid):
        parties.items_in(text)


def test_each_of_the_five_parties_has_items_shipped() -> None:
    assert {each.party for each in shipped_items().values()} == set(parties.PARTIES)
    assert all(len(code) <= 32 and each.title.zh for code, each in shipped_items().items())


@pytest.mark.parametrize(("due", "done", "expected"), [
    (TODAY - timedelta(days=1), None, "OVERDUE"), (TODAY, None, "DUE"), (TODAY + timedelta(days=31), None, "DUE"),
    (TODAY + timedelta(days=32), None, "LATER"), (TODAY - timedelta(days=9), TODAY, "DONE"),
])
def test_an_item_is_due_in_the_month_before_its_day(due: date, done: date | None, expected: str) -> None:
    assert expected == parties.state_of(due, done, today=TODAY)


@pytest.mark.parametrize("change", [{"title": " "}, {"unit": ""}, {"until": TODAY - timedelta(days=1)}, {"until": TODAY + timedelta(days=800)}, {"key": ""}])
def test_a_wrong_agreed_item_is_refused(change: dict[str, object]) -> None:
    assert parties.checked(AGREED, today=TODAY) == AGREED
    with pytest.raises(ItemWrong):
        parties.checked(replace(AGREED, **change), today=TODAY)  # type: ignore[arg-type]


def test_an_item_is_not_done_on_a_day_to_come() -> None:
    assert parties.noted(TODAY, "  已  开 ", today=TODAY) == "已 开"
    for day, note in ((TODAY + timedelta(days=1), ""), (TODAY - timedelta(days=800), ""), (TODAY, "长" * 201)):
        with pytest.raises(ItemWrong):
            parties.noted(day, note, today=TODAY)
