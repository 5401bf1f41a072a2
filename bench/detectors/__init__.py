"""Detectors of homes with people who live alone, over a million meters: speed, memory, and the same findings as a scalar reference.

Meters first live `days` as a few thousand lives; their states are then widened to every meter and one day is timed, its
readings in random order and in batches. River walks the same silence rule one meter at a time (`peer.py`).
"""

from __future__ import annotations

import importlib.metadata
import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from bench.detectors import reference
from bench.detectors.world import EVENT_OF, EVENTS, FIRST_STREAM, HOUR_US, World
from bench.harness import Bench
from shouwang.detectors.contract import OF_ALL, Columns, Finding, State, dump
from shouwang.detectors.habits.frozen import frozen
from shouwang.detectors.registry import Detector, detectors_found
from shouwang.kernel.collecting import collect_seldom

NAMES = ("silence", "high_use", "no_data")
KINDS = {"WATER_SILENCE_CALL", "WATER_SILENCE", "WATER_HARD_STOP", "WATER_HIGH_USE", "WATER_LEAK", "WATER_NO_DATA"}
BEGIN = 492_000 // 168 * 168 + 8
BATCH = 50_000
PAIRS = 5
FIGURES = {
    "readings_per_s_core": lambda found: (found.get("readings_per_s_core") or 0) >= 15_000_000,
    "bytes_per_meter": lambda found: (found.get("bytes_per_meter") or 10**9) <= 448,
    "ratio": lambda found: (found.get("ratio") or 0) >= 100,
}
Told = tuple[str, str, int, int]
States = dict[str, State]


def run(bench: Bench) -> dict[str, Any]:
    """Verify, then time a day of all meters, then the pairs with River."""
    meters = bench.options.number("meters", 1_000_000, quick=20_000)
    ordered = bench.options.number("ordered", 100_000, quick=5_000)
    lives = bench.options.number("lives", 2_910, quick=970)
    days, timed_h = bench.options.number("days", 16), bench.options.number("hours", 24)
    bench.n = {"meters": meters, "batch": BATCH, "lives": lives, "days": days, "timed_hours": timed_h, "ordered": ordered, "pairs": PAIRS}
    late_h = 1 if bench.options.self_test else 0
    event = BEGIN + days * 24 + 10
    sample = np.arange(bench.options.number("sample", 2 * EVENT_OF, quick=EVENT_OF))
    small = World(lives, begin=BEGIN, event=event - timed_h - 48, seed=bench.seed)
    states, wrong, kinds = verified(bench, small, sample=sample, days=days, late_h=late_h)
    bench.note(f"verified {len(sample)} meters over {days} days: {wrong} differ; {', '.join(sorted(kinds))}")
    found: dict[str, Any] = {"detectors": list(NAMES), "wrong": wrong, "kinds": sorted(kinds), "events": list(EVENTS)}
    if wrong or kinds != KINDS:
        return {**found, "verified": False}
    wide = small.widened(meters)
    wide.event = event
    states = {name: widened(state, meters) for name, state in states.items()}
    found |= timed(bench, wide, states, begin=BEGIN + days * 24, hours=timed_h)
    del states
    found |= pairs(bench, ordered)
    return {**found, "verified": found["timed_findings"] > 0 and found["peer_wrong"] in {0, None}}


def judged(detector: Detector, columns: Columns, state: State, *, upto: int, late_h: int = 0) -> tuple[State, list[Finding]]:
    """Return what a detector makes of rows with the watermark at the beginning of hour `upto`; with `late_h` its hard stop is that late."""
    at_us, params = upto * HOUR_US, dict(detector.params)
    if "hard_stop_h" in params:
        params["hard_stop_h"] += late_h
    return detector.judge(columns, state, now_us=at_us, watermark_us=at_us, params=params)


def verified(bench: Bench, world: World, *, sample: np.ndarray, days: int, late_h: int) -> tuple[States, int, set[str]]:
    """Let every life pass in random order; return the states, on how many sampled meters a finding differs, and the kinds found."""
    order = np.random.default_rng(bench.seed)
    states: States = {name: {} for name in NAMES}
    told: dict[int, set[Told]] = {int(each): set() for each in sample + FIRST_STREAM}
    lived: dict[int, list[reference.Row]] = {each: [] for each in told}
    last = BEGIN + days * 24
    for slot in range(BEGIN, last):
        rows = world.hour(slot, order=order)
        for stream, at_us, value in zip(*(part[np.isin(rows.stream, sample + FIRST_STREAM)].tolist() for part in (rows.stream, rows.at_us, rows.value)), strict=True):
            lived[stream].append((at_us, value))
        for name in NAMES:
            states[name], findings = judged(detectors_found()[name], rows, states[name], upto=slot + 1, late_h=late_h)
            for each in findings:
                if each.stream in told:
                    told[each.stream].add((each.kind, each.phase, each.at_us, each.episode_us))
    bench.note("lived")
    expected = {stream: by_hand(rows, until=last) for stream, rows in lived.items()}
    for stream, findings in told.items():
        if findings != expected[stream]:
            bench.note(f"meter {stream} ({(stream - FIRST_STREAM) % EVENT_OF}): {sorted(findings ^ expected[stream], key=lambda each: each[2])[:4]}")
    kinds = {each[0] for findings in expected.values() for each in findings}
    return states, sum(findings != expected[stream] for stream, findings in told.items()), kinds


def by_hand(rows: list[reference.Row], *, until: int) -> set[Told]:
    """Return what the scalar reference finds of one meter."""
    price = detectors_found()["silence"].params
    home = reference.SilentHome(frozen(), call_price_h=price["call_price_h"], visit_price_h=price["visit_price_h"])
    silent = reference.silent(home, rows, until=until)
    return {*silent, *reference.drawn(rows, until=until), *reference.unread(rows, until=until)}


def widened(state: State, count: int) -> State:
    """Return a state for `count` meters, each with the memory of one of those in `state`, laid out as a detector hands it on."""
    size = len(state["stream"])
    wide: State = {}
    for name, array in state.items():
        if name in OF_ALL or name.startswith("pending_"):
            wide[name] = array
        else:
            wide[name] = np.asfortranarray(np.concatenate([array] * -(-count // size))[:count])
    return {**wide, "stream": FIRST_STREAM + np.arange(count)}


def batches(rows: Columns) -> Iterator[Columns]:
    """Yield the rows in batches."""
    for begin in range(0, len(rows), BATCH):
        part = slice(begin, begin + BATCH)
        yield Columns(rows.stream[part].copy(), rows.at_us[part].copy(), rows.value[part].copy())


def timed(bench: Bench, world: World, states: States, *, begin: int, hours: int) -> dict[str, Any]:
    """Return the speed of a day and the size of the states after it; making the readings is not timed.

    The garbage collector looks as seldom as in every process that serves.
    """
    collect_seldom()
    order = np.random.default_rng(bench.seed + 1)
    cpu, wall, counted, findings = dict.fromkeys(NAMES, 0.0), 0.0, 0, 0
    hourly: list[float] = []
    for slot in range(begin, begin + hours):
        parts = list(batches(world.hour(slot, order=order)))
        spent = 0.0
        for name in NAMES:
            detector, state = detectors_found()[name], states[name]
            wall_from, cpu_from = time.perf_counter(), time.process_time()
            for rows in parts:
                state, told = judged(detector, rows, state, upto=slot)
                findings += len(told)
            state, told = judged(detector, Columns.empty(), state, upto=slot + 1)
            used_s = time.process_time() - cpu_from
            wall += time.perf_counter() - wall_from
            findings += len(told)
            states[name] = state
            cpu[name] += used_s
            spent += used_s
        count = sum(map(len, parts))
        counted += count
        hourly.append(count / spent)
    sizes = {name: len(dump(state)) / world.count for name, state in states.items()}
    bench.note(f"timed {counted} readings")
    return {
        "readings_per_s_core": round(counted / sum(cpu.values())), "readings_per_s_core_median_hour": round(statistics.median(hourly)),
        "readings": counted, "cpu_s": round(sum(cpu.values()), 2), "wall_s": round(wall, 2),
        "ns_a_reading": {name: round(1e9 * each / counted, 1) for name, each in cpu.items()}, "timed_findings": findings,
        "bytes_per_meter": round(sum(sizes.values()), 1), "bytes_by_detector": {name: round(each, 1) for name, each in sizes.items()},
        "bytes_by_field": {name: by_field(state, world.count) for name, state in states.items()}, "waiting_bytes_per_meter": round(24 * len(NAMES) * count / world.count, 1),
    }


def by_field(state: State, count: int) -> dict[str, float]:
    """Return the bytes a meter of each field of a state."""
    return {name: round(array.nbytes / count, 2) for name, array in state.items() if array.nbytes >= count / 4}


def pairs(bench: Bench, meters: int) -> dict[str, Any]:
    """Return how many times as many readings a second ours judges as River, meters in order, silence alone, a day of each."""
    try:
        from bench.detectors.peer import RiverHome
    except ImportError:
        bench.skipped.append("River is not installed")
        return {"ratio": None, "river_readings_per_s": None, "silence_readings_per_s": None, "peer_wrong": None}
    bench.peer = {"river": {"version": importlib.metadata.version("river"), "settings": "one object a home, RollingMin(48), clock set after 3 silent hours"}}
    detector, days, few = detectors_found()["silence"], 15, 200
    world = World(few, begin=BEGIN, event=BEGIN + days * 24 + 2, seed=bench.seed)
    price = detector.params
    homes = [RiverHome(frozen(), call_price_h=price["call_price_h"], visit_price_h=price["visit_price_h"]) for _ in range(few)]
    state: State = {}
    for slot in range(BEGIN, BEGIN + days * 24):
        rows = world.hour(slot)
        state, _ = judged(detector, rows, state, upto=slot + 1)
        walk(homes, rows, slot)
    wide = world.widened(meters)
    many = widened(state, meters)
    ratios, ours, theirs, wrong = [], [], [], 0
    begin = BEGIN + days * 24
    for pair in range(PAIRS):
        ours_s = theirs_s = 0.0
        ours_n = theirs_n = 0
        for slot in range(begin + 24 * pair, begin + 24 * (pair + 1)):
            few_rows, rows = world.hour(slot), wide.hour(slot)
            at = time.process_time()
            many, _ = judged(detector, rows, many, upto=slot + 1)
            ours_s, ours_n = ours_s + time.process_time() - at, ours_n + len(rows)
            state, told = judged(detector, few_rows, state, upto=slot + 1)
            at = time.process_time()
            peers = walk(homes, few_rows, slot)
            theirs_s, theirs_n = theirs_s + time.process_time() - at, theirs_n + len(few_rows)
            wrong += len(peers ^ {(each.stream, each.kind, each.phase, each.at_us, each.episode_us) for each in told})
        ours.append(ours_n / ours_s)
        theirs.append(theirs_n / theirs_s)
        ratios.append(ours[-1] / theirs[-1])
    bench.n |= {"river_meters": few}
    return {
        "ratio": round(statistics.median(ratios), 1), "ratios": [round(each, 1) for each in ratios], "silence_readings_per_s": round(statistics.median(ours)),
        "river_readings_per_s": round(statistics.median(theirs)), "peer_wrong": wrong,
    }


def walk(homes: list[Any], rows: Columns, slot: int) -> set[tuple[int, str, str, int, int]]:
    """Let River take an hour, one meter after the other; a home that was not read learns that the hour passed."""
    told = set()
    shown = dict(zip((rows.stream - FIRST_STREAM).tolist(), rows.value.tolist(), strict=True))
    for place, home in enumerate(homes):
        home.learn_one({"slot": slot, "register_l": shown.get(place)})
        if home.told:
            told |= {(place + FIRST_STREAM, *each) for each in home.told}
    return told
