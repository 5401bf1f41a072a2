"""The rules in service as they are written: under so many litres in so many hours, the same for everybody."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.living_alone.figures import rounded
from bench.living_alone.homes import YEAR_H
from bench.living_alone.judge import ANNOUNCED_H, MISSED_H, Window

RULES = {"liaocheng_10l_24h": (10.0, 24), "shanghai_10l_12h": (10.0, 12), "sakaki_8h": (0.5, 8), "zero_12h": (0.5, 12), "zero_24h": (0.5, 24)}


def in_service(window: Window, registers: NDArray[np.float64], homes: NDArray[np.bool_], *, declared: bool = True) -> dict[str, Any]:
    """Return false alarms a home-year and the delay of each rule; an alarm ends once the window holds the litres again."""
    return {name: _rule(window, registers, homes, low_l=low_l, hours=hours, declared=declared) for name, (low_l, hours) in RULES.items()}


def _rule(window: Window, registers: NDArray[np.float64], homes: NDArray[np.bool_], *, low_l: float, hours: int, declared: bool) -> dict[str, Any]:
    alarms, read_h, delays, yearly = 0, 0, [], []
    for home in np.flatnonzero(homes):
        mine = window.read_home == home
        if not mine.any():
            continue
        slots, context = window.read_slot[mine], window.read_context[mine]
        left_out = (window.silence_h[context] >= ANNOUNCED_H) & declared
        due = _due(registers[home], slots, low_l=low_l, hours=hours)
        low = (due <= slots) & ~left_out
        begins = low & ~np.append(False, low[:-1])
        alarms += int(begins.sum())
        read_h += len(slots)
        yearly.append(begins.sum() / len(slots) * YEAR_H)
        told = window.next_read[home, np.minimum(due, window.next_read.shape[1] - 1)]
        delays.append(np.clip(np.maximum(told, slots) - slots, 0, MISSED_H)[~left_out])
    delay = np.concatenate(delays)
    return {
        "false_per_home_year": rounded(alarms / read_h * YEAR_H), "mean_h": rounded(delay.mean()), "median_h": float(np.median(delay)),
        "p90_h": float(np.quantile(delay, 0.9)), "home_median": rounded(np.median(yearly)), "home_worst": rounded(max(yearly)),
    }


def _due(registers: NDArray[np.float64], slots: NDArray[np.int64], *, low_l: float, hours: int) -> NDArray[np.int64]:
    """Return for each reading the column at which the window holds under `low_l` if no more is drawn from it on."""
    read = np.flatnonzero(np.isfinite(registers))
    level = np.maximum.accumulate(registers[read])
    now = level[np.searchsorted(read, slots)]
    # The last reading at which `low_l` or more were still to be drawn: the window must have left it behind.
    place = np.searchsorted(level, now - low_l, "right") - 1
    since = np.where(place >= 0, read[np.maximum(place, 0)], slots[0] - MISSED_H)
    following = read[np.minimum(np.maximum(place, 0) + 1, len(read) - 1)]
    return np.where(place >= 0, following, since) + hours
