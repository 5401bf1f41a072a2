"""Runs test cases of a policy file: known facts of one household on one day, and what each policy must say of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from shouwang.eligibility.errors import EligibilityError
from shouwang.eligibility.interpret import Judgement, exact
from shouwang.eligibility.library import Library
from shouwang.eligibility.values import Value, bounds, truth_of, value_of
from shouwang.eligibility.words import day, read_yaml, wrong

SAME = {"名称": "name", "日期": "at", "地区": "area", "事实": "facts", "成员": "members", "应为": "expect"}
TOLERANCE = 0.005


@dataclass(frozen=True)
class Case:
    """One household on one day and what is expected of it."""

    name: str
    at: date
    facts: Mapping[str, Any]
    members: Sequence[Mapping[str, Any]] | None
    expect: Mapping[str, Any]
    area: Sequence[str] = ()


@dataclass(frozen=True)
class Difference:
    """Something that came out otherwise than a case expects."""

    case: str
    what: str
    expected: Any
    got: Any


def cases_of(text: str) -> list[Case]:
    """Return the cases of a YAML text. Raises OutlineInvalid."""
    given = read_yaml(text, where="cases")
    if not isinstance(given, list):
        wrong("cases", (f"{type(given).__name__}", f"{type(given).__name__}"), ("案例的列表", "a list of cases"))
    return [_case(each, n) for n, each in enumerate(given)]


def _case(given: Any, n: int) -> Case:
    where = f"cases › {n + 1}"
    if not isinstance(given, Mapping):
        wrong(where, (f"{given!r}", f"{given!r}"), ("name, at, facts, expect", "name, at, facts, expect"))
    found = {SAME.get(str(key), str(key)): value for key, value in given.items()}
    at = day(found.get("at"), where=f"{where} › at")
    if at is None:
        wrong(where, ("没有日期 at", "no day at"), ("判定的日期", "the day to decide at"))
    area = found.get("area") or ()
    path = [part for part in area.split("/") if part] if isinstance(area, str) else [str(part) for part in area]
    return Case(str(found.get("name", n + 1)), at, found.get("facts") or {}, found.get("members"), found.get("expect") or {}, path)


def differences(library: Library, cases: Sequence[Case]) -> list[Difference]:
    """Return everything in which the library decides otherwise than the cases expect."""
    return [difference for case in cases for difference in _of_case(library, case)]


def _of_case(library: Library, case: Case) -> list[Difference]:
    try:
        judged = Judgement(library.at(case.at, case.area), case.facts, members=case.members)
        got = {what: _got(judged, what) for what in case.expect}
    except EligibilityError as error:
        return [Difference(case.name, "", dict(case.expect), error.text("en"))]
    expected = {what: value_of(each) for what, each in case.expect.items()}
    return [Difference(case.name, what, each, got[what]) for what, each in expected.items() if not alike(each, got[what])]


def _got(judged: Judgement, what: str) -> Value:
    """Return what was decided of `policy`, `policy.amount` or a definition."""
    name, dot, last = what.rpartition(".")
    if dot and last in {"amount", "金额"} and name in judged.program.policies:
        return judged.amount(name)
    if what in judged.program.definitions:
        return judged.named(what)
    return truth_of(judged.outcome(judged.program.ruling(what).name))


def alike(expected: Value, got: Value) -> bool:
    """Return whether two values are the same, numbers to half a cent; null expects that nothing is known exactly."""
    if expected is None:
        return not exact(got)
    if isinstance(expected, (bool, str)) or not exact(expected):
        return expected == got if exact(expected) else got is not None and bounds(expected) == bounds(got)
    return exact(got) and not isinstance(got, (bool, str)) and math.isclose(float(expected), float(got), abs_tol=TOLERANCE)  # type: ignore[arg-type]
