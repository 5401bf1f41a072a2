"""From judged alarm hours to the figures that are printed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.living_alone.homes import YEAR_H
from bench.living_alone.judge import ANNOUNCED_H, MISSED_H, Judged, Window, at, curve, judge
from shouwang.detectors.habits.clock import alarm_hours, silence

ASKED = (0.5, 1, 2, 4, 8, 15, 33)
GAIN_AT = (1, 2, 4, 8)
PRICES_H = np.exp(np.linspace(np.log(1), np.log(1e6), 90))
FIXED_H = range(2, 60)
STRETCHES = np.exp(np.linspace(np.log(0.5), np.log(12), 40))
LEAST_GAPS = 20


class Curve:
    """The judged alarm clocks of one group: one for each price (or fixed hour)."""

    def __init__(self, judged: Sequence[Judged], names: Sequence[float]) -> None:
        self.judged, self.names = list(judged), list(names)
        self.points = curve(self.judged)
        count = len(self.judged[0].false)
        self.false = np.array([each.false for each in self.judged])
        self.hours = self.judged[0].hours
        self.delay = np.array([np.bincount(each.delay_home, each.delay_h, minlength=count) for each in self.judged])
        self.stops = np.bincount(self.judged[0].delay_home, minlength=count).astype(float)

    def mean_at(self, asked: float, *, times: NDArray[np.float64] | None = None) -> float | None:
        """Return the mean delay at `asked` false alarms a home-year, homes counted `times`."""
        times = np.ones(len(self.hours)) if times is None else times
        per_year = self.false @ times / max(self.hours @ times, 1) * YEAR_H
        delay = self.delay @ times / max(self.stops @ times, 1)
        return at(sorted((float(x), float(y), 0.0, 0.0) for x, y in zip(per_year, delay, strict=True)), asked)

    @cached_property
    def spread(self) -> NDArray[np.float32]:
        """Return how many stops of each home had each delay, a plane for each price."""
        planes = np.zeros((len(self.judged), len(self.hours), MISSED_H + 1), np.float32)
        for plane, each in zip(planes, self.judged, strict=True):
            np.add.at(plane, (each.delay_home, each.delay_h.astype(int)), 1)
        return planes

    def p90_at(self, asked: float, *, times: NDArray[np.float64]) -> float | None:
        """Return the 90th percentile of the delay at `asked` false alarms a home-year, homes counted `times`."""
        per_year = self.false @ times / max(self.hours @ times, 1) * YEAR_H
        summed = np.cumsum(np.tensordot(times.astype(np.float32), self.spread, axes=(0, 1)), axis=1)
        p90 = (summed < 0.9 * summed[:, -1:]).sum(axis=1)
        return at(sorted((float(x), float(y), 0.0, 0.0) for x, y in zip(per_year, p90, strict=True)), asked)

    def row(self, asked: float) -> dict[str, float | None]:
        """Return mean, median and p90 at `asked` false alarms, read from the curve."""
        return {name: rounded(at(self.points, asked, column=column)) for column, name in ((1, "mean_h"), (2, "median_h"), (3, "p90_h"))}

    def nearest(self, asked: float) -> int:
        """Return which price gives the false alarms nearest to `asked`, by logarithm."""
        got = np.array([max(each.per_year, 1e-3) for each in self.judged])
        return int(np.argmin(np.abs(np.log(got / asked))))


def rounded(value: float | None, digits: int = 2) -> float | None:
    """Return the value rounded, None of None."""
    return None if value is None else round(float(value), digits)


def clocks(window: Window, chance: NDArray[np.float64], homes: NDArray[np.bool_], *, declared: bool = True) -> Curve:
    """Return the curve of our clock over all prices."""
    alarms = alarm_hours(chance, prices_h=PRICES_H)
    return Curve([judge(window, alarm, homes, declared=declared) for alarm in alarms], PRICES_H)


def fixed(window: Window, homes: NDArray[np.bool_], *, declared: bool = True) -> Curve:
    """Return the curve of the same hours for everybody."""
    count = len(window.home)
    return Curve([judge(window, np.full(count, hours), homes, declared=declared) for hours in FIXED_H], list(FIXED_H))


def personal(window: Window, hour: NDArray[np.int64], homes: NDArray[np.bool_], *, until: int, declared: bool = True) -> Curve:
    """Return the curve of a published kind of rule: a home's own 95 % quantile of the gaps after a last use at this hour, before `until`, stretched."""
    known = (window.slot < until) & (window.silence_h < ANNOUNCED_H)
    usual_h = np.full(len(window.slot), 24.0)
    for home in np.unique(window.home):
        mine, usual = window.home == home, window.silence_h[known & (window.home == home)]
        for each in range(24):
            here = mine & (hour == each)
            earlier = window.silence_h[here & known]
            gaps = earlier if len(earlier) >= LEAST_GAPS else usual
            if len(gaps):
                usual_h[here] = np.quantile(gaps, 0.95) + 1
    return Curve([judge(window, np.ceil(usual_h * stretch).astype(np.int64), homes, declared=declared) for stretch in STRETCHES], STRETCHES.tolist())


def gain(ours: Curve, theirs: Curve, *, times: NDArray[np.float64] | None = None) -> float | None:
    """Return the geometric mean over 1, 2, 4 and 8 false alarms of (their mean delay / ours)."""
    pairs = [(theirs.mean_at(asked, times=times), ours.mean_at(asked, times=times)) for asked in GAIN_AT]
    ratios = [a / b for a, b in pairs if a is not None and b is not None]
    return float(np.exp(np.mean(np.log(ratios)))) if len(ratios) == len(GAIN_AT) else None


def interval(homes: NDArray[np.bool_], value, *, seed: int, rounds: int = 400) -> list[float | None]:
    """Return the 2.5 and 97.5 per cent points of `value(times)` over bootstrapped homes."""
    chance, mine = np.random.default_rng(seed), np.flatnonzero(homes)
    found = []
    for _ in range(rounds):
        drawn = np.bincount(chance.choice(mine, len(mine)), minlength=len(homes)).astype(float)
        one = value(drawn)
        if one is not None:
            found.append(one)
    return [rounded(np.quantile(found, part), 3) for part in (0.025, 0.975)] if found else [None, None]


def policy(judged: Judged) -> dict[str, Any]:
    """Return what one alarm clock really gave: false alarms, delays and their spread over homes."""
    seen = judged.hours > 0
    yearly = judged.false[seen] / judged.hours[seen] * YEAR_H
    delay = judged.delay_h
    return {
        "false_per_home_year": rounded(judged.per_year), "mean_h": rounded(delay.mean()), "median_h": float(np.median(delay)),
        "p90_h": float(np.quantile(delay, 0.9)), "within_12_h": rounded((delay <= 12).mean(), 3), "within_24_h": rounded((delay <= 24).mean(), 3),
        "already_alarmed": rounded((delay == 0).mean(), 4), "home_median": rounded(np.median(yearly)), "home_p90": rounded(np.quantile(yearly, 0.9)),
        "home_worst": rounded(yearly.max()), "homes_without": rounded((yearly == 0).mean(), 3), "home_years": rounded(judged.hours.sum() / YEAR_H),
    }


def reason_error_pp(window: Window, chance: NDArray[np.float64], alarm_h: NDArray[np.int64], *, parts: int = 10) -> dict[str, Any]:
    """Return how far "water was used again within a hours in n of 100" is from what happened, in tenths of the contexts by n."""
    told = np.flatnonzero((window.slot >= window.span) & (window.silence_h < 36) & np.isin(np.arange(len(window.slot)), window.read_context))
    still = silence(chance[told])[np.arange(len(told)), alarm_h[told]]
    happened = window.silence_h[told] < alarm_h[told]
    groups = np.array_split(np.argsort(still), parts)
    rows = [(100 * (1 - still[group].mean()), 100 * happened[group].mean()) for group in groups]
    return {"error_pp": rounded(np.mean([abs(a - b) for a, b in rows])), "worst_pp": rounded(max(abs(a - b) for a, b in rows)),
            "said_and_happened": [[rounded(a, 1), rounded(b, 1)] for a, b in rows]}
