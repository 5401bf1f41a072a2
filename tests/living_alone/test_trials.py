"""The trial: what other prices would have given on homes of which it is known how they live."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import numpy as np
import pytest

from shouwang.detectors import silence
from shouwang.detectors.contract import Columns
from shouwang.kernel.moments import HOUR_US, to_us
from shouwang.systems.living_alone.rules import trials
from shouwang.systems.living_alone.rules.trials import Effect

HOMES = 8
DAYS = 56


def homes(now: datetime, *, seed: int, away: bool = False) -> Columns:
    """Return eight weeks of homes that use water in about two of three waking hours; `away` leaves one of them empty for three days."""
    chance = np.random.default_rng(seed)
    hours = np.arange(DAYS * 24)
    at_us = to_us(now) - (len(hours) - hours) * HOUR_US
    awake = (((at_us // HOUR_US) + 8) % 24 >= 6) & (((at_us // HOUR_US) + 8) % 24 < 22)
    used = (chance.random((HOMES, len(hours))) < 0.65) & awake
    if away:
        used[0, -10 * 24 : -7 * 24] = False
    registers = np.cumsum(used * 12.0, axis=1)
    return Columns(np.repeat(np.arange(1, HOMES + 1), len(hours)), np.tile(at_us, HOMES), registers.ravel())


@pytest.fixture(scope="module")
def tried() -> dict[str, list[Effect]]:
    """Return what three prices give on the homes' last 18 days, of which 12 are judged."""
    now = datetime.fromisoformat("2026-01-15T02:00:00+00:00")
    read = homes(now, seed=1, away=True)
    read = read.where(read.at_us > to_us(now - timedelta(days=18)))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"LEARNT": timedelta(days=6), "JUDGED": timedelta(days=12), "LEAST_READINGS": 300}.items():
            patch.setattr(trials, name, value)
        past = trials.past_of(read, end_us=to_us(now), chance=Random(1))
    found = [trials.effects(past, silence.judge, params={**silence.PARAMS, **dict.fromkeys(trials.PRICE_OF.values(), price)}) for price in (400.0, 6_300.0, 100_000.0)]
    return {tier: [each[tier] for each in found] for tier in trials.TIERS}


def test_the_past_holds_each_home_and_copies_whose_water_stops(now: datetime) -> None:
    past = trials.past_of(homes(now, seed=1), end_us=to_us(now), chance=Random(1))
    assert past.homes == set(range(1, HOMES + 1))
    assert len(past.stops) == HOMES * trials.STOPS_A_HOME
    assert past.home_years == pytest.approx(HOMES * 28 / 365.25)
    for copy, stop_us in past.stops.items():
        mine = past.columns.where(past.columns.stream == copy)
        after = mine.where(mine.at_us >= stop_us)
        assert past.begin_us <= stop_us < past.end_us
        assert len(set(after.value.tolist())) == 1
        assert after.at_us[-1] == stop_us + trials.STOPPED_H * HOUR_US


def test_a_home_with_few_readings_is_left_out(now: datetime) -> None:
    few = homes(now, seed=1)
    few = few.where((few.stream != 3) | (few.at_us > to_us(now - timedelta(days=20))))
    assert 3 not in trials.past_of(few, end_us=to_us(now), chance=Random(1)).homes


def test_what_is_dearer_alarms_later_and_less_often(tried: dict[str, list[Effect]]) -> None:
    for points in tried.values():
        assert [each.price_h for each in points] == [400.0, 6_300.0, 100_000.0]
        assert points[0].false >= points[1].false >= points[2].false
        assert points[0].median_h < points[1].median_h < points[2].median_h <= 25
        assert all(each.median_h <= each.p90_h <= trials.STOPPED_H for each in points)


def test_an_absence_is_no_false_alarm_of_any_price(tried: dict[str, list[Effect]]) -> None:
    assert tried["visit"][2].false == 0


POINTS = [Effect(400.0, 32.0, 4.0, 8.0), Effect(6_300.0, 4.0, 10.0, 16.0), Effect(100_000.0, 0.5, 16.0, 24.0)]


@pytest.mark.parametrize(("target", "price_h"), [(32.0, 400.0), (4.0, 6_300.0), (0.5, 100_000.0), (50.0, 400.0), (0.2, 100_000.0)])
def test_the_price_of_a_target_is_found_between_those_tried(target: float, price_h: float) -> None:
    assert trials.price_for(target, POINTS) == pytest.approx(price_h)
    assert trials.price_for(2.0, POINTS) == pytest.approx((6_300 * 100_000) ** (1 / 2) * (100_000 / 6_300) ** (1 / 3 - 1 / 2), rel=0.01)


def test_what_a_price_gives_is_expected_between_those_tried() -> None:
    found = trials.effect_at(6_300.0, POINTS)
    assert (found.false, found.median_h, found.p90_h) == pytest.approx((4.0, 10.0, 16.0))
    assert trials.from_json(trials.to_json({"call": POINTS[0]})) == {"call": POINTS[0]}
