"""Zones drawn on a camera's picture: where they are, when they hold, and what counts in them. Pure.

Points are fractions of the picture, (0, 0) its upper left corner. A person stands where the lower edge of the box is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shouwang.systems.drowning.rules.errors import ZoneWrong

Point = tuple[float, float]
Box = tuple[float, float, float, float]
SHORE, WATER = "SHORE", "WATER"
LEAST_POINTS, MOST_POINTS = 3, 40
LEAST_AREA = 0.0005
DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Hours:
    """Minutes of the local day, [start, end), over midnight where `end` is smaller; the whole day where they are equal."""

    start: int
    end: int

    def hold(self, minute: int) -> bool:
        """Return whether the minute of the day lies within."""
        if self.start == self.end:
            return True
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


@dataclass(frozen=True, slots=True)
class Season:
    """Days of the year as month × 100 + day, both included, over new year where `last` is smaller."""

    first: int
    last: int

    def holds(self, day: int) -> bool:
        """Return whether the day lies within."""
        if self.first <= self.last:
            return self.first <= day <= self.last
        return day >= self.first or day <= self.last


ALWAYS = Hours(0, 0)
WHOLE_YEAR = Season(101, 1231)


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone of one camera.

    `level_from` and `level_to` are levels in metres of the water's gauge; `stay_s` 0 means at once, `group_from` 0 that no
    number of persons is a group.
    """

    id: int
    code: str
    band: str
    polygon: tuple[Point, ...]
    season: Season = WHOLE_YEAR
    hours: Hours = ALWAYS
    level_from: float | None = None
    level_to: float | None = None
    stay_s: int = 0
    group_from: int = 3

    def is_in_force(self, local_at: datetime, level_m: float | None) -> bool:
        """Return whether the zone holds at a local moment and a water level; an unknown level never takes a zone away."""
        day, minute = local_at.month * 100 + local_at.day, local_at.hour * 60 + local_at.minute
        if not (self.season.holds(day) and self.hours.hold(minute)):
            return False
        if level_m is None:
            return True
        return (self.level_from is None or level_m >= self.level_from) and (self.level_to is None or level_m < self.level_to)


def foot_of(box: Box) -> Point:
    """Return where whoever is in the box stands: the middle of its lower edge."""
    left, _, right, bottom = box
    return (left + right) / 2, bottom


def is_inside(polygon: Sequence[Point], point: Point) -> bool:
    """Return whether a point lies inside a polygon or on its edge."""
    x, y = point
    inside = False
    for (ax, ay), (bx, by) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if _is_on(point, (ax, ay), (bx, by)):
            return True
        if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
            inside = not inside
    return inside


def polygon_from(found: Any) -> tuple[Point, ...]:
    """Return a polygon as an editor sends it: a list of [x, y]. Raises ZoneWrong."""
    if not isinstance(found, list) or not LEAST_POINTS <= len(found) <= MOST_POINTS:
        raise ZoneWrong(found=len(found) if isinstance(found, list) else "?", problem=f"{LEAST_POINTS}–{MOST_POINTS}")
    points = []
    for each in found:
        if not (isinstance(each, list) and len(each) == 2 and all(_is_fraction(part) for part in each)):
            raise ZoneWrong(found=str(each)[:40], problem="0–1")
        points.append((float(each[0]), float(each[1])))
    if area_of(points) < LEAST_AREA:
        raise ZoneWrong(found=round(area_of(points), 5), problem=f"≥ {LEAST_AREA}")
    return tuple(points)


def area_of(polygon: Sequence[Point]) -> float:
    """Return the share of the picture that a polygon covers."""
    pairs = zip(polygon, [*polygon[1:], polygon[0]], strict=True)
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairs)) / 2


def _is_fraction(part: object) -> bool:
    return isinstance(part, int | float) and not isinstance(part, bool) and math.isfinite(part) and 0 <= part <= 1


def _is_on(point: Point, one: Point, other: Point) -> bool:
    (x, y), (ax, ay), (bx, by) = point, one, other
    cross = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
    if abs(cross) > 1e-12:
        return False
    return min(ax, bx) - 1e-12 <= x <= max(ax, bx) + 1e-12 and min(ay, by) - 1e-12 <= y <= max(ay, by) + 1e-12
