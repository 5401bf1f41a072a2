"""The flow: which steps start when one ends, and when a case is done.

A case's step states are a dictionary: a step not in it has not started; "R" ready, "S" skipped, "D:RESULT" done so.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shouwang.cases.rules.procedures import Condition, Procedure, Step
from shouwang.kernel.moments import local

READY, SKIPPED = "R", "S"
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "in": lambda found, wanted: found in wanted,
}


@dataclass(frozen=True)
class Advance:
    """What follows: the new step states, the steps that start, and whether the case is complete."""

    states: dict[str, str]
    started: tuple[Step, ...]
    complete: bool


def done(result: str) -> str:
    """Return the state of a step that ended with `result`."""
    return "D:" + result


def is_done(state: str | None) -> bool:
    """Return whether the state is that of a step somebody did."""
    return state is not None and state.startswith("D")


def is_ended(state: str | None) -> bool:
    """Return whether the state is final: done or skipped."""
    return state is not None and state != READY


def results_as_facts(states: Mapping[str, str]) -> dict[str, str]:
    """Return each done step's result as the fact `<step>.result`."""
    return {f"{code}.result": state[2:] for code, state in states.items() if is_done(state)}


def holds(condition: Condition, facts: Mapping[str, Any]) -> bool:
    """Return whether `condition` is true of the facts; an unknown fact makes it false."""
    found = facts.get(condition.fact)
    if found is None:
        return False
    try:
        return bool(_OPERATORS[condition.op](found, condition.value))
    except TypeError:
        return False


def depends_on_facts(procedure: Procedure) -> bool:
    """Return whether any step has a condition: without one every case of the procedure goes the same way."""
    return any(step.when for step in procedure.steps)


def advance(procedure: Procedure, states: Mapping[str, str], facts: Mapping[str, Any]) -> Advance:
    """Return what follows from the steps that have ended.

    A step starts when all (or any) of its predecessors have ended and its conditions hold; when they do not hold it is
    skipped. With join ANY a step starts once, after the first predecessor that was done.
    """
    after = dict(states)
    known = {**facts, **results_as_facts(states)}
    started = []
    for step in procedure.steps:
        if step.code in after or not _may_start(step, after):
            continue
        if all(holds(condition, known) for condition in step.when) and _wanted(step, after):
            after[step.code] = READY
            started.append(step)
        else:
            after[step.code] = SKIPPED
    complete = all(is_ended(after.get(step.code)) for step in procedure.steps)
    return Advance(after, tuple(started), complete)


def taken_up_again(procedure: Procedure, states: Mapping[str, str], codes: Collection[str]) -> dict[str, str]:
    """Return the step states with the steps `codes` ready again; what was skipped after them is judged anew."""
    after = dict(states)
    reached = set(codes)
    for step in procedure.steps:
        if step.code in codes:
            after[step.code] = READY
        elif reached & set(step.after):
            reached.add(step.code)
            if after.get(step.code) == SKIPPED:
                del after[step.code]
    return after


def _may_start(step: Step, states: Mapping[str, str]) -> bool:
    if not step.after:
        return True
    ended = [is_ended(states.get(code)) for code in step.after]
    if step.join == "ANY":
        return any(is_done(states.get(code)) for code in step.after) or all(ended)
    return all(ended)


def _wanted(step: Step, states: Mapping[str, str]) -> bool:
    """A step all of whose predecessors were skipped is skipped too."""
    return not step.after or any(is_done(states.get(code)) for code in step.after)


def case_number(opened_at: datetime, case_id: int) -> str:
    """Return the number people quote: the local day and the case's id."""
    return f"{local(opened_at):%Y%m%d}-{case_id:05d}"
