"""Reads of gateways: which meters send through one, and whether anything has come through it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from shouwang.journal.prepared import Prepared
from shouwang.kernel.moments import to_us
from shouwang.systems.living_alone.models import Enrolment, Gateway
from shouwang.telemetry.queries import last_readings

FEWEST = 3
"""Of fewer meters it cannot be told whether they or their gateway have fallen silent."""

_BEHIND = Prepared(lambda gateway_id: Enrolment.objects.filter(gateway_id=gateway_id, active=True).values_list("datastream_id"))


@dataclass(frozen=True, slots=True)
class GatewayRow:
    """A gateway with FEWEST watched meters: how many, how often the slowest sends, when any was last read (None: not lately)."""

    id: int
    code: str
    area_id: int
    meters: int
    upload_h: int
    last_at: datetime | None
    told_at: datetime | None


def is_dead(gateway_id: int, since_us: int, now: datetime) -> bool:
    """Return whether none of a gateway's meters, FEWEST at least, has sent anything after a moment (µs)."""
    streams = [stream for (stream,) in _BEHIND.rows(gateway_id)]
    return len(streams) >= FEWEST and all(to_us(at) <= since_us for at in last_readings(streams, now=now).values())


def gateway_of(household_id: int) -> tuple[str, datetime | None]:
    """Return the code of the gateway through which a home's meter sends, empty where none is known, and since when it is told of as silent."""
    row = Enrolment.objects.filter(household_id=household_id, gateway__isnull=False).values_list("gateway__code", "gateway__told_at").first()
    return ("", None) if row is None else row


@dataclass(frozen=True, slots=True)
class SilentGateway:
    """A gateway that is told of as silent since `told_at`, and how many watched meters hang on it."""

    code: str
    area_id: int
    told_at: datetime
    meters: int


def silent_gateways(inside: Q) -> list[SilentGateway]:
    """Return the gateways told of as silent whose path fulfils `inside`, the longest first."""
    rows = list(Gateway.objects.filter(inside, told_at__isnull=False).order_by("told_at", "pk"))
    meters = Counter(Enrolment.objects.filter(gateway__in=rows, active=True).values_list("gateway_id", flat=True))
    return [SilentGateway(row.code, row.area_id, row.told_at, meters[row.pk]) for row in rows if row.told_at is not None]


def gateways(now: datetime) -> list[GatewayRow]:
    """Return every gateway with FEWEST watched meters."""
    behind: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for home in Enrolment.objects.filter(gateway_id__isnull=False, active=True).order_by("pk"):
        behind[home.gateway_id or 0].append((home.datastream_id, home.sends_h))
    found = {row.pk: row for row in Gateway.objects.filter(pk__in=[each for each, rows in behind.items() if len(rows) >= FEWEST]).order_by("pk")}
    last = last_readings([stream for each in found for stream, _ in behind[each]], now=now)
    return [
        GatewayRow(
            pk, row.code, row.area_id, len(behind[pk]), max(upload_h for _, upload_h in behind[pk]),
            max((last[stream] for stream, _ in behind[pk] if stream in last), default=None), row.told_at,
        )
        for pk, row in found.items()
    ]
