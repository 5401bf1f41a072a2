"""`--quick`: a few homes and weeks with the population that ships. It counts for nothing, yet proves itself as the whole does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.harness import Bench
from bench.living_alone import checks, reference
from bench.living_alone.homes import Homes
from bench.living_alone.model import Months, Told, with_frozen
from bench.living_alone.replay import Gaps, gaps_of
from shouwang.detectors.habits.contexts import Contexts
from shouwang.detectors.habits.frozen import frozen

BODIES, FEW = 6, 3
BEFORE_H, JUDGED_H = 8 * 168, 10 * 168
STOPS = 4
COUNTS_OF = "day_one_loss_h and the prices of October to January need the whole: leave --quick out"


@dataclass(frozen=True)
class Sample:
    """Some homes and weeks of them, what is told of them, and whether slow and fast counting agree on all homes."""

    homes: Homes
    months: Months
    known: Told
    groups: dict[str, NDArray[np.bool_]]
    slow: dict[str, int]
    counted: int
    counted_to_the_use: int


def sample(homes: Homes, *, elsewhen: bool = False) -> Sample:
    """Return a sample of `homes`, proven on all of them reading by reading."""
    whole = Months.of(homes, elsewhen=elsewhen)
    fit, judged = range(whole.fit, whole.choose), range(whole.judge, whole.end)
    gaps = [reference.gaps(row) for row in homes.registers]
    bodies = np.array([reference.is_homebody(found, row, fit=fit) for found, row in zip(gaps, homes.registers, strict=True)])
    alarms = sum(reference.alarms(gaps[home], homes.registers[home], hours=17, judged=judged) for home in np.flatnonzero(bodies))
    told = told_of(gaps, homes)
    counts = [
        reference.counted(gaps, homes.registers, each, judged=judged, homes=bodies)
        for each in (told, replace(told, silence_h=told.next_h))
    ]
    few = np.flatnonzero((homes.members > 0) & (homes.members <= 2) & ~bodies)[:FEW]
    chosen = np.sort(np.concatenate([np.flatnonzero(bodies)[:BODIES], few]))
    if not len(chosen):
        chosen = np.arange(min(BODIES, len(homes.ids)))
    part, months = _weeks(homes.of(chosen), whole)
    known = with_frozen(part, part.hours_of_week(), months=months)[0]
    groups = {"homebody": bodies[chosen], "single": part.members == 1, "all": np.ones(len(chosen), bool)}
    return Sample(part, months, known, groups, {"homebodies": int(bodies.sum()), "alarms": alarms}, *counts)


def told_of(gaps: list[list[reference.Gap]], homes: Homes) -> Gaps:
    """Return what the harness says of the same uses."""
    home = np.concatenate([np.full(len(each), place) for place, each in enumerate(gaps)])
    slot = np.array([gap.slot for each in gaps for gap in each])
    nothing = np.zeros((len(home), 0), np.float32)
    return gaps_of(Contexts(home, slot, nothing, nothing, {}), homes.registers)


def _weeks(homes: Homes, months: Months) -> tuple[Homes, Months]:
    """Return eight weeks before the judged months and ten of them."""
    begin = max(months.judge - BEFORE_H, 0) // 168 * 168
    end = min(months.judge + JUDGED_H, months.end)
    part = replace(homes, begin=homes.begin + begin, registers=homes.registers[:, begin:end])
    return part, Months(0, 0, months.judge - begin, end - begin)


def run(bench: Bench, homes: Homes) -> dict[str, Any]:
    """Return the figures of a sample, its prices those that ship."""
    from bench.living_alone import LIMITS, frozen_prices, judged, played

    some = sample(homes, elsewhen="homes" in bench.options.values)
    bench.note("proven reading by reading")
    bench.skipped.append(COUNTS_OF)
    found = judged(bench, some.homes, some.known, some.groups, months=some.months, prices=frozen_prices())
    found["lookahead_violations"] = looks_ahead(some, seed=bench.seed)
    found |= played(bench, some.homes, some.known, some.groups, months=some.months, count=bench.options.number("stops", STOPS))
    is_proven = some.slow["alarms"] == some.counted and found["lookahead_violations"] == 0 and found["told_late_h"] == 0
    fourteen = "homes" in bench.options.values or abs(some.slow["alarms"] - 14) <= 2
    return {**found, "reference": some.slow, "fixed_17h_alarms": some.counted, "verified": bool(is_proven and fourteen), "limits": LIMITS}


def looks_ahead(some: Sample, *, seed: int, peeks: bool = False) -> int:
    """Return how many alarm hours of the sample change with the future."""
    hours, ships = some.homes.hours_of_week(), frozen()
    return checks.lookahead_violations(some.homes, hours, ships.population, ships.warm, begin=some.months.judge, end=some.months.end, seed=seed, peeks=peeks)
