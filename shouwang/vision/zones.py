"""The zones of one camera as drawn on its snapshot: polygons in shares of the picture, with their rules; and the file that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

import msgspec

from shouwang.vision.errors import ZoneFileInvalid

Point = tuple[float, float]
MOST_ZONES = 16
MOST_POINTS = 64


class Band(StrEnum):
    """What a zone is of: the shore, where one may still turn round, or the water itself."""

    SHORE = "SHORE"
    WATER = "WATER"


class Zone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One zone. `hours` are local times from–until in which it counts (over midnight allowed), empty for always."""

    id: str
    polygon: tuple[Point, ...]
    band: Band = Band.SHORE
    hours: tuple[tuple[time, time], ...] = ()
    stay_s: float = 0
    """Somebody inside for so long is a STAY; 0 for never."""
    group: int = 0
    """So many inside at once are a CROWD; 0 for never."""

    def contains(self, x: float, y: float) -> bool:
        """Return whether a point, in shares of the picture, lies inside (ray casting, edges half open)."""
        inside = False
        for (x1, y1), (x2, y2) in pairwise((*self.polygon, self.polygon[0])):
            if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
                inside = not inside
        return inside

    def counts_at(self, local: time) -> bool:
        """Return whether the zone counts at a local time of day."""
        return not self.hours or any(
            begin <= local < end if begin <= end else local >= begin or local < end for begin, end in self.hours
        )


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a camera is to watch: its zones and, where somebody measured them, two rows with the height of a grown person.

    `heights` are two pairs (row of the feet, height of `known_height_m`), both in shares of the picture's height.
    """

    zones: tuple[Zone, ...]
    device: str = ""
    rule: str = "ZONE"
    heights: tuple[Point, Point] | None = None
    known_height_m: float = 1.7
    child_below_m: float = 1.4
    utc_offset_h: float = 8
    blur_faces: bool = True

    def zones_at(self, at: datetime) -> list[Zone]:
        """Return the zones that count at a moment."""
        local = (at + timedelta(hours=self.utc_offset_h)).time()
        return [zone for zone in self.zones if zone.counts_at(local)]

    def height_m(self, foot_y: float, tall: float) -> float | None:
        """Return about how tall somebody is, from their feet's row and height in shares of the picture; None without calibration."""
        if self.heights is None:
            return None
        (y0, tall0), (y1, tall1) = self.heights
        usual = tall0 + (tall1 - tall0) * (foot_y - y0) / (y1 - y0)
        return self.known_height_m * tall / usual if usual > 0 else None

    def area(self) -> tuple[float, float, float, float]:
        """Return the box around all zones, in shares of the picture."""
        xs, ys = zip(*(point for zone in self.zones for point in zone.polygon), strict=True)
        return min(xs), min(ys), max(xs), max(ys)


def read_plan(path: Path) -> Plan:
    """Return the plan in a JSON file. Raises ZoneFileInvalid."""
    try:
        plan = msgspec.json.decode(path.read_bytes(), type=Plan)
    except (OSError, msgspec.MsgspecError) as error:
        raise ZoneFileInvalid(name=path.name, found=str(error), expected="JSON {zones: [{id, polygon: [[x, y], …]}]}") from error
    wrong = first_wrong(plan)
    if wrong:
        raise ZoneFileInvalid(name=path.name, found=wrong[0], expected=wrong[1])
    return plan


def first_wrong(plan: Plan) -> tuple[str, str] | None:
    """Return what is wrong with a plan and what was expected, or None."""
    if not 1 <= len(plan.zones) <= MOST_ZONES:
        return f"{len(plan.zones)} zones", f"1 to {MOST_ZONES}"
    if len({zone.id for zone in plan.zones}) < len(plan.zones):
        return "two zones with one id", "an id of its own for each zone"
    for zone in plan.zones:
        if not 3 <= len(zone.polygon) <= MOST_POINTS or area_of(zone.polygon) < 1e-6:
            return f"zone {zone.id} with {len(zone.polygon)} points", f"3 to {MOST_POINTS} points around an area"
        if not all(0 <= share <= 1 for point in zone.polygon for share in point):
            return f"zone {zone.id} with a point outside the picture", "shares of the picture, 0 to 1"
    if plan.heights and (plan.heights[0][0] == plan.heights[1][0] or min(plan.heights[0][1], plan.heights[1][1]) <= 0):
        return "heights of one row", "two rows, each with a height above 0"
    return None


def area_of(polygon: Sequence[Point]) -> float:
    """Return the area of a polygon (shoelace)."""
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise((*polygon, polygon[0])))) / 2
