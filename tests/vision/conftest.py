"""What tests of vision share: whether the extra and the models are here, and said plainly where they are not."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from shouwang.vision.extra import missing
from shouwang.vision.picture import Picture
from shouwang.vision.zones import Plan, Zone

DATA = Path(os.environ.get("SHOUWANG_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
ABSENT = missing()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the extra where it is not installed; with SHOUWANG_DATA set that is a failure instead."""
    if not ABSENT or "SHOUWANG_DATA" in os.environ:
        return
    for item in items:
        if item.get_closest_marker("needs_vision"):
            item.add_marker(pytest.mark.skip(reason=f"shouwang[vision] is not installed: {', '.join(ABSENT)}"))


@pytest.fixture
def models() -> Path:
    """Return the folder of the models."""
    folder = DATA / "models"
    if not folder.is_dir() and "SHOUWANG_DATA" not in os.environ:
        pytest.skip(f"skipped: no data at {folder}")
    return folder


@pytest.fixture
def clip() -> Path:
    """Return the CC BY clip."""
    path = DATA / "video" / "one-by-one-person-detection.mp4"
    if not path.is_file() and "SHOUWANG_DATA" not in os.environ:
        pytest.skip(f"skipped: no data at {path}")
    return path


def picture(width: int = 320, height: int = 180, *, shade: int = 90, seed: int = 3) -> Picture:
    """Return a still picture with some texture and colour."""
    chance = np.random.default_rng(seed)
    luma = np.clip(shade + chance.normal(0, 12, (height, width)), 0, 255).astype(np.uint8)
    half = (height // 2, width // 2)
    return Picture(luma, np.full(half, 110, np.uint8), np.full(half, 140, np.uint8))


def plan(**of_zone: object) -> Plan:
    """Return a plan with one zone: the middle of the picture."""
    polygon = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))
    return Plan(zones=(Zone(**{"id": "z", "polygon": polygon, **of_zone}),))  # type: ignore[arg-type]
