"""The states of an activity and what leads from one to another, as a table. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from shouwang.activities.rules.errors import MoveRefused
from shouwang.kernel.texts import Text

State = Literal["PLANNED", "OPEN", "RUNNING", "ENDED", "CANCELLED"]
Move = Literal["OPEN", "START", "END", "CANCEL", "REOPEN"]

STATES: Mapping[State, Text] = {
    "PLANNED": Text("筹备中", "planned"),
    "OPEN": Text("已发布", "open"),
    "RUNNING": Text("进行中", "running"),
    "ENDED": Text("已结束", "ended"),
    "CANCELLED": Text("已取消", "cancelled"),
}
MOVES: Mapping[Move, Text] = {
    "OPEN": Text("发布", "open it"),
    "START": Text("开始", "start it"),
    "END": Text("结束", "end it"),
    "CANCEL": Text("取消活动", "cancel it"),
    "REOPEN": Text("重新打开", "reopen it"),
}
TABLE: Mapping[tuple[State, Move], State] = {
    ("PLANNED", "OPEN"): "OPEN",
    ("PLANNED", "CANCEL"): "CANCELLED",
    ("OPEN", "START"): "RUNNING",
    ("OPEN", "CANCEL"): "CANCELLED",
    ("RUNNING", "END"): "ENDED",
    ("RUNNING", "CANCEL"): "CANCELLED",
    ("ENDED", "REOPEN"): "RUNNING",
    ("CANCELLED", "REOPEN"): "PLANNED",
}
REASONS: Mapping[str, Text] = {
    "WEATHER": Text("天气原因", "the weather"),
    "PLACE": Text("场地不可用", "the place is not available"),
    "STAFF": Text("人员调整", "staff"),
    "TOO_FEW": Text("报名人数不足", "too few people signed up"),
    "EMERGENCY": Text("突发事件", "an emergency"),
    "OTHER": Text("其他原因", "another reason"),
}
"""Why an activity is cancelled; what is written beside the code stays in the table."""


def after(activity_id: int, state: State, move: Move) -> State:
    """Return the state that `move` leads to from `state`. Raises MoveRefused."""
    require(activity_id, state, *(known for known, each in TABLE if each == move), doing=MOVES[move])
    return TABLE[state, move]


def moves_from(state: State) -> tuple[Move, ...]:
    """Return what may be done with an activity in `state`, in the order of the table."""
    return tuple(move for known, move in TABLE if known == state)


def require(activity_id: int, state: State, *expected: State, doing: Text) -> None:
    """Raise MoveRefused unless `state` is one of `expected`."""
    if state not in expected:
        raise MoveRefused(
            activity=activity_id, state=STATES[state].zh, state_en=STATES[state].en, doing=doing.zh, doing_en=doing.en,
            expected="/".join(STATES[each].zh for each in expected), expected_en=" or ".join(STATES[each].en for each in expected),
        )
