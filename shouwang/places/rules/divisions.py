"""Lists of divisions as they are imported: CSV rows `code,name,level,parent` with optional `lon,lat`. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.texts import Text
from shouwang.places.rules.coordinates import CoordinateSystem, to_wgs84
from shouwang.places.rules.errors import ImportUnreadable, RowInvalid, SystemUnknown
from shouwang.places.rules.tree import COUNTY, LEVELS, PREFECTURE, TOWNSHIP, VILLAGE, clean_code, clean_name, depth

COLUMNS = ("code", "name", "level", "parent")
MAX_ROWS = 200_000
LEVEL_WORDS: Mapping[str, str] = {
    **{level: level for level in LEVELS},
    "CITY": PREFECTURE, "市": PREFECTURE, "县": COUNTY, "区县": COUNTY, "乡镇": TOWNSHIP, "街道": TOWNSHIP, "TOWN": TOWNSHIP,
    "村": VILLAGE, "社区": VILLAGE, "网格": "GRID",
}


@dataclass(frozen=True, slots=True)
class Division:
    """One area of an imported list, and its line in the file; the parent is named by its code. `lon`, `lat` are WGS-84."""

    code: str
    name: str
    level: str
    parent_code: str
    lon: float | None = None
    lat: float | None = None
    point_is_schematic: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out: its number in the file (the heading is 1), and why."""

    line: int
    error: ShouwangError


def decode(raw: bytes) -> str:
    """Return the text of a file in UTF-8 (with or without mark) or GB18030. Raises ImportUnreadable."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ImportUnreadable(found=Text("编码不明", "an unknown encoding"), expected="UTF-8 / GB18030")


def read_divisions(text: str, *, system: CoordinateSystem | None) -> tuple[list[Division], list[BadRow]]:
    """Return the divisions of a CSV text, shallow levels first, and the rows that cannot be used.

    Raises ImportUnreadable for a file without the columns or with too many rows, SystemUnknown when it holds positions
    and `system` is None.
    """
    rows = csv.DictReader(io.StringIO(text))
    heading = rows.fieldnames or []
    missing = [column for column in COLUMNS if column not in heading]
    if missing:
        names = ", ".join(missing)
        raise ImportUnreadable(found=Text(f"缺少列 {names}", f"no column {names}"), expected=", ".join(COLUMNS))
    if system is None and "lon" in heading:
        raise SystemUnknown(found="")
    return _sorted_divisions(rows, system or CoordinateSystem.WGS84)


def _sorted_divisions(rows: Iterable[dict[str, str]], system: CoordinateSystem) -> tuple[list[Division], list[BadRow]]:
    good: list[Division] = []
    bad: list[BadRow] = []
    seen: set[str] = set()
    for line, row in enumerate(rows, start=2):
        if line > MAX_ROWS:
            raise ImportUnreadable(found=Text("行数过多", "too many rows"), expected=Text(f"至多 {MAX_ROWS} 行", f"at most {MAX_ROWS} rows"))
        try:
            division = _division(line, row, system)
            if division.code and division.code in seen:
                raise RowInvalid(column="code", found=division.code, expected=Text("不重复的代码", "a code used once"))
        except ShouwangError as error:
            bad.append(BadRow(line, error))
            continue
        seen.add(division.code)
        good.append(division)
    good.sort(key=lambda division: depth(division.level))
    return good, bad


def _division(line: int, row: Mapping[str, str | None], system: CoordinateSystem) -> Division:
    word = (row.get("level") or "").strip()
    level = LEVEL_WORDS.get(word.upper())
    if level is None:
        raise RowInvalid(column="level", found=word[:40], expected=" / ".join(LEVELS))
    lon, lat = _position(row, system)
    return Division(
        code=clean_code(row.get("code") or ""), name=clean_name(row.get("name") or ""), level=level,
        parent_code=clean_code(row.get("parent") or ""), lon=lon, lat=lat, line=line,
    )


def _position(row: Mapping[str, str | None], system: CoordinateSystem) -> tuple[float | None, float | None]:
    lon, lat = (row.get("lon") or "").strip(), (row.get("lat") or "").strip()
    if not lon and not lat:
        return None, None
    try:
        return to_wgs84(float(lon), float(lat), system)
    except ValueError:
        raise RowInvalid(column="lon, lat", found=f"{lon}, {lat}"[:40], expected=Text("十进制度数", "decimal degrees")) from None
