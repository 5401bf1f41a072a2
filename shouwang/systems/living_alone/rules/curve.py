"""The curve of a home's water: litres an hour from a register, and the band they usually lie in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import quantiles

from shouwang.kernel.moments import local

HOUR = timedelta(hours=1)
LEAST_DAYS = 5
SATURDAY = 5


def hour_of(at: datetime) -> datetime:
    """Return the beginning of the hour of a moment."""
    return at.replace(minute=0, second=0, microsecond=0)


def hourly_use(points: Sequence[tuple[datetime, float]], *, until: datetime) -> dict[datetime, float | None]:
    """Return how much a register grew in each hour up to that of `until`, however often it was read.

    The growth between two readings counts for the hour of the later one; a register that falls was replaced or reset.
    Nothing is known of an hour without a reading: None.
    """
    if not points:
        return {}
    hour, last = hour_of(points[0][0]), hour_of(max(points[-1][0], until))
    used: dict[datetime, float | None] = {}
    while hour <= last:
        used[hour] = None
        hour += HOUR
    for (_, before), (at, after) in pairwise(points):
        used[hour_of(at)] = (used[hour_of(at)] or 0.0) + max(0.0, after - before)
    return {hour: None if litres is None else round(litres, 3) for hour, litres in used.items()}


def usual_band(before: Mapping[datetime, float | None], hours: Iterable[datetime]) -> list[tuple[float, float]] | None:
    """Return for each of `hours` between which litres four in five of the same hours of earlier days lay; None before it is known.

    Weekends and working days are two kinds of days, as long as each has been seen LEAST_DAYS times; else all days are one.
    """
    by_kind: dict[tuple[bool, int], list[float]] = {}
    by_hour: dict[int, list[float]] = {}
    for hour, litres in before.items():
        if litres is not None:
            by_kind.setdefault(_kind(hour), []).append(litres)
            by_hour.setdefault(local(hour).hour, []).append(litres)
    band = []
    for hour in hours:
        found = by_kind.get(_kind(hour), [])
        found = found if len(found) >= LEAST_DAYS else by_hour.get(local(hour).hour, [])
        if len(found) < LEAST_DAYS:
            return None
        tenths = quantiles(found, n=10, method="inclusive")
        band.append((round(tenths[0], 1), round(tenths[-1], 1)))
    return band


def _kind(hour: datetime) -> tuple[bool, int]:
    at = local(hour)
    return at.weekday() >= SATURDAY, at.hour
