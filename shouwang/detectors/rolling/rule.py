"""What the rolling rules find, and their parameters in microseconds and litres."""

from __future__ import annotations

from dataclasses import dataclass

from shouwang.detectors.contract import Int64s, Params

LOW = "WATER_LOW_USE"
HIGH = "WATER_HIGH_USE"
NO_DATA = "WATER_NO_DATA"

HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000
PAD_US = 1 << 62
NEVER_US = 1 << 62
MAX_WINDOW_H = 744


@dataclass(frozen=True)
class Rule:
    """The parameters in microseconds and litres; `high_l` infinite means there is no upper rule."""

    window_us: int
    gap_us: int
    grid_us: int
    low_l: float
    high_l: float
    low_severity: int

    @classmethod
    def of(cls, params: Params) -> Rule:
        """Return the rule of `params`. Raises ValueError for a window that is no multiple of the grid or too long."""
        window_us, grid_us = int(params["window_h"] * HOUR_US), int(params["grid_min"] * MINUTE_US)
        if grid_us <= 0 or window_us % grid_us or not 0 < params["window_h"] <= MAX_WINDOW_H:
            message = f"window_h {params['window_h']} must be at most {MAX_WINDOW_H} and a multiple of grid_min {params['grid_min']}"
            raise ValueError(message)
        high_l = float(params.get("high_l", float("inf")))
        return cls(window_us, int(params["max_gap_h"] * HOUR_US), grid_us, params["low_l"], high_l, int(params["low_severity"]))

    def up(self, at_us: Int64s) -> Int64s:
        """Return the first grid moments at or after `at_us`."""
        return -(-at_us // self.grid_us) * self.grid_us

    def after(self, at_us: Int64s) -> Int64s:
        """Return the first grid moments after `at_us`."""
        return (at_us // self.grid_us + 1) * self.grid_us
