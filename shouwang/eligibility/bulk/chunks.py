"""A stretch of rows while it is being decided, and how truth and numbers are held there.

Truth is a pair of packed bits (holds, does not hold); the second is None where everything is known, and then means the opposite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shouwang.eligibility.bulk.columns import Array, Bits, Column, Members, Table

Bools = NDArray[np.bool_]
Pair = tuple[Bits, Bits | None]


class Number(NamedTuple):
    """Numbers of a stretch: `high` is None where each is exact, `known` None where all are known."""

    low: Array
    high: Array | None
    known: Bools | None

    @property
    def top(self) -> Array:
        """Return the greatest that each may be."""
        return self.low if self.high is None else self.high


@dataclass
class Chunk:
    """Rows `begin` to `end` of a table; of members, `owner` tells to which row of the `outer` chunk each belongs."""

    table: Table
    begin: int
    end: int
    outer: Chunk | None = None
    owner: NDArray[np.int64] | None = None
    registers: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._known: dict[str, Bits | None] = {}

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.end - self.begin

    def column(self, name: str, *, of_member: bool) -> Column | None:
        """Return the rows of one fact, None where the table has no such column."""
        if self.outer is not None and not of_member:
            return repeated(self.outer.column(name, of_member=False), self.owner)
        column = self.table.columns.get(name)
        if column is None:
            return None
        part = slice(self.begin, self.end)
        known, high = (None if each is None else each[part] for each in (column.known, column.high))
        return Column(column.values[part], known, high, column.categories)

    def known_bits(self, name: str, column: Column, *, of_member: bool) -> Bits | None:
        """Return which rows of a fact are known, packed once."""
        key = f"{name}\0{of_member}"
        if key not in self._known:
            self._known[key] = None if column.known is None else np.packbits(column.known)
        return self._known[key]

    def of_members(self, members: Members, registers: list[Any]) -> Chunk:
        """Return the members of these rows as a chunk of their own, which can still read the registers of this one."""
        starts = members.starts[self.begin:self.end + 1]
        inside = Table(int(members.starts[-1]), members.columns)
        owner = np.repeat(np.arange(len(self)), np.diff(starts))
        return Chunk(inside, int(starts[0]), int(starts[-1]), self, owner, registers)

    def nothing(self) -> Pair:
        """Return truth of which nothing is known."""
        empty = np.zeros((len(self) + 7) // 8, np.uint8)
        return empty, empty

    def constant(self, truth: bool | None) -> Pair:
        """Return one truth for all rows."""
        if truth is None:
            return self.nothing()
        return np.full((len(self) + 7) // 8, 255 if truth else 0, np.uint8), None

    def unpacked(self, pair: Pair) -> tuple[Bools, Bools]:
        """Return a pair as two arrays of truth."""
        holds = np.unpackbits(pair[0], count=len(self)).view(bool)
        return holds, ~holds if pair[1] is None else np.unpackbits(pair[1], count=len(self)).view(bool)


def repeated(column: Column | None, owner: NDArray[np.int64] | None) -> Column | None:
    """Return a household's fact once for each of its members."""
    if column is None or owner is None:
        return column
    known, high = (None if each is None else each[owner] for each in (column.known, column.high))
    return Column(column.values[owner], known, high, column.categories)


def pair_of(holds: Bools, fails: Bools | None) -> Pair:
    """Return truth packed."""
    return np.packbits(holds), None if fails is None else np.packbits(fails)


def masked(bits: Bits, known: Bits | None) -> Pair:
    """Return the pair of what `bits` say where they are known."""
    if known is None:
        return bits, None
    holds = bits & known
    return holds, known ^ holds


def opposite_of(pair: Pair) -> Pair:
    """Return the pair of the opposite."""
    return (np.invert(pair[0]), None) if pair[1] is None else (pair[1], pair[0])


def every(pairs: Sequence[Pair]) -> Pair:
    """Return the pair of all: it holds where each does, fails where one does."""
    if all(fails is None for _, fails in pairs):
        return joined(np.bitwise_and, [holds for holds, _ in pairs]), None
    whole = [(holds, np.invert(holds) if fails is None else fails) for holds, fails in pairs]
    return joined(np.bitwise_and, [holds for holds, _ in whole]), joined(np.bitwise_or, [fails for _, fails in whole])


def some(pairs: Sequence[Pair]) -> Pair:
    """Return the pair of any: it holds where one does, fails where each does."""
    if all(fails is None for _, fails in pairs):
        return joined(np.bitwise_or, [holds for holds, _ in pairs]), None
    whole = [(holds, np.invert(holds) if fails is None else fails) for holds, fails in pairs]
    return joined(np.bitwise_or, [holds for holds, _ in whole]), joined(np.bitwise_and, [fails for _, fails in whole])


def joined(operation: Any, bits: Sequence[Bits]) -> Bits:
    """Return packed bits joined by an operation."""
    if len(bits) == 1:
        return bits[0]
    found: Bits = operation(bits[0], bits[1])
    for each in bits[2:]:
        operation(found, each, out=found)
    return found
