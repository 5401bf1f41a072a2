"""The table of bad rows marks the cell that is wrong, however the problem names it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from shouwang.ui.bad_rows import bad_table

HEAD = ("行号", "姓名*", "电话", "地区")
COLUMNS = {"name": 1, "phone": 2, "area": 3}


@dataclass(frozen=True)
class Problem:
    """A problem in words."""

    field: str = ""
    found: str = ""

    def text(self, language: str) -> str:
        """Return it in words."""
        return f"{language}: {self.field}{self.found}"


@dataclass(frozen=True)
class Bad:
    """A bad row."""

    row: int
    cells: tuple[str, ...]
    problems: tuple[Problem, ...]


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (Problem(field="phone"), "电话"),  # the column is named
        (Problem(found="黄庙"), "地区"),  # the cell is quoted
        (Problem(found="姓名"), "姓名*"),  # a heading is quoted: its cell is missing
        (Problem(field="nothing", found=""), ""),  # about the row as a whole
        (Problem(found="2"), ""),  # the number of another row is no cell of this one
    ],
)
def test_the_wrong_cell_is_marked(problem: Problem, expected: str) -> None:
    table = bad_table(HEAD, [Bad(7, ("1", "", "12x", "黄庙"), (problem,))], columns=COLUMNS, language="zh")
    assert expected == "".join(cell.head for cell in table.lines[0].cells if cell.is_wrong)
    assert table.heads == ["姓名*", "电话", "地区"]
    assert table.lines[0].problems == [problem.text("zh")]


def test_short_rows_and_long_lists_are_cut() -> None:
    table = bad_table(HEAD, [Bad(n, ("1",), ()) for n in range(60)], columns=COLUMNS, language="zh")
    assert (table.total, len(table.lines), [cell.text for cell in table.lines[0].cells]) == (60, 50, ["", "", ""])
