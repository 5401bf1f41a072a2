"""Workbooks in and out: a list read within stated limits, an empty one to fill in, bad rows written back with what is wrong.

openpyxl is imported where a workbook is written: every process loads this module, and a worker shall start fast.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from python_calamine import CalamineError, CalamineWorkbook

from shouwang.kernel.errors import ShouwangError

if TYPE_CHECKING:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

FILE_BYTES = 10 * 1024 * 1024
UNPACKED_BYTES = 200 * 1024 * 1024
UNPACKED_RATIO = 100
ROWS = 20_000
COLUMNS = 40
CELL_LENGTH = 200
TEMPLATE_WIDTH = 18


class SheetUnreadable(ShouwangError):
    """A workbook cannot be read."""

    zh = "无法读取文件 {file}：{problem}；请另存为 .xlsx 后重试。"
    en = "The file {file} cannot be read: {problem}; save it as .xlsx and try again."
    status = 422


class Problem(Protocol):
    """One thing wrong with a row."""

    def text(self, language: str) -> str:
        """Return the problem in words."""
        ...


class BadRow(Protocol):
    """A row that cannot be imported: its number, its cells as found and what is wrong."""

    @property
    def row(self) -> int:
        """Return the number of the row in the sheet."""
        ...

    @property
    def cells(self) -> Sequence[str]:
        """Return the cells as found."""
        ...

    @property
    def problems(self) -> Sequence[Problem]:
        """Return what is wrong."""
        ...


def read_sheet(data: bytes, *, name: str, most_rows: int = ROWS, limit_bytes: int = FILE_BYTES) -> list[tuple[int, tuple[str, ...]]]:
    """Return the rows of the first sheet as texts, each with its number in the sheet, the heading first.

    Dates become 2026-01-31, whole numbers lose their ".0". Raises SheetUnreadable.
    """
    refuse_bomb(data, name=name, limit_bytes=limit_bytes)
    try:
        book = CalamineWorkbook.from_object(io.BytesIO(data))
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False, nrows=most_rows + 2)
    except (CalamineError, IndexError, ValueError) as error:
        raise SheetUnreadable(file=name, problem="不是完好的 Excel 工作簿") from error
    if len(rows) > most_rows + 1:
        raise SheetUnreadable(file=name, problem=f"超过 {most_rows} 行")
    return [(number, tuple(_text(cell) for cell in row[:COLUMNS])) for number, row in enumerate(rows, start=1)]


def find_columns(head: Sequence[str], headings: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the position of each known column in a heading row; the heading may be Chinese or English."""
    tidy = [cell.strip().lower().rstrip("*＊") for cell in head]
    return {field: n for field, names in headings.items() for n, cell in enumerate(tidy) if cell in names}


def refuse_bomb(data: bytes, *, name: str, limit_bytes: int = FILE_BYTES) -> None:
    """Raise SheetUnreadable for what is no .xlsx file, is too large, or would unpack into too much."""
    if len(data) > limit_bytes:
        raise SheetUnreadable(file=name, problem=f"文件超过 {limit_bytes // 1024 // 1024} MB")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise SheetUnreadable(file=name, problem="不是 .xlsx 文件") from error
    if unpacked > UNPACKED_BYTES or unpacked > UNPACKED_RATIO * max(len(data), 1024 * 1024):
        raise SheetUnreadable(file=name, problem="解压后过大")


def write_bad_rows(head: Sequence[str], bad: Sequence[BadRow], *, language: str) -> bytes:
    """Return a workbook of the bad rows as they were found, with their row number and what is wrong first."""
    from openpyxl import Workbook  # noqa: PLC0415 - see above

    book = Workbook(write_only=True)
    sheet = book.create_sheet("bad")
    titles = ("行号", "问题") if language == "zh" else ("Row", "Problem")
    sheet.append([_cell(sheet, text) for text in (*titles, *head)])
    for row in bad:
        problems = "；".join(problem.text(language) for problem in row.problems)
        sheet.append([_cell(sheet, text) for text in (str(row.row), problems, *row.cells)])
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def write_template(heads: Sequence[str], example: Sequence[str]) -> bytes:
    """Return a workbook with a heading and one example row; every column is text, so that numbers keep their zeros."""
    from openpyxl import Workbook  # noqa: PLC0415 - see above
    from openpyxl.styles import Font  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for place, (head, value) in enumerate(zip(heads, example, strict=True), start=1):
        column = get_column_letter(place)
        sheet.column_dimensions[column].width = TEMPLATE_WIDTH
        sheet.column_dimensions[column].number_format = "@"
        for row, text in ((1, head), (2, value)):
            cell = sheet.cell(row, place, text)
            cell.data_type, cell.number_format = "s", "@"
            cell.font = Font(bold=row == 1)
    sheet.freeze_panes = "A2"
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).strip()[:CELL_LENGTH]


def _cell(sheet: WriteOnlyWorksheet, text: str) -> WriteOnlyCell:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 - see above

    cell = WriteOnlyCell(sheet, value=text)
    cell.data_type = "s"  # a text that begins with "=" stays a text
    return cell
