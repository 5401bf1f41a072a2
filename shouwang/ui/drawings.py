"""Drawings that need no script: outlines of areas and stacked bars, as numbers for an SVG. Pure; colours live in the style sheet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Position = tuple[float, float]


@dataclass(frozen=True)
class Projection:
    """Longitudes and latitudes onto a sheet of `width` by `height`: equal in both directions at the middle latitude."""

    west: float
    north: float
    lon_scale: float
    lat_scale: float
    width: float
    height: float

    def place(self, lon: float, lat: float) -> Position:
        """Return where a position lies on the sheet, to a tenth."""
        return round((lon - self.west) * self.lon_scale, 1), round((self.north - lat) * self.lat_scale, 1)

    def path(self, rings: Iterable[Sequence[Position]]) -> str:
        """Return the rings as the data of an SVG path."""
        return "".join("M" + "L".join(f"{x:g},{y:g}" for x, y in (self.place(*point) for point in ring)) + "Z" for ring in rings)


def project(rings: Iterable[Sequence[Position]], *, width: float, margin: float = 0.0) -> Projection | None:
    """Return the projection that shows all rings on a sheet of `width`, `margin` of it free on each side; None of nothing."""
    points = [point for ring in rings for point in ring]
    if not points:
        return None
    west, east = min(lon for lon, _ in points), max(lon for lon, _ in points)
    south, north = min(lat for _, lat in points), max(lat for _, lat in points)
    scale = (width - 2 * margin) / max(east - west, 1e-9)
    lat_scale = scale / math.cos(math.radians((south + north) / 2))
    return Projection(
        west - margin / scale, north + margin / lat_scale, scale, lat_scale, width, round((north - south) * lat_scale + 2 * margin, 1),
    )


def rings_of(outline: Mapping[str, Any]) -> list[list[Position]]:
    """Return every ring of a GeoJSON Polygon or MultiPolygon."""
    shapes = outline["coordinates"] if outline.get("type") == "MultiPolygon" else [outline.get("coordinates", [])]
    return [[(point[0], point[1]) for point in ring] for polygon in shapes for ring in polygon]


@dataclass(frozen=True)
class Bar:
    """One part of one column: 0-based column and series, and its place from the bottom, in shares of the highest column."""

    column: int
    series: int
    low: float
    high: float


def stacked(series: Sequence[Sequence[float]]) -> tuple[list[Bar], float]:
    """Return the parts of each column, the first series lowest, and what the highest column adds up to."""
    columns = list(zip(*series, strict=True))
    most = max((sum(column) for column in columns), default=0.0)
    bars = []
    for index, column in enumerate(columns):
        low = 0.0
        for number, amount in enumerate(column):
            if amount > 0:
                bars.append(Bar(index, number, low / most, (low + amount) / most))
            low += amount
    return bars, most


def ceiling(most: float, *, steps: int = 4) -> int:
    """Return a round number at or above `most` that `steps` divides: the top of an axis."""
    step = max(1, math.ceil(most / steps))
    size = int(10 ** (len(str(step)) - 1))
    return next(candidate for factor in (1, 2, 3, 4, 5, 6, 8, 10) if (candidate := factor * size) >= step) * steps
