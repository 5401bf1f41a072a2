"""The rolling window against a slow reference that looks at one stream and one grid moment at a time."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.detectors.contract import Columns, Finding
from shouwang.detectors.registry import detectors_found
from shouwang.detectors.rolling import Rule
from tests.detectors.test_contract import (
    HOUR_US,
    MINUTE_US,
    START_US,
    Life,
    Row,
    as_it_arrives,
    columns,
    end_of,
    lives,
    run,
)

GRID_US = 10 * MINUTE_US


Turned = tuple[int, int, float, int]
"""A row, and how many times its register has run backwards before it."""


def bounds(rows: list[Turned], at_us: int, window_us: int) -> tuple[float | None, float]:
    """Return (upper, lower) bound of the litres used in the window before `at_us`; upper None when it is not covered."""
    rows = [row for row in rows if row[3] == rows[-1][3]]
    before = [row for row in rows if row[1] <= at_us - window_us]
    inside = [row for row in rows if row[1] >= at_us - window_us]
    upper = rows[-1][2] - before[-1][2] if before else None
    return upper, rows[-1][2] - inside[0][2] if inside else 0.0


def slow(life: Life, until_us: int, *, window_h: int, high_l: float) -> list[tuple[str, int, int, int, str]]:
    """Return (kind, stream, episode, at, phase) as the rule says, moment by moment."""
    found = []
    for stream in {row[0] for row in life}:
        mine = last_of_each_step(sorted(row for row in life if row[0] == stream))
        opened: dict[str, int] = {}
        at_us = START_US
        while at_us <= until_us:
            verdicts = verdicts_at([row for row in mine if row[1] <= at_us], at_us, window_h * HOUR_US, high_l)
            for kind, verdict in verdicts.items():
                if verdict and kind not in opened:
                    opened[kind] = at_us
                    found.append((kind, stream, at_us, at_us, "OPEN"))
                elif verdict is False and kind in opened:
                    found.append((kind, stream, opened.pop(kind), at_us, "END"))
            at_us += GRID_US
    return sorted(found, key=lambda row: (row[3], row[1], row[0]))


def last_of_each_step(rows: list[Row]) -> list[Turned]:
    """Return the rows that are kept; that the register ran backwards is known also from a row that is not."""
    kept: dict[int, Turned] = {}
    turns = 0
    for at, row in enumerate(rows):
        turns += at > 0 and row[2] < rows[at - 1][2]
        kept[-(-row[1] // GRID_US)] = (*row, turns)
    return list(kept.values())


def verdicts_at(rows: list[Turned], at_us: int, window_us: int, high_l: float) -> dict[str, bool | None]:
    if not rows:
        return {}
    if at_us - rows[-1][1] > 6 * HOUR_US:
        return {"WATER_NO_DATA": True}
    upper, lower = bounds(rows, at_us, window_us)
    low = True if upper is not None and upper < 10 else False if lower >= 10 else None
    high = True if lower > high_l else False if upper is not None and upper <= high_l else None
    return {"WATER_NO_DATA": False, "WATER_LOW_USE": low, "WATER_HIGH_USE": high}


@pytest.mark.parametrize(("name", "window_h", "high_l"), [("low_high_24h", 24, 1000.0), ("low_12h", 12, float("inf"))])
@settings(deadline=None, max_examples=60)
@given(life=lives(), seed=st.integers(0, 2**16))
def test_findings_equal_the_slow_reference(name: str, window_h: int, high_l: float, life: Life, seed: int) -> None:
    found = run(detectors_found()[name], as_it_arrives(life, random.Random(seed)), {})
    told = [(finding.kind, finding.stream, finding.episode_us, finding.at_us, finding.phase) for finding in found]
    assert slow(life, end_of(life) - 15 * MINUTE_US, window_h=window_h, high_l=high_l) == told


def story(litres: list[float], *, hours: int) -> list[Finding]:
    """Return the 24-hour rule's findings for hourly readings of `litres` used, repeated over `hours`."""
    register, rows = 1000.0, []
    for hour in range(hours):
        register += litres[hour % len(litres)] if hour else 0
        rows.append((1, START_US + hour * HOUR_US, register))
    return run(detectors_found()["low_high_24h"], [(rows, rows[-1][1] + 15 * MINUTE_US)], {})


TABLE = [
    # litres of each hour, hours, expected (kind, phase, hours after the start)
    ([0], 30, [("WATER_LOW_USE", "OPEN", 24)]),
    # 9 L in 24 h is low, 24 L are not
    ([9] + [0] * 23, 49, [("WATER_LOW_USE", "OPEN", 24)]),
    ([1], 60, []),
    # exactly 1,000 L in 24 h is not over 1,000 L; 1,001 L are
    ([1000] + [0] * 23, 60, []),
    ([1001] + [0] * 23, 26, [("WATER_HIGH_USE", "OPEN", 24)]),
    # a burst is told at once
    ([0] * 5 + [1100] + [0] * 200, 8, [("WATER_HIGH_USE", "OPEN", 5)]),
]


@pytest.mark.parametrize(("litres", "hours", "expected"), TABLE)
def test_the_rule_of_liaocheng(litres: list[float], hours: int, expected: list[tuple[str, str, int]]) -> None:
    told = [(finding.kind, finding.phase, (finding.at_us - START_US) // HOUR_US) for finding in story(litres, hours=hours)]
    assert expected == told


def test_no_data_is_never_a_silence_alarm() -> None:
    rows = [(1, START_US + hour * HOUR_US, 100.0 + 5 * hour) for hour in range(30)]
    found = run(detectors_found()["low_high_24h"], [(rows, rows[-1][1] + 90 * HOUR_US)], {})
    assert [(finding.kind, finding.phase) for finding in found] == [("WATER_NO_DATA", "OPEN")]


def test_an_exchanged_meter_starts_anew() -> None:
    rows = [(1, START_US + hour * HOUR_US, 5000.0) for hour in range(20)]
    rows += [(1, START_US + hour * HOUR_US, 1.0) for hour in range(20, 50)]
    found = run(detectors_found()["low_high_24h"], [(rows, rows[-1][1] + 15 * MINUTE_US)], {})
    assert [(finding.kind, (finding.at_us - START_US) // HOUR_US) for finding in found] == [("WATER_LOW_USE", 44)]


def test_a_low_finding_says_since_when_the_register_stood_still() -> None:
    rows = [(1, START_US + hour * HOUR_US, 100.0 if hour < 5 else 103.0) for hour in range(40)]
    (found,) = run(detectors_found()["low_high_24h"], [(rows, rows[-1][1])], {})
    assert found.params["used_l"] == 3.0
    assert found.params["unused_since_us"] == START_US + 5 * HOUR_US


def test_late_rows_that_are_newer_than_all_known_still_count() -> None:
    detector = detectors_found()["low_high_24h"]
    rows = [(1, START_US + hour * HOUR_US, 100.0 + 20 * hour) for hour in range(80)]
    now_us = rows[-1][1]
    found = run(detector, [(rows[:40], now_us), (rows[40:], now_us + HOUR_US), ([], now_us + 2 * HOUR_US)], {})
    assert [(finding.phase, finding.kind) for finding in found] == [("OPEN", "WATER_NO_DATA"), ("END", "WATER_NO_DATA")]


def test_a_window_off_the_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of grid_min 7"):
        Rule.of({"window_h": 24, "grid_min": 7, "low_l": 10, "max_gap_h": 6, "low_severity": 3})


def test_one_stream_of_a_year_stays_small() -> None:
    detector = detectors_found()["low_high_24h"]
    rows = columns([(1, START_US + minute * MINUTE_US, float(minute)) for minute in range(0, 60 * 24 * 60, 5)])
    state, _ = detector.judge(rows, {}, now_us=0, watermark_us=int(rows.at_us[-1]), params=detector.params)
    state, _ = detector.judge(Columns.empty(), state, now_us=0, watermark_us=int(rows.at_us[-1]), params=detector.params)
    assert state["at_us"].shape[1] < 400
