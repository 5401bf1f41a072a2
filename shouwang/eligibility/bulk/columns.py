"""What a register looks like to the bulk back end: one array a fact, a mask of what is known, and the results as packed bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shouwang.eligibility.form import BOOLEAN, TEXT
from shouwang.eligibility.interpret import taken
from shouwang.eligibility.library import Program
from shouwang.eligibility.values import OneOf, Value, bounds

Bits = NDArray[np.uint8]
Array = NDArray[Any]


@dataclass(frozen=True)
class Column:
    """One fact of everybody: truth as bool, numbers of any width, texts as positions in `categories`.

    `known` is None where everything is known. With `high` the fact lies between `values` and `high`, both inclusive.
    """

    values: Array
    known: NDArray[np.bool_] | None = None
    high: Array | None = None
    categories: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Members:
    """The members of all households one after the other; those of household n stand from `starts[n]` to `starts[n + 1]` (exclusive).

    `known` tells whose members are known at all; None where everybody's are.
    """

    columns: Mapping[str, Column]
    starts: NDArray[np.int64]
    known: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Table:
    """A register: `count` rows, a column for each fact (one that is missing is unknown of everybody), and members where they count."""

    count: int
    columns: Mapping[str, Column]
    members: Members | None = None


@dataclass(frozen=True)
class Marks:
    """The outcome of one policy for every row, eight rows a byte: `true` where it holds, `false` where it does not, neither where unknown."""

    count: int
    true: Bits
    false: Bits

    def outcomes(self) -> NDArray[np.int8]:
        """Return 1 where it holds, 0 where it does not, −1 where it is unknown."""
        holds, fails = (np.unpackbits(bits, count=self.count).view(np.int8) for bits in (self.true, self.false))
        return np.where(holds == 1, np.int8(1), fails - np.int8(1))

    def holding(self) -> NDArray[np.int64]:
        """Return the rows for which it holds."""
        return np.flatnonzero(np.unpackbits(self.true, count=self.count))

    def counts(self) -> tuple[int, int, int]:
        """Return for how many it holds, does not, and is unknown."""
        holds, fails = (int(np.bitwise_count(bits).sum()) for bits in (self.true, self.false))
        return holds, fails, self.count - holds - fails


def table_of(program: Program, records: Sequence[Mapping[str, Any]], *, members: Sequence[Sequence[Mapping[str, Any]] | None] | None = None) -> tuple[Table, list[int]]:
    """Return records as a table, and the rows that it cannot hold because a fact there is one of several: those take the interpreter."""
    given = members if members is not None else [None] * len(records)
    rows = [taken(each, program.kinds, program) for each in records]
    listed = [[taken(each, program.member_kinds, program) for each in some or ()] for some in given]
    several = [n for n, (row, some) in enumerate(zip(rows, listed, strict=True)) if any(_has_set(each) for each in (row, *some))]
    starts = np.concatenate(([0], np.cumsum([len(some) for some in listed], dtype=np.int64)))
    known = np.array([some is not None for some in given], bool)
    inside = Members(columns_of([each for some in listed for each in some], program.member_kinds), starts, known)
    return Table(len(rows), columns_of(rows, program.kinds), inside), several


def columns_of(rows: Sequence[Mapping[str, Value]], kinds: Mapping[str, str | None]) -> dict[str, Column]:
    """Return a column for each fact of known kind; of a set nothing is taken over."""
    return {name: column_of([row.get(name) for row in rows], kind) for name, kind in kinds.items()}


def column_of(given: Sequence[Value], kind: str | None) -> Column:
    """Return one fact of all rows as a column."""
    values = [None if isinstance(value, OneOf) else value for value in given]
    known = np.array([value is not None for value in values], bool)
    if kind == BOOLEAN:
        return Column(np.array([value is True for value in values], bool), known)
    if kind == TEXT or any(isinstance(value, str) for value in values):
        categories = tuple(sorted({value for value in values if isinstance(value, str)})) or ("",)
        places = {text: place for place, text in enumerate(categories)}
        return Column(np.array([places[value] if isinstance(value, str) else 0 for value in values], np.int32), known, categories=categories)
    ranges = [bounds(value) if value is not None else (0.0, 0.0) for value in values]
    low, high = (np.array([each[side] for each in ranges], np.float64) for side in (0, 1))
    return Column(low, known, high if bool((low != high).any()) else None)


def _has_set(row: Mapping[str, Value]) -> bool:
    return any(isinstance(value, OneOf) for value in row.values())
