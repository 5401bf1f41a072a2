"""Too much water by a home's own measure, and a leak."""

from __future__ import annotations

import pytest

from shouwang.detectors.registry import detectors_found
from tests.detectors.test_contract import HOUR_US, LATENESS_US, START_US, run

DAY_L = [0, 0, 0, 0, 0, 0, 20, 30, 5, 0, 0, 10, 15, 5, 0, 0, 0, 10, 25, 30, 10, 5, 0, 0]


def told(changes: dict[int, float], *, days: int) -> list[tuple[str, str, int]]:
    """Return (kind, phase, hours after the start) for usual days with other litres in some hours."""
    register, rows = 1000.0, []
    for hour in range(days * 24):
        rows.append((1, START_US + hour * HOUR_US, register))
        register += changes.get(hour + 1, DAY_L[(hour + 1) % 24])
    found = run(detectors_found()["high_use"], [(rows, rows[-1][1] + 2 * HOUR_US)], {})
    return [(finding.kind, finding.phase, (finding.at_us - START_US) // HOUR_US) for finding in found]


def test_usual_days_say_nothing() -> None:
    assert told({}, days=30) == []


def test_a_running_tap_is_told_with_its_first_hour() -> None:
    changes = {24 * 25 + hour: 360.0 for hour in range(2, 5)}
    assert told(changes, days=27)[0] == ("WATER_HIGH_USE", "OPEN", 24 * 25 + 3)


def test_a_leak_is_told_by_the_home_s_own_measure_and_has_its_ticket_after_a_day() -> None:
    begin = 24 * 25 + 1
    changes = {hour: 20.0 + DAY_L[hour % 24] for hour in range(begin, 24 * 28)}
    found = told(changes, days=28)
    assert ("WATER_LEAK", "OPEN", begin + 24) in found
    assert found[0][0] == "WATER_HIGH_USE"
    assert found[0][2] - begin <= 10


@pytest.mark.parametrize(("litres", "expected"), [(1000.0, []), (1200.0, [("WATER_HIGH_USE", "OPEN", 31)])])
def test_a_new_home_is_judged_by_the_day_s_limit_alone(litres: float, expected: list[tuple[str, str, int]]) -> None:
    quiet = dict.fromkeys(range(60), 0.0)
    found = told({**quiet, 30: litres}, days=2)
    assert expected == [row for row in found if row[1] == "OPEN"]


def test_a_home_whose_habits_are_known_is_judged_by_them_alone() -> None:
    always = {hour: DAY_L[hour % 24] * 7.0 for hour in range(24 * 30)}
    (opened, ended) = told(always, days=30)
    assert (opened[:2], ended[:2]) == (("WATER_HIGH_USE", "OPEN"), ("WATER_HIGH_USE", "END"))
    assert opened[2] <= 2 * 24, "a new home's day of 1,155 L is above its limit"
    assert ended[2] == 14 * 24 + 1


def uploaded_daily(litres_from: int, *, days: int) -> list[tuple[str, str, int]]:
    """Return what is found if the readings of a day arrive together after its end, and from an hour on 360 L are drawn in each."""
    register, ticks = 1000.0, []
    for day in range(days):
        rows = []
        for hour in range(24 * day, 24 * day + 24):
            register += 360 if hour >= litres_from else DAY_L[hour % 24]
            rows.append((1, START_US + hour * HOUR_US, register))
        end_us = START_US + 24 * (day + 1) * HOUR_US
        ticks += [([], end_us - HOUR_US + LATENESS_US), (rows, end_us + LATENESS_US)]
    found = run(detectors_found()["high_use"], ticks, {})
    return [(finding.kind, finding.phase, (finding.at_us - START_US) // HOUR_US) for finding in found]


def test_a_day_s_readings_that_arrive_together_are_taken_hour_by_hour() -> None:
    assert uploaded_daily(24 * 25, days=25) == []
    assert uploaded_daily(24 * 25 - 3, days=25) == [("WATER_HIGH_USE", "OPEN", 24 * 25)]


def test_a_new_meter_whose_register_leaps_is_no_use() -> None:
    assert told({24 * 25 + 10: 900_000.0}, days=27) == []
