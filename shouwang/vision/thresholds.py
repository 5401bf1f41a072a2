"""The numbers the pipeline decides by, from `thresholds.json`: chosen on seeds for choosing, then frozen before any judged seed is drawn."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

PATH = Path(__file__).with_name("thresholds.json")


class Light(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds of one light, day or night."""

    high: float
    """A person this sure begins a track."""
    low: float
    """A person this sure continues one."""
    confirm: float
    """The second detector agrees from here on."""
    sure: float
    """The first detector this sure of somebody inside needs no second; above 1 never."""
    heights_in_square: float
    """Side of a looked-at square in heights of a person."""
    across: int
    """Squares of one input, in each direction."""


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """All of them; units are in the names, `_share` of the picture's height or area, `_px` of the small grey picture."""

    gate_width: int
    gate_floor: float
    gate_times_usual: float
    gate_rate: float
    gate_least_px: int
    gate_flood_share: float
    day: Light
    night: Light
    night_below_luma: float
    night_chroma: float
    person_share: float
    squares_most: int
    sweep_s: float
    hits: int
    inside_of: tuple[int, int]
    rearm_s: float
    check_after_s: float
    check_least: float
    lost_after_s: float
    near_heights: float


@cache
def thresholds() -> Thresholds:
    """Return the frozen thresholds."""
    return msgspec.json.decode(PATH.read_bytes(), type=Thresholds)
