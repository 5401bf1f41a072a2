"""A file of meter readings as columns, with the rows that cannot be read. Knows no tables.

Columns by heading: `meter_id`, `ts`, and `register_l` (the meter's own count, in litres) or `litres` (used since the row
before); the register wins where both are given. A time without a zone is Asia/Shanghai.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from python_calamine import CalamineError, CalamineWorkbook

from shouwang.detectors.contract import Float64s, Int64s
from shouwang.kernel.moments import LOCAL_ZONE, to_us
from shouwang.telemetry.rules import EARLIEST_US, ColumnMissing, FileUnreadable

MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_ROWS = 5_000_000
METER, TIME, REGISTER, LITRES = "meter_id", "ts", "register_l", "litres"
HEADINGS = {
    METER: ("meter_id", "meter", "device", "external_id", "表号", "水表号", "水表编号", "设备编号"),
    TIME: ("ts", "time", "phenomenon_time", "时间", "抄表时间", "采集时间", "读数时间"),
    REGISTER: ("register_l", "register", "读数", "表底数", "累计读数", "累计用水量"),
    LITRES: ("litres", "liters", "用水量", "用水量(升)", "用水量（升）"),
}
_SPREAD = re.compile(r"^(\d{4})[/.年-](\d{1,2})[/.月-](\d{1,2})日?(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d{1,6})?))?)?$")


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be used: its number in the file, the column, what was found and what was expected."""

    row: int
    column: str
    found: str
    expected: str


@dataclass(frozen=True)
class Sheet:
    """The readable rows of a file: `row` is the number in the file, `at_us` ascending nowhere promised."""

    row: Int64s
    meter: Sequence[str]
    at_us: Int64s
    value: Float64s
    from_register: bool
    rows: int
    bad: list[BadRow]


def read(path: Path, *, name: str = "") -> Sheet:
    """Return the rows of the file at `path`; `name` is what people call it and tells its type. Raises FileUnreadable, ColumnMissing."""
    name = name or path.name
    if path.stat().st_size > MAX_FILE_BYTES:
        raise FileUnreadable(name=name, detail=f"{path.stat().st_size} bytes, at most {MAX_FILE_BYTES}")
    suffix = Path(name).suffix.lower()
    if suffix not in _READERS:
        raise FileUnreadable(name=name, detail=f"type {suffix or '?'}")
    table = _READERS[suffix](path, name)
    if table.height > MAX_ROWS:
        raise FileUnreadable(name=name, detail=f"{table.height} rows, at most {MAX_ROWS}")
    return _sheet(table, name)


def _csv(path: Path, name: str) -> pl.DataFrame:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = raw.decode("gb18030")
        except UnicodeDecodeError as error:
            raise FileUnreadable(name=name, detail=f"byte {error.start} is neither UTF-8 nor GB18030") from error
    separator = max(",;\t", key=text[: text.find("\n")].count)
    try:
        return pl.read_csv(io.BytesIO(text.encode()), separator=separator, infer_schema=False, truncate_ragged_lines=True)
    except pl.exceptions.PolarsError as error:
        raise FileUnreadable(name=name, detail=str(error).splitlines()[0]) from error


def _xlsx(path: Path, name: str) -> pl.DataFrame:
    try:
        rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError) as error:
        raise FileUnreadable(name=name, detail=str(error)) from error
    heading = [str(cell) for cell in rows[0]] if rows else []
    columns = {title: pl.Series(title, [row[place] for row in rows[1:]], pl.Object) for place, title in enumerate(heading) if title}
    return pl.DataFrame(columns)


def _parquet(path: Path, name: str) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FileUnreadable(name=name, detail=str(error).splitlines()[0]) from error


_READERS: dict[str, Callable[[Path, str], pl.DataFrame]] = {".csv": _csv, ".txt": _csv, ".xlsx": _xlsx, ".xls": _xlsx, ".parquet": _parquet}


def _sheet(table: pl.DataFrame, name: str) -> Sheet:
    meter, time = _column(table, METER), _column(table, TIME)
    register, litres = _column(table, REGISTER), _column(table, LITRES)
    for column, wanted in ((meter, METER), (time, TIME), (register if register is not None else litres, f"{REGISTER} / {LITRES}")):
        if column is None:
            raise ColumnMissing(name=name, expected=wanted, found=", ".join(table.columns) or "—")
    assert meter is not None
    assert time is not None
    meters, at_us = _meters(meter), _moments(time)
    quantity = register if register is not None else litres
    assert quantity is not None
    value = _numbers(quantity)
    bad = np.array([not each for each in meters], bool) | (at_us < EARLIEST_US) | ~(value >= 0) | np.isinf(value)
    told = [_told(place, meters, time, at_us, quantity) for place in np.flatnonzero(bad).tolist()]
    good = np.flatnonzero(~bad)
    return Sheet(good + 2, [meters[place] for place in good.tolist()], at_us[good], value[good], register is not None, table.height, told)


def _column(table: pl.DataFrame, wanted: str) -> pl.Series | None:
    for heading in table.columns:
        if heading.strip().lower() in HEADINGS[wanted]:
            return table[heading]
    return None


def _meters(column: pl.Series) -> list[str]:
    return [_meter(value) for value in column.to_list()]


def _meter(value: Any) -> str:
    """Return a meter's number as text: spreadsheets make 12 into 12.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() if value is not None else ""


def _moments(column: pl.Series) -> Int64s:
    if isinstance(column.dtype, pl.Datetime):
        aware = column if column.dtype.time_zone else column.dt.replace_time_zone("Asia/Shanghai", ambiguous="earliest", non_existent="null")
        return aware.dt.convert_time_zone("UTC").dt.cast_time_unit("us").to_physical().fill_null(-1).to_numpy().astype(np.int64)
    return np.array([_moment(value) for value in column.to_list()], np.int64)


def _moment(value: Any) -> int:
    """Return microseconds since 1970, -1 for what is no time."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(_spelled(str(value).strip()))
    except ValueError:
        return -1
    return to_us(moment if moment.tzinfo else moment.replace(tzinfo=LOCAL_ZONE))


def _spelled(text: str) -> str:
    """Return a time as offices write it (2026/1/5 8:00) in the spelling of ISO 8601."""
    found = _SPREAD.match(text)
    if found is None:
        return text
    year, month, day, hour, minute, second = found.groups()
    return f"{year}-{month:0>2}-{day:0>2}T{hour or '0':0>2}:{minute or '00'}:{second or '00'}"


def _numbers(column: pl.Series) -> Float64s:
    if column.dtype.is_numeric():
        return column.cast(pl.Float64).fill_null(math.nan).to_numpy().astype(np.float64)
    return np.array([_number(value) for value in column.to_list()], np.float64)


def _number(value: Any) -> float:
    try:
        return float(str(value).replace(",", "").strip())
    except ValueError:
        return math.nan


def _told(place: int, meters: Sequence[str], time: pl.Series, at_us: Int64s, quantity: pl.Series) -> BadRow:
    if not meters[place]:
        return BadRow(place + 2, METER, "", "表号 / a meter's number")
    if at_us[place] < EARLIEST_US:
        return BadRow(place + 2, time.name, _shown(time[place]), "2000 年以后的时间，例如 2026-01-15 08:00 / a time after 2000")
    return BadRow(place + 2, quantity.name, _shown(quantity[place]), "不小于 0 的升数 / litres, 0 or more")


def _shown(value: Any) -> str:
    return "" if value is None else str(value)[:80]
