"""`ingest`: from the bytes of HTTP batches of 1,000 readings to committed rows and detectors, into a table that is full already.

One process does it all: token, decoding, idempotent write, the watch. The sender's work (making the bytes) is not timed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.harness import Bench

BATCH = 1_000
STREAMS = 10_000
FLOORS = {"sqlite": 100_000, "postgres": 50_000}
FIGURES: dict[str, Callable[[dict[str, Any]], bool]] = {
    **{f"{kind} >= {floor}": lambda found, kind=kind, floor=floor: (found.get(kind) or 0) >= floor for kind, floor in FLOORS.items()},
    **{
        f"{kind}_shuffled >= 70 %": lambda found, kind=kind: (found.get(f"{kind}_shuffled") or 0) >= 0.7 * (found.get(kind) or 1)
        for kind in FLOORS
    },
}


def run(bench: Bench) -> dict[str, Any]:
    """Measure in order and shuffled with duplicates, each on a fresh database."""
    rows = bench.options.number("rows", 300_000, quick=20_000)
    before = bench.options.number("before", 2_000_000, quick=100_000)
    bench.n = {"rows": rows, "rows_before": before, "batch": BATCH, "streams": STREAMS}
    found: dict[str, Any] = {"detectors": ["low_high_24h"], "settings": {}, "cpu_s": {}, "wrong": {}}
    for kind in FLOORS:
        found |= {kind: None, f"{kind}_shuffled": None}
    for kind in bench.databases():
        for name, share in ((kind, 0.0), (f"{kind}_shuffled", 0.3)):
            place = bench.place(kind)
            found["settings"][kind] = bench.part(place, "bench.world", "database_settings")
            done = bench.part(
                place, "bench.ingest", "measure", rows=rows, before=before, duplicates=share, seed=bench.seed,
                broken=bench.options.self_test,
            )
            found[name] = round(done["rows"] / done["seconds"])
            found["cpu_s"][name] = round(done["cpu_s"], 2)
            found["wrong"] |= {f"{name}: {key}": value for key, value in done["wrong"].items()}
            bench.note(f"{name}: {found[name]} rows/s")
    found["verified"] = bool(found["settings"]) and not found["wrong"]
    return found


def measure(*, rows: int, before: int, duplicates: float, seed: int, broken: bool) -> dict[str, Any]:
    """Fill the table, make the bytes, then take them in; compare what is kept with the distinct readings sent."""
    import msgspec
    import numpy as np
    from django.db import transaction

    from shouwang.detectors.contract import Columns
    from shouwang.people.actions import issue_credential
    from shouwang.people.queries import scope_of_token
    from shouwang.places.actions import add_area
    from shouwang.places.queries import area
    from shouwang.telemetry.actions import add_things, insert_observations
    from shouwang.telemetry.models import Observation
    from shouwang.telemetry.rules import NewThing
    from shouwang.telemetry.sources.http import receive
    from shouwang.watch.actions import set_watch
    from shouwang.watch.jobs import Runner

    chance = random.Random(seed)
    hours = -(-before // STREAMS)
    sent_hours = -(-rows // STREAMS)
    begin = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=sent_hours + 2)
    now = datetime.now(UTC)
    root = add_area(parent_id=None, name="示范市", level="PREFECTURE", now=now)
    path = area(root).path
    things = [NewThing(f"WM{n:05d}", "WATER_METER", f"WM{n:05d}", (("register_l", "L"),), root, path, None) for n in range(STREAMS)]
    streams = np.array([each.datastreams["register_l"] for start in range(0, STREAMS, 500) for each in add_things(things[start : start + 500], now=now)])
    begin_us = int(begin.timestamp()) * 1_000_000
    for hour in range(hours):
        at = np.full(STREAMS, begin_us - (hours - hour) * 3_600_000_000, np.int64)
        value = np.full(STREAMS, float(hour))
        for start in range(0, STREAMS, 2_000):
            part = slice(start, start + 2_000)
            with transaction.atomic():
                insert_observations(Columns(streams[part], at[part], value[part]), np.zeros(2_000, np.int64))
    filled = Observation.objects.count()
    set_watch("bench", detector="low_high_24h", now=begin, thing_kind="WATER_METER", observed="register_l", lateness_s=60)
    token = issue_credential("INTEGRATION", subject="bench", paths=[path], now=now)
    readings = [
        {"device": f"WM{n % STREAMS:05d}", "datastream": "register_l", "result": 1000.0 + n // STREAMS * 7,
         "phenomenon_time": (begin + timedelta(hours=n // STREAMS)).strftime("%Y-%m-%dT%H:%M:%SZ")}
        for n in range(rows)
    ]
    if duplicates:
        again = chance.sample(range(rows), int(rows * duplicates / (1 - duplicates)))
        readings += [readings[n] for n in again]
        # Out of order as networks make it: within a window of ten batches.
        window = BATCH * 10
        readings = [each for start in range(0, len(readings), window) for each in chance.sample(readings[start : start + window], len(readings[start : start + window]))]
    bodies = [msgspec.json.encode({"readings": readings[start : start + BATCH]}) for start in range(0, len(readings), BATCH)]
    runner = Runner("bench")
    runner.tick(now, real_now=now)
    statuses: list[int] = []
    start_s, cpu = time.perf_counter(), time.process_time()
    for n, body in enumerate(bodies):
        if broken and n == len(bodies) // 2:
            continue
        at = datetime.now(UTC)
        statuses.append(receive(body, scope_of_token(token, "INTEGRATION", at), now=at).status)
        if n % 10 == 9:
            runner.tick(at, real_now=at)
    last = datetime.now(UTC)
    while runner.tick(last, real_now=last).behind:
        continue
    seconds, cpu_s = time.perf_counter() - start_s, time.process_time() - cpu
    kept = Observation.objects.count() - filled
    compared: dict[str, tuple[Any, Any]] = {
        "statuses": (sorted(set(statuses)), [200]), "rows kept": (kept, rows), "rows before": (filled, hours * STREAMS),
        "a stream's rows": (Observation.objects.filter(datastream_id=int(streams[7])).count(), hours + sum(n % STREAMS == 7 for n in range(rows))),
    }
    wrong = {name: f"found {one}, expected {two}" for name, (one, two) in compared.items() if one != two}
    return {"rows": len(readings), "seconds": seconds, "cpu_s": cpu_s, "wrong": wrong}
