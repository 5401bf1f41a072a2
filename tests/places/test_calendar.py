"""The working calendar: equal to two independent packages on every day, and deadlines counted in it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.moments import LOCAL_ZONE
from shouwang.places.queries import shipped_calendar
from shouwang.places.rules import (
    Calendar,
    add_working_days,
    add_working_time,
    is_provisional,
    is_working_day,
    working_days_between,
    working_time_between,
)
from shouwang.places.rules.errors import NoWorkingDay, WorkingDaysInvalid
from tests.places import working_calendar as source

CALENDAR = shipped_calendar()
DAYS = st.dates(date(2014, 1, 1), date(2029, 12, 31))
NEVER = Calendar(date(2015, 1, 1), date(2026, 12, 31), hours=())


def test_every_day_equals_both_packages() -> None:
    ours = [is_working_day(day, CALENDAR) for day in source.days()]
    assert len(ours) == 4383
    assert [bool(day) for day in ours] == source.by_chinesecalendar() == source.by_holidays()
    assert not any(day.provisional for day in ours)


def test_the_shipped_file_is_what_the_packages_give() -> None:
    assert json.loads(source.TARGET.read_text("utf-8")) == source.exceptions()


@pytest.mark.parametrize(
    ("day", "works", "provisional"),
    [
        ("2026-01-15", True, False),  # a Thursday
        ("2026-01-17", False, False),  # a Saturday
        ("2026-10-01", False, False),  # National Day, a Thursday
        ("2026-02-14", True, False),  # a Saturday worked in exchange for the Spring Festival
        ("2027-02-08", True, True),  # Spring Festival 2027 is not published yet
        ("2027-01-02", False, True),  # a Saturday of a later year
        ("2014-12-31", True, True),  # before the first confirmed day
    ],
)
def test_a_day_works_or_not(day: str, works: bool, provisional: bool) -> None:
    assert is_working_day(date.fromisoformat(day), CALENDAR) == (works, provisional)


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        ("2026-01-15", 0, "2026-01-15"),  # nothing to count
        ("2026-01-15", 1, "2026-01-16"),  # the first day itself does not count
        ("2026-01-16", 1, "2026-01-19"),  # over a weekend
        ("2026-01-17", 1, "2026-01-19"),  # from a Saturday
        ("2026-09-30", 1, "2026-10-08"),  # over National Day
        ("2026-02-13", 1, "2026-02-14"),  # onto a working Saturday
    ],
)
def test_a_deadline_in_working_days(start: str, count: int, end: str) -> None:
    assert add_working_days(date.fromisoformat(start), count, CALENDAR) == date.fromisoformat(end)


@settings(deadline=None)  # a busy machine is no failure
@given(DAYS, st.integers(0, 300))
def test_counting_back_gives_the_number(start: date, count: int) -> None:
    end = add_working_days(start, count, CALENDAR)
    assert working_days_between(start, end, CALENDAR) == count
    assert working_days_between(end, start, CALENDAR) == -count
    assert count == 0 or is_working_day(end, CALENDAR)


@settings(deadline=None)  # a busy machine is no failure
@given(DAYS, DAYS, DAYS)
def test_working_days_add_up_over_a_day_between(one: date, two: date, three: date) -> None:
    first, middle, last = sorted([one, two, three])
    whole = working_days_between(first, last, CALENDAR)
    assert whole == working_days_between(first, middle, CALENDAR) + working_days_between(middle, last, CALENDAR)


@pytest.mark.parametrize("count", [-1, 5_001])
def test_a_count_out_of_range_is_refused(count: int) -> None:
    with pytest.raises(WorkingDaysInvalid, match=str(count)):
        add_working_days(date(2026, 1, 15), count, CALENDAR)


def test_a_calendar_without_working_days_is_refused() -> None:
    closed = Calendar(
        date(2015, 1, 1), date(2026, 12, 31), days_off=frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(800)),
    )
    with pytest.raises(NoWorkingDay):
        add_working_days(date(2026, 1, 1), 1, closed)
    with pytest.raises(ShouwangError, match="2026-01-01"):
        add_working_time(datetime(2026, 1, 1, tzinfo=UTC), timedelta(hours=1), NEVER)


def test_a_count_that_reaches_an_unpublished_year_is_provisional() -> None:
    assert not is_provisional(date(2026, 1, 1), date(2026, 12, 31), CALENDAR)
    assert is_provisional(date(2026, 12, 1), date(2027, 1, 4), CALENDAR)
    assert is_provisional(date(2014, 12, 31), date(2015, 1, 4), CALENDAR)


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-01-15T09:00", 60, "2026-01-15T10:00"),  # within the morning
        ("2026-01-15T11:30", 60, "2026-01-15T14:00"),  # over the noon break
        ("2026-01-15T09:00", 180, "2026-01-15T12:00"),  # ends with the morning
        ("2026-01-16T17:00", 60, "2026-01-19T09:00"),  # over a weekend
        ("2026-01-17T10:00", 30, "2026-01-19T09:00"),  # begins on a Saturday
        ("2026-01-15T20:00", 0, "2026-01-15T20:00"),  # nothing to wait for
    ],
)
def test_a_deadline_in_office_hours(start: str, minutes: int, end: str) -> None:
    begins = datetime.fromisoformat(start).replace(tzinfo=LOCAL_ZONE)
    ends = add_working_time(begins, timedelta(minutes=minutes), CALENDAR)
    assert ends == datetime.fromisoformat(end).replace(tzinfo=LOCAL_ZONE)
    assert working_time_between(begins, ends, CALENDAR) == timedelta(minutes=minutes)
    assert working_time_between(ends, begins, CALENDAR) == -timedelta(minutes=minutes)


@settings(deadline=None)  # a busy machine is no failure
@given(st.datetimes(datetime(2025, 1, 1), datetime(2026, 6, 1)), st.integers(0, 10_000))  # noqa: DTZ001 - made local below
def test_office_hours_counted_back_give_the_amount(start: datetime, minutes: int) -> None:
    begins, amount = start.replace(tzinfo=LOCAL_ZONE), timedelta(minutes=minutes)
    assert working_time_between(begins, add_working_time(begins, amount, CALENDAR), CALENDAR) == amount


def test_office_hours_are_those_of_the_calendar() -> None:
    night = Calendar(CALENDAR.confirmed_from, CALENDAR.confirmed_until, hours=((time(20), time(22)),))
    begins = datetime(2026, 1, 15, 9, tzinfo=LOCAL_ZONE)
    assert add_working_time(begins, timedelta(hours=1), night) == datetime(2026, 1, 15, 21, tzinfo=LOCAL_ZONE)
