"""`eligibility`: a million invented people through 12 and 39 policies, beside OpenFisca-core, GoRules ZEN, Polars and two-valued NumPy.

All outputs are compared before anything is timed: ours with the interpreter on a sample (with unknown facts too), the peers with ours
on every cell that they give. Then pairs interleave, on columns that differ from those of the repeat before. A county of 600,000 is read
from a columnar snapshot; one person is explained; a small WSGI page is asked 50 times a second.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np

from bench.eligibility import county, serving
from bench.eligibility.peers import Peers
from bench.eligibility.people import TWELVE, people, records
from bench.eligibility.translating import numpy_by_hand
from bench.harness import Bench
from shouwang.eligibility import Judgement, Library, Program, decide, shipped
from shouwang.eligibility.bulk import Column, Marks, Table, decide_table

DAY = date(2026, 1, 1)
PAIRS, SETS = 5, 2
UNKNOWN = 0.10
FIGURES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "ratio_openfisca_known": lambda found: (found.get("ratio_openfisca_known") or 0) >= 8,
    "ratio_openfisca_10pct_unknown": lambda found: (found.get("ratio_openfisca_10pct_unknown") or 0) >= 4,
    "county_s": lambda found: 0 < (found.get("county_s") or 0) <= 2,
    "nightly_s": lambda found: 0 < (found.get("nightly_s") or 0) <= 10,
    "explain_us": lambda found: 0 < (found.get("explain_us") or 0) <= 2_000,
    "http_p99_ms": lambda found: 0 < (found.get("http_p99_ms") or 0) <= 30,
}


def run(bench: Bench) -> dict[str, Any]:
    """Verify, time the pairs for 12 and for 39 policies, then the county, one person and the page."""
    count = bench.options.number("people", 1_000_000, quick=50_000)
    of_county = bench.options.number("county", 600_000, quick=30_000)
    library = shipped()
    whole = library.at(DAY)
    twelve = whole.only([name for name, each in whole.policies.items() if each.terms.number in TWELVE])
    bench.n = {"people": count, "county": of_county, "policies": 12, "policies_all": len(whole.asked), "pairs": PAIRS, "sample": 1_000}
    found: dict[str, Any] = {"copy_gb_s": round(copy_gb_s(), 2)}
    with Peers(bench) as peers:
        for label, program in (("", twelve), ("_39", whole)):
            found |= {f"{key}{label}": value for key, value in measured(bench, peers, library, program, count).items()}
    found["verified"] = not found["wrong"] and not found["wrong_39"] and bool(found["share_in_range"])
    found |= county.run(bench, library, whole, of_county)
    found["verified"] = found["verified"] and not found.pop("county_wrong")
    found["explain_us"] = explain_us(library, whole, seed=bench.seed)
    found |= serving.run(bench, seconds=bench.options.number("seconds", 20, quick=3))
    return found


def measured(bench: Bench, peers: Peers, library: Library, program: Program, count: int) -> dict[str, Any]:
    """Return whether all agree on one program, and what each takes."""
    judged = broken(program) if bench.options.self_test else program
    sets = [people(library, count, seed=bench.seed + n, unknown=UNKNOWN) for n in range(SETS)]
    needed = set(program.kinds) & facts_of(program)
    partial = [Table(count, {name: each for name, each in table.columns.items() if name in needed}) for table in sets]
    known = [Table(count, {name: Column(each.values, categories=each.categories) for name, each in table.columns.items()}) for table in partial]
    by_hand = numpy_by_hand(program)
    ours = decide_table(judged, known[0])
    wrong = checked(program, judged, partial[0], seed=bench.seed) + differing(by_hand(known[0]), ours)
    peers.load(program, partial)
    wrong += peers.differing(ours, decide_table(judged, partial[0]))
    shares = {name: each.counts()[0] / count for name, each in ours.items()}
    bench.note(f"{len(program.asked)} policies: {wrong} cells differ")
    timed = pairs(peers, judged, known, partial, by_hand)
    cells = count * len(program.asked)
    found = {
        "wrong": wrong, "share_in_range": all(0.001 <= each <= 0.6 for each in shares.values()) if len(program.asked) == 12 else True,
        "shares_true_pct": {name: round(each * 100, 3) for name, each in shares.items()},
        "ms": {name: round(statistics.median(wall for wall, _ in each) * 1_000, 2) for name, each in timed.items()},
        "cpu_ms": {name: round(statistics.median(cpu for _, cpu in each) * 1_000, 2) for name, each in timed.items()},
        "person_policies_per_s_core": round(cells / statistics.median(cpu for _, cpu in timed["ours_known"])),
        "person_policies_per_s_core_unknown": round(cells / statistics.median(cpu for _, cpu in timed["ours_unknown"])),
    }
    return found | ratios(timed) | bandwidth(known[0], partial[0], found, len(program.asked))


def ratios(timed: dict[str, list[tuple[float, float]]]) -> dict[str, Any]:
    """Return how many times faster ours is, as the median over pairs, by wall and by processor time."""
    found: dict[str, Any] = {}
    for name, ours in (("ratio_openfisca_known", "ours_known"), ("ratio_openfisca_10pct_unknown", "ours_unknown")):
        for suffix, part in (("", 0), ("_cpu", 1)):
            pairs_ = [peer[part] / own[part] for peer, own in zip(timed.get("openfisca", []), timed[ours], strict=False)]
            found[name + suffix] = round(statistics.median(pairs_), 2) if pairs_ else None
    for name in ("polars", "zen", "numpy_2_valued"):
        own = timed["ours_unknown" if name == "polars" else "ours_known"]
        found[f"ratio_{name}"] = round(statistics.median(peer[0] / mine[0] for peer, mine in zip(timed[name], own, strict=True)), 2) if timed.get(name) else None
    return found


def bandwidth(known: Table, partial: Table, found: dict[str, Any], policies: int) -> dict[str, Any]:
    """Return how many bytes a person has in and out, and the share of the copy bandwidth that is used."""
    read = sum(each.values.itemsize for each in known.columns.values())
    bytes_known, bytes_partial = read + policies / 4, read + len(partial.columns) + policies / 4
    rate = copy_gb_s()
    used = [known.count * size / (found["ms"][name] / 1_000) / 1e9 for size, name in ((bytes_known, "ours_known"), (bytes_partial, "ours_unknown"))]
    return {"bytes_per_person": round(bytes_known, 1), "share_of_copy_bandwidth": round(used[0] / rate, 3), "share_of_copy_bandwidth_unknown": round(used[1] / rate, 3)}


def copy_gb_s(size: int = 128 * 2**20) -> float:
    """Return the measured rate of copying memory, bytes read, in GB/s (best of five)."""
    source, target = np.ones(size, np.uint8), np.empty(size, np.uint8)
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        np.copyto(target, source)
        taken.append(time.perf_counter() - start)
    return size / min(taken) / 1e9


def pairs(peers: Peers, program: Program, known: list[Table], partial: list[Table], by_hand: Callable[[Table], Any]) -> dict[str, list[tuple[float, float]]]:
    """Return wall and processor seconds of interleaved repeats, each on other columns than the one before."""
    timed: dict[str, list[tuple[float, float]]] = {}
    for n in range(PAIRS + 1):
        place = n % SETS
        once = {name: peers.timed(name, place) for name in peers.names}
        once |= {
            "ours_known": clocked(lambda at=place: decide_table(program, known[at])), "ours_unknown": clocked(lambda at=place: decide_table(program, partial[at])),
            "numpy_2_valued": clocked(lambda at=place: by_hand(known[at])),
        }
        if n:
            for name, each in once.items():
                timed.setdefault(name, []).append(each)
    return timed


def clocked(work: Callable[[], object]) -> tuple[float, float]:
    """Return the wall and processor seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def facts_of(program: Program) -> set[str]:
    """Return the facts that the conditions of a program read."""
    from shouwang.eligibility.asking import form_of

    return set(form_of(program))


def broken(program: Program) -> Program:
    """Return the program with every comparison `>=` read as `>`: what the self-test measures."""
    from dataclasses import replace

    from shouwang.eligibility.form import Compare, rebuilt

    def turned(node: Any) -> Any:
        node = rebuilt(node, turned)
        return replace(node, op=">") if isinstance(node, Compare) and node.op == ">=" else node

    policies = {name: replace(each, condition=turned(each.condition)) for name, each in program.policies.items()}
    return replace(program, policies=policies)


def checked(program: Program, judged: Program, table: Table, *, seed: int) -> int:
    """Return in how many cells of a sample the bits differ from the interpreter, with a tenth of every fact unknown."""
    rows = np.random.default_rng(seed).choice(table.count, min(1_000, table.count), replace=False)
    marks = {name: each.outcomes()[rows] for name, each in decide_table(judged, table).items()}
    wrong = 0
    for n, facts in enumerate(records(table, rows)):
        for name, each in decide(program, facts).items():
            wrong += int(marks[name][n]) != (-1 if each.outcome is None else int(each.outcome))
    return wrong


def differing(other: dict[str, np.ndarray], ours: dict[str, Marks]) -> int:
    """Return in how many cells two-valued outputs differ from ours."""
    return sum(int((other[name] != (each.outcomes() == 1)).sum()) for name, each in ours.items())


def explain_us(library: Library, program: Program, *, seed: int, people_: int = 300) -> float:
    """Return the median µs to decide and explain all policies of one person, a third of whose facts are unknown."""
    taken = []
    for facts in records(people(library, people_, seed=seed + 5, unknown=0.3), np.arange(people_)):
        start = time.perf_counter_ns()
        judgement = Judgement(program, facts)
        judgement.decisions()
        for name in program.asked:
            judgement.explanation(name)
        taken.append((time.perf_counter_ns() - start) / 1_000)
    return round(statistics.median(taken), 1)
