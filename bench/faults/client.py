"""The load: other systems post alerts, meters post readings; each sends again until it is answered 200, and writes that down."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from bench.faults.calling import Caller
from bench.faults.records import ACKED, REQUESTS, Backlog, Record

LOW, HIGH, NO_DATA = "WATER_LOW_USE", "WATER_HIGH_USE", "WATER_NO_DATA"
SEVERITY = {LOW: 4, HIGH: 2, NO_DATA: 4}
PARAMS = {LOW: {"window_h": 24, "used_l": 3, "limit_l": 10}, HIGH: {"window_h": 24, "used_l": 1900, "limit_l": 1000}, NO_DATA: {"max_gap_h": 6}}
ALERT_POSTERS, READING_POSTERS = 3, 2
LARGEST_BACKLOG = 100
LARGEST_POST = 10
READINGS_PER_BATCH = 30
SILENT_EVERY = 2
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_US = 3_600_000_000
Meter = Sequence[Any]


class Load:
    """What is posted next; the posters share it."""

    def __init__(self, folder: Path, *, web_port: int, seed: int, alerts_per_s: float, batches_per_s: float) -> None:
        world = json.loads((folder / "world.json").read_text("utf-8"))
        self.folder, self.statuses = folder, Counter[int]()
        self.failed: list[str] = []
        self._caller = Caller(web_port, Record(folder, REQUESTS))
        self._acked = Record(folder, ACKED, durable=True)
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {world['token']}"}
        self._rates = {"alerts": alerts_per_s, "readings": batches_per_s}
        self._locks = {what: threading.Lock() for what in self._rates}
        self._backlog = Backlog(folder, streams={meter[1] for meter in world["meters"]["reported"]})
        self._start = time.monotonic()
        self._alerts = self._next_alerts(world["meters"]["reported"], Random(seed))
        self._readings = self._next_readings(world["meters"]["ordinary"], world["meters"]["silent"])

    def ended(self) -> bool:
        """Return whether nothing new shall be posted."""
        return (self.folder / "load-ended").exists()

    def post_alerts(self) -> None:
        """Post alerts at the agreed rate until the load has ended; pause while the persons lag too far behind.

        This measures what is lost, not how much is carried: on a busy machine a backlog would only look like silence.
        """
        self._post("alerts", self._alerts, "/api/v1/alerts")

    def post_readings(self) -> None:
        """Post batches of readings at the agreed rate until the load has ended."""
        self._post("readings", self._readings, "/api/v1/readings")

    def _post(self, what: str, source: Iterator[tuple[float, bytes, Any]], path: str) -> None:
        try:
            while not self.ended():
                with self._locks[what]:
                    while what == "alerts" and self._backlog.waiting() > LARGEST_BACKLOG and not self.ended():
                        time.sleep(0.1)
                    position, body, ids = next(source)
                time.sleep(max(0.0, self._start + position / self._rates[what] - time.monotonic()))
                answer = self._caller.until_answered("POST", path, body=body, headers=self._headers)
                self.statuses[answer.status] += 1
                if answer.status == 200:
                    self._acked.note(what=what, ids=ids, at=time.time())
                else:
                    self.failed.append(f"{path}: {answer.status} {answer.body[:200]!r}")
        except Exception as error:  # noqa: BLE001 - a poster that stops must be seen at the end, not in a thread's last words
            self.failed.append(f"{path}: {type(error).__name__}: {error}")

    def _next_alerts(self, meters: Sequence[Meter], chance: Random) -> Iterator[tuple[float, bytes, Any]]:
        """Yield posts of one to ten alerts: most of them red; some calm ones, which are bundled; some that climb their ladder.

        The calm ones and the climbers end with the first part of the run, for their rules make them wait a minute.
        """
        left = {kind: iter(meters) for kind in (LOW, HIGH, NO_DATA)}
        position = 0
        while True:
            early = not (self.folder / "early-ended").exists()
            alerts = []
            for _ in range(chance.randint(1, LARGEST_POST)):
                drawn = chance.random()
                kind = HIGH if early and drawn < 0.1 else NO_DATA if early and drawn < 0.2 else LOW
                alerts.append((kind, next(left[kind])[1]))
            self._backlog.post(len(alerts))
            yield position, json.dumps({"alerts": [_alert(*each) for each in alerts]}).encode(), alerts
            position += len(alerts)

    def _next_readings(self, ordinary: Sequence[Meter], silent: Sequence[Meter]) -> Iterator[tuple[float, bytes, Any]]:
        """Yield batches of readings of ordinary meters; every second holds one that shows no use for a day."""
        fallen, position = iter(silent), 0
        while True:
            now_us = (datetime.now(UTC) - EPOCH) // timedelta(microseconds=1)
            rows = [
                (ordinary[(position * READINGS_PER_BATCH + n) % len(ordinary)], now_us + n, 5_000.0 + position * 0.01)
                for n in range(READINGS_PER_BATCH)
            ]
            if position % SILENT_EVERY == 0 and (meter := next(fallen, None)) is not None:
                rows += [(meter, now_us - 24 * HOUR_US - HOUR_US // 2, 700.0), (meter, now_us, 701.0)]
            body = json.dumps({"readings": [_reading(meter, at_us, value) for meter, at_us, value in rows]}).encode()
            yield position, body, [(meter[1], at_us, value) for meter, at_us, value in rows]
            position += 1


def _alert(kind: str, stream: int) -> Mapping[str, Any]:
    return {
        "kind": kind, "subject_kind": "datastream", "subject_id": stream, "severity": SEVERITY[kind], "reason": f"{kind}_OPEN",
        "params": PARAMS[kind],
    }


def _reading(meter: Meter, at_us: int, value: float) -> Mapping[str, Any]:
    at = (EPOCH + timedelta(microseconds=at_us)).isoformat()
    return {"device": meter[0], "datastream": "register_l", "phenomenon_time": at, "result": value}


def post(*, folder: str, web_port: int, seed: int, alerts_per_s: float, batches_per_s: float) -> dict[str, Any]:
    """Post until the file `load-ended` appears and everything begun is acknowledged; return what the answers were."""
    load = Load(Path(folder), web_port=web_port, seed=seed, alerts_per_s=alerts_per_s, batches_per_s=batches_per_s)
    posters = [threading.Thread(target=load.post_alerts) for _ in range(ALERT_POSTERS)]
    posters += [threading.Thread(target=load.post_readings) for _ in range(READING_POSTERS if batches_per_s else 0)]
    for poster in posters:
        poster.start()
    for poster in posters:
        poster.join()
    return {"statuses": dict(load.statuses), "failed": load.failed[:10]}
