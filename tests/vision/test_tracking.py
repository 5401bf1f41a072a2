"""Tracks and the zone rule, on boxes that are given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from shouwang.vision.entering import Happening, Kind, State, ZoneWatch
from shouwang.vision.thresholds import thresholds
from shouwang.vision.tracking import Track, Tracker
from shouwang.vision.zones import Band
from tests.vision.conftest import plan

TALL, STEP_S = 40.0, 0.2


def row(x: float, foot_y: float, score: float = 0.9, tall: float = TALL) -> list[float]:
    return [x - tall / 6, foot_y - tall, x + tall / 6, foot_y, score]


def boxes(*rows: list[float]) -> np.ndarray:
    return np.array(rows, float).reshape(-1, 5)


class Stage:
    """A zone in the middle of 400 × 400 and a tracker; `step` takes the people of a frame."""

    def __init__(self, *, agrees: bool = True, **of_zone: object) -> None:
        self.tracker = Tracker(thresholds().lost_after_s)
        self.watch = ZoneWatch(plan(**of_zone).zones[0], thresholds(), 400, 400)
        self.agrees, self.frame, self.asked = agrees, 0, 0

    def step(self, *rows: list[float]) -> list[Happening]:
        at_s = self.frame * STEP_S
        self.frame += 1
        tracks = self.tracker.step(boxes(*rows), at_s=at_s, high=0.5)
        return self.watch.step(tracks, at_s=at_s, confirm=self.confirm)

    def confirm(self, tracks: Sequence[Track]) -> list[bool]:
        self.asked += len(tracks)
        return [self.agrees] * len(tracks)


def test_somebody_who_walks_in_is_told_with_the_second_frame_inside() -> None:
    stage = Stage()
    assert [stage.step(row(200, y)) for y in (60, 75, 90)] == [[], [], []]
    assert stage.step(row(200, 105)) == []
    told = stage.step(row(200, 118))
    assert [(each.kind, each.state, each.zone, each.confirmed) for each in told] == [(Kind.ENTER, State.START, "z", True)]


def test_a_box_of_one_frame_is_nobody() -> None:
    stage = Stage()
    assert [each for rows in ([row(200, 200)], [], [], []) for each in stage.step(*rows)] == []


def test_what_was_seen_outside_is_no_evidence_inside() -> None:
    """A person stands outside for long, with a high score; one box inside is still not enough."""
    stage = Stage()
    for _ in range(20):
        assert stage.step(row(200, 95)) == []
    assert stage.step(row(200, 105)) == []
    assert stage.asked == 1  # the second detector was asked about the inside alone


def test_the_second_detector_never_vetoes() -> None:
    stage = Stage(agrees=False)
    told = [(stage.frame, each) for _ in range(12) for each in stage.step(row(200, 200))]
    assert [each.confirmed for _, each in told] == [False]
    assert told[0][0] * STEP_S >= thresholds().check_after_s
    stage.agrees = True
    assert [each.confirmed for each in stage.step(row(200, 200))] == [True]  # and later confirmed is news


def test_a_lost_track_goes_on_as_the_same_presence() -> None:
    stage = Stage()
    told = [each for rows in ([row(200, 200)],) * 3 for each in stage.step(*rows)]
    for _ in range(8):  # the track is dropped, the zone not yet empty for two seconds
        told += stage.step()
    told += [each for _ in range(3) for each in stage.step(row(203, 202))]
    assert [each.state for each in told] == [State.START]


def test_after_two_empty_seconds_an_entry_is_told_again() -> None:
    stage = Stage()
    told = [each for _ in range(3) for each in stage.step(row(200, 200))]
    told += [each for _ in range(12) for each in stage.step()]
    told += [each for _ in range(3) for each in stage.step(row(200, 200))]
    assert [each.state for each in told] == [State.START, State.STOP, State.START]
    assert len({each.presence for each in told}) == 2


def test_a_second_person_is_told_too_and_many_are_a_crowd() -> None:
    stage = Stage(group=2, stay_s=1)
    told = [each for _ in range(3) for each in stage.step(row(150, 200))]
    told += [each for _ in range(6) for each in stage.step(row(150, 200), row(250, 220))]
    assert [each.kind for each in told].count(Kind.ENTER) == 2
    assert [each.kind for each in told].count(Kind.CROWD) == 1
    assert [each.kind for each in told].count(Kind.STAY) == 2


def test_from_the_shore_into_the_water_is_a_crossing() -> None:
    stage = Stage(band=Band.WATER)
    told: list[Happening] = []
    for _ in range(3):
        tracks = stage.tracker.step(boxes(row(200, 200)), at_s=stage.frame * STEP_S, high=0.5)
        told += stage.watch.step(tracks, at_s=stage.frame * STEP_S, confirm=stage.confirm, ashore=frozenset({1}))
        stage.frame += 1
    assert [each.kind for each in told] == [Kind.CROSS]


def test_two_who_pass_each_other_stay_two_tracks() -> None:
    tracker = Tracker(1.5)
    for frame in range(20):
        tracker.step(boxes(row(100 + 8 * frame, 100), row(260 - 8 * frame, 120)), at_s=frame * STEP_S, high=0.5)
    assert sorted(track.id for track in tracker.tracks) == [1, 2]


def test_a_doubtful_box_continues_a_track_and_begins_none() -> None:
    tracker = Tracker(1.5)
    assert tracker.step(boxes(row(100, 100, score=0.3)), at_s=0, high=0.5) == []
    tracker.step(boxes(row(100, 100)), at_s=0.2, high=0.5)
    assert [track.hits for track in tracker.step(boxes(row(104, 100, score=0.3)), at_s=0.4, high=0.5)] == [2]


@pytest.mark.parametrize("tall", [TALL * 2.5, TALL / 2.5])
def test_somebody_of_quite_another_size_is_somebody_else(tall: float) -> None:
    tracker = Tracker(1.5)
    tracker.step(boxes(row(100, 100)), at_s=0, high=0.5)
    tracker.step(boxes(row(100, 100, tall=tall)), at_s=0.2, high=0.5)
    assert len(tracker.tracks) == 2
