"""Reads of gateways: which meters send through one, and whether anything has come through it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

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


def gateway_of(household_id: int) -> str:
    """Return the code of the gateway through which a home's meter sends, empty where none is known."""
    return Enrolment.objects.filter(household_id=household_id).values_list("gateway__code", flat=True).first() or ""


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
