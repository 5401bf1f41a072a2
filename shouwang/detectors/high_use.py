"""Too much water by a home's own measure, and a leak that never stops: a running tap is told within the hour it shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.contract import END, OPEN, Columns, Finding, Params, State, join_streams
from shouwang.detectors.habits import high
from shouwang.detectors.habits.hourly import HOUR_US, WEEK_H, Hour, Intake, is_idle

NAME = "high_use"
VERSION = 1
PARAMS: Params = {
    "drawn_factor": high.DRAWN_FACTOR, "least_factor": high.NEVER_LESS_FACTOR, "learning_h": 14 * 24, "day_limit_l": 1_000, "grid_min": 60,
}
KINDS = (("WATER_HIGH_USE", "WATER_HIGH_BY_HABIT", 2), ("WATER_LEAK", "WATER_LEAK", 1))
"""Each with the code of its reason: high use by a home's own measure says other numbers than a fixed limit does."""
DAY_H = 24
SPANS = len(high.DRAWN_H) + len(high.NEVER_LESS_H)
ARRAYS = ("register", "read_slot", "since_slot", "ring", "most", "week_most", "open_us")
take_streams = join_streams


def judge(
    columns: Columns, state: State, *, now_us: int, watermark_us: int, params: Params,
) -> tuple[State, list[Finding]]:
    """Return the findings of high use and leaks up to the watermark, and the state after it.

    A home known for less than `learning_h` hours is judged by `day_limit_l` in 24 hours alone. An episode ends with an hour
    that was read and shows neither.
    """
    del now_us
    if is_idle(state, columns, watermark_us=watermark_us):
        return state, []
    intake = Intake(state, columns, watermark_us=watermark_us)
    homes = Homes(intake, state, {**PARAMS, **params})
    findings = [finding for hour in intake.hours() for finding in homes.judge(hour)]
    return {**intake.state(), **homes.arrays()}, findings


class Homes:
    """Of each home the litres of its last 24 hours, and the most it drew in each span of hours in earlier weeks and in this one."""

    def __init__(self, intake: Intake, state: State, params: Params) -> None:
        self.params, self.stream, count = params, intake.stream, len(intake.stream)
        self.judged_us = intake.judged_us
        self.register = np.full(count, np.nan)
        self.read_slot = np.full(count, -1, np.int64)
        self.since_slot = np.full(count, -1, np.int64)
        self.ring = np.full((count, DAY_H), np.nan, np.float32)
        self.most = np.zeros((count, SPANS), np.float32)
        self.week_most = np.zeros((count, SPANS), np.float32)
        self.open_us = np.zeros((count, 2), np.int64)
        for name in ARRAYS if "ring" in state else ():
            getattr(self, name)[intake.place] = state[name]

    def arrays(self) -> State:
        """Return what must be kept."""
        return {name: getattr(self, name) for name in ARRAYS}

    def judge(self, hour: Hour) -> list[Finding]:
        """Take the readings of an hour and return what became true or ended by its end."""
        home, slot = hour.place, hour.slot
        self._forget_holes(home, slot)
        is_new = self.read_slot[home] // WEEK_H < slot // WEEK_H
        self.most[home[is_new]] = np.maximum(self.most[home[is_new]], self.week_most[home[is_new]])
        self.week_most[home[is_new]] = 0
        litres = np.where(self.read_slot[home] == slot - 1, hour.register_l - self.register[home], np.nan)
        self.ring[home, slot % DAY_H] = np.where(litres >= 0, litres, np.nan)
        self.register[home], self.read_slot[home] = hour.register_l, slot
        self.since_slot[home[self.since_slot[home] < 0]] = slot
        drawn, least = high.spans(self.ring[home][:, (slot + 1 + np.arange(DAY_H)) % DAY_H])
        shown = np.concatenate([drawn[:, :, -1], least[:, :, -1]]).T
        told = self._told(home, slot, shown)
        self.week_most[home] = np.fmax(self.week_most[home], shown)
        return self._changes(home, told, at_us=(slot + 1) * HOUR_US)

    def _forget_holes(self, home: NDArray[np.int64], slot: int) -> None:
        """Make the hours since a home's last reading unknown."""
        gone_h = slot - self.read_slot[home]
        for back in range(DAY_H):
            self.ring[home[gone_h > back], (slot - back) % DAY_H] = np.nan

    def _told(self, home: NDArray[np.int64], slot: int, shown: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return for each home whether it draws too much, and whether it has drawn in every hour of the last 24."""
        count = len(high.DRAWN_H)
        drawn, least = high.limits(
            self.most[home, :count], self.most[home, count:], drawn_factor=self.params["drawn_factor"], least_factor=self.params["least_factor"],
        )
        much = (shown > np.concatenate([drawn, least], axis=1)).any(axis=1) & (slot - self.since_slot[home] >= self.params["learning_h"])
        much |= shown[:, count - 1] > self.params["day_limit_l"]
        return np.stack([much, shown[:, -1] > 0], axis=1)

    def _changes(self, home: NDArray[np.int64], told: NDArray[np.bool_], *, at_us: int) -> list[Finding]:
        if at_us <= self.judged_us:
            return []
        found = []
        for row, which in np.argwhere(told != (self.open_us[home] > 0)).tolist():
            place, opens = int(home[row]), bool(told[row, which])
            episode_us = at_us if opens else int(self.open_us[place, which])
            self.open_us[place, which] = at_us if opens else 0
            kind, reason, severity = KINDS[which]
            day = self.ring[place]
            params = {
                "last_hour_l": float(np.nan_to_num(day[(at_us // HOUR_US - 1) % DAY_H])), "used_24h_l": float(np.nansum(day)),
                "usual_most_hour_l": float(self.most[place, 0]), "last_at_us": int(self.read_slot[place]) * HOUR_US,
            }
            phase = OPEN if opens else END
            found.append(Finding(kind, int(self.stream[place]), episode_us, phase, severity, at_us, f"{reason}_{phase}", params))
        return found
