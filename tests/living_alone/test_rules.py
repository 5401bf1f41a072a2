"""Pure rules: absences, hospitals as people write them, and the rows of a list of homes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.documents.sheets import find_columns
from shouwang.kernel.moments import LOCAL_ZONE, local
from shouwang.people.rules.lines import Found
from shouwang.systems.living_alone.rules.absence import LONGEST_DAYS, checked, tapped_at, tonight, until_day, until_of
from shouwang.systems.living_alone.rules.errors import AbsenceWrong
from shouwang.systems.living_alone.rules.hospital import Hospital, hospital_of_text
from shouwang.systems.living_alone.rules.lines import EXAMPLE, HEADINGS, REQUIRED, check_rows

NOW = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)  # ten in the morning in Liaocheng
HEAD = [names[0] for names in HEADINGS.values()]
AREAS = {"东塘村": Found(7, 1), "黄庙村": Found(None, 2), "莘县 张寨镇 黄庙村": Found(9, 1)}
ROW = {"姓名": "示例甲", "地区": "东塘村", "住址": "1组2号", "水表编号": "WM1"}

TONIGHT = [
    ((2026, 1, 15, 10, 0), (2026, 1, 16, 9, 0)),
    ((2026, 1, 15, 23, 59), (2026, 1, 16, 9, 0)),
    ((2026, 1, 15, 3, 0), (2026, 1, 15, 9, 0)),  # told in the small hours: this morning
    ((2026, 1, 15, 9, 0), (2026, 1, 16, 9, 0)),
]


TAPPED = [
    ("2026-01-15T01:00:00Z", timedelta(hours=1)), ("2026-01-14T02:00:00+00:00", timedelta(days=1)),
    ("2026-01-05T02:00:00Z", timedelta(days=10)),  # that night is long over: it is not this one
    ("2026-01-15T02:00:01Z", timedelta()),  # a clock that is ahead
    ("2026-01-15T01:00:00", timedelta()), ("", timedelta()), ("x", timedelta()),
]


@pytest.mark.parametrize(("text", "ago"), TAPPED)
def test_when_a_form_was_tapped_is_believed_unless_it_is_to_come(text: str, ago: timedelta) -> None:
    assert tapped_at(text, now=NOW) == NOW - ago


def test_tonight_is_that_of_the_day_it_was_tapped() -> None:
    evening = datetime(2026, 1, 14, 20, 0, tzinfo=LOCAL_ZONE)
    form = {"absence": "tonight", "tapped_at": evening.isoformat()}
    assert until_of(form, now=datetime(2026, 1, 15, 8, 0, tzinfo=LOCAL_ZONE)) == datetime(2026, 1, 15, 9, 0, tzinfo=LOCAL_ZONE)
    with pytest.raises(AbsenceWrong):  # sent on the next day: that night is over, and no other is meant
        until_of(form, now=datetime(2026, 1, 15, 10, 0, tzinfo=LOCAL_ZONE))


@pytest.mark.parametrize(("at", "until"), TONIGHT)
def test_tonight_ends_at_the_next_nine_in_the_morning(at: tuple[int, ...], until: tuple[int, ...]) -> None:
    assert tonight(datetime(*at, tzinfo=LOCAL_ZONE)) == datetime(*until, tzinfo=LOCAL_ZONE)  # type: ignore[misc,arg-type]


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - the strategy adds the zone
def test_tonight_is_always_ahead_and_within_a_day(at: datetime) -> None:
    assert timedelta() < tonight(at) - at <= timedelta(days=1)


def test_a_day_is_included() -> None:
    assert local(until_day("2026-01-20", now=NOW)) == datetime(2026, 1, 21, 0, 0, tzinfo=LOCAL_ZONE)


@pytest.mark.parametrize("text", ["", "2026-01-14", "2026-13-01", "明天", "2026-08-01"])
def test_an_absence_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(AbsenceWrong):
        until_day(text, now=NOW)


def test_the_longest_absence_is_allowed_and_no_longer() -> None:
    most = NOW + timedelta(days=LONGEST_DAYS + 1)
    assert checked(most, now=NOW) == most
    with pytest.raises(AbsenceWrong):
        checked(most + timedelta(seconds=1), now=NOW)
    with pytest.raises(AbsenceWrong):
        checked(NOW, now=NOW)


HOSPITALS = [
    ("示例县人民医院 10000000120", Hospital("示例县人民医院", "10000000120")),
    ("示例县人民医院：0635-1000 120", Hospital("示例县人民医院", "06351000120")),
    ("第2医院  1000 0120", Hospital("第2医院", "10000120")),
    ("10000000120", Hospital("10000000120", "10000000120")),
    ("示例县人民医院", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "found"), HOSPITALS)
def test_a_hospital_is_read_as_people_write_it(text: str, found: Hospital | None) -> None:
    assert hospital_of_text(text) == found


def row(**cells: str) -> tuple[str, ...]:
    given_cells = {**ROW, **cells}
    return tuple(given_cells.get(head, "") for head in HEAD)


BAD = [
    ({"姓名": ""}, ["MISSING"]),
    ({"住址": "", "水表编号": ""}, ["MISSING", "MISSING"]),
    ({"姓名": "长" * 61}, ["LONG"]),
    ({"电话": "12"}, ["PHONE_WRONG"]),
    ({"身份证号": "11010519491231002A"}, ["ID_WRONG"]),
    ({"地区": "无此村"}, ["AREA_UNKNOWN"]),
    ({"地区": "黄庙村"}, ["AREA_AMBIGUOUS"]),
    ({"亲属姓名": "示例乙"}, ["CONTACT_PHONE"]),
    ({"定点医院": "示例医院"}, ["CONTACT_PHONE"]),
]


@pytest.mark.parametrize(("cells", "codes"), BAD)
def test_a_bad_row_says_what_is_wrong_in_both_languages(cells: dict[str, str], codes: list[str]) -> None:
    good, bad = check_rows([(2, row(**cells))], find_columns(HEAD, HEADINGS), AREAS)
    assert good == []
    assert [problem.code for problem in bad[0].problems] == codes
    assert all(problem.text("zh") != problem.text("en") for problem in bad[0].problems)


def test_a_good_row_becomes_a_home() -> None:
    cells = row(电话="100 0000 0001", 亲属姓名="示例乙", 亲属电话="10000000002", 亲属关系="子女", 本人同意="是")
    (line,), bad = check_rows([(2, cells), (3, ("",) * len(HEAD))], find_columns(HEAD, HEADINGS), AREAS)
    assert bad == []
    assert (line.home.phone, line.home.area_id, line.home.consent) == ("10000000001", 7, True)
    assert line.home.relative is not None
    assert (line.home.relative.relation, line.home.key_holder) == ("子女", None)


def test_a_meter_that_stands_twice_is_refused_in_both_rows() -> None:
    _, bad = check_rows([(2, row()), (3, row(姓名="示例丙"))], find_columns(HEAD, HEADINGS), AREAS)
    assert [(each.row, each.problems[0].code) for each in bad] == [(2, "TWICE"), (3, "TWICE")]


def test_the_templates_own_example_is_a_good_row() -> None:
    good, bad = check_rows([(2, EXAMPLE)], find_columns(HEAD, HEADINGS), AREAS)
    assert (len(good), bad) == (1, [])
    assert len(EXAMPLE) == len(HEADINGS)
    assert set(REQUIRED) <= set(HEADINGS)
