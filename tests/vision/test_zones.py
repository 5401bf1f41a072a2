"""Zones: what lies inside, when they count, what a file may hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.camera_vision.truth import depth
from shouwang.vision.errors import ZoneFileInvalid
from shouwang.vision.zones import Plan, Zone, read_plan
from tests.vision.conftest import plan

SHAPE = ((0.1, 0.1), (0.9, 0.2), (0.5, 0.5), (0.8, 0.9), (0.2, 0.8))


@given(st.floats(0, 1), st.floats(0, 1))
def test_inside_by_crossing_is_inside_by_winding(x: float, y: float) -> None:
    far = depth(SHAPE, (x, y))
    if abs(far) > 1e-9:
        assert Zone(id="z", polygon=SHAPE).contains(x, y) == (far > 0)


@pytest.mark.parametrize(
    ("hours", "at", "counts"),
    [
        ((), time(3), True),
        (((time(8), time(20)),), time(8), True),
        (((time(8), time(20)),), time(20), False),  # half open
        (((time(20), time(6)),), time(23), True),  # over midnight
        (((time(20), time(6)),), time(5, 59), True),
        (((time(20), time(6)),), time(12), False),
    ],
)
def test_a_zone_counts_in_its_hours(hours: tuple[tuple[time, time], ...], at: time, counts: bool) -> None:
    assert Zone(id="z", polygon=SHAPE, hours=hours).counts_at(at) is counts


def test_hours_are_local() -> None:
    watched = plan(hours=((time(20), time(6)),))
    assert [zone.id for zone in watched.zones_at(datetime(2026, 7, 1, 13, 0, tzinfo=UTC))] == ["z"]  # 21:00 in Liaocheng
    assert watched.zones_at(datetime(2026, 7, 1, 4, 0, tzinfo=UTC)) == []


def test_height_follows_the_calibrated_rows() -> None:
    known = Plan(zones=plan().zones, heights=((0.5, 0.1), (1.0, 0.2)))
    assert known.height_m(0.75, 0.15) == pytest.approx(1.7)
    assert known.height_m(1.0, 0.1) == pytest.approx(0.85)
    assert plan().height_m(0.5, 0.1) is None


@pytest.mark.parametrize(
    "told",
    [
        [], {"zones": []}, {"zones": [{"id": "a", "polygon": [[0, 0], [1, 1]]}]}, {"zones": [{"id": "a", "polygon": [[0, 0], [1, 0], [2, 1]]}]},
        {"zones": [{"id": "a", "polygon": [[0, 0], [0.5, 0.5], [1, 1]]}]},  # no area
        {"zones": [{"id": "a", "polygon": [[0, 0], [1, 0], [1, 1]]}] * 2}, {"zones": [{"id": "a", "polygon": [[0, 0], [1, 0], [1, 1]], "colour": 1}]},
        {"zones": [{"id": "a", "polygon": [[0, 0], [1, 0], [1, 1]]}], "heights": [[0.5, 0.1], [0.5, 0.2]]},
    ],
)
def test_a_file_that_is_no_plan_is_refused_in_words(tmp_path: Path, told: Any) -> None:
    path = tmp_path / "zones.json"
    path.write_text(json.dumps(told))
    with pytest.raises(ZoneFileInvalid) as refused:
        read_plan(path)
    assert "zones.json" in refused.value.text("en")


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "zones.json"
    path.write_text(json.dumps({"device": "cam-7", "zones": [{"id": "a", "band": "WATER", "polygon": SHAPE, "hours": [["20:00:00", "06:00:00"]]}]}))
    assert read_plan(path).zones[0].counts_at(time(21))
