"""A trial: what other prices of a needless call or visit would have given on the last weeks' readings of homes here. Pure.

The detector judges the past once for each price. Its false alarms are those on the homes as they were; its delays those on
copies of the homes whose water stops at moments drawn by lot, so that the price of fewer false alarms stands beside them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from math import exp, log
from random import Random
from statistics import median, quantiles

import numpy as np

from shouwang.detectors.contract import OPEN, Columns, Finding, Judge, fresh
from shouwang.kernel.moments import DAY_US, HOUR_US
from shouwang.systems.living_alone.rules.kinds import CALL, HARD_STOP, VISIT
from shouwang.systems.living_alone.rules.labels import YEAR

LEARNT = timedelta(days=28)
JUDGED = timedelta(days=28)
STOPPED_H = 30
"""For how long the water of a copy stays off: longer than any hard stop."""
STOPS_A_HOME = 4
LEAST_READINGS = 28 * 24
LEAST_HOMES = 5
PRICES_H = (400.0, 1_000.0, 2_500.0, 6_300.0, 16_000.0, 40_000.0, 100_000.0)
"""What a needless alarm may cost, in hours of delay: from about 33 false alarms a home-year to less than one."""
TIERS: Mapping[str, frozenset[str]] = {"call": frozenset({CALL, VISIT, HARD_STOP}), "visit": frozenset({VISIT, HARD_STOP})}
PRICE_OF: Mapping[str, str] = {"call": "call_price_h", "visit": "visit_price_h"}


@dataclass(frozen=True, slots=True)
class Effect:
    """What one price of a tier gives: false alarms a home-year beside absences, and hours from a stop of water to the alarm."""

    price_h: float
    false: float
    median_h: float
    p90_h: float


@dataclass(frozen=True)
class Past:
    """Readings of homes and of their copies; `stops` tells of each copy at which moment its water stopped."""

    columns: Columns
    homes: frozenset[int]
    stops: Mapping[int, int]
    begin_us: int
    end_us: int

    @property
    def home_years(self) -> float:
        """Return how long the homes were judged, in home-years."""
        return len(self.homes) * ((self.end_us - self.begin_us) / 3_600e6) / (YEAR / timedelta(hours=1))


def past_of(readings: Columns, *, end_us: int, chance: Random) -> Past:
    """Return the past of the homes with enough readings, and for each STOPS_A_HOME copies whose water stops within its judged part."""
    begin_us = end_us - JUDGED // timedelta(microseconds=1)
    parts: list[Columns] = []
    stops: dict[int, int] = {}
    homes: list[int] = []
    for stream in np.unique(readings.stream).tolist():
        mine = readings.where(readings.stream == stream)
        mine = mine.where(np.argsort(mine.at_us, kind="stable"))
        may_stop = mine.at_us[(mine.at_us >= begin_us) & (mine.at_us < end_us - STOPPED_H * HOUR_US)].tolist()
        if len(mine) < LEAST_READINGS or len(may_stop) < STOPS_A_HOME:
            continue
        homes.append(stream)
        parts.append(mine)
        for stop_us in chance.sample(may_stop, STOPS_A_HOME):
            copy = -(len(stops) + 1)
            stops[copy] = stop_us
            parts.append(_stopped(mine, copy, stop_us))
    return Past(Columns.of(parts), frozenset(homes), stops, begin_us, end_us)


def _stopped(mine: Columns, copy: int, stop_us: int) -> Columns:
    """Return a home's readings under another name, its register standing still from `stop_us` on."""
    kept = mine.where(mine.at_us <= stop_us + STOPPED_H * HOUR_US)
    stands = float(kept.value[kept.at_us <= stop_us][-1])
    return Columns(np.full(len(kept), copy, np.int64), kept.at_us, np.where(kept.at_us > stop_us, stands, kept.value))


class Run:
    """The detector on its way through the past with the prices in `params`: day by day, so that whoever has little time may go on later."""

    def __init__(self, past: Past, params: Mapping[str, float]) -> None:
        self._past, self._params = past, params
        self._order = np.argsort(past.columns.at_us, kind="stable")
        self._upto_us = int(past.columns.at_us.min(initial=past.end_us))
        self._given = 0
        self._state = fresh(past.begin_us)
        self._found: dict[int, list[Finding]] = defaultdict(list)

    @property
    def is_over(self) -> bool:
        """Return whether the whole past was judged."""
        return self._upto_us >= self._past.end_us

    def go_on(self, judge: Judge) -> None:
        """Judge one more day."""
        past = self._past
        self._upto_us = min(self._upto_us + DAY_US, past.end_us)
        upto = int(np.searchsorted(past.columns.at_us[self._order], self._upto_us))
        rows = past.columns.where(self._order[self._given : upto])
        self._given = upto
        self._state, findings = judge(rows, self._state, now_us=self._upto_us, watermark_us=self._upto_us, params=self._params)
        for finding in findings:
            if finding.phase == OPEN:
                self._found[finding.stream].append(finding)

    def effects(self) -> dict[str, Effect]:
        """Return by tier what the prices give."""
        return {tier: _effect(self._past, self._found, kinds, self._params[PRICE_OF[tier]]) for tier, kinds in TIERS.items()}


def effects(past: Past, judge: Judge, *, params: Mapping[str, float]) -> dict[str, Effect]:
    """Return by tier what the prices in `params` give on the whole past."""
    run = Run(past, params)
    while not run.is_over:
        run.go_on(judge)
    return run.effects()


def _effect(past: Past, found: Mapping[int, Sequence[Finding]], kinds: frozenset[str], price_h: float) -> Effect:
    # A silence is one alarm however many tiers it climbs: they share the moment of the last use. One that lasted to the hard
    # stop was an absence, told at any price.
    told = [(home, finding.params["last_use_us"], finding.kind) for home in past.homes for finding in found.get(home, ())]
    absences = {(home, last_us) for home, last_us, kind in told if kind == HARD_STOP}
    spells = {(home, last_us) for home, last_us, kind in told if kind in kinds} - absences
    waits = sorted(_delay_h(found.get(copy, ()), kinds, stop_us) for copy, stop_us in past.stops.items())
    return Effect(price_h, len(spells) / past.home_years, median(waits), quantiles(waits, n=10, method="inclusive")[-1])


def _delay_h(findings: Sequence[Finding], kinds: frozenset[str], stop_us: int) -> float:
    """Return the hours from a stop to the first alarm of these kinds in the silence it lies in, 0 where one stood already."""
    last_us = max((finding.params["last_use_us"] for finding in findings), default=0)
    spell = [finding for finding in findings if finding.params["last_use_us"] == last_us]
    if HARD_STOP not in {finding.kind for finding in spell}:
        return float(STOPPED_H)  # no silence after the stop was seen to its end: the meter sent nothing
    return min(max(finding.at_us - stop_us, 0) / HOUR_US for finding in spell if finding.kind in kinds)


def price_for(target: float, points: Sequence[Effect]) -> float:
    """Return the price at which `target` false alarms a home-year are expected: between two points by logarithms, else the nearest."""
    ordered = sorted(points, key=lambda each: each.price_h)
    falling = np.minimum.accumulate([max(each.false, 0.01) for each in ordered])
    prices = [log(each.price_h) for each in ordered]
    return float(exp(np.interp(-log(target), -np.log(falling), prices)))


def effect_at(price_h: float, points: Sequence[Effect]) -> Effect:
    """Return what a price between those tried is expected to give."""
    ordered = sorted(points, key=lambda each: each.price_h)
    prices = np.log([each.price_h for each in ordered])
    between = [float(np.interp(log(price_h), prices, [getattr(each, name) for each in ordered])) for name in ("false", "median_h", "p90_h")]
    return Effect(price_h, *between)


def to_json(found: Mapping[str, Effect]) -> dict[str, dict[str, float]]:
    """Return effects as they are stored."""
    return {tier: asdict(each) for tier, each in found.items()}


def from_json(stored: Mapping[str, Mapping[str, float]]) -> dict[str, Effect]:
    """Return effects as they were before they were stored."""
    return {tier: Effect(**each) for tier, each in stored.items()}
