"""The same counting once more, slow and reading by reading: what the harness must agree with before anything is believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.living_alone.homes import YEAR_H
from bench.living_alone.judge import ANNOUNCED_H, judge, window
from bench.living_alone.replay import Gaps

LEAK_H, HOLE_H, KNOWN_H = 48, 6, 24


@dataclass(frozen=True)
class Gap:
    """A use, the hours to the last reading that still showed none after it, and the hours to the next use."""

    slot: int
    silence_h: int
    next_h: int


def gaps(registers: NDArray[np.float64]) -> list[Gap]:
    """Return every gap of one home; the first reading counts as use, and so does a register that falls."""
    read = [int(column) for column in np.flatnonzero(np.isfinite(registers))]
    found: list[Gap] = []
    hourly: dict[int, np.float32] = {read[0]: np.float32(0)}
    known_h = 1
    use, silent, before = read[0], read[0], read[0]
    for column in read[1:]:
        gone_h = column - before
        drawn = registers[column] - registers[before]
        litres = np.float32(max(drawn, 0))
        hourly |= dict.fromkeys(range(column - min(gone_h, LEAK_H) + 1, column + 1), litres / np.float32(gone_h))
        known_h = min(known_h + gone_h, LEAK_H) if gone_h <= HOLE_H else max(known_h - gone_h, 0)
        if drawn < -10 or (litres > 0.5 and (known_h < KNOWN_H or litres > leaked_l(hourly, column, gone_h))):
            found.append(Gap(use, silent - use, column - use))
            use = column
        silent = before = column
    return [*found, Gap(use, silent - use, read[-1] + 1 - use)]


def leaked_l(hourly: dict[int, np.float32], column: int, gone_h: int) -> float:
    """Return what a leak alone may have shown in the `gone_h` hours up to a column."""
    rates = [hourly.get(each) for each in range(column - LEAK_H + 1, column + 1)]
    least = min(rate for rate in rates if rate is not None)
    three = min((sum(part) for part in zip(rates, rates[1:], rates[2:], strict=False) if None not in part), default=np.inf)
    steady = 0.5 + 1.2 * least * gone_h
    return max(steady, (three + 1) / 3 * gone_h + 0.9) if 0 < three < 3 * (least + 1) - 0.5 else steady


def is_homebody(found: list[Gap], registers: NDArray[np.float64], *, fit: range) -> bool:
    """Return whether a home had at most 4 gaps of 24 hours a year and 60 % of hours read in the months to fit."""
    years = len(fit) / YEAR_H
    long = sum(gap.slot in fit and gap.next_h >= 24 for gap in found)
    return long <= 4 * years and float(np.isfinite(registers[fit.start : fit.stop]).mean()) >= 0.6


def alarms(found: list[Gap], registers: NDArray[np.float64], *, hours: int, judged: range) -> int:
    """Return how often a fixed number of hours would have told a gap that was not announced."""
    read = np.flatnonzero(np.isfinite(registers))
    count = 0
    for gap in found:
        if gap.slot in judged and gap.silence_h < ANNOUNCED_H:
            later = read[(read >= gap.slot + hours) & (read <= gap.slot + gap.silence_h)]
            count += bool(len(later))
    return count


def fixed_alarms(registers: NDArray[np.float64], *, fit: range, judged: range, hours: int = 17) -> dict[str, int]:
    """Return homebodies and the alarms of fixed hours at them, counted reading by reading."""
    found = [gaps(row) for row in registers]
    bodies = [home for home, row in enumerate(registers) if is_homebody(found[home], row, fit=fit)]
    return {"homebodies": len(bodies), "alarms": sum(alarms(found[home], registers[home], hours=hours, judged=judged) for home in bodies)}


def counted(found: list[list[Gap]], registers: NDArray[np.float64], told: Gaps, *, judged: range, homes: NDArray[np.bool_], hours: int = 17) -> int:
    """Return the alarms of fixed hours by the harness's own judging of the gaps `told`, for the same uses."""
    home = np.concatenate([np.full(len(each), place) for place, each in enumerate(found)])
    slot = np.array([gap.slot for each in found for gap in each])
    return int(judge(window(home, slot, told.silence_h, registers, begin=judged.start, end=judged.stop), np.full(len(home), hours), homes).false.sum())
