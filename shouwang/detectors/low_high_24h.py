"""Under 10 L or over 1,000 L of water in 24 hours: the rule in service in Liaocheng (Liaocheng Daily, 173 elderly on file)."""

from __future__ import annotations

from shouwang.detectors.contract import Columns, Finding, Params, State
from shouwang.detectors.rolling import judge_window, move_readings

NAME = "low_high_24h"
VERSION = 1
PARAMS: Params = {"window_h": 24, "low_l": 10, "high_l": 1000, "max_gap_h": 6, "grid_min": 10, "low_severity": 3}
take_streams = move_readings


def judge(
    columns: Columns, state: State, *, now_us: int, watermark_us: int, params: Params,
) -> tuple[State, list[Finding]]:
    """Return the findings of the 24-hour rule up to the watermark, and the state after it."""
    del now_us
    return judge_window(columns, state, watermark_us=watermark_us, params={**PARAMS, **params})
