"""Writes the shipped working calendar from two independent packages that must agree on every day: `python -m tests.places.working_calendar`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import holidays

import shouwang.places

FIRST, LAST = date(2015, 1, 1), date(2026, 12, 31)
TARGET = Path(shouwang.places.__file__).parent / "data" / "working_calendar.json"


def days() -> Iterator[date]:
    """Return every day from FIRST to LAST."""
    return (FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1))


def by_chinesecalendar() -> list[bool]:
    """Return for every day whether `chinesecalendar` counts it as a working day."""
    return [bool(chinese_calendar.is_workday(day)) for day in days()]


def by_holidays() -> list[bool]:
    """Return for every day whether `holidays` counts it as a working day."""
    china = holidays.China(years=range(FIRST.year, LAST.year + 1))
    return [bool(china.is_working_day(day)) for day in days()]


def exceptions() -> dict[str, object]:
    """Return the calendar file's content. Raises ValueError when the packages disagree."""
    one, two = by_chinesecalendar(), by_holidays()
    if one != two:
        raise ValueError([str(day) for day, a, b in zip(days(), one, two, strict=True) if a != b])
    years: dict[str, dict[str, str]] = {}
    for day, works in zip(days(), one, strict=True):
        if works != (day.weekday() < 5):
            year = years.setdefault(str(day.year), {"off": "", "on": ""})
            kind = "on" if works else "off"
            year[kind] = f"{year[kind]} {day:%m%d}".strip()
    return {"from": FIRST.isoformat(), "until": LAST.isoformat(), "years": years}


if __name__ == "__main__":
    TARGET.write_text(json.dumps(exceptions(), indent=1) + "\n", "utf-8")
