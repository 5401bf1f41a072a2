"""`contention`: on SQLite, a web process (50 small writes/s) and a worker (100/s) beside an ingest that writes flat out."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.harness import SQLITE, Bench

RATES = {"web": 50, "worker": 100}
BREAKS_A_FIGURE = True
FIGURES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "small_write_p99_ms <= 50": lambda found: 0 < (found.get("small_write_p99_ms") or 0) <= 50,
    "small_write_max_ms <= 500": lambda found: 0 < (found.get("small_write_max_ms") or 0) <= 500,
}


def run(bench: Bench) -> dict[str, Any]:
    """Let the three write at once and collect how long each small write took."""
    seconds = bench.options.number("seconds", 30, quick=5)
    bench.n = {"seconds": seconds, **{f"{name}_per_s": rate for name, rate in RATES.items()}}
    place = bench.place(SQLITE)
    settings = bench.part(place, "bench.world", "database_settings")
    bench.part(place, "bench.promises", "begin_log")
    ungated = bench.options.self_test
    begin = time.time() + 4
    ingest = bench.start(place, "bench.contention", "ingest", begin=begin, seconds=seconds, ungated=ungated)
    small = {
        name: bench.start(place, "bench.contention", "small_writes", begin=begin, seconds=seconds, rate=rate, ungated=ungated)
        for name, rate in RATES.items()
    }
    done = {name: bench.answer(child) for name, child in small.items()}
    ingested = bench.answer(ingest)
    kept = bench.part(place, "bench.contention", "count")
    taken = sorted(ms for each in done.values() for ms in each["ms"])
    expected = sum(len(each["ms"]) for each in done.values())
    wrong = {
        name: f"found {one}, expected {two}"
        for name, (one, two) in {"timers": (kept["timers"], expected), "rows": (kept["rows"], ingested["rows"])}.items()
        if one != two
    }
    slow = {name: len(each["ms"]) for name, each in done.items() if len(each["ms"]) < 0.9 * RATES[name] * seconds}
    return {
        "small_write_p99_ms": round(taken[int(len(taken) * 0.99)], 2), "small_write_max_ms": round(taken[-1], 2),
        "p50_ms": {name: round(sorted(each["ms"])[len(each["ms"]) // 2], 2) for name, each in done.items()},
        "small_writes": expected, "ingest_rows_per_s": round(ingested["rows"] / seconds), "settings": {SQLITE: settings},
        "wrong": wrong, "behind_their_rate": slow, "verified": not wrong,
    }


def _without_gate() -> None:
    """The self-test: SQLite's own busy handler instead of the fair gate."""
    from shouwang.journal.sqlite.gate import FairGate

    FairGate.enter = lambda _: None  # type: ignore[method-assign]
    FairGate.leave = lambda _: None  # type: ignore[method-assign]


def ingest(*, begin: float, seconds: int, ungated: bool) -> dict[str, Any]:
    """Insert observations in batches of 1,000 without a pause."""
    import numpy as np
    from django.db import transaction

    from shouwang.detectors.contract import Columns
    from shouwang.telemetry.actions import insert_observations

    if ungated:
        _without_gate()
    streams, value, flags = np.arange(1, 1_001), np.ones(1_000), np.zeros(1_000, np.int64)
    rows, batch = 0, 0
    time.sleep(max(0.0, begin - time.time()))
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        at = np.full(1_000, 1_700_000_000_000_000 + (batch // 10) * 3_600_000_000, np.int64)
        with transaction.atomic():
            rows += insert_observations(Columns(streams + batch % 10 * 1_000, at, value), flags)
        batch += 1
    return {"rows": rows}


def small_writes(*, begin: float, seconds: int, rate: int, ungated: bool) -> dict[str, Any]:
    """Write `rate` times a second a timer and an event; the time counts from when the write was due to its commit."""
    from django.db import transaction

    from shouwang.journal.actions import append, set_timers
    from shouwang.journal.rules import NewEvent, NewTimer

    if ungated:
        _without_gate()
    taken: list[float] = []
    time.sleep(max(0.0, begin - time.time()))
    start = time.perf_counter()
    for n in range(rate * seconds):
        due = start + n / rate
        time.sleep(max(0.0, due - time.perf_counter()))
        began = time.perf_counter()
        now = datetime.now(UTC)
        with transaction.atomic():
            set_timers([NewTimer("bench", rate * 1_000_000 + n, now + timedelta(hours=1))])
            append([NewEvent("bench.written", n, {"n": n})], now=now)
        taken.append((time.perf_counter() - began) * 1000)
    return {"ms": taken}


def count() -> dict[str, Any]:
    """Count what was kept."""
    from shouwang.journal.models import Timer
    from shouwang.journal.queries import verify
    from shouwang.telemetry.models import Observation

    verify()
    return {"timers": Timer.objects.count(), "rows": Observation.objects.count()}
