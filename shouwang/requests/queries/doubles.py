"""Open requests that may be the same matter as a new report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from shouwang.kernel.texts import Text
from shouwang.people.rules import Scope
from shouwang.requests.models import ServiceRequest
from shouwang.requests.queries.desk import RequestRow, rows_of, within
from shouwang.requests.rules.catalogue import SERVICES, service_of
from shouwang.requests.rules.doubles import Spot, doubles, reach_deg

LOOKED_AT = 200
LISTED = 5
LISTED_DAYS = 30
WIDER = 3.0
"""A degree of longitude is shorter than one of latitude: up to 70° north this many times."""


@dataclass(frozen=True, slots=True)
class DoubleRow:
    """An open request that may be the same matter, and how far away it is where that is known."""

    row: RequestRow
    away_m: float | None
    is_same_address: bool


def nearby(
    scope: Scope, right: str, *, service: str, area_id: int, lon: float | None = None, lat: float | None = None, address: str = "",
    but: int | None = None, now: datetime,
) -> list[DoubleRow]:
    """Return the open requests, where `scope` has `right`, that may be what is being told; nearest first, at most five."""
    kind = service_of(service)
    rows = _open(within(scope, right), kind.within_days, now).filter(service_code=service).exclude(pk=but or 0)
    place = Q(area_id=area_id)
    if lon is not None and lat is not None:
        reach = reach_deg(kind)
        place |= Q(lat__range=(lat - reach, lat + reach), lon__range=(lon - WIDER * reach, lon + WIDER * reach))
    known = list(rows.filter(place).order_by("-requested_at")[:LOOKED_AT])
    new = Spot(0, service, area_id, lon, lat, address, now)
    found = doubles(new, [_spot(each) for each in known], service=kind)
    shown = {row.id: row for row in rows_of([each for each in known if each.pk in {double.id for double in found}])}
    return [DoubleRow(shown[double.id], double.away_m, double.is_same_address) for double in found]


def listed_nearby(area_id: int, *, now: datetime) -> list[tuple[int, Text, datetime]]:
    """Return the newest open requests at an area that concern a place, as (id, kind, told at): what any resident may see."""
    codes = [service.code for service in SERVICES if service.is_listed]
    rows = _open(ServiceRequest.objects.filter(area_id=area_id), LISTED_DAYS, now).filter(service_code__in=codes)
    found = []
    for request_id, code, at in rows.order_by("-requested_at").values_list("pk", "service_code", "requested_at")[:LISTED]:
        title = service_of(code).title
        found.append((request_id, Text(title.zh, title.en), at))
    return found


def _open(rows: QuerySet[ServiceRequest], days: int, now: datetime) -> QuerySet[ServiceRequest]:
    return rows.filter(case__state="OPEN", requested_at__gte=now - timedelta(days=days), exercise_id__isnull=True)


def _spot(row: ServiceRequest) -> Spot:
    return Spot(row.pk, row.service_code, row.area_id, row.lon, row.lat, row.address, row.requested_at)
