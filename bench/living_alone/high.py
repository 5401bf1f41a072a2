"""Too much water: false alarms of the personal rule on homes of one or two, and delays of taps and leaks that are added."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.living_alone.figures import rounded
from bench.living_alone.homes import YEAR_H, Homes
from bench.living_alone.judge import MISSED_H
from shouwang.detectors.habits import high

STOPS = 400
AGAIN_AFTER_H = 24
ADDED_L_H = {"tap": 360.0, "leak100": 100.0, "leak20": 20.0, "leak5": 5.0}
WEEK_H = 168
Floats = NDArray[np.float32]


def hourly(registers: NDArray[np.float64]) -> Floats:
    """Return the litres of every hour that was read on time, NaN for others."""
    litres = np.full(registers.shape, np.nan, np.float32)
    litres[:, 1:] = np.diff(registers, axis=1)
    litres[litres < 0] = np.nan
    return litres


def greatest(values: Floats) -> Floats:
    """Return of (span, home, hour) the greatest of all weeks before each week."""
    weeks = -(-values.shape[2] // WEEK_H)
    found = np.zeros((*values.shape[:2], weeks), np.float32)
    for week in range(1, weeks):
        part = np.nan_to_num(values[:, :, (week - 1) * WEEK_H : week * WEEK_H])
        found[:, :, week] = np.maximum(found[:, :, week - 1], part.max(axis=2))
    return found


def figures(homes: Homes, *, begin: int, end: int, seed: int) -> dict[str, Any]:
    """Return false alarms a home-year and the median and p90 of the hours until what is added is told; missed counts as 168."""
    litres = hourly(homes.registers[(homes.members > 0) & (homes.members <= 2)])
    drawn, least = high.spans(litres)
    most_drawn, most_least = high.limits(greatest(drawn), greatest(least))
    week = np.arange(litres.shape[1]) // WEEK_H
    hit = (drawn > most_drawn[:, :, week]).any(axis=0) | (least > most_least[:, :, week]).any(axis=0)
    capped = high.spans(litres)[0][-1] > 1_000
    never = least[-1] > 0
    rules = {name: _episodes(mask[:, begin:end]) / (np.isfinite(litres[:, begin:end]).sum() / YEAR_H)
             for name, mask in (("high", hit), ("liaocheng_1000", capped), ("never_zero_24h", never))}
    found: dict[str, Any] = {f"{name}_fa_per_home_year": rounded(value) for name, value in rules.items()}
    chance = np.random.default_rng(seed)
    for name, added in ADDED_L_H.items():
        delays, leaks = _delays(litres, (most_drawn, most_least), added_l_h=added, begin=begin, end=end, chance=chance)
        found[name] = {"median_h": float(np.median(delays)), "p90_h": float(np.quantile(delays, 0.9)), "missed": rounded((delays == MISSED_H).mean(), 3),
                       "leak_ticket_median_h": float(np.median(leaks)), "stops": len(delays)}
    return found


def _episodes(hit: NDArray[np.bool_]) -> int:
    count = 0
    for row in hit:
        places = np.flatnonzero(row)
        count += int((np.diff(places, prepend=-WEEK_H) > AGAIN_AFTER_H).sum())
    return count


def _delays(litres: Floats, limits: tuple[Floats, Floats], *, added_l_h: float, begin: int, end: int, chance: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    delays, leaks = [], []
    for _ in range(STOPS):
        home, start = int(chance.integers(len(litres))), int(chance.integers(begin, end - MISSED_H))
        if np.isnan(litres[home, start - 24 : start]).mean() > 0.5:
            continue
        part = litres[home : home + 1, start - 24 : start + MISSED_H].copy()
        part[:, 24:] += added_l_h
        drawn, least = high.spans(part)
        week = start // WEEK_H
        hit = (drawn[:, 0] > limits[0][:, home, week][:, None]).any(axis=0) | (least[:, 0] > limits[1][:, home, week][:, None]).any(axis=0)
        delays.append(_first(hit[24:]))
        leaks.append(_first(least[-1, 0, 24:] > 0))
    return np.array(delays, float), np.array(leaks, float)


def _first(hit: NDArray[np.bool_]) -> int:
    return int(np.argmax(hit)) + 1 if hit.any() else MISSED_H
