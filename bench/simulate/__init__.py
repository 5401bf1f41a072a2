"""`simulate`: seeded months of a county over the production dispatcher, with faults, invariants and mutants.

One process, one seed, one virtual clock: the same seed gives the same month. This package's root knows no Django: what
plays runs in parts of their own (`child`).
"""

from __future__ import annotations

import os
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.harness import POSTGRES, SQLITE, Bench, Place

SEEDS, DAYS, CASES_PER_DAY = 200, 30, 15.0
VARIANTS = 4
PER_PART = 25
POSTGRES_EVERY = 10
AGAIN_EVERY = 10
MUTANT_SEEDS = 6
SECONDS = 10.0
TIMED_ALONE = 6
OUTSIDE = "127.0.0.1:9"
FIGURES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "violations == 0": lambda found: found.get("violations") == 0,
    "faults_injected > 0 per kind": lambda found: bool(found.get("faults_injected")) and all(found["faults_injected"].values()),
    "mutants_caught == mutants >= 6": lambda found: (found.get("mutants") or 0) >= 6 and found["mutants_caught"] == found["mutants"],
    "seconds_per_seed <= 10": lambda found: 0 < found.get("seconds_per_seed", {}).get("median", 0) <= SECONDS,
}


def run(bench: Bench) -> dict[str, Any]:
    """Play the seeds on both databases and the mutants on SQLite, a process for each core; the first ones alone, to be timed."""
    bench.seed = bench.options.number("seed", 1)
    days = bench.options.number("days", DAYS, quick=6)
    seeds = list(range(bench.seed, bench.seed + bench.options.number("seeds", SEEDS, quick=2)))
    mutants = bench.options.number("mutants", int(len(seeds) >= POSTGRES_EVERY), quick=0)
    if bench.options.self_test:
        return _self_test(bench, days=days)
    databases = bench.databases()
    timed = seeds[: min(TIMED_ALONE * VARIANTS, len(seeds)) : VARIANTS]
    alone = _play(bench, SQLITE, timed, days) if SQLITE in databases else None
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        played = {
            kind: [pool.submit(_play, bench, kind, part, days) for part in _parts(_rest(seeds, timed) if kind == SQLITE else _share(seeds))]
            for kind in databases
        }
        caught = pool.map(lambda name: _mutant(bench, name, days=days), bench.part(_memory(bench), "bench.simulate.child", "names")["names"] if mutants else [])
        parts = {kind: [part.result() for part in running] for kind, running in played.items()}
        detail = dict(caught)
    if not mutants:
        bench.skipped.append("mutants")
    if alone is not None:
        parts[SQLITE].insert(0, alone)
    return _found(bench, parts, detail if mutants else None, timed=alone["outcomes"] if alone else (), days=days)


def _rest(seeds: Sequence[int], timed: Sequence[int]) -> list[int]:
    return [seed for seed in seeds if seed not in timed]


def _share(seeds: Sequence[int]) -> list[int]:
    """Return the seeds that are played on PostgreSQL too: one in ten."""
    return list(seeds[::POSTGRES_EVERY])


def _parts(seeds: Sequence[int]) -> list[list[int]]:
    """Return the seeds in parts that play in the same county, so that each process makes one county only."""
    parts = []
    for variant in range(VARIANTS):
        same = [seed for seed in seeds if seed % VARIANTS == variant]
        parts += [same[at : at + PER_PART] for at in range(0, len(same), PER_PART)]
    return parts


def _play(bench: Bench, kind: str, seeds: list[int], days: int) -> dict[str, Any]:
    place = _memory(bench) if kind == SQLITE else _postgres(bench)
    bench.note(f"{len(seeds)} seeds on {kind}: {seeds[0]} …")
    return bench.part(
        place, "bench.simulate.child", "seeds", seeds=seeds, days=days, again_every=AGAIN_EVERY, cases_per_day=CASES_PER_DAY,
    )


def _mutant(bench: Bench, name: str, *, days: int) -> tuple[str, dict[str, Any]]:
    found = bench.part(
        _memory(bench), "bench.simulate.child", "mutant", name=name, first_seed=bench.seed, most_seeds=MUTANT_SEEDS, days=days,
        cases_per_day=CASES_PER_DAY,
    )
    bench.note(f"mutant {name}: {found}")
    return name, found


def _memory(bench: Bench) -> Place:
    """Return a SQLite database that lives in its process: durability is the subject of `faults`, not of this."""
    folder = bench.folder / f"memory-{len(list(bench.folder.iterdir()))}-{os.urandom(4).hex()}"
    folder.mkdir()
    environment = {
        **os.environ, "SHOUWANG_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "shouwang.config.settings",
        "SHOUWANG_DATABASE": "sqlite::memory:", "SHOUWANG_WEBHOOK_ALLOW": OUTSIDE, "XDG_RUNTIME_DIR": str(bench.folder),
        "BENCH_PROFILE": bench.options.values.get("profile", ""),
    }
    return Place(SQLITE, folder, environment)


def _postgres(bench: Bench) -> Place:
    place = bench.place(POSTGRES)
    return Place(POSTGRES, place.folder, {**place.environment, "SHOUWANG_WEBHOOK_ALLOW": OUTSIDE})


def _found(
    bench: Bench, parts: dict[str, list[dict[str, Any]]], detail: dict[str, Any] | None, *, timed: Sequence[dict[str, Any]], days: int,
) -> dict[str, Any]:
    outcomes = {kind: [outcome for part in of_kind for outcome in part["outcomes"]] for kind, of_kind in parts.items()}
    everything = [outcome for of_kind in outcomes.values() for outcome in of_kind]
    faults, counts = Counter[str](), Counter[str]()
    for outcome in everything:
        faults.update(outcome["faults"])
        counts.update(outcome["counts"])
    violations = [{"seed": outcome["seed"], **violation} for outcome in everything for violation in outcome["violations"]]
    bench.n = {"seeds": len(everything), "days": days, **{name: counts[name] for name in ("cases", "messages", "events", "passes", "readings")}}
    caught = None if detail is None else sum(each["caught"] for each in detail.values())
    together = [outcome for outcome in outcomes.get(SQLITE) or everything if outcome not in timed]
    return {
        "seeds": len(everything), "seeds_by_database": {kind: len(of_kind) for kind, of_kind in outcomes.items()},
        "repeated": sum(part["repeated"] for of_kind in parts.values() for part in of_kind), "violations": len(violations),
        "violations_detail": violations[:20], "faults_injected": dict(sorted(faults.items())), "mutants": None if detail is None else len(detail),
        "mutants_caught": caught, "mutants_detail": detail, "seconds_per_seed": _seconds(timed or together, "seconds"), "cpu_seconds_per_seed": _seconds(timed or together, "cpu_s"),
        "seconds_per_seed_together": _seconds(together, "seconds"),
        "seconds_per_seed_postgres": _seconds(outcomes.get(POSTGRES, []), "seconds"), "cases": counts["cases"], "messages": counts["messages"],
        "cases_per_day": round(counts["cases"] / max(1, len(everything)) / days, 1),
        "verified": not violations and bool(everything) and (detail is None or caught == len(detail)),
    }


def _seconds(outcomes: Sequence[dict[str, Any]], name: str) -> dict[str, float] | None:
    taken = [outcome[name] for outcome in outcomes]
    return {"median": round(statistics.median(taken), 1), "max": round(max(taken), 1)} if taken else None


def _self_test(bench: Bench, *, days: int) -> dict[str, Any]:
    """Play every mutant: one that no invariant catches makes the run count as verified, and so as not noticed."""
    names = bench.part(_memory(bench), "bench.simulate.child", "names")["names"]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        detail = dict(pool.map(lambda name: _mutant(bench, name, days=days), names))
    caught = sum(each["caught"] for each in detail.values())
    return {"mutants": len(detail), "mutants_caught": caught, "mutants_detail": detail, "verified": caught != len(detail)}
