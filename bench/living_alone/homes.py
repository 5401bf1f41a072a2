"""Homes with hourly registers as one matrix, and their groups. Hours are UTC; a home's day is local."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.parquet as parquet
from numpy.typing import NDArray

HOUR_US = 3_600_000_000
YEAR_H = 8766


@dataclass(frozen=True)
class Homes:
    """Registers in litres, one line a home and one column an hour (NaN: not read); `members` is 0 where unknown."""

    ids: list[str]
    members: NDArray[np.int64]
    begin: int
    registers: NDArray[np.float64]
    zone: ZoneInfo

    def hour(self, year: int, month: int) -> int:
        """Return the column at which a month begins."""
        return int(datetime(year, month, 1, tzinfo=self.zone).timestamp() // 3600) - self.begin

    def hours_of_week(self, *, more: int = 48) -> NDArray[np.int16]:
        """Return the local hour of the week of every column, Monday 00:00 first."""
        moments = (datetime.fromtimestamp((self.begin + each) * 3600, self.zone) for each in range(self.registers.shape[1] + more))
        return np.array([moment.weekday() * 24 + moment.hour for moment in moments], np.int16)


def read_homes(path: Path, survey: Path, *, timezone: str) -> Homes:
    """Return the homes of a Parquet file (`meter_id, ts, litres, register_l`) and their survey; the last reading of an hour counts."""
    table = parquet.read_table(path)
    names = np.array(table["meter_id"].to_pylist())
    slots = table["ts"].cast("int64").to_numpy() // HOUR_US
    if "register_l" in table.column_names:
        registers = table["register_l"].to_numpy().astype(np.float64)
    else:
        registers = np.nan_to_num(table["litres"].to_numpy()).astype(np.float64)
    ids = sorted(set(names.tolist()))
    begin = int(slots.min()) // 168 * 168
    matrix = np.full((len(ids), int(slots.max()) - begin + 1), np.nan)
    for line, name in enumerate(ids):
        chosen = names == name
        values = registers[chosen] if "register_l" in table.column_names else np.cumsum(registers[chosen])
        matrix[line, slots[chosen] - begin] = values
    people = {}
    if survey.exists():
        with survey.open(newline="") as file:
            people = {row["meter_id"]: int(float(row["members"] or 0)) for row in csv.DictReader(file)}
    return Homes(ids, np.array([people.get(name, 0) for name in ids]), begin, matrix, ZoneInfo(timezone))
