"""What may be known of a fact: a value, a range, one of a set, or nothing. Unknown is None and never zero.

Truth is True, False or None (unknown), after Kleene. Arithmetic with an unknown operand is unknown; with ranges it is a range.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from shouwang.eligibility.errors import FactInvalid

Truth = bool | None
MOST_OPTIONS = 64


@dataclass(frozen=True, slots=True)
class Range:
    """A number somewhere from `low` to `high`, both inclusive; either may be infinite."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise FactInvalid(name="range", found=f"{self.low}…{self.high}", expected="min ≤ max")


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few values, it is not known which."""

    options: frozenset[Any]

    def __post_init__(self) -> None:
        if not 0 < len(self.options) <= MOST_OPTIONS:
            raise FactInvalid(name="any", found=f"{len(self.options)}", expected=f"1…{MOST_OPTIONS}")


Known = bool | int | float | str
Value = Known | Range | OneOf | None


def narrowest(low: float, high: float) -> Value:
    """Return the number when `low` and `high` are one, else the range; unknown where nothing bounds it."""
    if math.isnan(low) or math.isnan(high) or (low == -math.inf and high == math.inf):
        return None
    return low if low == high else Range(low, high)


def value_of(given: object) -> Value:
    """Return a value from how cases write it: a plain value, None, `{min, max}`, `{any: […]}`; a date becomes its ISO text."""
    if isinstance(given, Mapping):
        words = {{"最小": "min", "最大": "max", "任一": "any"}.get(str(key), str(key)): each for key, each in given.items()}
        if set(words) == {"any"}:
            options = frozenset(value_of(each) for each in words["any"])
            if len(options) == 1:
                return next(iter(options))
            return None if options == {True, False} and all(isinstance(each, bool) for each in options) else OneOf(options)
        if words and set(words) <= {"min", "max"}:
            return narrowest(_bound(words.get("min"), -math.inf), _bound(words.get("max"), math.inf))
        raise FactInvalid(name="value", found=str(given), expected="{min, max} | {any: […]}")
    if isinstance(given, date):
        return given.isoformat()
    if isinstance(given, float) and math.isnan(given):
        return None
    return given  # type: ignore[return-value]


def _bound(given: Any, without: float) -> float:
    return without if given is None else float(given)


def both(first: Truth, second: Truth) -> Truth:
    """Return whether both hold."""
    if first is False or second is False:
        return False
    return True if first and second else None


def either(first: Truth, second: Truth) -> Truth:
    """Return whether at least one holds."""
    if first or second:
        return True
    return False if first is False and second is False else None


def opposite(truth: Truth) -> Truth:
    """Return whether it does not hold."""
    return None if truth is None else not truth


def truth_of(value: Value) -> Truth:
    """Return a value that is true or false as truth: a set of both is unknown."""
    return value if value is True or value is False else None


def bounds(value: Value) -> tuple[float, float]:
    """Return the least and the greatest a number may be; unknown is not bounded."""
    if value is None:
        return -math.inf, math.inf
    if isinstance(value, Range):
        return value.low, value.high
    if isinstance(value, OneOf):
        return min(value.options), max(value.options)
    return value, value  # type: ignore[return-value]


PLAIN: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
}
TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def compared(op: str, left: Value, right: Value) -> Truth:
    """Return whether `left op right` holds for everything that the two may be; None where it depends."""
    if left is None or right is None:
        return None
    if isinstance(left, OneOf):
        return agreed(compared(op, each, right) for each in left.options)
    if isinstance(right, OneOf):
        return agreed(compared(op, left, each) for each in right.options)
    if not isinstance(left, Range) and not isinstance(right, Range):
        return PLAIN[op](left, right)
    return _ranges_compared(op, bounds(left), bounds(right))


def agreed(truths: Any) -> Truth:
    """Return the truth that all share; None where they differ."""
    seen = set(truths)
    return seen.pop() if len(seen) == 1 else None


def _ranges_compared(op: str, left: tuple[float, float], right: tuple[float, float]) -> Truth:
    if op in {">", ">="}:
        return _ranges_compared(TURNED[op], right, left)
    if op == "!=":
        return opposite(_ranges_compared("==", left, right))
    if op == "==":
        return False if left[1] < right[0] or right[1] < left[0] else None
    holds = PLAIN[op]
    if holds(left[1], right[0]):
        return True
    return None if holds(left[0], right[1]) else False


def calculated(op: str, left: Value, right: Value) -> Value:
    """Return `left op right` for + - * /; unknown where an operand is, or where the divisor may be zero."""
    if left is None or right is None:
        return None
    if not isinstance(left, (Range, OneOf)) and not isinstance(right, (Range, OneOf)):
        return None if op == "/" and right == 0 else SUMS[op](left, right)
    return _ranges_calculated(op, bounds(left), bounds(right))


SUMS: dict[str, Callable[[Any, Any], float]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
}


def _ranges_calculated(op: str, left: tuple[float, float], right: tuple[float, float]) -> Value:
    (a, b), (c, d) = left, right
    if op in {"+", "-"}:
        return narrowest(a + c, b + d) if op == "+" else narrowest(a - d, b - c)
    if op == "/":
        if c <= 0 <= d:
            return None
        c, d = 1 / d, 1 / c
    corners = [_times(x, y) for x in (a, b) for y in (c, d)]
    return narrowest(min(corners), max(corners))


def _times(first: float, second: float) -> float:
    return 0.0 if first == 0 or second == 0 else first * second


def rounded(number: float) -> float:
    """Return the nearest whole number, halves away from zero, as an office rounds yuan."""
    return math.copysign(math.floor(abs(number) + 0.5), number) if math.isfinite(number) else number


ONE_NUMBER: dict[str, Callable[[float], float]] = {"round": rounded, "floor": math.floor, "ceil": math.ceil}


def applied(name: str, values: list[Value]) -> Value:
    """Return `min`, `max`, `abs`, `round`, `floor` or `ceil` of values; unknown where one of them is."""
    if any(value is None for value in values):
        return None
    ranges = [bounds(value) for value in values]
    if name in {"min", "max"}:
        pick = min if name == "min" else max
        return narrowest(pick(low for low, _ in ranges), pick(high for _, high in ranges))
    low, high = ranges[0]
    if name == "abs":
        least = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
        return narrowest(least, max(abs(low), abs(high)))
    turn = ONE_NUMBER[name]
    return narrowest(*(turn(each) if math.isfinite(each) else each for each in (low, high)))


def hull(first: Value, second: Value) -> Value:
    """Return what is known when it is either `first` or `second`."""
    if first is None or second is None:
        return None
    if first == second:
        return first
    plain = all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in (first, second))
    if plain or isinstance(first, Range) or isinstance(second, Range):
        (a, b), (c, d) = bounds(first), bounds(second)
        return narrowest(min(a, c), max(b, d))
    options = frozenset().union(*(each.options if isinstance(each, OneOf) else {each} for each in (first, second)))
    return OneOf(options) if len(options) <= MOST_OPTIONS else None
