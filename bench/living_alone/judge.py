"""Counts false alarms and delays of alarm hours on real gaps; water may stop at any hour that was read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.living_alone.homes import YEAR_H

ANNOUNCED_H = 36
MISSED_H = 168
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """The contexts and readings of a span of columns, ready to judge many alarm clocks.

    `read_*` hold every reading as a moment at which water may stop: its home, column and context.
    """

    home: Ints
    slot: Ints
    silence_h: Ints
    read_home: Ints
    read_slot: Ints
    read_context: Ints
    span: int
    next_read: NDArray[np.int32]


@dataclass(frozen=True)
class Judged:
    """False alarms and hours read of each home, and the delay of every stop with its home."""

    false: NDArray[np.float64]
    hours: NDArray[np.float64]
    delay_h: NDArray[np.float64]
    delay_home: Ints

    @property
    def per_year(self) -> float:
        """Return false alarms a home-year."""
        return float(self.false.sum() / max(self.hours.sum(), 1) * YEAR_H)


def window(context_home: Ints, context_slot: Ints, silence_h: Ints, registers: NDArray[np.float64], *, begin: int, end: int) -> Window:
    """Return what is judged in the columns [begin, end): contexts before it serve the readings in it."""
    read = np.isfinite(registers)
    following = np.full((read.shape[0], read.shape[1] + 1), read.shape[1] + MISSED_H, np.int32)
    for slot in range(read.shape[1] - 1, -1, -1):
        following[:, slot] = np.where(read[:, slot], slot, following[:, slot + 1])
    latest = np.full(read.shape, -1, np.int64)
    latest[context_home, context_slot] = np.arange(len(context_home))
    for slot in range(1, read.shape[1]):
        latest[:, slot] = np.where(latest[:, slot] < 0, latest[:, slot - 1], latest[:, slot])
    inside = read & (latest >= 0)
    inside[:, :begin] = inside[:, end:] = False
    home, slot = np.nonzero(inside)
    return Window(context_home, context_slot, silence_h, home, slot, latest[home, slot], begin, following)


def judge(window: Window, alarm_h: Ints, homes: NDArray[np.bool_], *, declared: bool = True, late: NDArray[np.int32] | None = None) -> Judged:
    """Return what the alarm hours (one a context) give on `homes`; `declared` leaves out gaps of 36 hours and more.

    `late` gives for each column the column at which its reading arrives.
    """
    last = window.next_read.shape[1] - 1
    due = np.minimum(window.slot + np.maximum(alarm_h, 1), last)
    alarm = window.next_read[window.home, due].astype(np.int64)
    excluded = (window.silence_h >= ANNOUNCED_H) & declared
    mine = homes[window.read_home]
    context = window.read_context[mine]
    fired = np.zeros(len(window.home), bool)
    touched = np.unique(context)
    touched = touched[window.slot[touched] >= window.span]
    fired[touched] = (alarm[touched] <= window.slot[touched] + window.silence_h[touched]) & ~excluded[touched]
    count = len(homes)
    false = np.bincount(window.home[fired], minlength=count).astype(float)
    hours = np.bincount(window.read_home[mine], minlength=count).astype(float)
    counted = ~excluded[context]
    slot = window.read_slot[mine][counted]
    told = alarm[context[counted]]
    if late is not None:
        told = late[np.minimum(told, len(late) - 1)]
    delay = np.clip(told - slot, 0, MISSED_H).astype(float)
    return Judged(false, hours, delay, window.read_home[mine][counted])


def curve(judged: Iterable[Judged]) -> list[tuple[float, float, float, float]]:
    """Return (false alarms a home-year, mean, median, p90 of the delay) of each, fewest false alarms first."""
    return sorted(
        (each.per_year, float(each.delay_h.mean()), float(np.median(each.delay_h)), float(np.quantile(each.delay_h, 0.9))) for each in judged
    )


def at(points: Sequence[tuple[float, float, float, float]], asked: float, *, column: int = 1) -> float | None:
    """Return a column of the curve at `asked` false alarms, between points by log(false alarms); None outside of it."""
    real = [point for point in points if point[0] > 0]
    if not real or not real[0][0] <= asked <= real[-1][0]:
        zero = [point for point in points if point[0] == 0]
        if real and zero and asked < real[0][0]:
            return min(point[column] for point in zero)
        return None
    return float(np.interp(np.log(asked), np.log([point[0] for point in real]), [point[column] for point in real]))
