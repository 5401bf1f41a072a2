"""Drawings without script: outlines keep their shape on the sheet, stacked bars add up."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.ui.drawings import Bar, ceiling, project, rings_of, stacked

SQUARE = [(115.0, 36.0), (116.0, 36.0), (116.0, 37.0), (115.0, 37.0)]


def test_a_sheet_holds_all_and_the_north_is_up() -> None:
    sheet = project([SQUARE], width=1000, margin=20)
    assert sheet is not None
    assert sheet.place(115.0, 37.0) == (20.0, 20.0)
    right, bottom = sheet.place(116.0, 36.0)
    assert (right, bottom) == (980.0, pytest.approx(sheet.height - 20, abs=0.1))
    # A degree of latitude is longer than one of longitude, by the cosine of the latitude between.
    assert (bottom - 20) / (right - 20) == pytest.approx(1 / math.cos(math.radians(36.5)), rel=1e-3)
    assert sheet.path([SQUARE[:3]]).startswith("M20,")


def test_nothing_has_no_sheet() -> None:
    assert project([], width=100) is None


def test_rings_of_both_outlines() -> None:
    ring = [[115.0, 36.0], [116.0, 36.0], [116.0, 37.0]]
    assert rings_of({"type": "Polygon", "coordinates": [ring]}) == [[(115.0, 36.0), (116.0, 36.0), (116.0, 37.0)]]
    assert len(rings_of({"type": "MultiPolygon", "coordinates": [[ring], [ring]]})) == 2


def test_bars_stand_on_one_another_in_shares_of_the_highest() -> None:
    bars, most = stacked([[1, 0, 2], [3, 0, 2]])
    assert (bars, most) == ([Bar(0, 0, 0, 0.25), Bar(0, 1, 0.25, 1.0), Bar(2, 0, 0, 0.5), Bar(2, 1, 0.5, 1.0)], 4)
    assert stacked([]) == ([], 0.0)


@given(st.integers(0, 10**7))
def test_the_top_of_an_axis_is_round_and_not_far_above(most: int) -> None:
    top = ceiling(most)
    assert top >= most
    assert top % 4 == 0
    assert top <= max(4, 2 * most + 4)
