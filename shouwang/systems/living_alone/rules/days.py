"""The last weeks of a home as a calendar of days: how much water, against what this home usually uses. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from shouwang.kernel.moments import local

DAY = timedelta(days=1)
WEEK_DAYS = 7
LEAST_L = 1.0
WHOLE_H = 20
LITTLE, MUCH = 0.5, 2.0
UNKNOWN, NONE, LESS, USUAL, MORE = "UNKNOWN", "NONE", "LESS", "USUAL", "MORE"


@dataclass(frozen=True, slots=True)
class Day:
    """One day: its litres as far as they are known, how that compares, and what a case of that day turned out to be."""

    date: date
    litres: float | None
    state: str
    label: str = ""


def weeks_of(used: Mapping[datetime, float | None], *, first: date, last: date, labels: Mapping[date, str]) -> list[list[Day | None]]:
    """Return the days from `first` to `last` in weeks from Monday to Sunday, None before the first and after the last.

    A day of which fewer than WHOLE_H hours were read is never called dry: nothing is known of the others.
    """
    hours: dict[date, list[float]] = {}
    for hour, litres in used.items():
        if litres is not None:
            hours.setdefault(local(hour).date(), []).append(litres)
    whole = [sum(found) for found in hours.values() if len(found) >= WHOLE_H]
    usual = median(whole) if whole else 0.0
    days: list[Day | None] = [None] * first.weekday()
    day = first
    while day <= last:
        days.append(_day(day, hours.get(day, ()), usual, labels.get(day, "")))
        day += DAY
    days += [None] * (-len(days) % WEEK_DAYS)
    return [days[start : start + WEEK_DAYS] for start in range(0, len(days), WEEK_DAYS)]


def _day(day: date, hours: Sequence[float], usual: float, label: str) -> Day:
    litres = round(sum(hours), 1) if hours else None
    return Day(day, litres, _state(litres, len(hours) >= WHOLE_H, usual), label)


def _state(litres: float | None, is_whole: bool, usual: float) -> str:
    if litres is None:
        return UNKNOWN
    if litres > MUCH * usual > 0:
        return MORE
    if not is_whole:
        return UNKNOWN if litres < LITTLE * usual else USUAL
    if litres < LEAST_L:
        return NONE
    return LESS if litres < LITTLE * usual else USUAL
