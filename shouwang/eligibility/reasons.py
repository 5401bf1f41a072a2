"""Why a policy holds or does not, and the cheapest change that would turn it, over facts that a household can change."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shouwang.eligibility.form import BOOLEAN, TEXT, All, Among, Compare, Const, Fact, Node, Not, Param, Ref, walk
from shouwang.eligibility.interpret import Explanation, Facts, Judgement, Members, exact
from shouwang.eligibility.library import FactSpec, Program
from shouwang.eligibility.values import Truth, Value

MOST_CHANGES = 3
MOST_TRIALS = 20_000


def reasons(explanation: Explanation) -> list[Explanation]:
    """Return the fewest leaves that by themselves make the outcome what it is; of an undecided one, the leaves that keep it open."""
    return _reasons(explanation, explanation.outcome is True) if explanation.outcome is not None else open_leaves(explanation)


def _reasons(explanation: Explanation, outcome: bool) -> list[Explanation]:
    if not explanation.parts:
        return [explanation]
    if isinstance(explanation.node, (Not, Ref)):
        inner = not outcome if isinstance(explanation.node, Not) else outcome
        return _reasons(explanation.parts[0], inner)
    deciding = [_reasons(part, outcome) for part in explanation.parts if part.outcome is outcome]
    needs_every_part = isinstance(explanation.node, All) == outcome
    return list(itertools.chain.from_iterable(deciding)) if needs_every_part else min(deciding, key=len)


def blocking(explanation: Explanation) -> list[Explanation]:
    """Return the leaves that must change before a policy that does not hold can hold: all failed ones, of 任一 the branch with fewest."""
    return [] if explanation.outcome is True else _blocking(explanation, wanted=True)


def _blocking(explanation: Explanation, *, wanted: bool) -> list[Explanation]:
    if explanation.outcome is wanted:
        return []
    if not explanation.parts:
        return [explanation]
    if isinstance(explanation.node, (Not, Ref)):
        return _blocking(explanation.parts[0], wanted=not wanted if isinstance(explanation.node, Not) else wanted)
    found = [_blocking(part, wanted=wanted) for part in explanation.parts]
    needs_every_part = isinstance(explanation.node, All) == wanted
    return list(itertools.chain.from_iterable(found)) if needs_every_part else min(found, key=len)


def open_leaves(explanation: Explanation) -> list[Explanation]:
    """Return the unknown leaves that still bear on an undecided outcome."""
    if explanation.outcome is not None:
        return []
    if not explanation.parts:
        return [explanation]
    return [leaf for part in explanation.parts for leaf in open_leaves(part)]


@dataclass(frozen=True)
class Change:
    """One fact that would have to be otherwise."""

    fact: str
    now: Value
    to: Any


def what_would_change(
    program: Program, policy: str, facts: Facts, *, members: Members = None, wanted: Truth = True, most: int = MOST_CHANGES,
) -> list[Change] | None:
    """Return the cheapest changes after which the outcome is `wanted`: cost first, then how far; None when `most` changes do not do.

    Only facts that a household can change are moved, within their bounds, and only those already known or asked for here. Each
    answer was verified by deciding it. Empty when the outcome is already so.
    """
    alone = program.only([policy])
    judged = Judgement(alone, facts, members=members)
    if judged.outcome(policy) is wanted:
        return []
    moves = candidates(alone, judged)
    best: Trial | None = None
    for trial in itertools.islice(trials(alone, moves, judged, most=most), MOST_TRIALS):
        if best is not None and (trial.cost, trial.far) >= (best.cost, best.far):
            continue
        if Judgement(alone, {**facts, **trial.values}, members=members).outcome(policy) is wanted:
            best = trial
    return None if best is None else [Change(name, judged.facts.get(name), value) for name, value in best.values.items()]


@dataclass(frozen=True)
class Trial:
    """Values to try for a few facts, what changing them costs and how far they are from now."""

    values: Mapping[str, Any]
    cost: float
    far: float


def trials(program: Program, moves: Mapping[str, list[Any]], judged: Judgement, *, most: int) -> Iterator[Trial]:
    """Yield what may be tried: fewer facts first, of as many the cheaper first."""
    for size in range(1, min(most, len(moves)) + 1):
        groups = sorted(itertools.combinations(moves, size), key=lambda names: sum(spec_of(program, name).cost for name in names))
        for names in groups:
            cost = sum(spec_of(program, name).cost for name in names)
            for values in itertools.product(*(moves[name] for name in names)):
                far = sum(_far(judged.facts.get(name), value) for name, value in zip(names, values, strict=True))
                yield Trial(dict(zip(names, values, strict=True)), cost, far)


def spec_of(program: Program, name: str) -> FactSpec:
    """Return what is said of a fact; of one nobody described, that it can be changed at cost 1."""
    return program.facts.get(name) or FactSpec(name)


def _far(now: Value, value: Any) -> float:
    if isinstance(now, (int, float)) and isinstance(value, (int, float)) and not isinstance(now, bool):
        return abs(value - now) / (abs(now) + 1)
    return 1.0


def candidates(program: Program, judged: Judgement) -> dict[str, list[Any]]:
    """Return for each fact that can change the values worth trying: the other truth, the other options, both sides of each line."""
    found: dict[str, set[Any]] = {}
    for name in program.order:
        for node in walk(program.node(name)):
            for fact, value in moves_of(node, program, judged):
                spec = spec_of(program, fact)
                inside = not isinstance(value, (int, float)) or isinstance(value, bool) or (_or(spec.low, 0) <= value <= _or(spec.high, math.inf))
                if spec.mutable and inside and value != judged.facts.get(fact):
                    found.setdefault(fact, set()).add(value)
    return {fact: sorted(values, key=lambda value: (_far(judged.facts.get(fact), value), str(value))) for fact, values in found.items()}


def _or(value: float | None, without: float) -> float:
    return without if value is None else value


def moves_of(node: Node, program: Program, judged: Judgement) -> Iterator[tuple[str, Any]]:
    """Yield the facts of one node with the values that may turn it."""
    if isinstance(node, Fact) and not node.of_member:
        if program.kinds.get(node.name) == BOOLEAN:
            yield from ((node.name, True), (node.name, False))
        yield from ((node.name, choice) for choice in spec_of(program, node.name).choices)
    elif isinstance(node, Among) and isinstance(node.item, Fact):
        yield from ((node.item.name, each.value) for each in node.options if isinstance(each, Const) and each.value is not None)
    elif isinstance(node, Compare):
        for side in (node.left, node.right):
            other = node.right if side is node.left else node.left
            if isinstance(side, Fact) and isinstance(other, (Const, Param)) and isinstance(other.value, str):
                yield side.name, other.value
        yield from lines_of(node, judged)


def lines_of(node: Compare, judged: Judgement) -> Iterator[tuple[str, float]]:
    """Yield for each number of a comparison the values around its line, where the two sides are straight in that number."""
    names = {each.name for each in walk(node) if isinstance(each, Fact) and not each.of_member}
    for name in sorted(names):
        if judged.program.kinds.get(name) in {BOOLEAN, TEXT} or not spec_of(judged.program, name).mutable:
            continue
        points = [_difference(node, judged, name, x) for x in (0.0, 1.0, 2.0)]
        if None in points:
            continue
        first, second, third = points
        slope = second - first  # type: ignore[operator]
        if slope == 0 or not math.isclose(third - second, slope, rel_tol=1e-9):  # type: ignore[operator]
            continue
        line = -first / slope  # type: ignore[operator]
        whole = round(line)
        yield from ((name, value) for value in ((whole - 1, whole, whole + 1) if math.isclose(line, whole, abs_tol=1e-9) else (math.floor(line), math.ceil(line))))


def _difference(node: Compare, judged: Judgement, name: str, value: float) -> float | None:
    """Return the left side less the right one when a fact is `value`."""
    facts: Mapping[str, Any] = {**judged.facts, name: value}
    trial = Judgement(judged.program, {}, members=None)
    trial.facts, trial.members = dict(facts), judged.members
    left, right = trial.value(node.left), trial.value(node.right)
    if not exact(left) or not exact(right) or isinstance(left, (str, bool)) or isinstance(right, (str, bool)):
        return None
    return float(left) - float(right)  # type: ignore[arg-type]
