"""Silence by a home's habits: its tiers, its sentence, the hard stop, and what is no silence."""

from __future__ import annotations

import numpy as np
import pytest

from shouwang.detectors.contract import Finding
from shouwang.detectors.habits.clock import alarm_hours, silence
from shouwang.detectors.registry import detectors_found
from tests.detectors.test_contract import HOUR_US, LATENESS_US, START_US, run

DAYS = 30
USED_AT = (7, 8, 12, 13, 18, 19, 21)


def life(*, stops_after: int, hours: int, lost: range = range(0)) -> list[tuple[int, int, float]]:
    """Return hourly readings of a regular home in which no water is drawn after hour `stops_after`."""
    register, rows = 1000.0, []
    for hour in range(hours):
        register += 12.0 if hour % 24 in USED_AT and hour <= stops_after else 0.0
        if hour not in lost:
            rows.append((1, START_US + hour * HOUR_US + 1, register))
    return rows


def judged(rows: list[tuple[int, int, float]], *, until: int) -> list[Finding]:
    return run(detectors_found()["silence"], [(rows, START_US + (until + 1) * HOUR_US)], {})


STOP = DAYS * 24 + 8


def test_a_regular_home_that_falls_silent_is_called_then_visited_then_stopped_hard() -> None:
    found = judged(life(stops_after=STOP, hours=STOP + 40), until=STOP + 39)
    assert [finding.kind for finding in found] == ["WATER_SILENCE_CALL", "WATER_SILENCE", "WATER_HARD_STOP"]
    hours = [(finding.at_us - START_US) // HOUR_US - 1 - STOP for finding in found]
    assert hours == sorted(hours)
    assert hours[1] < 24
    assert hours[2] == 24


def test_a_finding_carries_its_sentence() -> None:
    found = judged(life(stops_after=STOP, hours=STOP + 40), until=STOP + 39)
    for finding in found:
        assert finding.params["last_use_us"] == START_US + STOP * HOUR_US
        assert finding.params["again_by_us"] > finding.params["last_use_us"]
        assert 50 <= finding.params["again_of_100"] <= 100


def test_water_ends_every_tier() -> None:
    rows = life(stops_after=STOP, hours=STOP + 40)
    rows.append((1, START_US + (STOP + 40) * HOUR_US + 1, rows[-1][2] + 5))
    found = judged(rows, until=STOP + 41)
    assert {finding.kind for finding in found if finding.phase == "END"} == {"WATER_SILENCE_CALL", "WATER_SILENCE", "WATER_HARD_STOP"}


def test_a_meter_that_is_silent_itself_is_no_silence() -> None:
    rows = life(stops_after=STOP, hours=STOP + 2)
    assert judged(rows, until=STOP + 100) == []


@pytest.mark.parametrize(("falls_l", "expected"), [(1.0, 3), (9.0, 3), (500.0, 0)])
def test_a_register_that_falls_a_little_is_no_use_and_much_another_meter(falls_l: float, expected: int) -> None:
    rows = life(stops_after=STOP, hours=STOP + 40)
    rows = [(stream, at_us, value - falls_l * max(0, (place - STOP) // 6)) for place, (stream, at_us, value) in enumerate(rows)]
    assert len(judged(rows, until=STOP + 39)) == expected


def test_the_hard_stop_needs_no_reading_at_its_hour() -> None:
    lost = range(STOP + 21, STOP + 60)
    found = judged(life(stops_after=STOP, hours=STOP + 60, lost=lost), until=STOP + 59)
    hard = [finding for finding in found if finding.kind == "WATER_HARD_STOP"]
    assert [(finding.at_us - START_US) // HOUR_US - 1 - STOP for finding in hard] == [24]


@pytest.mark.parametrize(("drip_l_h", "expected"), [(0.35, 3), (0.5, 3), (0.9, 3), (1.5, 3), (2.5, 3), (3.0, 3), (7.3, 3)])
def test_what_runs_by_itself_does_not_hide_silence(drip_l_h: float, expected: int) -> None:
    rows = [(stream, at_us, value + int(drip_l_h * place)) for place, (stream, at_us, value) in enumerate(life(stops_after=STOP, hours=STOP + 40))]
    assert len([finding for finding in judged(rows, until=STOP + 39) if finding.phase == "OPEN" and finding.at_us > START_US + STOP * HOUR_US]) == expected


def test_one_reading_a_day_is_no_leak() -> None:
    rows = [row for row in life(stops_after=DAYS * 24, hours=DAYS * 24) if (row[1] - START_US) // HOUR_US % 24 == 10]
    assert judged(rows, until=DAYS * 24) == []


@pytest.mark.parametrize(("hole_h", "expected"), [(0, 24), (1, 23), (5, 19), (30, 18)])
def test_the_hard_stop_counts_from_the_first_hour_in_which_the_last_use_may_have_been(hole_h: int, expected: int) -> None:
    found = judged(life(stops_after=STOP, hours=STOP + 40, lost=range(STOP - hole_h, STOP)), until=STOP + 39)
    hard = [finding for finding in found if finding.kind == "WATER_HARD_STOP"]
    assert [(finding.at_us - START_US) // HOUR_US - 1 - STOP for finding in hard] == [expected]


def uploaded(rows: list[tuple[int, int, float]], *, days: int) -> list[Finding]:
    """Return what is found if the readings of a day arrive together after its end."""
    ticks = []
    for day in range(days):
        end_us = START_US + (day + 1) * 24 * HOUR_US
        ticks += [([], end_us - HOUR_US), ([row for row in rows if end_us - 24 * HOUR_US <= row[1] < end_us], end_us + LATENESS_US)]
    return run(detectors_found()["silence"], ticks, {})


def test_a_day_s_readings_that_arrive_together_teach_every_hour() -> None:
    found = uploaded(life(stops_after=STOP, hours=(DAYS + 2) * 24), days=DAYS + 2)
    assert [finding.kind for finding in found] == ["WATER_SILENCE_CALL", "WATER_SILENCE", "WATER_HARD_STOP"]
    assert {finding.params["last_use_us"] for finding in found} == {START_US + STOP * HOUR_US}
    hours = [(finding.at_us - START_US) // HOUR_US for finding in found]
    assert hours[:2] == [(DAYS + 1) * 24 - 1] * 2, "the hours up to the upload were judged without it but for two"
    assert hours[2] == (DAYS + 2) * 24 - 1, "the hard stop needs a reading of the last hours, so it waits for the next upload"


@pytest.mark.parametrize("price", [10.0, 300.0, 5000.0])
def test_the_clock_is_the_cheapest_hour_by_a_slow_sum(price: float) -> None:
    chance = np.random.default_rng(3).uniform(0, 0.5, (20, 36))
    still = silence(chance)
    for row in range(20):
        costs = [price * still[row, a] + sum(still[row, e] * (a - e) for e in range(a)) for a in range(1, 37)]
        assert 1 + int(np.argmin(costs)) == alarm_hours(chance, prices_h=[price])[0][row]
