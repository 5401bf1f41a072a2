"""Reads homes and their survey from files, and says clearly what is wrong with one."""

from __future__ import annotations

import csv
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from numpy.typing import NDArray

from bench.living_alone.homes import HOUR_US, Homes

FORMAT = "expected columns meter_id string, ts timestamp[us, UTC], and register_l int64 or litres float32"
MOST_YEARS = 20


class BadHomes(ValueError):
    """A file of homes that cannot be read as MEASURING says."""


def read_homes(path: Path, survey: Path, *, timezone: str) -> Homes:
    """Return the homes of a Parquet file and their survey; the last reading of an hour counts, `register_l` wins over `litres`.

    Raises BadHomes when the file has another form.
    """
    zone = _zone(timezone)
    table = _table(path)
    names, at_us = np.array(table["meter_id"].to_pylist(), dtype=object), _moments(table, path)
    if any(name is None for name in names):
        raise BadHomes(f"{path.name} has rows without meter_id; give every row its meter")
    ids, line = np.unique(names.astype(str), return_inverse=True)
    order = np.lexsort((at_us, line))
    line, slots = line[order], at_us[order] // HOUR_US
    registers = _registers(table, order, line, path)
    begin = int(slots.min()) // 168 * 168
    if slots.max() - begin > MOST_YEARS * 8766:
        raise BadHomes(f"{path.name} spans more than {MOST_YEARS} years; look for a wrong ts")
    matrix = np.full((len(ids), int(slots.max()) - begin + 1), np.nan)
    matrix[line, slots - begin] = registers
    people = read_survey(survey) if survey.exists() else {}
    return Homes(ids.tolist(), np.array([people.get(name, 0) for name in ids.tolist()]), begin, matrix, zone)


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadHomes(f"--timezone={timezone} is not known; expected a name such as Europe/Madrid or Asia/Shanghai") from error


def _table(path: Path) -> pa.Table:
    try:
        table = parquet.read_table(path)
    except pa.ArrowInvalid as error:
        raise BadHomes(f"{path.name} is not a Parquet file ({error}); {FORMAT}") from error
    missing = [name for name in ("meter_id", "ts") if name not in table.column_names]
    if missing or not {"register_l", "litres"} & set(table.column_names):
        found = ", ".join(table.column_names) or "none"
        raise BadHomes(f"{path.name} has columns {found}; {FORMAT}")
    if not table.num_rows:
        raise BadHomes(f"{path.name} holds no reading; {FORMAT}")
    return table


def _moments(table: pa.Table, path: Path) -> NDArray[np.int64]:
    kind = table["ts"].type
    if not pa.types.is_timestamp(kind) or kind.tz not in {"UTC", "Etc/UTC", "+00:00"}:
        raise BadHomes(f"{path.name} has ts of type {kind}; expected timestamp[us, UTC]")
    if table["ts"].null_count:
        raise BadHomes(f"{path.name} has {table['ts'].null_count} rows without ts; leave a reading that was not taken out")
    return table["ts"].cast(pa.timestamp("us", "UTC")).cast("int64").to_numpy()


def _registers(table: pa.Table, order: NDArray[np.int64], line: NDArray[np.int64], path: Path) -> NDArray[np.float64]:
    """Return the register of every row in that order; where it is not given, the litres since the row before are added up."""
    told = {name: table[name].to_numpy().astype(np.float64)[order] for name in ("register_l", "litres") if name in table.column_names}
    count = len(line)
    register, litres = told.get("register_l", np.full(count, np.nan)), told.get("litres", np.full(count, np.nan))
    unknown = np.isnan(register)
    if (litres[unknown] < 0).any():
        raise BadHomes(f"{path.name} has litres below 0 where register_l is empty; expected litres used since the row before")
    if not unknown.any():
        return register
    drawn = np.nan_to_num(litres)
    for row in np.flatnonzero(unknown).tolist():
        before = register[row - 1] if row and line[row - 1] == line[row] else 0.0
        register[row] = before + drawn[row]
    return _lifted(register, unknown, drawn, line)


def _lifted(register: NDArray[np.float64], unknown: NDArray[np.bool_], drawn: NDArray[np.float64], line: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the registers with what was added up before a meter's first known register lifted to it."""
    for home in np.unique(line[unknown]).tolist():
        mine = np.flatnonzero(line == home)
        known = mine[~unknown[mine]]
        if len(known) and known[0] > mine[0]:
            first = known[0]
            register[mine[0] : first] += register[first] - drawn[first] - register[first - 1]
    return register


def read_survey(path: Path) -> dict[str, int]:
    """Return how many live in each home; 0 where nothing is told. Raises BadHomes for another form."""
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        if not {"meter_id", "members"} <= set(reader.fieldnames or ()):
            raise BadHomes(f"{path.name} has columns {', '.join(reader.fieldnames or ())}; expected meter_id,members,age")
        found = {}
        for number, row in enumerate(reader, start=2):
            try:
                found[row["meter_id"]] = int(float(row["members"] or 0))
            except ValueError as error:
                raise BadHomes(f"{path.name} line {number}: members is {row['members']!r}; expected a whole number or nothing") from error
    return found
