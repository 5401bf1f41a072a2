"""The working calendar: which days and hours are working time, and deadlines counted in them. Pure.

A calendar holds exceptions from "Monday to Friday" only. Days outside the years it confirms are *provisional*: counted as
plain weekdays until the State Council has published the year.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from shouwang.kernel.moments import LOCAL_ZONE, local
from shouwang.places.rules.errors import NoWorkingDay, WorkingDaysInvalid

DAY = timedelta(days=1)
FIRST_WEEKEND_DAY = 5
MAX_WORKING_DAYS = 5_000
MAX_IDLE_DAYS = 366
OFFICE_HOURS = ((time(8, 30), time(12, 0)), (time(13, 30), time(17, 30)))


class Working(NamedTuple):
    """Whether a day is a working day, and whether that is still provisional."""

    is_working: bool
    provisional: bool

    def __bool__(self) -> bool:
        """Return whether the day is a working day."""
        return self.is_working


@dataclass(frozen=True)
class Calendar:
    """Exceptions from the plain week, the confirmed days (both ends included) and the office hours of a working day."""

    confirmed_from: date
    confirmed_until: date
    days_off: frozenset[date] = frozenset()
    working_days: frozenset[date] = frozenset()
    hours: tuple[tuple[time, time], ...] = OFFICE_HOURS


def is_working_day(day: date, calendar: Calendar) -> Working:
    """Return whether `day` is a working day; false on a weekend that is no make-up day and on a day off."""
    provisional = not calendar.confirmed_from <= day <= calendar.confirmed_until
    return Working(_works(day, calendar), provisional)


def add_working_days(start_date: date, count: int, calendar: Calendar) -> date:
    """Return the `count`-th working day after `start_date`; the first day itself never counts, 0 gives it back.

    Raises WorkingDaysInvalid for a negative or enormous count, NoWorkingDay when the calendar has none for a year.
    """
    if not 0 <= count <= MAX_WORKING_DAYS:
        raise WorkingDaysInvalid(found=count, limit=MAX_WORKING_DAYS)
    day, left, idle = start_date, count, 0
    while left:
        day += DAY
        idle += 1
        if _works(day, calendar):
            left, idle = left - 1, 0
        elif idle > MAX_IDLE_DAYS:
            raise NoWorkingDay(start=start_date)
    return day


def working_days_between(start_date: date, end_date: date, calendar: Calendar) -> int:
    """Return how many working days lie after `start_date` up to and including `end_date`; negative when it lies before.

    The inverse of `add_working_days`: the first day does not count, the last does.
    """
    if end_date < start_date:
        return -working_days_between(end_date, start_date, calendar)
    return sum(_works(start_date + n * DAY, calendar) for n in range(1, (end_date - start_date).days + 1))


def is_provisional(start_date: date, end_date: date, calendar: Calendar) -> bool:
    """Return whether a count from `start_date` to `end_date` rests on a day that is still provisional."""
    return min(start_date, end_date) < calendar.confirmed_from or max(start_date, end_date) > calendar.confirmed_until


def add_working_time(start: datetime, amount: timedelta, calendar: Calendar) -> datetime:
    """Return when `amount` of office hours after `start` has passed, in the zone of the office.

    An amount that ends with a spell of hours ends at that hour, not at the next opening. Raises NoWorkingDay.
    """
    at, left = local(start), amount
    day, idle = at.date(), 0
    while left > timedelta(0):
        for opens, closes in _hours(day, calendar):
            begins = max(opens, at)
            if begins + left <= closes:
                return begins + left
            if begins < closes:
                left, idle = left - (closes - begins), 0
        day += DAY
        idle += 1
        if idle > MAX_IDLE_DAYS:
            raise NoWorkingDay(start=start.isoformat())
    return at


def working_time_between(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    """Return the office hours within [start, end); negative when `end` lies before `start`."""
    if end < start:
        return -working_time_between(end, start, calendar)
    first, last = local(start), local(end)
    total = timedelta(0)
    for n in range((last.date() - first.date()).days + 1):
        for opens, closes in _hours(first.date() + n * DAY, calendar):
            total += max(timedelta(0), min(closes, last) - max(opens, first))
    return total


def _works(day: date, calendar: Calendar) -> bool:
    if day in calendar.days_off:
        return False
    return day.weekday() < FIRST_WEEKEND_DAY or day in calendar.working_days


def _hours(day: date, calendar: Calendar) -> list[tuple[datetime, datetime]]:
    if not _works(day, calendar):
        return []
    return [
        (datetime.combine(day, opens, LOCAL_ZONE), datetime.combine(day, closes, LOCAL_ZONE))
        for opens, closes in calendar.hours
    ]
