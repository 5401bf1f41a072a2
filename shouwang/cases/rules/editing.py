"""Changing a procedure's minutes and its way of dispatch, as a form sends them; its steps and evidence stay. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from shouwang.cases.rules.procedures import Procedure, ProcedureInvalid, Rung, Step, check

LONGEST_MINUTES = 60 * 24 * 60
DISPATCH = ("AUTO", "CONFIRM")


def field_names(procedure: Procedure) -> list[str]:
    """Return the names of everything that may be changed, in the order of the steps."""
    return [name for step in procedure.steps for name in _fields(step)]


def values_of(procedure: Procedure) -> dict[str, str]:
    """Return what a form shows: every field's name and its value as text."""
    found: dict[str, str] = {}
    for step in procedure.steps:
        found |= {
            f"{step.code}.limit": str(step.limit.amount), f"{step.code}.dispatch": step.dispatch, f"{step.code}.repeat": str(step.repeat_minutes),
            **{f"{step.code}.rung.{index}": str(rung.accept_minutes) for index, rung in enumerate(step.rungs)},
        }
    return found


def edited(procedure: Procedure, values: Mapping[str, str]) -> Procedure:
    """Return the procedure with the given values; what is not given stays. Raises ProcedureInvalid with the field that is wrong."""
    changed = msgspec.structs.replace(procedure, steps=tuple(_step(procedure, step, values) for step in procedure.steps))
    check(changed)
    return changed


def _fields(step: Step) -> list[str]:
    return [f"{step.code}.limit", f"{step.code}.dispatch", f"{step.code}.repeat", *(f"{step.code}.rung.{n}" for n in range(len(step.rungs)))]


def _step(procedure: Procedure, step: Step, values: Mapping[str, str]) -> Step:
    def number(name: str, kept: int) -> int:
        return _number(procedure, step, name, values.get(f"{step.code}.{name}"), kept)

    dispatch = values.get(f"{step.code}.dispatch", step.dispatch)
    if dispatch not in DISPATCH:
        raise ProcedureInvalid(procedure=procedure.code, step=step.code, problem=f"派单方式“{dispatch}”不存在 / no way of dispatch is named {dispatch}")
    rungs = tuple(_rung(rung, number(f"rung.{index}", rung.accept_minutes)) for index, rung in enumerate(step.rungs))
    limit = msgspec.structs.replace(step.limit, amount=number("limit", step.limit.amount))
    changes: dict[str, Any] = {"rungs": rungs, "limit": limit, "dispatch": dispatch, "repeat_minutes": number("repeat", step.repeat_minutes)}
    return msgspec.structs.replace(step, **changes)


def _rung(rung: Rung, minutes: int) -> Rung:
    return msgspec.structs.replace(rung, accept_minutes=minutes)


def _number(procedure: Procedure, step: Step, name: str, text: str | None, kept: int) -> int:
    if text is None:
        return kept
    if not (text.strip().isascii() and text.strip().isdigit() and 1 <= int(text) <= LONGEST_MINUTES):
        problem = f"{name} 应为 1 到 {LONGEST_MINUTES} 的整数，现为“{text[:20]}” / {name} must be a whole number from 1 to {LONGEST_MINUTES}, found “{text[:20]}”"
        raise ProcedureInvalid(procedure=procedure.code, step=step.code, problem=problem)
    return int(text)
