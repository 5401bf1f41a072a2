"""A month as the weeks of a calendar page. Pure."""

from __future__ import annotations

from datetime import date, timedelta

WEEK = timedelta(days=7)


def month_of(text: str, *, today: date) -> date:
    """Return the first day of the month written as 2026-01; of the present one where it is not written so."""
    year, _, month = text.partition("-")
    if len(year) == 4 and len(month) == 2 and (year + month).isascii() and (year + month).isdigit():
        numbers = int(year), int(month)
        if 2000 <= numbers[0] < 2100 and 1 <= numbers[1] <= 12:
            return date(*numbers, 1)
    return today.replace(day=1)


def weeks_of(month: date) -> list[list[date]]:
    """Return the weeks, Monday to Sunday, that hold a day of the month."""
    monday = month - timedelta(days=month.weekday())
    found = []
    while monday < next_month(month):
        found.append([monday + timedelta(days=day) for day in range(7)])
        monday += WEEK
    return found


def next_month(month: date) -> date:
    """Return the first day of the following month."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def month_before(month: date) -> date:
    """Return the first day of the preceding month."""
    return (month.replace(day=1) - timedelta(days=1)).replace(day=1)
