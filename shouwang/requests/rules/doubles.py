"""Which open requests may be about the same matter as a new report. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shouwang.kernel.geometry import distance_m
from shouwang.requests.rules.catalogue import Service

MOST = 5
METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True, slots=True)
class Spot:
    """What a request or report is about and where: all that tells two of them apart."""

    id: int
    service: str
    area_id: int
    lon: float | None
    lat: float | None
    address: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Double:
    """An open request that may be the same; `away_m` is None where one of them has no point."""

    id: int
    away_m: float | None
    is_same_address: bool


def doubles(new: Spot, known: Iterable[Spot], *, service: Service) -> list[Double]:
    """Return at most five of `known` that may be the same matter as `new`: the same address first, then the nearest, then the newest.

    The same kind within the service's days, and within its metres where both have a point, else in the same area.
    """
    window = timedelta(days=service.within_days)
    found = []
    for spot in known:
        if spot.service != new.service or abs(new.at - spot.at) > window or not window:
            continue
        away_m = _away_m(new, spot)
        same = bool(new.address) and _plain(new.address) == _plain(spot.address)
        near = spot.area_id == new.area_id if away_m is None else away_m <= service.within_m
        if near or (same and spot.area_id == new.area_id):
            found.append((not same, away_m if away_m is not None else service.within_m, abs(new.at - spot.at), Double(spot.id, away_m, same)))
    return [each[-1] for each in sorted(found, key=lambda each: (*each[:3], each[3].id))[:MOST]]


def reach_deg(service: Service) -> float:
    """Return how many degrees of latitude hold everything that is near enough; a little more, never less."""
    return 1.02 * service.within_m / METRES_PER_DEGREE


def _away_m(one: Spot, other: Spot) -> float | None:
    if one.lon is None or one.lat is None or other.lon is None or other.lat is None:
        return None
    return distance_m(one.lon, one.lat, other.lon, other.lat)


def _plain(address: str) -> str:
    return "".join(each for each in address.lower() if each.isalnum())
