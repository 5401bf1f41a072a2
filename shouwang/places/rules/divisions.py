"""Lists of divisions as they are imported: rows of name, level and parent, with optional code, lon and lat. Pure.

A parent is named by its code, its name, or its full name (莘县 张寨镇): an office seldom has the codes at hand.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shouwang.documents.sheets import find_columns
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.texts import Text
from shouwang.places.rules.coordinates import CoordinateSystem, to_wgs84
from shouwang.places.rules.errors import (
    CodeInvalid,
    CodeTaken,
    ImportUnreadable,
    LevelInvalid,
    NameInvalid,
    NameTaken,
    PositionInvalid,
    RowInvalid,
    SystemUnknown,
)
from shouwang.places.rules.tree import COUNTY, LEVEL_NAMES, LEVELS, PREFECTURE, TOWNSHIP, VILLAGE, clean_code, clean_name, depth

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "name": ("名称", "地区", "区划名称", "name"),
    "level": ("级别", "层级", "level"),
    "parent": ("上级", "上级名称", "上级地区", "上级代码", "parent"),
    "code": ("区划代码", "代码", "code"),
    "lon": ("经度", "lon"),
    "lat": ("纬度", "lat"),
}
REQUIRED = ("name", "level", "parent")
TEMPLATE = ("name", "level", "parent", "code")
"""The columns of the template: positions come by who has them, in a column of their own."""
EXAMPLE = ("示例村", "村（社区）", "示例县 示例镇", "")
MAX_ROWS = 200_000
PARENT_LENGTH = 200
LEVEL_WORDS: Mapping[str, str] = {
    **{level: level for level in LEVELS},
    **{name.zh: level for level, name in LEVEL_NAMES.items()},
    "CITY": PREFECTURE, "地级市": PREFECTURE, "县": COUNTY, "区": COUNTY, "区县": COUNTY, "县级市": COUNTY, "县区": COUNTY,
    "乡镇": TOWNSHIP, "街道": TOWNSHIP, "镇": TOWNSHIP, "乡": TOWNSHIP, "TOWN": TOWNSHIP, "村": VILLAGE, "社区": VILLAGE,
}
_COLUMN_OF: Mapping[type[ShouwangError], str] = {
    CodeInvalid: "code", CodeTaken: "code", NameInvalid: "name", NameTaken: "name", LevelInvalid: "level", PositionInvalid: "lon",
}
Row = tuple[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Division:
    """One area of an imported list, and its line in the file; the parent is named by code or by name. `lon`, `lat` are WGS-84."""

    code: str
    name: str
    level: str
    parent_code: str
    lon: float | None = None
    lat: float | None = None
    point_is_schematic: bool = False
    line: int = 0
    parent_name: str = ""
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a row."""

    error: ShouwangError

    @property
    def field(self) -> str:
        """Return the column it is about; of positions the first of the two."""
        column = str(self.error.params.get("column", ""))
        return column if column in HEADINGS else "lon" if column == "lon, lat" else _COLUMN_OF.get(type(self.error), "")

    @property
    def found(self) -> str:
        """Return nothing: the column is always known."""
        return ""

    def text(self, language: str) -> str:
        """Return the problem in words."""
        return self.error.text(language)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out: its number in the file (the heading is 1), why, and its cells where it is a list's."""

    line: int
    error: ShouwangError
    cells: tuple[str, ...] = ()

    @property
    def row(self) -> int:
        """Return the number of the row."""
        return self.line

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return what is wrong."""
        return (Problem(self.error),)


def decode(raw: bytes) -> str:
    """Return the text of a file in UTF-8 (with or without mark) or GB18030. Raises ImportUnreadable."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ImportUnreadable(found=Text("编码不明", "an unknown encoding"), expected="UTF-8 / GB18030")


def read_divisions(text: str, *, system: CoordinateSystem | None) -> tuple[list[Division], list[BadRow]]:
    """Return the divisions of a CSV text, as `divisions_of` does."""
    return divisions_of(csv_rows(text), system=system)


def csv_rows(text: str) -> list[Row]:
    """Return the rows of a CSV text, the heading first, each with its number. Raises ImportUnreadable."""
    rows: list[Row] = []
    try:
        for line, cells in enumerate(csv.reader(io.StringIO(text)), start=1):
            if line > MAX_ROWS:
                raise ImportUnreadable(found=Text("行数过多", "too many rows"), expected=Text(f"至多 {MAX_ROWS} 行", f"at most {MAX_ROWS} rows"))
            rows.append((line, tuple(cells)))
    except csv.Error:
        raise ImportUnreadable(found=Text("不是完好的 CSV", "no sound CSV"), expected="CSV") from None
    return rows


def divisions_of(rows: Sequence[Row], *, system: CoordinateSystem | None) -> tuple[list[Division], list[BadRow]]:
    """Return the divisions of a list, shallow levels first, and the rows that cannot be used; empty rows are passed over.

    Raises ImportUnreadable for a list without the columns, SystemUnknown when it holds positions and `system` is None.
    """
    columns = find_columns(rows[0][1] if rows else (), HEADINGS)
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        zh, en = "、".join(HEADINGS[each][0] for each in missing), ", ".join(missing)
        raise ImportUnreadable(
            found=Text(f"第一行缺少列 {zh}", f"no column {en} in the first row"),
            expected=Text("、".join(HEADINGS[each][0] for each in TEMPLATE), ", ".join(TEMPLATE)),
        )
    if system is None and "lon" in columns:
        raise SystemUnknown(found="")
    return _sorted_divisions(rows[1:], columns, system or CoordinateSystem.WGS84)


def _sorted_divisions(rows: Sequence[Row], columns: Mapping[str, int], system: CoordinateSystem) -> tuple[list[Division], list[BadRow]]:
    good: list[Division] = []
    bad: list[BadRow] = []
    seen: set[str] = set()
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        try:
            division = _division(line, cells, columns, system)
            if division.code and division.code in seen:
                raise RowInvalid(column="code", found=division.code, expected=Text("不重复的代码", "a code used once"))
        except ShouwangError as error:
            bad.append(BadRow(line, error, cells))
            continue
        seen.add(division.code)
        good.append(division)
    good.sort(key=lambda division: depth(division.level))
    return good, bad


def _division(line: int, cells: tuple[str, ...], columns: Mapping[str, int], system: CoordinateSystem) -> Division:
    row = {name: cells[n].strip() for name, n in columns.items() if n < len(cells)}
    word = row.get("level", "")
    level = LEVEL_WORDS.get(word.upper().replace("(", "（").replace(")", "）"))
    if level is None:
        expected = Text("、".join(name.zh for name in LEVEL_NAMES.values()), " / ".join(LEVELS))
        raise RowInvalid(column="level", found=word[:40], expected=expected)
    lon, lat = _position(row, system)
    parent = " ".join(row.get("parent", "").split())
    is_code = parent.isascii() and parent.isdigit()
    return Division(
        code=clean_code(row.get("code", "")), name=clean_name(row.get("name", "")), level=level, lon=lon, lat=lat, line=line, cells=cells,
        parent_code=clean_code(parent) if is_code else "", parent_name="" if is_code else parent[:PARENT_LENGTH],
    )


def _position(row: Mapping[str, str], system: CoordinateSystem) -> tuple[float | None, float | None]:
    lon, lat = row.get("lon", ""), row.get("lat", "")
    if not lon and not lat:
        return None, None
    try:
        return to_wgs84(float(lon), float(lat), system)
    except ValueError:
        raise RowInvalid(column="lon, lat", found=f"{lon}, {lat}"[:40], expected=Text("十进制度数", "decimal degrees")) from None
