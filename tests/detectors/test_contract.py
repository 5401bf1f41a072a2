"""One suite over every registered detector: the promises of `detectors.contract`, on generated lives of a few streams."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.detectors.contract import (
    OF_ALL,
    Columns,
    Finding,
    State,
    drop_streams,
    dump,
    fresh,
    load,
    only_streams,
    streams_of,
)
from shouwang.detectors.registry import Detector, detectors_found

HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000
START_US = 1_768_435_200_000_000
LATENESS_US = 15 * MINUTE_US
EVERY = pytest.mark.parametrize("detector", list(detectors_found().values()), ids=lambda detector: detector.name)
SILENT = pytest.mark.parametrize(
    "detector", [each for each in detectors_found().values() if "max_gap_h" in each.params], ids=lambda detector: detector.name,
)

Row = tuple[int, int, float]
Life = list[Row]


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Draw the readings of one to three streams over up to three days: with holes, repeats and exchanged meters."""
    rows: Life = []
    for stream in range(1, draw(st.integers(1, 3)) + 1):
        at_us, register = START_US + draw(st.integers(0, 59)) * MINUTE_US, 100.0
        for _ in range(draw(st.integers(0, 40))):
            rows.append((stream * 7, at_us, register))
            at_us += draw(st.sampled_from([1, 10, 30, 60, 60, 60, 120, 400, 900])) * MINUTE_US
            register += draw(st.sampled_from([0, 0, 0, 3, 9, 40, 700]))
            if draw(st.integers(0, 30)) == 0:
                register = 1.0
    return rows


def columns(rows: Sequence[Row]) -> Columns:
    return Columns(
        np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.float64),
    )


def run(detector: Detector, ticks: Sequence[tuple[Sequence[Row], int]], state: State, *, restart: bool = False) -> list[Finding]:
    return told(detector, ticks, state, restart=restart)[1]


def told(
    detector: Detector, ticks: Sequence[tuple[Sequence[Row], int]], state: State, *, restart: bool = False,
) -> tuple[State, list[Finding]]:
    found: list[Finding] = []
    for rows, now_us in ticks:
        given_state = load(dump(state)) if restart else state
        state, findings = detector.judge(
            columns(rows), given_state, now_us=now_us, watermark_us=now_us - LATENESS_US, params=detector.params,
        )
        found += findings
    return state, found


def end_of(life: Life) -> int:
    return max((row[1] for row in life), default=START_US) + 40 * HOUR_US


def as_it_arrives(life: Life, chance: random.Random) -> list[tuple[list[Row], int]]:
    """Return ticks in which every row arrives, shuffled and sometimes twice, within the lateness window."""
    arrivals = sorted((row[1] + chance.randrange(LATENESS_US), row) for row in life + chance.sample(life, len(life) // 3))
    ticks: list[tuple[list[Row], int]] = []
    while arrivals:
        size = chance.randrange(1, 9)
        part, arrivals = arrivals[:size], arrivals[size:]
        rows = [row for _, row in part]
        chance.shuffle(rows)
        if chance.random() < 0.7 or not ticks:
            ticks.append((rows, part[-1][0]))
        else:
            ticks.append(([], part[0][0]))
            ticks.append((rows, part[-1][0]))
    ticks.append(([], end_of(life)))
    return ticks


@EVERY
@settings(deadline=None)
@given(life=lives(), seed=st.integers(0, 2**16))
def test_splitting_and_reordering_within_lateness_changes_nothing(detector: Detector, life: Life, seed: int) -> None:
    whole = run(detector, [(life, end_of(life))], {})
    assert whole == run(detector, as_it_arrives(life, random.Random(seed)), {})


@EVERY
@settings(deadline=None)
@given(life=lives(), cut=st.integers(0, 72))
def test_no_finding_depends_on_the_future(detector: Detector, life: Life, cut: int) -> None:
    cut_us = START_US + cut * HOUR_US
    whole = run(detector, [(life, end_of(life))], {})
    truncated = run(detector, [([row for row in life if row[1] <= cut_us], cut_us + LATENESS_US)], {})
    assert [finding for finding in whole if finding.at_us <= cut_us] == truncated


@EVERY
@settings(deadline=None)
@given(life=lives(), seed=st.integers(0, 2**16))
def test_a_restart_from_stored_state_changes_nothing(detector: Detector, life: Life, seed: int) -> None:
    ticks = as_it_arrives(life, random.Random(seed))
    assert run(detector, ticks, {}) == run(detector, ticks, {}, restart=True)


@EVERY
@settings(deadline=None)
@given(life=lives(), seed=st.integers(0, 2**16))
def test_episodes_of_one_stream_never_overlap(detector: Detector, life: Life, seed: int) -> None:
    opened: dict[tuple[str, int], int] = {}
    for finding in run(detector, as_it_arrives(life, random.Random(seed)), {}):
        key = (finding.kind, finding.stream)
        if finding.phase == "OPEN":
            assert key not in opened
            opened[key] = finding.episode_us
            assert finding.episode_us == finding.at_us
        else:
            assert opened.pop(key) == finding.episode_us


@SILENT
def test_the_clock_alone_raises_a_finding(detector: Detector) -> None:
    life = [(1, START_US + hour * HOUR_US, 100.0) for hour in range(30)]
    state, _ = detector.judge(
        columns(life), {}, now_us=life[-1][1], watermark_us=START_US + HOUR_US, params=detector.params,
    )
    later_us = life[-1][1] + 72 * HOUR_US
    _, findings = detector.judge(Columns.empty(), state, now_us=later_us, watermark_us=later_us, params=detector.params)
    assert findings


@EVERY
def test_nothing_in_nothing_out(detector: Detector) -> None:
    state, findings = detector.judge(Columns.empty(), {}, now_us=START_US, watermark_us=START_US, params=detector.params)
    assert findings == []
    same, findings = detector.judge(Columns.empty(), state, now_us=START_US, watermark_us=START_US, params=detector.params)
    assert findings == []
    assert same is state


@SILENT
def test_history_before_the_start_is_not_judged(detector: Detector) -> None:
    life = [(1, START_US + hour * HOUR_US, 100.0) for hour in range(100)]
    start_us = life[-1][1]
    past = life if detector.name != "no_data" else life[:90]
    findings = run(detector, [(past, start_us + 3 * HOUR_US)], fresh(start_us))
    assert {finding.at_us for finding in findings} == {start_us + int(detector.params["grid_min"]) * MINUTE_US}


@EVERY
def test_a_detector_says_what_it_is(detector: Detector) -> None:
    assert detector.summary
    assert detector.version >= 1
    assert detector.settled({}) == dict(detector.params)
    with pytest.raises(KeyError, match="has no parameter"):
        detector.settled({"no_such": 1.0})


def as_rows(state: State) -> dict[str, int]:
    return {name: array.nbytes for name, array in state.items() if name not in OF_ALL}


@EVERY
@settings(deadline=None, max_examples=30)
@given(life=lives(), seed=st.integers(0, 2**16), cut=st.integers(0, 72))
def test_of_dropped_streams_nothing_is_found_or_kept(detector: Detector, life: Life, seed: int, cut: int) -> None:
    chance = random.Random(seed)
    gone = [stream for stream in (7, 14, 21) if chance.random() < 0.5]
    ticks = as_it_arrives(life, chance)
    cut_us = START_US + cut * HOUR_US
    before, after = [each for each in ticks if each[1] <= cut_us], [each for each in ticks if each[1] > cut_us]
    state, _ = told(detector, before, {})
    left = drop_streams(state, np.array(gone, np.int64))
    assert not set(gone) & set(streams_of(left).tolist())
    _, found = told(detector, [(without(rows, gone), now_us) for rows, now_us in after], left)
    assert [each for each in run(detector, ticks, {})[len(told(detector, before, {})[1]):] if each.stream not in gone] == found


@EVERY
@settings(deadline=None, max_examples=30)
@given(life=lives())
def test_dropping_everything_gives_all_memory_back(detector: Detector, life: Life) -> None:
    state, _ = told(detector, [(life, end_of(life) - 40 * HOUR_US)], {})
    left = drop_streams(state, streams_of(state))
    assert set(as_rows(left).values()) <= {0}
    assert drop_streams(left, np.array([7], np.int64)) is left


@EVERY
@settings(deadline=None, max_examples=30)
@given(life=lives(), seed=st.integers(0, 2**16))
def test_streams_that_move_between_states_are_judged_as_if_they_had_stayed(detector: Detector, life: Life, seed: int) -> None:
    chance = random.Random(seed)
    ticks = as_it_arrives(life, chance)
    here: set[int] = set()
    one: State = {}
    other: State | None = None
    found: list[Finding] = []
    for rows, now_us in ticks:
        if other is not None or chance.random() < 0.5:
            other = drop_streams(one, streams_of(one)) if other is None else other
            moving = {stream for stream in (7, 14, 21) if chance.random() < 0.3}
            one, other = moved(detector, one, other, moving - here)
            other, one = moved(detector, other, one, moving & here)
            here ^= moving
        mine = [row for row in rows if row[0] in here]
        one, first = told(detector, [(without(rows, here), now_us)], load(dump(one)))
        found += first
        if other is not None:
            other, second = told(detector, [(mine, now_us)], load(dump(other)))
            found += second
    assert sorted(run(detector, ticks, {}), key=in_order) == sorted(found, key=in_order)


def in_order(finding: Finding) -> tuple[int, int, str]:
    return finding.at_us, finding.stream, finding.kind


def moved(detector: Detector, state: State, into: State, streams: set[int]) -> tuple[State, State]:
    ids = np.array(sorted(streams & set(streams_of(state).tolist())), np.int64)
    if not len(ids):
        return state, into
    taken = only_streams(state, ids)
    return drop_streams(state, ids), detector.take_streams(into, taken)


def without(rows: Sequence[Row], streams: Collection[int]) -> list[Row]:
    return [row for row in rows if row[0] not in streams]
