"""Homes with hourly registers as one matrix, and their groups. Hours are UTC; a home's day is local."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
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

    def day(self, column: int) -> str:
        """Return the local day of a column."""
        return datetime.fromtimestamp((self.begin + column) * 3600, self.zone).date().isoformat()

    def hours_of_week(self, *, more: int = 48) -> NDArray[np.int16]:
        """Return the local hour of the week of every column, Monday 00:00 first."""
        moments = (datetime.fromtimestamp((self.begin + each) * 3600, self.zone) for each in range(self.registers.shape[1] + more))
        return np.array([moment.weekday() * 24 + moment.hour for moment in moments], np.int16)

    def offsets_h(self, *, more: int = 336) -> NDArray[np.int64]:
        """Return local time less UTC of every column, in whole hours."""
        moments = (datetime.fromtimestamp((self.begin + each) * 3600, self.zone) for each in range(self.registers.shape[1] + more))
        return np.array([moment.utcoffset() // timedelta(hours=1) for moment in moments], np.int64)

    def of(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Homes:
        """Return the homes that `chosen` names."""
        places = np.arange(len(self.ids))[chosen]
        return replace(self, ids=[self.ids[place] for place in places], members=self.members[places], registers=self.registers[places])
