"""Points for areas whose place nobody has surveyed: inside the county's outline, always the same, marked schematic. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from shouwang.kernel.geometry import Outline, Point
from shouwang.places.rules.divisions import Division
from shouwang.places.rules.tree import TOWNSHIP, VILLAGE

_GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
_MAX_TRIES = 100_000
_LONE_REACH_DEG = 0.04
_REACH = 0.45
_DIGITS = 5


def with_points(divisions: Sequence[Division], outlines: Mapping[str, Outline]) -> list[Division]:
    """Return the divisions with a schematic point for each township and village that has none.

    Townships are scattered over the outline of their county (by its code), villages in a spiral around their township,
    nearer to it than to any other township. Without an outline an area stays without a point.
    """
    county_of = {each.code: each.parent_code for each in divisions if each.level == TOWNSHIP}
    centres = _scattered(_below(divisions, TOWNSHIP), outlines)
    points = dict(centres)
    for township, villages in _below(divisions, VILLAGE).items():
        outline = outlines.get(county_of.get(township, ""))
        if outline is None or township not in centres:
            continue
        rivals = [centres[code] for code, county in county_of.items() if code != township and county == county_of[township] and code in centres]
        points.update(zip(villages, _spiral(centres[township], rivals, len(villages), outline), strict=True))
    return [_placed(each, points) for each in divisions]


def scatter(outline: Outline, count: int) -> list[Point]:
    """Return `count` points spread evenly inside `outline` (Halton sequence in bases 2 and 3); fewer in a mere sliver."""
    found: list[Point] = []
    for index in range(1, _MAX_TRIES):
        if len(found) == count:
            break
        lon = outline.west + (outline.east - outline.west) * _halton(index, 2)
        lat = outline.south + (outline.north - outline.south) * _halton(index, 3)
        if outline.contains(round(lon, _DIGITS), round(lat, _DIGITS)):
            found.append((round(lon, _DIGITS), round(lat, _DIGITS)))
    return found


def _scattered(townships: Mapping[str, list[str]], outlines: Mapping[str, Outline]) -> dict[str, Point]:
    return {
        code: point
        for county, codes in townships.items()
        if county in outlines
        for code, point in zip(codes, scatter(outlines[county], len(codes)), strict=False)
    }


def _below(divisions: Sequence[Division], level: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for each in sorted(divisions, key=lambda division: division.code):
        if each.level == level:
            found[each.parent_code].append(each.code)
    return found


def _spiral(centre: Point, rivals: Sequence[Point], count: int, outline: Outline) -> list[Point]:
    reach = min((math.dist(centre, rival) for rival in rivals), default=_LONE_REACH_DEG / _REACH) * _REACH
    return [
        _inside(centre, outline, reach * math.sqrt(n / count), n * _GOLDEN_ANGLE)
        for n in range(1, count + 1)
    ]


def _inside(centre: Point, outline: Outline, radius: float, angle: float) -> Point:
    """Return the point at `angle` and `radius` from the centre, drawn towards it until it lies inside, as the centre does."""
    while True:
        lon = round(centre[0] + radius * math.cos(angle), _DIGITS)
        lat = round(centre[1] + radius * math.sin(angle), _DIGITS)
        if (lon, lat) == centre or outline.contains(lon, lat):
            return lon, lat
        radius /= 2


def _placed(division: Division, points: Mapping[str, Point]) -> Division:
    if division.lon is not None or division.code not in points:
        return division
    lon, lat = points[division.code]
    return replace(division, lon=lon, lat=lat, point_is_schematic=True)


def _halton(index: int, base: int) -> float:
    result, part = 0.0, 1.0
    while index:
        part /= base
        result += part * (index % base)
        index //= base
    return result
