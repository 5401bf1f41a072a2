"""What a row of an imported list of persons and duties must be. Pure: areas are looked up by the caller."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from shouwang.kernel.texts import Text
from shouwang.people.rules.codes import DUTIES, RANKS

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "name": ("姓名", "name"),
    "phone": ("电话", "手机", "手机号", "联系电话", "phone"),
    "id_number": ("身份证号", "身份证号码", "公民身份号码", "id number"),
    "area": ("地区", "区划", "所属区域", "行政区划代码", "area"),
    "duty": ("职责", "岗位", "duty"),
    "rank": ("主备", "rank"),
    "from_date": ("开始日期", "起始日期", "from"),
    "until_date": ("结束日期", "until"),
}
REQUIRED = ("name", "area")
EXAMPLE = ("示例甲", "10000000001", "", "莘县 张寨镇 黄庙村", "网格员", "主岗", "2026-01-01", "")
NAME_LENGTH = 60
_PHONE = re.compile(r"[0-9]{5,15}")
_SPACE = re.compile(r"[\s\-－—()（）]+")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"

PROBLEMS: Mapping[str, Text] = {
    "NAME_MISSING": Text("缺少姓名", "the name is missing"),
    "NAME_LONG": Text("姓名超过 60 个字", "the name is longer than 60 characters"),
    "PHONE_WRONG": Text("电话“{found}”不是 5 至 15 位数字", "the phone {found} is not 5 to 15 digits"),
    "ID_WRONG": Text("身份证号的长度或校验位不对", "the identity number's length or check digit is wrong"),
    "AREA_MISSING": Text("缺少地区", "the area is missing"),
    "AREA_UNKNOWN": Text("地区“{found}”没有找到，或不在您的管辖范围内", "the area {found} was not found, or lies outside yours"),
    "AREA_AMBIGUOUS": Text(
        "地区“{found}”不止一处，请写全称或区划代码", "there are several areas {found}; write the full name or its code",
    ),
    "DUTY_UNKNOWN": Text("职责“{found}”不认识", "the duty {found} is unknown"),
    "RANK_UNKNOWN": Text("主备“{found}”应为主岗或备岗", "the rank {found} should be primary or deputy"),
    "DATE_WRONG": Text("日期“{found}”应写成 2026-01-31", "the date {found} should be written 2026-01-31"),
    "SPAN_EMPTY": Text("结束日期必须晚于开始日期", "the end must lie after the start"),
    "TWICE": Text("与第 {found} 行重复", "the same as row {found}"),
}


FIELDS: Mapping[str, str] = {
    "NAME_MISSING": "name", "NAME_LONG": "name", "PHONE_WRONG": "phone", "ID_WRONG": "id_number", "AREA_MISSING": "area", "SPAN_EMPTY": "until_date",
    "TWICE": "name",
}
"""The columns of those problems that do not hold the cell as it was found."""


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong with a row."""

    code: str
    found: str = ""

    @property
    def field(self) -> str:
        """Return the column it is about, empty where `found` is the cell itself."""
        return FIELDS.get(self.code, "")

    def text(self, language: str) -> str:
        """Return the problem in words."""
        return PROBLEMS[self.code].render(language, {"found": self.found})


class Line(msgspec.Struct, frozen=True):
    """A row that can be imported; `row` is its number in the sheet. `duty` is empty for a person without duty."""

    row: int
    name: str
    phone: str
    id_number: str
    area_id: int
    duty: str = ""
    rank: str = "PRIMARY"
    from_date: date | None = None
    until_date: date | None = None


class BadRow(msgspec.Struct, frozen=True):
    """A row that cannot be imported: its number, its cells as found and what is wrong."""

    row: int
    cells: tuple[str, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Found:
    """What a text in the area column means: one id, or how many were found."""

    area_id: int | None
    count: int


def check_rows(
    rows: Sequence[tuple[int, Sequence[str]]], columns: Mapping[str, int], areas: Mapping[str, Found],
) -> tuple[list[Line], list[BadRow]]:
    """Return the rows that can be imported and those that cannot; empty rows are passed over.

    `areas` says what each text of the area column means to the importing person.
    """
    good: list[Line] = []
    bad: list[BadRow] = []
    seen: dict[tuple[str, str, int, str, str], int] = {}
    for number, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        line, problems = _check(number, Cells(cells, columns), areas)
        key = (line.name, line.phone, line.area_id, line.duty, line.rank)
        if not problems and key in seen:
            problems.append(Problem("TWICE", str(seen[key])))
        if problems:
            bad.append(BadRow(number, tuple(cells), tuple(problems)))
        else:
            seen[key] = number
            good.append(line)
    return good, bad


@dataclass(frozen=True)
class Cells:
    """The cells of one row, by the name of their column."""

    cells: Sequence[str]
    columns: Mapping[str, int]

    def text(self, field: str) -> str:
        """Return the text in the column, empty where there is no such column."""
        n = self.columns.get(field)
        return self.cells[n].strip() if n is not None and n < len(self.cells) else ""


def _check(number: int, cells: Cells, areas: Mapping[str, Found]) -> tuple[Line, list[Problem]]:
    problems: list[Problem] = []
    name, phone, id_number = cells.text("name"), digits(cells.text("phone")), cells.text("id_number").upper()
    if not name:
        problems.append(Problem("NAME_MISSING"))
    elif len(name) > NAME_LENGTH:
        problems.append(Problem("NAME_LONG"))
    if phone and not is_phone(phone):
        problems.append(Problem("PHONE_WRONG", phone))
    if id_number and not is_id_number(id_number):
        problems.append(Problem("ID_WRONG"))
    area_id = _area(cells.text("area"), areas, problems)
    duty = _code(cells.text("duty"), DUTIES, "DUTY_UNKNOWN", problems)
    rank = _code(cells.text("rank"), RANKS, "RANK_UNKNOWN", problems) or "PRIMARY"
    start, until = (_date(cells.text(field), problems) for field in ("from_date", "until_date"))
    if start and until and until <= start:
        problems.append(Problem("SPAN_EMPTY"))
    return Line(number, name, phone, id_number, area_id, duty, rank, start, until), problems


def digits(text: str) -> str:
    """Return a telephone number without the spaces and dashes people write into it."""
    return _SPACE.sub("", text)


def is_phone(text: str) -> bool:
    """Return whether `text` is 5 to 15 digits."""
    return _PHONE.fullmatch(text) is not None


def is_id_number(text: str) -> bool:
    """Return whether `text` is an 18-character identity number with the right check character (GB 11643-1999)."""
    if len(text) != 18 or not (text.isascii() and text[:17].isdigit()):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text[:17], _WEIGHTS, strict=True))
    return _CHECK[total % 11] == text[17]


def _area(text: str, areas: Mapping[str, Found], problems: list[Problem]) -> int:
    found = areas.get(text, Found(None, 0))
    if not text:
        problems.append(Problem("AREA_MISSING"))
    elif found.area_id is None:
        problems.append(Problem("AREA_AMBIGUOUS" if found.count > 1 else "AREA_UNKNOWN", text))
    return found.area_id or 0


def _code(text: str, codes: Mapping[str, Text], problem: str, problems: list[Problem]) -> str:
    if not text:
        return ""
    for code, title in codes.items():
        if text.upper() == code or text == title.zh or text.lower() == title.en.lower():
            return code
    problems.append(Problem(problem, text))
    return ""


def _date(text: str, problems: list[Problem]) -> date | None:
    if not text:
        return None
    day = text.partition(" ")[0]
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d"):
        try:
            return datetime.strptime(day, form).date()  # noqa: DTZ007 - a day, not a moment
        except ValueError:
            continue
    problems.append(Problem("DATE_WRONG", text))
    return None
