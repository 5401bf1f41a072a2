"""Coordinate systems of Chinese maps: WGS-84 (what is stored; CGCS2000 is the same to centimetres), GCJ-02, BD-09. Pure.

GCJ-02 shifts by up to 700 m inside a box around China, BD-09 shifts GCJ-02 once more. Their inverses have no closed
form; here they are iterated until the forward direction returns the input.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum

from shouwang.kernel.geometry import Point, is_position
from shouwang.places.rules.errors import PositionInvalid, SystemUnknown

_AXIS_M = 6378245.0
_ECCENTRICITY2 = 0.00669342162296594323
_BOX = (72.004, 137.8347, 0.8293, 55.8271)
_BD_ANGLE = math.pi * 3000.0 / 180.0
_CLOSE_DEG = 1e-11
_MAX_ROUNDS = 30


class CoordinateSystem(StrEnum):
    """The systems an import may be in."""

    WGS84 = "WGS84"
    GCJ02 = "GCJ02"
    BD09 = "BD09"


def system_of(word: str) -> CoordinateSystem:
    """Return the system named by `word`, in any usual spelling. Raises SystemUnknown."""
    spelled = word.upper().replace("-", "").replace("_", "").replace(" ", "")
    try:
        return CoordinateSystem({"CGCS2000": "WGS84"}.get(spelled, spelled))
    except ValueError:
        raise SystemUnknown(found=word[:40]) from None


def to_wgs84(lon: float, lat: float, system: CoordinateSystem) -> Point:
    """Return the WGS-84 position of a point given in `system`. Raises PositionInvalid."""
    if not is_position(lon, lat):
        raise PositionInvalid(lon=lon, lat=lat)
    if system is CoordinateSystem.WGS84:
        return lon, lat
    if system is CoordinateSystem.BD09:
        lon, lat = _inverse(_gcj_to_bd, lon, lat)
    return _inverse(_wgs_to_gcj, lon, lat)


def from_wgs84(lon: float, lat: float, system: CoordinateSystem) -> Point:
    """Return a WGS-84 position in `system`: what a map of that maker must be given. Raises PositionInvalid."""
    if not is_position(lon, lat):
        raise PositionInvalid(lon=lon, lat=lat)
    if system is CoordinateSystem.WGS84:
        return lon, lat
    lon, lat = _wgs_to_gcj(lon, lat)
    return _gcj_to_bd(lon, lat) if system is CoordinateSystem.BD09 else (lon, lat)


def _inverse(forward: Callable[[float, float], Point], lon: float, lat: float) -> Point:
    """Return the point that `forward` sends to (lon, lat): a fixed point, found in about five rounds."""
    x, y = lon, lat
    for _ in range(_MAX_ROUNDS):
        there_x, there_y = forward(x, y)
        x, y = x + lon - there_x, y + lat - there_y
        if abs(lon - there_x) < _CLOSE_DEG and abs(lat - there_y) < _CLOSE_DEG:
            break
    return x, y


def _wgs_to_gcj(lon: float, lat: float) -> Point:
    west, east, south, north = _BOX
    if not (west <= lon <= east and south <= lat <= north):
        return lon, lat
    x, y = lon - 105.0, lat - 35.0
    phi = math.radians(lat)
    magic = 1 - _ECCENTRICITY2 * math.sin(phi) ** 2
    north_deg = _north_m(x, y) * 180.0 / (_AXIS_M * (1 - _ECCENTRICITY2) / (magic * math.sqrt(magic)) * math.pi)
    east_deg = _east_m(x, y) * 180.0 / (_AXIS_M / math.sqrt(magic) * math.cos(phi) * math.pi)
    return lon + east_deg, lat + north_deg


def _north_m(x: float, y: float) -> float:
    shift = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + _ripple(x)
    shift += (20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)) * 2.0 / 3.0
    return shift + (160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y * math.pi / 30.0)) * 2.0 / 3.0


def _east_m(x: float, y: float) -> float:
    shift = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + _ripple(x)
    shift += (20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)) * 2.0 / 3.0
    return shift + (150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)) * 2.0 / 3.0


def _ripple(x: float) -> float:
    return (20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)) * 2.0 / 3.0


def _gcj_to_bd(lon: float, lat: float) -> Point:
    radius = math.hypot(lon, lat) + 0.00002 * math.sin(lat * _BD_ANGLE)
    angle = math.atan2(lat, lon) + 0.000003 * math.cos(lon * _BD_ANGLE)
    return radius * math.cos(angle) + 0.0065, radius * math.sin(angle) + 0.006
