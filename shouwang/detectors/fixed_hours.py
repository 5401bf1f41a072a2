"""No water at all in a fixed number of hours, the same for everybody: the rule in service in Zhuhai (12 hours), and the baseline."""

from __future__ import annotations

from shouwang.detectors.contract import Columns, Finding, Params, State
from shouwang.detectors.rolling import judge_window, move_readings

NAME = "fixed_hours"
VERSION = 1
PARAMS: Params = {"window_h": 12, "low_l": 0.5, "max_gap_h": 6, "grid_min": 10, "low_severity": 2}
take_streams = move_readings


def judge(
    columns: Columns, state: State, *, now_us: int, watermark_us: int, params: Params,
) -> tuple[State, list[Finding]]:
    """Return the findings of the fixed hours up to the watermark, and the state after it."""
    del now_us
    return judge_window(columns, state, watermark_us=watermark_us, params={**PARAMS, **params})
