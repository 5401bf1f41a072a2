"""Water meters that post their registers over HTTP, as real ones do."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from zlib import crc32

import httpx

HISTORY_H = 48
BATCH = 500


@dataclass
class Meter:
    """One simulated meter: litres by the hour of the day, until it falls silent."""

    external_id: str
    register_l: int
    silent_from: datetime | None = None
    rest_l: float = 0.0
    """What was used beyond the last whole litre."""

    def use(self, at: datetime, hours: float, chance: Random) -> int:
        """Let the home use water for `hours` up to `at`, and return the register."""
        if self.silent_from is None or at < self.silent_from:
            busy = 6 <= (at.hour + 8) % 24 <= 21
            self.rest_l += chance.expovariate(1 / (9.0 if busy else 0.3)) * hours
            whole = int(self.rest_l)
            self.register_l, self.rest_l = self.register_l + whole, self.rest_l - whole
        return self.register_l


def _stands_at(external_id: str) -> int:
    """Return what a meter shows two days ago, the same for whoever makes its earlier readings."""
    return 60_000 + crc32(external_id.encode()) % 400_000


def make_meters(external_ids: Sequence[str], *, silent: int, now: datetime) -> list[Meter]:
    """Return the meters; the first `silent` of them stopped about a day ago, one after the other."""
    meters = [Meter(external_id, _stands_at(external_id)) for external_id in external_ids]
    for n, meter in enumerate(meters[:silent]):
        meter.silent_from = now - timedelta(hours=24, minutes=30) + timedelta(minutes=12 * n)
    return meters


def earlier(meters: Sequence[Meter], *, days: int, now: datetime, chance: Random) -> list[tuple[str, datetime, int]]:
    """Return (meter, moment, register) of the `days` before the two that `history` tells, ending where each meter stands then."""
    moments = [now - timedelta(hours=HISTORY_H + hours) for hours in range(24 * days, 0, -1)]
    found = []
    for meter in meters:
        past = Meter(meter.external_id, 0)
        shown = [past.use(at, 1.0, chance) for at in moments]
        found += [(meter.external_id, at, meter.register_l - shown[-1] + each) for at, each in zip(moments, shown, strict=True)]
    return found


def history(meters: Sequence[Meter], *, now: datetime, chance: Random) -> list[dict[str, object]]:
    """Return the readings of the last two days, hour by hour."""
    readings: list[dict[str, object]] = []
    for hours_ago in range(HISTORY_H, -1, -1):
        at = now - timedelta(hours=hours_ago)
        readings.extend(_reading(meter, at, 1.0, chance) for meter in meters)
    return readings


def _reading(meter: Meter, at: datetime, hours: float, chance: Random) -> dict[str, object]:
    return {
        "device": meter.external_id, "datastream": "register_l", "phenomenon_time": at.isoformat(),
        "result": meter.use(at, hours, chance),
    }


def play(
    address: str, token: str, meters: Sequence[Meter], *, now: Callable[[], datetime], chance: Random,
    stop: Callable[[], bool], past_posted: Callable[[], None], interval_s: float = 10.0,
) -> None:
    """Post the past once, call `past_posted`, then post a reading of every meter each `interval_s`, until told to stop."""
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30) as http:
        last = now()
        _post(http, history(meters, now=last, chance=chance))
        past_posted()
        while not stop():
            time.sleep(interval_s)
            at = now()
            hours = (at - last).total_seconds() / 3600
            _post(http, [_reading(meter, at, hours, chance) for meter in meters])
            last = at


def _post(http: httpx.Client, readings: Sequence[dict[str, object]]) -> None:
    for start in range(0, len(readings), BATCH):
        for _ in range(30):
            try:
                answer = http.post("/api/v1/readings", json={"readings": readings[start : start + BATCH]})
            except httpx.TransportError:
                time.sleep(0.5)
                continue
            answer.raise_for_status()
            break
