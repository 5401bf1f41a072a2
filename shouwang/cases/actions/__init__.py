"""Writes of cases: opening, handling, the ladder, and control from the desk."""

from shouwang.cases.actions.answers import answer
from shouwang.cases.actions.contacts import take_answer
from shouwang.cases.actions.control import (
    add_note,
    ask_correction,
    close,
    extend,
    false_alarm,
    hand_over,
    merge,
    reopen,
    resume,
    split,
    suspend,
    withdraw,
)
from shouwang.cases.actions.handling import accept, arrive, complete
from shouwang.cases.actions.handover import give_shift, take_shift, withdraw_shift
from shouwang.cases.actions.ladder import dispatch, escalate, remind, task_due
from shouwang.cases.actions.opening import NewCase, OpenedCases, open_case, open_cases
from shouwang.cases.actions.publishing import inherit_procedure, publish_procedure
from shouwang.cases.actions.raising import raise_case

__all__ = [
    "NewCase",
    "OpenedCases",
    "accept",
    "add_note",
    "answer",
    "arrive",
    "ask_correction",
    "close",
    "complete",
    "dispatch",
    "escalate",
    "extend",
    "false_alarm",
    "give_shift",
    "hand_over",
    "inherit_procedure",
    "merge",
    "open_case",
    "open_cases",
    "publish_procedure",
    "raise_case",
    "remind",
    "reopen",
    "resume",
    "split",
    "suspend",
    "take_answer",
    "take_shift",
    "task_due",
    "withdraw",
    "withdraw_shift",
]
