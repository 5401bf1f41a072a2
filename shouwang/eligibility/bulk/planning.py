"""Turns a program into steps over registers, each distinct node once. A step reads a chunk of rows and what earlier steps left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from shouwang.eligibility.bulk import reckoning
from shouwang.eligibility.bulk.chunks import Chunk, Number, Pair, every, masked, opposite_of, pair_of, some
from shouwang.eligibility.bulk.columns import Column
from shouwang.eligibility.errors import EligibilityError
from shouwang.eligibility.form import (
    BOOLEAN,
    NUMBER,
    TEXT,
    All,
    Among,
    AmountOf,
    AnyOf,
    Arith,
    Call,
    Compare,
    Const,
    Fact,
    If,
    Node,
    Not,
    Over,
    Param,
    Ref,
    parts,
)
from shouwang.eligibility.library import Program
from shouwang.eligibility.values import applied, calculated, compared

Registers = list[Any]
Step = Callable[[Chunk, Registers], Any]
ROWS = 131_072


def folded(node: Node) -> Node:
    """Return the node with what depends on constants alone reckoned."""
    if isinstance(node, Param):
        return Const(node.value)
    if not isinstance(node, (Arith, Call)):
        return node
    inside = [folded(each) for each in parts(node)]
    if all(isinstance(each, Const) for each in inside):
        values = [getattr(each, "value", None) for each in inside]
        return Const(calculated(node.op, *values) if isinstance(node, Arith) else applied(node.name, values))
    return Arith(node.op, *inside) if isinstance(node, Arith) else Call(node.name, tuple(inside))


class NotForBulk(EligibilityError):
    """A condition that the bulk back end does not decide."""

    zh = "成批判定不支持{what}；请改写这一条。"
    en = "The bulk back end does not decide {what}; rewrite this line."


@dataclass
class Plan:
    """Steps in order, and in which register each node ends. The plan of what stands inside `any(…)` has the plan around it as `outer`."""

    program: Program
    outer: Plan | None = None
    steps: list[Step] = field(default_factory=list)
    places: dict[Any, int] = field(default_factory=dict)

    def add(self, key: Any, step: Step) -> int:
        """Put a step at the end and return its register."""
        self.steps.append(step)
        self.places[key] = len(self.steps) - 1
        return self.places[key]

    def run(self, chunk: Chunk) -> Registers:
        """Return all registers after the steps have passed over a chunk."""
        registers: Registers = []
        for step in self.steps:
            registers.append(step(chunk, registers))
        return registers

    def kind(self, node: Node) -> str | None:
        """Return the kind of a node."""
        if isinstance(node, Fact):
            return (self.program.member_kinds if node.of_member else self.program.kinds).get(node.name)
        if isinstance(node, (Const, Param)):
            return BOOLEAN if isinstance(node.value, bool) else TEXT if isinstance(node.value, str) else None if node.value is None else NUMBER
        if isinstance(node, Ref):
            return BOOLEAN if node.name in self.program.policies else self.kind(self.program.node(node.name))
        if isinstance(node, If):
            return self.kind(node.then) or self.kind(node.other)
        if isinstance(node, Over):
            return BOOLEAN if node.kind in {"any", "all"} else NUMBER
        return BOOLEAN if isinstance(node, (All, AnyOf, Not, Compare, Among)) else NUMBER

    def truth(self, node: Node) -> int:
        """Return the register of a truth."""
        key = "truth", node
        if key in self.places:
            return self.places[key]
        if isinstance(node, Ref):
            if self.outer is not None:
                return self.add(key, partial(_of_household, self.outer.truth(node)))
            self.places[key] = self.truth(self.program.node(node.name))
            return self.places[key]
        return self.add(key, TRUTHS[type(node)](self, node))

    def compare_step(self, node: Compare) -> Step:
        """Return the step of a comparison: of a number with a constant, of texts, of truths, or of any two numbers."""
        kinds = {self.kind(node.left), self.kind(node.right)}
        if BOOLEAN in kinds:
            return partial(_same_truth, node.op == "==", self.truth(node.left), self.truth(node.right))
        if TEXT in kinds:
            return self.text_step(node)
        left, right = folded(node.left), folded(node.right)
        if isinstance(left, Const) and isinstance(right, Const):
            return partial(_constant, compared(node.op, left.value, right.value))
        if isinstance(left, Arith) and isinstance(right, Const) and right.value is not None:
            left, right, op = reckoning.divided(left, right, node.op)
        else:
            op = node.op
        if isinstance(left, Fact) and isinstance(right, Const) and right.value is not None:
            return partial(_against, left, op, right.value)
        return partial(_compared, op, self.number(left), self.number(right))

    def text_step(self, node: Compare) -> Step:
        """Return the step of a comparison of texts."""
        for side in (node.left, node.right):
            if not isinstance(side, (Fact, Const, Param)):
                raise NotForBulk(what=f"{type(side).__name__} (text)")
        if node.op in {"==", "!="} and isinstance(node.left, Fact) and isinstance(node.right, (Const, Param)) and node.right.value is not None:
            equal = self.truth(Among(node.left, (Const(node.right.value),)))
            return partial(_joined, every, [equal]) if node.op == "==" else partial(_turned, equal)
        return partial(_texts, node.op, node.left, node.right)

    def among_step(self, node: Among) -> Step:
        """Return the step of a membership."""
        values = [each.value for each in node.options if isinstance(each, (Const, Param))]
        if isinstance(node.item, Fact) and len(values) == len(node.options) and None not in values and not any(isinstance(each, bool) for each in values):
            return partial(_among, node.item, values)
        return partial(_joined, some, [self.truth(Compare("==", node.item, each)) for each in node.options])

    def number(self, node: Node) -> int:
        """Return the register of a number."""
        node = folded(node)
        key = "number", node
        if key in self.places:
            return self.places[key]
        if isinstance(node, Ref):
            if self.outer is not None:
                return self.add(key, partial(_number_of_household, self.outer.number(node)))
            self.places[key] = self.number(self.program.node(node.name))
            return self.places[key]
        return self.add(key, NUMBERS.get(type(node), _no_number)(self, node))

    def amount_step(self, node: AmountOf) -> Step:
        """Return the step of a policy's amount: nothing where it does not hold, up to it where that is open."""
        if self.outer is not None:
            return partial(_number_of_household, self.outer.number(node))
        due = self.program.policies[node.name].amount
        return partial(_chosen_number, self.truth(Ref(node.name)), self.number(Const(None) if due is None else due), self.number(Const(0)))

    def over_step(self, node: Over) -> Step:
        """Return the step of what is counted over members."""
        inner = Plan(self.program, outer=self)
        place = None
        if node.item is not None:
            place = inner.number(node.item) if node.kind == "sum" else inner.truth(node.item)
        return partial(_over, node.kind, inner, place)


def _joined(join: Callable[[Sequence[Pair]], Pair], places: Sequence[int], _: Chunk, registers: Registers) -> Pair:
    return join([registers[place] for place in places])


def _turned(place: int, _: Chunk, registers: Registers) -> Pair:
    return opposite_of(registers[place])


def _constant(truth: bool | None, chunk: Chunk, _: Registers) -> Pair:
    return chunk.constant(truth)


def _fact(node: Fact, chunk: Chunk, _: Registers) -> Pair:
    column = chunk.column(node.name, of_member=node.of_member)
    if column is None:
        return chunk.nothing()
    return masked(np.packbits(column.values), chunk.known_bits(node.name, column, of_member=node.of_member))


def _against(node: Fact, op: str, constant: float, chunk: Chunk, registers: Registers) -> Pair:
    column = chunk.column(node.name, of_member=node.of_member)
    if column is None:
        return chunk.nothing()
    if column.high is not None:
        return reckoning.compared_many(op, _number_fact(node, chunk, registers), _number_constant(constant, chunk, registers))
    bits = np.packbits(reckoning.UFUNCS[op](column.values, reckoning.fitted(column.values, constant)))
    return masked(bits, chunk.known_bits(node.name, column, of_member=node.of_member))


def _among(node: Fact, options: Sequence[Any], chunk: Chunk, registers: Registers) -> Pair:
    column = chunk.column(node.name, of_member=node.of_member)
    if column is None:
        return chunk.nothing()
    if column.high is not None:
        return some([_against(node, "==", each, chunk, registers) for each in options])
    found = np.zeros(0, bool)
    for begin, end in stretches(column, options):
        part = reckoning.within(column.values, begin, end)
        found = np.logical_or(found, part, out=part) if len(found) else part
    bits = np.packbits(found if len(found) else np.zeros(len(chunk), bool))
    return masked(bits, chunk.known_bits(node.name, column, of_member=node.of_member))


def stretches(column: Column, options: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Return the values that are wanted as stretches without a gap, first and last: one comparison does for each."""
    if column.categories is not None:
        wanted: list[Any] = [place for place, text in enumerate(column.categories) if text in options]
    elif column.values.dtype.kind in "iu" and all(float(each).is_integer() for each in options):
        wanted = sorted({int(each) for each in options})
    else:
        return [(each, each) for each in (reckoning.fitted(column.values, each) for each in options)]
    found: list[tuple[int, int]] = []
    for each in wanted:
        if found and found[-1][1] == each - 1:
            found[-1] = found[-1][0], each
        else:
            found.append((each, each))
    return found


def _texts(op: str, left: Node, right: Node, chunk: Chunk, _: Registers) -> Pair:
    """Compare texts by their place in the order of all that occur."""
    sides = [chunk.column(each.name, of_member=each.of_member) if isinstance(each, Fact) else getattr(each, "value", None) for each in (left, right)]
    if any(side is None for side in sides):
        return chunk.nothing()
    texts = sorted({str(text) for side in sides for text in ((side.categories or ()) if isinstance(side, Column) else (side,))})
    places = {text: place for place, text in enumerate(texts)}
    ranks = [
        np.array([places[text] for text in side.categories or ("",)], np.int32)[side.values] if isinstance(side, Column) else places[str(side)]
        for side in sides
    ]
    holds = np.broadcast_to(reckoning.UFUNCS[op](*ranks), len(chunk))
    known = None
    for side in sides:
        known = reckoning.both_known(known, side.known if isinstance(side, Column) else None)
    return pair_of(holds, None) if known is None else pair_of(holds & known, ~holds & known)


def _same_truth(alike: bool, left: int, right: int, _: Chunk, registers: Registers) -> Pair:
    one, two = registers[left], registers[right]
    same = some([every([one, two]), every([opposite_of(one), opposite_of(two)])])
    return same if alike else opposite_of(same)


def _chosen(test: int, then: int, other: int, _: Chunk, registers: Registers) -> Pair:
    test_, then_, other_ = registers[test], registers[then], registers[other]
    return some([every([test_, then_]), every([opposite_of(test_), other_]), every([then_, other_])])


def _compared(op: str, left: int, right: int, _: Chunk, registers: Registers) -> Pair:
    return reckoning.compared_many(op, registers[left], registers[right])


def _number_fact(node: Fact, chunk: Chunk, _: Registers) -> Number:
    column = chunk.column(node.name, of_member=node.of_member)
    if column is None:
        return _number_constant(None, chunk, _)
    return Number(column.values, column.high, column.known)


def _number_constant(value: float | None, chunk: Chunk, _: Registers) -> Number:
    """Return a number that is the same for all rows: one number, not a row of them."""
    return Number(np.float64(0 if value is None else value), None, np.zeros(len(chunk), bool) if value is None else None)  # type: ignore[arg-type]


def _calculated(op: str, left: int, right: int, _: Chunk, registers: Registers) -> Number:
    return reckoning.calculated_many(op, registers[left], registers[right])


def _applied(name: str, places: Sequence[int], _: Chunk, registers: Registers) -> Number:
    return reckoning.applied_many(name, [registers[place] for place in places])


def _chosen_number(test: int, then: int, other: int, chunk: Chunk, registers: Registers) -> Number:
    return reckoning.chosen_many(chunk, registers[test], registers[then], registers[other])


def _of_household(place: int, chunk: Chunk, _: Registers) -> Pair:
    assert chunk.outer is not None
    holds, fails = chunk.outer.unpacked(chunk.registers[place])
    return pair_of(holds[chunk.owner], fails[chunk.owner])


def _number_of_household(place: int, chunk: Chunk, _: Registers) -> Number:
    number: Number = chunk.registers[place]
    return Number(*(None if each is None else np.broadcast_to(each, len(chunk.outer or ()))[chunk.owner] for each in number))  # type: ignore[arg-type]


def _over(kind: str, inner: Plan, place: int | None, chunk: Chunk, registers: Registers) -> Pair | Number:
    members = chunk.table.members
    if members is None:
        return chunk.nothing() if kind in {"any", "all"} else _number_constant(None, chunk, registers)
    inside = chunk.of_members(members, registers)
    known = None if members.known is None else members.known[chunk.begin:chunk.end]
    found: Pair | Number = OVER[kind](chunk, inside, inner.run(inside)[place] if place is not None else None, known)
    return found


def _tally(chunk: Chunk, inside: Chunk, weights: Any) -> Any:
    """Return the sum of the weights of each household's members; without weights, how many there are."""
    each = None if weights is None else np.broadcast_to(weights, len(inside))
    return np.bincount(inside.owner if inside.owner is not None else [], weights=each, minlength=len(chunk))


def _any_over(chunk: Chunk, inside: Chunk, pair: Pair, known: Any) -> Pair:
    holds, fails = inside.unpacked(pair)
    one, none = _tally(chunk, inside, holds) > 0, _tally(chunk, inside, ~fails) == 0
    return pair_of(one, none) if known is None else pair_of(one & known, none & known)


def _all_over(chunk: Chunk, inside: Chunk, pair: Pair, known: Any) -> Pair:
    return opposite_of(_any_over(chunk, inside, opposite_of(pair), known))


def _count_over(chunk: Chunk, inside: Chunk, pair: Pair | None, known: Any) -> Number:
    if pair is None:
        return Number(_tally(chunk, inside, None).astype(np.float64), None, known)
    holds, fails = inside.unpacked(pair)
    return Number(_tally(chunk, inside, holds), _tally(chunk, inside, ~fails), known)


def _sum_over(chunk: Chunk, inside: Chunk, number: Number, known: Any) -> Number:
    if number.known is not None:
        known = reckoning.both_known(known, _tally(chunk, inside, ~number.known) == 0)
    low = _tally(chunk, inside, number.low)
    return Number(low, None, known) if number.high is None else reckoning.settled(low, _tally(chunk, inside, number.high), known)


OVER: dict[str, Callable[..., Any]] = {"any": _any_over, "all": _all_over, "count": _count_over, "sum": _sum_over}
TRUTHS: dict[type[Node], Callable[[Plan, Any], Step]] = {
    All: lambda plan, node: partial(_joined, every, [plan.truth(each) for each in node.items]),
    AnyOf: lambda plan, node: partial(_joined, some, [plan.truth(each) for each in node.items]),
    Not: lambda plan, node: partial(_turned, plan.truth(node.item)),
    Compare: Plan.compare_step, Among: Plan.among_step, Over: Plan.over_step, Fact: lambda _, node: partial(_fact, node),
    If: lambda plan, node: partial(_chosen, plan.truth(node.test), plan.truth(node.then), plan.truth(node.other)),
    Const: lambda _, node: partial(_constant, node.value), Param: lambda _, node: partial(_constant, node.value),
}
NUMBERS: dict[type[Node], Callable[[Plan, Any], Step]] = {
    Fact: lambda _, node: partial(_number_fact, node), AmountOf: Plan.amount_step, Over: Plan.over_step,
    Const: lambda _, node: partial(_number_constant, node.value), Param: lambda _, node: partial(_number_constant, node.value),
    Arith: lambda plan, node: partial(_calculated, node.op, plan.number(node.left), plan.number(node.right)),
    Call: lambda plan, node: partial(_applied, node.name, [plan.number(each) for each in node.args]),
    If: lambda plan, node: partial(_chosen_number, plan.truth(node.test), plan.number(node.then), plan.number(node.other)),
}


def _no_number(_: Plan, node: Node) -> Step:
    raise NotForBulk(what=type(node).__name__)
