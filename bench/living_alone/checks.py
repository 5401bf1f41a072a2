"""What must hold whatever the figures: nothing looks ahead, and nobody stays silent for longer than the hard stop."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.living_alone.homes import Homes
from bench.living_alone.judge import Window
from bench.living_alone.replay import replay
from shouwang.detectors.habits.chance import chances
from shouwang.detectors.habits.clock import alarm_hours
from shouwang.detectors.habits.memory import Contexts, Population

CUTS = 2
HOMES = 10
NO_DATA_H = 6


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


def hard_stop(window: Window, registers: NDArray[np.float64], *, hard_stop_h: int = 24) -> dict[str, Any]:
    """Return the longest time from a stop to the hard stop, or to the ticket that the meter is silent, over every stop.

    The hard stop stands 24 hours after the last use if a reading of the last 6 hours still shows none; where there is no
    such reading, the meter's own ticket has been open since its seventh hour without one.
    """
    due = window.slot + hard_stop_h
    read = np.isfinite(registers)
    latest = np.maximum.accumulate(np.where(read, np.arange(read.shape[1]), -1), axis=1)
    inside = due < registers.shape[1]
    home, slot, due = window.home[inside], window.slot[inside], due[inside]
    is_online = due - latest[home, due] <= NO_DATA_H
    told = np.where(is_online, due, np.minimum(latest[home, due] + NO_DATA_H + 1, due))
    judged = slot >= window.span
    return {"hard_stop_max_h": int((told - slot)[judged].max(initial=0)), "hard_stop_offline_share": round(float((~is_online)[judged].mean()), 4)}
