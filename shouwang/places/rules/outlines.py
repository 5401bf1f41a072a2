"""Outlines as they are imported: a GeoJSON FeatureCollection whose features name their area. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.geometry import Outline, outline_of, rings_of
from shouwang.places.rules.coordinates import CoordinateSystem, to_wgs84
from shouwang.places.rules.divisions import BadRow
from shouwang.places.rules.errors import ImportUnreadable, RowInvalid
from shouwang.places.rules.tree import clean_code

MAX_FEATURES = 50_000
_DIGITS = 6
_EXPECTED = "GeoJSON FeatureCollection"


@dataclass(frozen=True, slots=True)
class Feature:
    """One outline of an imported file, in WGS-84: its number in the file, how it names its area, geometry and point."""

    number: int
    code: str
    name: str
    geometry: dict[str, Any]
    outline: Outline
    lon: float | None
    lat: float | None


def read_outlines(raw: bytes, *, system: CoordinateSystem) -> tuple[list[Feature], list[BadRow]]:
    """Return the features of a GeoJSON file and those that cannot be used. Raises ImportUnreadable."""
    try:
        data = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise ImportUnreadable(found=str(error), expected=_EXPECTED) from None
    features = data.get("features") if isinstance(data, dict) else None
    if not isinstance(features, list) or len(features) > MAX_FEATURES:
        raise ImportUnreadable(found="features", expected=f"{_EXPECTED} ≤ {MAX_FEATURES}")
    good: list[Feature] = []
    bad: list[BadRow] = []
    for number, feature in enumerate(features, start=1):
        try:
            good.append(_feature(number, feature, system))
        except ShouwangError as error:
            bad.append(BadRow(number, error))
    return good, bad


def _feature(number: int, feature: Any, system: CoordinateSystem) -> Feature:
    properties, geometry = (feature.get(part) if isinstance(feature, dict) else None for part in ("properties", "geometry"))
    if not isinstance(properties, dict) or not isinstance(geometry, dict):
        raise RowInvalid(column="feature", found=str(feature)[:40], expected="properties + geometry")
    outline_of(geometry)
    converted = _converted(geometry, system)
    lon, lat = _position(properties, system)
    return Feature(
        number, clean_code(str(properties.get("code") or "")), str(properties.get("name") or "").strip(), converted,
        outline_of(converted), lon, lat,
    )


def _converted(geometry: Mapping[str, Any], system: CoordinateSystem) -> dict[str, Any]:
    rings = [[_rounded(point, system) for point in ring] for ring in rings_of(geometry)]
    if geometry["type"] == "Polygon":
        return {"type": "Polygon", "coordinates": rings}
    ends = iter(rings)
    return {"type": "MultiPolygon", "coordinates": [[next(ends) for _ in polygon] for polygon in geometry["coordinates"]]}


def _position(properties: Mapping[str, Any], system: CoordinateSystem) -> tuple[float | None, float | None]:
    lon, lat = properties.get("lon"), properties.get("lat")
    if isinstance(lon, int | float) and isinstance(lat, int | float):
        found = _rounded((lon, lat), system)
        return found[0], found[1]
    return None, None


def _rounded(point: Any, system: CoordinateSystem) -> list[float]:
    lon, lat = to_wgs84(float(point[0]), float(point[1]), system)
    return [round(lon, _DIGITS), round(lat, _DIGITS)]
