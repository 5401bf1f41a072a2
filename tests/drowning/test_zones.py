"""Zones: where they are, when they hold, and what an editor may send."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.systems.drowning.rules.errors import ZoneWrong
from shouwang.systems.drowning.rules.zones import Hours, Season, Zone, area_of, foot_of, is_inside, polygon_from

SQUARE = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))
HOLLOW = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.5, 0.4), (0.1, 0.9))
SHARE = st.floats(0, 1, allow_nan=False)


@pytest.mark.parametrize(("point", "inside"), [
    ((0.5, 0.5), True), ((0.2, 0.5), True), ((0.2, 0.2), True), ((0.19, 0.5), False), ((0.5, 0.81), False), ((0.8, 0.8), True),
])
def test_a_point_lies_in_a_square_or_not(point: tuple[float, float], inside: bool) -> None:
    assert is_inside(SQUARE, point) is inside


@pytest.mark.parametrize(("point", "inside"), [((0.5, 0.3), True), ((0.5, 0.7), False), ((0.2, 0.6), True), ((0.8, 0.6), True)])
def test_a_hollow_zone_leaves_its_hollow_out(point: tuple[float, float], inside: bool) -> None:
    assert is_inside(HOLLOW, point) is inside


@given(SHARE, SHARE)
def test_turning_a_polygon_around_changes_nothing(x: float, y: float) -> None:
    assert is_inside(HOLLOW, (x, y)) == is_inside(HOLLOW[::-1], (x, y)) == is_inside((*HOLLOW[2:], *HOLLOW[:2]), (x, y))


def test_somebody_stands_at_the_lower_edge_of_the_box() -> None:
    assert foot_of((0.2, 0.1, 0.4, 0.6)) == pytest.approx((0.3, 0.6))


@pytest.mark.parametrize(("month", "day", "holds"), [(6, 1, True), (8, 31, True), (9, 1, False), (5, 31, False)])
def test_a_season_holds_from_its_first_to_its_last_day(month: int, day: int, holds: bool) -> None:
    assert Season(601, 831).holds(month * 100 + day) is holds
    assert Season(901, 531).holds(month * 100 + day) is not holds


@pytest.mark.parametrize(("minute", "holds"), [(22 * 60, True), (3 * 60, True), (6 * 60, False), (12 * 60, False)])
def test_hours_may_lie_over_midnight(minute: int, holds: bool) -> None:
    assert Hours(22 * 60, 6 * 60).hold(minute) is holds


def test_an_unknown_level_never_takes_a_zone_away() -> None:
    zone = Zone(1, "high", "SHORE", SQUARE, level_from=31.5)
    at = datetime(2026, 7, 1, 12, 0)  # noqa: DTZ001 - a local moment
    assert zone.is_in_force(at, None)
    assert zone.is_in_force(at, 31.5)
    assert not zone.is_in_force(at, 31.4)


@pytest.mark.parametrize("found", [
    None, [], [[0, 0], [1, 1]], [[0, 0], [1, 0], [2, 1]], [[0, 0], [1, 0], ["a", 1]], [[0, 0], [1, 0], [float("nan"), 1]],
    [[0, 0], [0.5, 0.5], [1, 1]], [[0, 0], [1, 0], [True, 1]], [[0, 0]] * 41,
])
def test_a_wrong_outline_says_what_is_wrong(found: object) -> None:
    with pytest.raises(ZoneWrong) as told:
        polygon_from(found)
    assert "draw it again" in told.value.text("en")


def test_a_good_outline_is_kept() -> None:
    assert polygon_from([[0, 0], [1, 0], [0, 1]]) == ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
    assert area_of(SQUARE) == pytest.approx(0.36)
