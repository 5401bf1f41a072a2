"""What must hold whatever the figures: nothing looks ahead, and what is found is told at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.living_alone.homes import Homes
from bench.living_alone.replay import replay
from bench.living_alone.scenarios import Ground
from shouwang.detectors.habits.chance import chances
from shouwang.detectors.habits.clock import alarm_hours
from shouwang.detectors.habits.contexts import Contexts, Population

CUTS = 2
HOMES = 10
TEACHING_H = 21 * 24


def lookahead_violations(
    homes: Homes, hours: NDArray[np.int16], population: Population, weights: NDArray[np.float64], *, begin: int, end: int, seed: int, peeks: bool = False,
) -> int:
    """Return how many alarm hours change when the future is cut off and, in its stead, water never stops.

    With `peeks` the habits are told the next hour's register, which must be seen.
    """
    chance = np.random.default_rng(seed)
    mine = np.sort(chance.choice(len(homes.ids), min(HOMES, len(homes.ids)), replace=False))
    registers = homes.registers[:, :end]
    if peeks:
        registers = np.roll(registers, -1, axis=1)
    whole = replay(registers, hours, population, homes=mine, since=begin).contexts
    violations = 0
    for cut in chance.integers(begin + 24, end - 24, CUTS):
        future = registers.copy()
        last = int(cut) + (0 if peeks else 1)
        future[:, last:] = np.nanmax(np.where(np.isfinite(registers), registers, 0), axis=1)[:, None] + 40.0 * np.arange(1, registers.shape[1] - last + 1)
        changed = replay(future[:, : int(cut) + 48], hours, population, homes=mine, since=begin).contexts
        violations += _differing(*(_until(each, int(cut)) for each in (whole, changed)), weights=weights)
    return violations


def _until(contexts: Contexts, cut: int) -> Contexts:
    return contexts.where(contexts.slot <= cut)


def _differing(one: Contexts, other: Contexts, *, weights: NDArray[np.float64]) -> int:
    if len(one) != len(other) or not (np.array_equal(one.home, other.home) and np.array_equal(one.slot, other.slot)):
        return max(len(one), len(other), 1)
    alarms = [alarm_hours(chances(each, weights), prices_h=[300.0])[0] for each in (one, other)]
    return int((alarms[0] != alarms[1]).sum())


def told_late_h(ground: Ground, *, hours: int = 40) -> int:
    """Return how many hours after the hour that a finding needed it was told at most, ticking hour by hour after a stop.

    The scenarios read moments from findings; this is what makes that right. Nothing told at all counts as `hours` late.
    """
    cut, streams = ground.cuts[len(ground.cuts) // 2], np.arange(ground.count)
    since = max(ground.begin, cut - TEACHING_H)
    watch = ground.watch("silence", ground.homes, begin=since, judged_from=cut + 1)
    watch.feed(ground.base.registers()[:, since : cut + 1], streams, until=cut + 1)
    stopped = ground.base.stopped(cut, hours=hours)
    late = []
    for hour in range(hours):
        opened = watch.feed(stopped[:, hour : hour + 1], streams, until=watch.at + 1)
        late += [watch.at - 1 - each.column for each in opened]
    return max(late, default=hours)
