"""Announced absences: until when, and when to look whether somebody really is back. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import LOCAL_ZONE, local
from shouwang.systems.living_alone.rules.errors import AbsenceWrong

LONGEST_DAYS = 92
LOOK_AFTER = timedelta(hours=12)
MORNING = time(9)
HOLIDAY_DAYS = 3
HOLIDAY_AHEAD_DAYS = 14
DAY = timedelta(days=1)


def tonight(now: datetime) -> datetime:
    """Return until when a home is empty "tonight": the next nine o'clock in the morning on the local clock."""
    here = local(now)
    day = here.date() if here.time() < MORNING else here.date() + timedelta(days=1)
    return datetime.combine(day, MORNING, LOCAL_ZONE)


def until_day(text: str, *, now: datetime) -> datetime:
    """Return the end of the local day written as 2026-01-31. Raises AbsenceWrong."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise AbsenceWrong(found=text[:20] or "—", most=LONGEST_DAYS) from None
    return checked(datetime.combine(day + timedelta(days=1), time(), LOCAL_ZONE), now=now)


def tapped_at(text: str, *, now: datetime) -> datetime:
    """Return when a form was filled in that may have waited on a phone for a network; `now` where it does not say, or names a moment to come."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return now
    return at if at.tzinfo is not None and at <= now else now


def until_of(form: Mapping[str, Any], *, now: datetime) -> datetime | None:
    """Return until when a form says that a home is empty, None for "back"; "tonight" is that of the day it was tapped. Raises NotFound, AbsenceWrong."""
    what = form.get("absence", "")
    if what == "back":
        return None
    if what == "until":
        return until_day(form.get("until", ""), now=now)
    if what == "tonight":
        return checked(tonight(tapped_at(form.get("tapped_at", ""), now=now)), now=now)
    raise NotFound(what=str(what)[:20])


def checked(until: datetime, *, now: datetime) -> datetime:
    """Return `until` when an absence may end then. Raises AbsenceWrong."""
    if not now < until <= now + timedelta(days=LONGEST_DAYS + 1):
        raise AbsenceWrong(found=f"{local(until):%Y-%m-%d %H:%M}", most=LONGEST_DAYS)
    return until


def next_holiday(today: date, *, is_working: Callable[[date], bool]) -> tuple[date, date] | None:
    """Return the first and last day of the holiday that goes on or begins within two weeks: three days off running, at least."""
    day = today
    while day <= today + HOLIDAY_AHEAD_DAYS * DAY:
        last = day
        while not is_working(last) and last - today < LONGEST_DAYS * DAY:
            last += DAY
        if last - day >= HOLIDAY_DAYS * DAY:
            return day, last - DAY
        day = last + DAY
    return None
