"""The table of an uploaded list's bad rows: what each says, the wrong cells marked, and why. Part: `ui/_bad_rows.html`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

SHOWN = 50


class Problem(Protocol):
    """One thing wrong with a row."""

    @property
    def field(self) -> str:
        """Return the column it is about, empty where `found` tells."""
        ...

    @property
    def found(self) -> str:
        """Return what was found: the text of a cell, or the heading of one that is missing."""
        ...

    def text(self, language: str) -> str:
        """Return the problem in words."""
        ...


class BadRow(Protocol):
    """A row that cannot be imported."""

    @property
    def row(self) -> int:
        """Return its number in the list."""
        ...

    @property
    def cells(self) -> Sequence[str]:
        """Return its cells as found."""
        ...

    @property
    def problems(self) -> Sequence[Problem]:
        """Return what is wrong."""
        ...


@dataclass(frozen=True)
class Cell:
    """One cell of a bad row under its heading."""

    head: str
    text: str
    is_wrong: bool


@dataclass(frozen=True)
class Line:
    """One bad row as the table shows it."""

    row: int
    cells: Sequence[Cell]
    problems: Sequence[str]


@dataclass(frozen=True)
class BadTable:
    """The first SHOWN bad rows, and how many there are."""

    heads: Sequence[str]
    lines: Sequence[Line]
    total: int
    shown: int = SHOWN


def bad_table(head: Sequence[str], bad: Sequence[BadRow], *, columns: Mapping[str, int], language: str) -> BadTable:
    """Return the table of bad rows, with the columns that are known (`columns`: field → position in the heading)."""
    places = sorted(set(columns.values()))
    return BadTable(
        [head[n] for n in places],
        [
            Line(
                row.row, [Cell(head[n], _at(row.cells, n), _is_wrong(row, n, head[n], columns)) for n in places],
                [problem.text(language) for problem in row.problems],
            )
            for row in bad[:SHOWN]
        ],
        len(bad),
    )


def _is_wrong(row: BadRow, place: int, head: str, columns: Mapping[str, int]) -> bool:
    text = _at(row.cells, place)
    return any(
        columns.get(problem.field) == place or (problem.found != "" and problem.found in {text, head.strip().rstrip("*＊")})
        for problem in row.problems
    )


def _at(cells: Sequence[str], place: int) -> str:
    return cells[place].strip() if place < len(cells) else ""
