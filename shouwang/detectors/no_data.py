"""A meter that has stopped sending: its own finding with its own ticket, and never a word about use."""

from __future__ import annotations

from shouwang.detectors.contract import Columns, Finding, Params, State
from shouwang.detectors.rolling import NO_DATA, judge_window, move_readings

NAME = "no_data"
VERSION = 1
PARAMS: Params = {"max_gap_h": 6, "grid_min": 10}
NO_RULE: Params = {"window_h": 1, "low_l": -1, "low_severity": 1}
take_streams = move_readings


def judge(
    columns: Columns, state: State, *, now_us: int, watermark_us: int, params: Params,
) -> tuple[State, list[Finding]]:
    """Return which meters fell silent or came back up to the watermark, and the state after it."""
    del now_us
    state, found = judge_window(columns, state, watermark_us=watermark_us, params={**PARAMS, **params, **NO_RULE})
    return state, [finding for finding in found if finding.kind == NO_DATA]
