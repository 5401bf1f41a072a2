"""Too much water by a home's own measure, and a leak that never stops: a running tap is told within the hour it shows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.contract import END, OPEN, Columns, Finding, Params, State, join_streams
from shouwang.detectors.habits import high
from shouwang.detectors.habits.hourly import HOUR_US, WEEK_H, Hour, Intake, is_idle, waits
from shouwang.detectors.habits.waiting import taken

NAME = "high_use"
VERSION = 1
PARAMS: Params = {
    "drawn_factor": high.DRAWN_FACTOR, "least_factor": high.NEVER_LESS_FACTOR, "learning_h": 14 * 24, "day_limit_l": 1_000, "grid_min": 60,
}
KINDS = (("WATER_HIGH_USE", "WATER_HIGH_BY_HABIT", 2), ("WATER_LEAK", "WATER_LEAK", 1))
"""Each with the code of its reason: high use by a home's own measure says other numbers than a fixed limit does."""
DAY_H = 24
SPANS = len(high.DRAWN_H) + len(high.NEVER_LESS_H)
ARRAYS = ("register", "read_slot", "since_slot", "known_h", "ring", "most", "week_most", "open_slot")
CLOSED = -1
MOST_TENTHS = 65_530
EXCHANGED_L = 20_000
"""No home's pipe carries more in an hour: a register that leaps further is another meter's."""
ENDS = frozenset(high.DRAWN_H) | frozenset(high.NEVER_LESS_H)
Mask = NDArray[np.bool_]


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
    waiting = waits(state, columns, watermark_us=watermark_us)
    if waiting is not None:
        return waiting, []
    state = _packed(state)
    intake = Intake(state, columns, watermark_us=watermark_us)
    homes = Homes(intake, state, {**PARAMS, **params})
    findings = [finding for hour in intake.hours() for finding in homes.judge(hour)]
    return {**intake.state(), **homes.arrays()}, findings


def take_streams(state: State, taken: State) -> State:
    """Return `state` with the homes of `taken`."""
    return join_streams(_packed(state), _packed(taken))


class Homes:
    """Of each home the litres of its last 24 hours, and the most it drew in each span of hours in earlier weeks and in this one.

    Litres are kept in tenths, up to 6,553: what is more counts as that.
    """

    def __init__(self, intake: Intake, state: State, params: Params) -> None:
        self.params, self.stream, count = params, intake.stream, len(intake.stream)
        self.judged_us = intake.judged_us
        self.register = np.full(count, np.nan)
        self.read_slot = np.full(count, -1, np.int32)
        self.since_slot = np.full(count, -1, np.int32)
        self.known_h = np.zeros(count, np.uint8)
        self.ring = np.zeros((count, DAY_H), np.uint16, order="F")
        self.most = np.zeros((count, SPANS), np.uint16, order="F")
        self.week_most = np.zeros((count, SPANS), np.uint16, order="F")
        self.open_slot = np.full((count, 2), CLOSED, np.int32, order="F")
        for name in ARRAYS if "ring" in state else ():
            setattr(self, name, taken(state[name], getattr(self, name), intake.place))

    def arrays(self) -> State:
        """Return what must be kept."""
        return {name: getattr(self, name) for name in ARRAYS}

    def judge(self, hour: Hour) -> list[Finding]:
        """Take the readings of an hour and return what became true or ended by its end."""
        slot = hour.slot
        registers = np.full(len(self.stream), np.nan)
        registers[hour.place] = hour.register_l
        read = np.isfinite(registers)
        self._forget_holes(read, slot)
        self._turn_weeks(read, slot)
        litres = registers - self.register
        on_time = (self.read_slot == slot - 1) & (litres >= 0) & (litres <= EXCHANGED_L)
        tenths = np.ceil(np.minimum(np.where(on_time, litres, 0), MOST_TENTHS / 10) * 10 - 0.01).astype(np.uint16)
        np.copyto(self.ring[:, slot % DAY_H], tenths, where=read)
        np.copyto(self.known_h, np.where(on_time, np.minimum(self.known_h, DAY_H - 1) + np.uint8(1), np.uint8(0)), where=read)
        np.copyto(self.register, registers, where=read)
        np.copyto(self.since_slot, np.int32(slot), where=read & (self.since_slot < 0))
        np.copyto(self.read_slot, np.int32(slot), where=read)
        told = self._told(slot, read)
        return self._changes(read, told, at_us=(slot + 1) * HOUR_US)

    def _forget_holes(self, read: Mask, slot: int) -> None:
        """Forget the hours since a home's last reading: nothing is known of them."""
        gone_h = slot - self.read_slot
        homes = np.flatnonzero(read & (gone_h > 1))
        for back in range(1, DAY_H):
            homes = homes[gone_h[homes] > back]
            self.ring[homes, (slot - back) % DAY_H] = 0

    def _turn_weeks(self, read: Mask, slot: int) -> None:
        """Let the week that is over count among the earlier ones, with the first reading of a new one."""
        homes = np.flatnonzero(read & (self.read_slot < slot // WEEK_H * WEEK_H))
        for span in range(SPANS) if len(homes) else ():
            self.most[homes, span] = np.maximum(self.most[homes, span], self.week_most[homes, span])
            self.week_most[homes, span] = 0

    def _told(self, slot: int, read: Mask) -> tuple[Mask, Mask]:
        """Return which homes draw too much, and which have drawn in every hour of the last 24; note what they have shown."""
        much = np.zeros(len(read), bool)
        total, low = np.zeros(len(read), np.uint32), np.full(len(read), MOST_TENTHS, np.uint16)
        day, leak = much.copy(), much
        for hours in range(1, DAY_H + 1):
            litres = self.ring[:, (slot + 1 - hours) % DAY_H]
            total += litres
            np.minimum(low, litres, out=low)
            if hours not in ENDS:
                continue
            shown = read & (self.known_h >= hours)
            for span, values, factor, least_l in self._spans(hours, total, low):
                tenths = np.where(shown, np.minimum(values, MOST_TENTHS), 0).astype(np.uint16)
                much |= tenths > np.maximum(self.most[:, span] * np.float32(factor), np.float32(10 * least_l))
                np.maximum(self.week_most[:, span], tenths, out=self.week_most[:, span])
                if hours == DAY_H and span < len(high.DRAWN_H):
                    day = tenths > 10 * self.params["day_limit_l"]
                elif hours == DAY_H:
                    leak = tenths > 0
        return np.where(slot - self.since_slot >= self.params["learning_h"], much, day), leak

    def _spans(self, hours: int, total: NDArray[np.uint32], low: NDArray[np.uint16]) -> Iterator[tuple[int, NDArray[np.generic], float, float]]:
        """Yield for the spans of `hours` their place, what was shown, how many times the greatest is too much, and from how many litres on."""
        if hours in high.DRAWN_H:
            yield high.DRAWN_H.index(hours), total, self.params["drawn_factor"], high.DRAWN_LEAST_L
        if hours in high.NEVER_LESS_H:
            yield len(high.DRAWN_H) + high.NEVER_LESS_H.index(hours), low, self.params["least_factor"], high.NEVER_LESS_LEAST_L

    def _changes(self, read: Mask, told: tuple[Mask, Mask], *, at_us: int) -> list[Finding]:
        if at_us <= self.judged_us:
            return []
        rows = [
            (place, which) for which, is_so in enumerate(told)
            for place in np.flatnonzero(read & (is_so != (self.open_slot[:, which] != CLOSED))).tolist()
        ]
        return [self._change(place, which, opens=bool(told[which][place]), at_us=at_us) for place, which in sorted(rows)]

    def _change(self, place: int, which: int, *, opens: bool, at_us: int) -> Finding:
        slot = at_us // HOUR_US - 1
        episode_us = at_us if opens else (int(self.open_slot[place, which]) + 1) * HOUR_US
        self.open_slot[place, which] = slot if opens else CLOSED
        kind, reason, severity = KINDS[which]
        day = self.ring[place]
        params = {
            "last_hour_l": float(day[slot % DAY_H]) / 10, "used_24h_l": float(day.sum()) / 10,
            "usual_most_hour_l": float(self.most[place, 0]) / 10, "last_at_us": int(self.read_slot[place]) * HOUR_US,
        }
        phase = OPEN if opens else END
        return Finding(kind, int(self.stream[place]), episode_us, phase, severity, at_us, f"{reason}_{phase}", params)


def _packed(state: State) -> State:
    """Return a state as it is kept now, also one that was stored with litres as floats (250 B a home)."""
    if "open_us" not in state:
        return state
    kept = {name: array for name, array in state.items() if name != "open_us"}
    kept |= {name: state[name].astype(np.int32) for name in ("read_slot", "since_slot")}
    ring = state["ring"].astype(np.float32)
    back = (state["read_slot"].astype(np.int64)[:, None] - np.arange(DAY_H)) % DAY_H
    kept["known_h"] = np.cumprod(np.isfinite(np.take_along_axis(ring, back, axis=1)), axis=1).sum(axis=1).astype(np.uint8)
    for name in ("ring", "most", "week_most"):
        litres = np.nan_to_num(state[name].astype(np.float32))
        kept[name] = np.ceil(np.minimum(litres * 10, MOST_TENTHS) - 0.01).astype(np.uint16)
    open_us = state["open_us"].astype(np.int64)
    return kept | {"open_slot": np.where(open_us > 0, open_us // HOUR_US - 1, CLOSED).astype(np.int32)}
