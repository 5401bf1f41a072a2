"""Points and outlines on the earth, in degrees of longitude and latitude: is a point inside, how far are two apart. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from shouwang.kernel.errors import ShouwangError

EARTH_RADIUS_M = 6_371_008.8
MIN_RING_POINTS = 4

Point = tuple[float, float]
Ring = tuple[Point, ...]


class OutlineInvalid(ShouwangError):
    """A GeoJSON geometry cannot serve as an outline."""

    zh = "边界无法使用：{found}；应为首尾相接、经纬度有效的 Polygon 或 MultiPolygon。"
    en = "The outline cannot be used: {found}; expected a Polygon or MultiPolygon of closed rings with valid degrees."
    status = 422


@dataclass(frozen=True, slots=True)
class Outline:
    """The rings of one or several polygons, holes included, and the box around them."""

    rings: tuple[Ring, ...]
    west: float
    south: float
    east: float
    north: float

    def contains(self, lon: float, lat: float) -> bool:
        """Return whether the point lies inside: an odd number of edges to its east (ray casting).

        Edges are half open, so a point on a border that two outlines share lies in one of them only.
        """
        if not (self.west <= lon <= self.east and self.south <= lat <= self.north):
            return False
        inside = False
        for (lon1, lat1), (lon2, lat2) in self._edges():
            if (lat1 > lat) != (lat2 > lat) and lon < (lon2 - lon1) * (lat - lat1) / (lat2 - lat1) + lon1:
                inside = not inside
        return inside

    def _edges(self) -> Iterator[tuple[Point, Point]]:
        for ring in self.rings:
            yield from pairwise(ring)


def outline_of(geometry: Mapping[str, Any]) -> Outline:
    """Return the outline of a GeoJSON Polygon or MultiPolygon. Raises OutlineInvalid."""
    rings = tuple(_ring(ring) for ring in rings_of(geometry))
    if not rings:
        raise OutlineInvalid(found="no ring")
    lons = [lon for ring in rings for lon, _ in ring]
    lats = [lat for ring in rings for _, lat in ring]
    return Outline(rings, min(lons), min(lats), max(lons), max(lats))


def rings_of(geometry: Mapping[str, Any]) -> list[Any]:
    """Return the raw rings of a GeoJSON Polygon or MultiPolygon. Raises OutlineInvalid."""
    coordinates = geometry.get("coordinates")
    if not isinstance(coordinates, list):
        raise OutlineInvalid(found="coordinates")
    if geometry.get("type") == "Polygon":
        return coordinates
    if geometry.get("type") == "MultiPolygon" and all(isinstance(polygon, list) for polygon in coordinates):
        return [ring for polygon in coordinates for ring in polygon]
    raise OutlineInvalid(found=str(geometry.get("type")))


def is_position(lon: float, lat: float) -> bool:
    """Return whether these are degrees of a place on the earth."""
    return -180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0


def distance_m(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Return the great-circle distance of two points in metres (haversine)."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half = math.sin((phi2 - phi1) / 2) ** 2
    half += math.cos(phi1) * math.cos(phi2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


def _ring(raw: Any) -> Ring:
    try:
        ring = tuple((float(point[0]), float(point[1])) for point in raw)
    except (TypeError, ValueError, IndexError):
        raise OutlineInvalid(found="ring") from None
    if len(ring) < MIN_RING_POINTS or ring[0] != ring[-1]:
        raise OutlineInvalid(found=f"ring of {len(ring)} points, not closed")
    if not all(is_position(*point) for point in ring):
        raise OutlineInvalid(found="degrees out of range")
    return ring
