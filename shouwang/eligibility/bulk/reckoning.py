"""Arithmetic and comparison of a stretch of numbers, exact or between bounds: what `values.py` does with one, done with many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from shouwang.eligibility.bulk.chunks import Bools, Chunk, Number, Pair, pair_of
from shouwang.eligibility.bulk.columns import Array
from shouwang.eligibility.form import Arith, Const, Fact, Node
from shouwang.eligibility.values import TURNED

MODERATE = 1e-6
UFUNCS: dict[str, Callable[..., Any]] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal,
}
SUMS: dict[str, Callable[..., Any]] = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}


def fitted(values: Array, constant: float) -> Any:
    """Return a constant so that comparing `values` with it is exact and, where that can be, without widening them."""
    if values.dtype.kind in "iu":
        return int(constant) if float(constant).is_integer() else np.float64(constant)
    if values.dtype == np.float32 and float(np.float32(constant)) != constant:
        return np.float64(constant)
    return float(constant)


def within(values: Array, begin: Any, end: Any) -> Bools:
    """Return where whole numbers lie from `begin` to `end`, both inclusive, with one comparison: below `begin` wraps round to above `end`."""
    if begin == end:
        found: Bools = values == begin
        return found
    shifted: Bools = (values - values.dtype.type(begin)).view(f"u{values.dtype.itemsize}") <= end - begin
    return shifted


def divided(left: Arith, right: Const, op: str) -> tuple[Node, Node, str]:
    """Return `fact × factor < limit` as `fact < edge`: the edge is the least number whose rounded product reaches the limit, so nothing differs."""
    sides = (left.left, left.right)
    fact, factor = sides if isinstance(sides[0], Fact) else (sides[1], sides[0])
    fits = left.op == "*" and isinstance(fact, Fact) and isinstance(factor, Const) and op in {"<", "<=", ">", ">="}
    if not fits or not isinstance(factor.value, (int, float)) or not MODERATE < factor.value < 1 / MODERATE:  # type: ignore[attr-defined]
        return left, right, op
    reached = np.greater_equal if op in {"<", ">="} else np.greater
    limit, times = float(right.value), float(factor.value)  # type: ignore[attr-defined]
    edge = limit / times
    while reached(edge * times, limit):
        edge = float(np.nextafter(edge, -np.inf))
    while not reached(edge * times, limit):
        edge = float(np.nextafter(edge, np.inf))
    return fact, Const(edge), "<" if op in {"<", "<="} else ">="


def both_known(first: Bools | None, second: Bools | None) -> Bools | None:
    """Return where both are known."""
    if first is None or second is None:
        return first if second is None else second
    return first & second


def settled(low: Array, high: Array, known: Bools | None) -> Number:
    """Return numbers between bounds; what nothing bounds is unknown."""
    open_ = np.isnan(low) | np.isnan(high) | (np.isneginf(low) & np.isposinf(high))
    return Number(low, high, both_known(known, ~open_) if open_.any() else known)


def calculated_many(op: str, first: Number, second: Number) -> Number:
    """Return `first op second` row by row."""
    known = both_known(first.known, second.known)
    if first.high is None and second.high is None:
        if op == "/":
            divides = np.broadcast_to(second.low != 0, np.broadcast(first.low, second.low).shape)
            return Number(np.divide(first.low, np.where(divides, second.low, 1), dtype=np.float64), None, both_known(known, divides))
        return Number(SUMS[op](first.low, second.low, dtype=np.float64), None, known)
    (a, b), (c, d) = ((each.low.astype(np.float64), each.top.astype(np.float64)) for each in (first, second))
    if op in {"+", "-"}:
        return settled(a + c, b + d, known) if op == "+" else settled(a - d, b - c, known)
    if op == "/":
        divides = (c > 0) | (d < 0)
        known = both_known(known, divides)
        c, d = 1 / np.where(divides, d, 1), 1 / np.where(divides, c, 1)
    corners = [_times(x, y) for x in (a, b) for y in (c, d)]
    return settled(np.minimum.reduce(corners), np.maximum.reduce(corners), known)


def _times(first: Array, second: Array) -> Array:
    return np.where((first == 0) | (second == 0), 0.0, first * second)


def applied_many(name: str, numbers: Sequence[Number]) -> Number:
    """Return `min`, `max`, `abs`, `round`, `floor` or `ceil` row by row."""
    known: Bools | None = None
    for each in numbers:
        known = both_known(known, each.known)
    exact = all(each.high is None for each in numbers)
    numbers = [Number(each.low.astype(np.float64), each.top.astype(np.float64), None) for each in numbers]
    if name in {"min", "max"}:
        pick = np.minimum if name == "min" else np.maximum
        low = reduce(pick, [each.low for each in numbers])
        return Number(low, None, known) if exact else settled(low, reduce(pick, [each.top for each in numbers]), known)
    turn = ONE_NUMBER[name]
    first = numbers[0]
    if exact:
        return Number(turn(first.low), None, known)
    if name == "abs":
        least = np.where((first.low <= 0) & (first.top >= 0), 0.0, np.minimum(abs(first.low), abs(first.top)))
        return settled(least, np.maximum(abs(first.low), abs(first.top)), known)
    return settled(turn(first.low), turn(first.top), known)


ONE_NUMBER: dict[str, Callable[[Any], Any]] = {
    "abs": np.abs, "floor": np.floor, "ceil": np.ceil, "round": lambda x: np.copysign(np.floor(np.abs(x) + 0.5), x),
}


def compared_many(op: str, first: Number, second: Number) -> Pair:
    """Return where `first op second` holds and where it does not."""
    known = both_known(first.known, second.known)
    if first.high is None and second.high is None:
        holds = UFUNCS[op](first.low, second.low)
        return pair_of(holds, None) if known is None else pair_of(holds & known, ~holds & known)
    if op in {">", ">="}:
        op, first, second = TURNED[op], second, first
    if op in {"==", "!="}:
        same = (first.low == first.top) & (second.low == second.top) & (first.low == second.low)
        apart = (first.top < second.low) | (second.top < first.low)
        holds, fails = (same, apart) if op == "==" else (apart, same)
    else:
        holds, fails = UFUNCS[op](first.top, second.low), ~UFUNCS[op](first.low, second.top)
    return pair_of(holds, fails) if known is None else pair_of(holds & known, fails & known)


def chosen_many(chunk: Chunk, test: Pair, then: Number, other: Number) -> Number:
    """Return `then` where the test holds, `other` where it does not, and what lies between both where it is open."""
    holds, fails = chunk.unpacked(test)
    low = np.where(holds, then.low, np.where(fails, other.low, np.minimum(then.low, other.low)))
    high = np.where(holds, then.top, np.where(fails, other.top, np.maximum(then.top, other.top)))
    if then.known is None and other.known is None:
        return Number(low, high, None)
    one, two = (np.ones(len(chunk), bool) if each.known is None else each.known for each in (then, other))
    return Number(low, high, np.where(holds, one, np.where(fails, two, one & two)))
