"""Pure rules of people, as tables and properties."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.documents.sheets import find_columns
from shouwang.kernel.errors import Refused
from shouwang.people.rules import (
    DUTIES,
    RIGHTS,
    RIGHTS_OF_DUTY,
    SYSTEM,
    DutyRow,
    LeaveRow,
    Roster,
    Scope,
    ShiftRow,
    Who,
    initials,
    mask_id_number,
    mask_name,
    mask_phone,
    rights_of,
)
from shouwang.people.rules.lines import HEADINGS, Found, check_rows, is_id_number
from shouwang.people.rules.roster import day_bounds, overlap, week_cells, week_of
from shouwang.people.rules.scope import outermost

AT = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
DAY = date(2026, 1, 1)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("李强", "李*"),
        ("王兰英", "王**"),
        ("欧阳修", "欧阳*"),  # a surname of two characters
        ("欧阳", "欧*"),  # but never the whole name
        ("李", "李*"),  # nor a single character alone
        ("Smith", "S***"),
        ("  ", ""),
    ],
)
def test_a_name_is_masked(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("number", "masked"), [("10000000001", "100****0001"), ("0635110", "*******"), ("06351100", "063*1100"), ("", "")],
)
def test_a_phone_is_masked(number: str, masked: str) -> None:
    assert mask_phone(number) == masked


@pytest.mark.parametrize(("number", "masked"), [("371500190001011234", "3715**********1234"), ("12345678", "********"), ("", "")])
def test_an_identity_number_is_masked(number: str, masked: str) -> None:
    assert mask_id_number(number) == masked


@given(st.text(st.characters(exclude_characters="*"), min_size=1, max_size=12))
def test_no_mask_shows_a_whole_name(name: str) -> None:
    assert not name.strip() or mask_name(name) != name


@pytest.mark.parametrize(
    ("name", "expected"),
    [("王兰英", "wly"), ("单雄信", "sxx"), ("曾国强", "zgq"), ("Zhao Li", "zl"), ("欧阳修", "oyx"), ("", "")],
)
def test_a_name_is_found_by_its_initials(name: str, expected: str) -> None:
    assert initials(name) == expected


def test_every_duty_has_rights_and_they_are_known() -> None:
    assert set(RIGHTS_OF_DUTY) == set(DUTIES)
    assert frozenset().union(*RIGHTS_OF_DUTY.values()) <= RIGHTS


def test_a_right_counts_only_where_its_duty_lies() -> None:
    paths, rights, grants = rights_of([("GRID_WORKER", "/1/2/"), ("ADMINISTRATOR", "/1/3/"), ("TOWNSHIP_DUTY", "")])
    scope = Scope(7, paths, rights, grants=grants)
    assert scope.paths == ("/1/2/", "/1/3/")
    assert scope.may("case.handle", "/1/2/9/")
    assert not scope.may("case.handle", "/1/3/")  # an administrator handles no cases
    assert not scope.may("settings.edit", "/1/2/")
    assert scope.paths_for("case.read") == ("/1/2/", "/1/3/")
    assert scope.paths_for("telemetry.write") == ()
    with pytest.raises(Refused):
        scope.require("settings.edit", "/1/2/")


@pytest.mark.parametrize(
    ("path", "seen"), [("/1/2/", True), ("/1/2/3/", True), ("/1/", False), ("/1/20/", False), ("", False)],
)
def test_a_scope_sees_what_lies_at_or_below_its_paths(path: str, seen: bool) -> None:
    assert Scope(7, ("/1/2/",), frozenset()).sees(path) is seen


def test_an_empty_scope_sees_nothing_and_the_system_everything() -> None:
    assert not Scope(None, (), RIGHTS).sees("/1/")
    assert SYSTEM.sees("/1/2/")
    assert SYSTEM.may("people.edit", "/1/2/")


def test_paths_inside_others_are_dropped() -> None:
    assert outermost(["/1/2/", "/1/20/", "/1/2/3/", ""]) == ("/1/2/", "/1/20/")


def duty(area: int, level: str, code: str, person: int, *, rank: str = "PRIMARY", start: date = DAY, until: date | None = None) -> DutyRow:
    return DutyRow(area, level, code, rank, person, start, until)


VILLAGE_DUTY = (duty(77, "VILLAGE", "GRID_WORKER", 1), duty(77, "VILLAGE", "GRID_WORKER", 2, rank="DEPUTY"))
SHIFT = ShiftRow(5, "TOWNSHIP", "TOWNSHIP_DUTY", AT, AT + 8 * HOUR, 10, 11)
PATH = "/1/5/77/90/"


@pytest.mark.parametrize(
    ("duties", "shifts", "who", "at", "expected"),
    [
        # the holder of the village's duty answers, at the village or in a grid without its own worker
        (VILLAGE_DUTY, (), Who(PATH, "GRID_WORKER", "VILLAGE"), AT, 1),
        (VILLAGE_DUTY, (), Who(PATH, "GRID_WORKER", "VILLAGE", "DEPUTY"), AT, 2),
        # the grid's own worker is nearer
        ((*VILLAGE_DUTY, duty(90, "GRID", "GRID_WORKER", 3)), (), Who(PATH, "GRID_WORKER", "VILLAGE"), AT, 3),
        # but has no deputy, so the village's deputy is
        ((*VILLAGE_DUTY, duty(90, "GRID", "GRID_WORKER", 3)), (), Who(PATH, "GRID_WORKER", "VILLAGE", "DEPUTY"), AT, 2),
        # another village, level or duty does not answer: a coverage gap
        (VILLAGE_DUTY, (), Who("/1/5/78/", "GRID_WORKER", "VILLAGE"), AT, None),
        (VILLAGE_DUTY, (), Who(PATH, "GRID_WORKER", "TOWNSHIP"), AT, None),
        (VILLAGE_DUTY, (), Who(PATH, "CIVIL_AFFAIRS", "VILLAGE"), AT, None),
        # a duty begins on its first day and ends before its last, local days
        ((duty(77, "VILLAGE", "GRID_WORKER", 1, start=date(2026, 1, 15)),), (), Who(PATH, "GRID_WORKER", "VILLAGE"), AT, 1),
        ((duty(77, "VILLAGE", "GRID_WORKER", 1, start=date(2026, 1, 16)),), (), Who(PATH, "GRID_WORKER", "VILLAGE"), AT, None),
        ((duty(77, "VILLAGE", "GRID_WORKER", 1, until=date(2026, 1, 15)),), (), Who(PATH, "GRID_WORKER", "VILLAGE"), AT, None),
        ((duty(77, "VILLAGE", "GRID_WORKER", 1, until=date(2026, 1, 16)),), (), Who(PATH, "GRID_WORKER", "VILLAGE"), AT, 1),
        # 16:00 UTC is the next local day
        ((duty(77, "VILLAGE", "GRID_WORKER", 1, until=date(2026, 1, 16)),), (), Who(PATH, "GRID_WORKER", "VILLAGE"), AT + 14 * HOUR, None),
        # a shift wins over the duty while it lasts: from its start, until before its end
        ((duty(5, "TOWNSHIP", "TOWNSHIP_DUTY", 8),), (SHIFT,), Who(PATH, "TOWNSHIP_DUTY", "TOWNSHIP"), AT, 10),
        ((duty(5, "TOWNSHIP", "TOWNSHIP_DUTY", 8),), (SHIFT,), Who(PATH, "TOWNSHIP_DUTY", "TOWNSHIP"), AT - HOUR, 8),
        ((duty(5, "TOWNSHIP", "TOWNSHIP_DUTY", 8),), (SHIFT,), Who(PATH, "TOWNSHIP_DUTY", "TOWNSHIP"), AT + 8 * HOUR, 8),
        ((), (SHIFT,), Who(PATH, "TOWNSHIP_DUTY", "TOWNSHIP", "DEPUTY"), AT, 11),
        # a shift without deputy leaves the duty's deputy in place, unless that is the person on shift
        ((duty(5, "TOWNSHIP", "TOWNSHIP_DUTY", 9, rank="DEPUTY"),), (SHIFT._replace(deputy_id=None),), Who(PATH, "TOWNSHIP_DUTY", "TOWNSHIP", "DEPUTY"), AT, 9),
        ((duty(5, "TOWNSHIP", "TOWNSHIP_DUTY", 10, rank="DEPUTY"),), (SHIFT._replace(deputy_id=None),), Who(PATH, "TOWNSHIP_DUTY", "TOWNSHIP", "DEPUTY"), AT, None),
        # of two holders the one appointed last answers, then the lower id
        ((duty(77, "VILLAGE", "GRID_WORKER", 1), duty(77, "VILLAGE", "GRID_WORKER", 4, start=date(2026, 1, 10))), (), Who(PATH, "GRID_WORKER", "VILLAGE"), AT, 4),
        ((duty(77, "VILLAGE", "GRID_WORKER", 6), duty(77, "VILLAGE", "GRID_WORKER", 5)), (), Who(PATH, "GRID_WORKER", "VILLAGE"), AT, 5),
    ],
)
def test_who_answers(
    duties: tuple[DutyRow, ...], shifts: tuple[ShiftRow, ...], who: Who, at: datetime, expected: int | None,
) -> None:
    assert Roster(duties, shifts).answer([who], at=at) == [expected]


AWAY = LeaveRow(10, date(2026, 1, 15), date(2026, 1, 16))
TOWN = (duty(5, "TOWNSHIP", "TOWNSHIP_DUTY", 8), duty(5, "TOWNSHIP", "TOWNSHIP_DUTY", 9, rank="DEPUTY"))
ASKED = Who(PATH, "TOWNSHIP_DUTY", "TOWNSHIP")


@pytest.mark.parametrize(
    ("duties", "shifts", "leaves", "rank", "at", "expected"),
    [
        ((), (SHIFT,), (AWAY,), "PRIMARY", AT, 11),  # the shift's deputy stands in
        ((), (SHIFT,), (AWAY._replace(person_id=11),), "DEPUTY", AT, None),
        (TOWN, (SHIFT._replace(deputy_id=None),), (AWAY,), "PRIMARY", AT, 8),  # then the holder of the duty
        (TOWN, (SHIFT,), (AWAY, AWAY._replace(person_id=11)), "PRIMARY", AT, 8),
        (TOWN, (), (AWAY._replace(person_id=8),), "PRIMARY", AT, 9),  # then the deputy
        (TOWN, (), (AWAY._replace(person_id=9),), "DEPUTY", AT, None),
        (TOWN, (), (AWAY._replace(person_id=8), AWAY._replace(person_id=9)), "PRIMARY", AT, None),
        ((*TOWN, duty(5, "TOWNSHIP", "TOWNSHIP_DUTY", 12)), (), (AWAY._replace(person_id=8),), "PRIMARY", AT, 12),  # another holder before the deputy
        (TOWN, (), (AWAY._replace(person_id=8, until_date=date(2026, 1, 15), from_date=date(2026, 1, 14)),), "PRIMARY", AT, 8),  # back on that day
        (TOWN, (), (AWAY._replace(person_id=8, from_date=date(2026, 1, 16), until_date=date(2026, 1, 17)),), "PRIMARY", AT, 8),  # not yet
        (TOWN, (), (AWAY._replace(person_id=8),), "PRIMARY", AT + 14 * HOUR, 8),  # 16:00 UTC is the next local day
        ((TOWN[1],), (), (), "PRIMARY", AT, None),  # nobody is away: a deputy does not stand in for nobody
    ],
)
def test_who_is_on_leave_answers_for_nothing(
    duties: tuple[DutyRow, ...], shifts: tuple[ShiftRow, ...], leaves: tuple[LeaveRow, ...], rank: str, at: datetime, expected: int | None,
) -> None:
    assert expected == Roster(duties, shifts, leaves).answer([ASKED._replace(rank=rank)], at=at)[0]


minutes = st.integers(min_value=-600, max_value=600)


@given(
    st.lists(st.tuples(st.sampled_from([5, 77]), st.integers(1, 9), st.integers(0, 20), st.integers(1, 20)), max_size=8),
    st.lists(st.integers(1, 60), max_size=12),
    minutes,
)
def test_the_index_answers_as_reading_every_row_would(
    held: list[tuple[int, int, int, int]], lengths: list[int], offset: int,
) -> None:
    """The roster's index and the plain reading of all rows agree, on every answer and every gap."""
    at = AT + timedelta(minutes=offset)
    levels = {5: "TOWNSHIP", 77: "VILLAGE"}
    duties = [duty(a, levels[a], "GRID_WORKER", p, start=DAY + timedelta(s), until=DAY + timedelta(s + n)) for a, p, s, n in held]
    shifts, start = [], AT - timedelta(minutes=300)
    for n, length in enumerate(lengths):
        if n % 2:
            shifts.append(ShiftRow(77, "VILLAGE", "GRID_WORKER", start, start + timedelta(minutes=length), 100 + n, None))
        start += timedelta(minutes=length)
    roster = Roster(duties, shifts)
    today = (at + 8 * HOUR).date()
    for area, level in levels.items():
        on_shift = [row.person_id for row in shifts if row.area_id == area and row.start_at <= at < row.until_at]
        holders = sorted(
            (-row.from_date.toordinal(), row.person_id)
            for row in duties
            if row.area_id == area and row.from_date <= today and (row.until_date is None or today < row.until_date)
        )
        expected = on_shift[0] if on_shift else holders[0][1] if holders else None
        assert roster.answer([Who("/1/5/77/", "GRID_WORKER", level)], at=at) == [expected]


@given(minutes, minutes, minutes, minutes)
def test_overlap_is_symmetric_and_touching_is_none(a: int, b: int, c: int, d: int) -> None:
    first = (AT + timedelta(minutes=min(a, b)), AT + timedelta(minutes=max(a, b)))
    other = (AT + timedelta(minutes=min(c, d)), AT + timedelta(minutes=max(c, d)))
    assert overlap(*first, *other) == overlap(*other, *first)
    assert not overlap(*first, first[1], first[1] + HOUR)


def test_a_week_begins_on_monday_and_a_night_shift_stands_on_both_days() -> None:
    days = week_of(date(2026, 1, 15))
    assert (days[0], days[-1]) == (date(2026, 1, 12), date(2026, 1, 18))
    night = ShiftRow(5, "TOWNSHIP", "TOWNSHIP_DUTY", AT + 10 * HOUR, AT + 22 * HOUR, 1, None)  # 20:00 to 08:00
    cells = {cell.day: cell.shifts for cell in week_cells(days, [(9, night)])}
    assert cells[date(2026, 1, 15)] == ((9, "20:00", "24:00", 1, None),)
    assert cells[date(2026, 1, 16)] == ((9, "00:00", "08:00", 1, None),)
    assert cells[date(2026, 1, 17)] == ()
    assert day_bounds(date(2026, 1, 15))[0] == datetime(2026, 1, 14, 16, tzinfo=UTC)


HEAD = ("姓名*", "电话", "地区", "职责", "主备", "开始日期", "结束日期", "身份证号")
COLUMNS = find_columns(HEAD, HEADINGS)
AREAS = {"黄庙村": Found(77, 1), "李庄": Found(None, 2)}


@pytest.mark.parametrize(
    ("cells", "problems"),
    [
        (("王兰英", "100-0000 0001", "黄庙村", "", "", "", "", ""), []),
        (("王兰英", "", "黄庙村", "网格员", "备岗", "2026-01-01", "2026/2/1", ""), []),
        (("", "", "黄庙村", "", "", "", "", ""), ["NAME_MISSING"]),
        (("王" * 61, "", "黄庙村", "", "", "", "", ""), ["NAME_LONG"]),
        (("王兰英", "abc", "黄庙村", "", "", "", "", ""), ["PHONE_WRONG"]),
        (("王兰英", "", "", "", "", "", "", ""), ["AREA_MISSING"]),
        (("王兰英", "", "无此村", "", "", "", "", ""), ["AREA_UNKNOWN"]),
        (("王兰英", "", "李庄", "", "", "", "", ""), ["AREA_AMBIGUOUS"]),
        (("王兰英", "", "黄庙村", "村长", "正", "", "", ""), ["DUTY_UNKNOWN", "RANK_UNKNOWN"]),
        (("王兰英", "", "黄庙村", "", "", "昨天", "", ""), ["DATE_WRONG"]),
        (("王兰英", "", "黄庙村", "GRID_WORKER", "", "2026-02-01", "2026-02-01", ""), ["SPAN_EMPTY"]),
        (("王兰英", "", "黄庙村", "", "", "", "", "371500190001011234"), ["ID_WRONG"]),
    ],
)
def test_a_row_is_good_or_says_what_is_wrong(cells: tuple[str, ...], problems: list[str]) -> None:
    good, bad = check_rows([(2, cells)], COLUMNS, AREAS)
    assert [problem.code for row in bad for problem in row.problems] == problems
    assert len(good) + len(bad) == 1
    assert all(problem.text("zh") and problem.text("en") for row in bad for problem in row.problems)


def test_empty_rows_are_passed_over_and_a_row_twice_is_named() -> None:
    row = ("王兰英", "", "黄庙村")
    good, bad = check_rows([(2, row), (3, ("", " ", "")), (4, row)], COLUMNS, AREAS)
    assert [line.row for line in good] == [2]
    assert [(each.row, each.problems[0].found) for each in bad] == [(4, "2")]


@given(st.from_regex(r"[0-9]{17}", fullmatch=True))
def test_exactly_one_check_character_fits(digits: str) -> None:
    assert sum(is_id_number(digits + check) for check in "0123456789X") == 1
