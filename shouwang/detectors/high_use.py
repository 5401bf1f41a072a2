"""Too much water by a home's own measure, and a leak that never stops: a running tap is told within the hour it shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.contract import END, OPEN, Columns, Finding, Float64s, Int64s, Params, State, join_streams
from shouwang.detectors.habits import high
from shouwang.detectors.habits.block import blocks
from shouwang.detectors.habits.hourly import HOUR_US, WEEK_H, Hour, Intake, is_idle, waits
from shouwang.detectors.habits.waiting import taken

NAME = "high_use"
VERSION = 1
PARAMS: Params = {
    "drawn_factor": high.DRAWN_FACTOR, "least_factor": high.NEVER_LESS_FACTOR, "learning_h": 14 * 24, "day_limit_l": 1_000, "grid_min": 60,
}
KINDS = (("WATER_HIGH_USE", "WATER_HIGH_BY_HABIT", 2), ("WATER_LEAK", "WATER_LEAK", 1))
"""Each with the code of its reason: high use by a home's own measure says other numbers than a fixed limit does."""
SHOWN = ("last_hour_l", "used_24h_l", "usual_most_hour_l", "last_at_us")
DAY_H = 24
SPANS = len(high.DRAWN_H) + len(high.NEVER_LESS_H)
ARRAYS = ("register", "read_slot", "since_slot", "known_h", "ring", "most", "week_most", "open_slot")
CLOSED = -1
MOST_TENTHS = 65_530
EXCHANGED_L = 20_000
"""No home's pipe carries more in an hour: a register that leaps further is another meter's."""
ENDS = frozenset(high.DRAWN_H) | frozenset(high.NEVER_LESS_H)
Mask = NDArray[np.bool_]
Tenths = NDArray[np.uint16]


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
        self.params, self.stream, count = params, intake.stream, intake.to_lay_out(state, "ring")
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
        if hour.earlier:
            self._catch_up(hour.earlier)
        registers = hour.registers(len(self.stream))
        return [finding for part in blocks(len(registers)) for finding in self._judge(hour.slot, registers[part], part)]

    def _catch_up(self, hours: Sequence[Hour]) -> None:
        """Take the readings of hours that are over, for the homes of which nothing later is known; they were judged and tell nothing."""
        homes = np.unique(np.concatenate([past.place for past in hours]))
        some = copy(self)
        some.stream = self.stream[homes]
        for name in ARRAYS:
            setattr(some, name, np.asfortranarray(getattr(self, name)[homes]))
        for past in hours:
            place = np.searchsorted(homes, past.place)
            later = some.read_slot[place] < past.slot
            some.judge(Hour(past.slot, place[later], past.register_l[later]))
        for name in ARRAYS:
            getattr(self, name)[homes] = getattr(some, name)

    def _judge(self, slot: int, registers: Float64s, part: slice) -> list[Finding]:
        read = np.isfinite(registers)
        self._forget_holes(np.flatnonzero(read & (self.read_slot[part] < slot - 1)) + part.start, slot)
        self._turn_weeks(np.flatnonzero(read & (self.read_slot[part] < slot // WEEK_H * WEEK_H)) + part.start)
        litres = registers - self.register[part]
        on_time = (self.read_slot[part] == slot - 1) & (litres >= 0) & (litres <= EXCHANGED_L)
        tenths = np.ceil(np.minimum(np.where(on_time, litres, 0), MOST_TENTHS / 10) * 10 - 0.01).astype(np.uint16)
        np.copyto(self.ring[part, slot % DAY_H], tenths, where=read)
        known_h = (np.minimum(self.known_h[part], np.uint8(DAY_H - 1)) + np.uint8(1)) * on_time
        np.copyto(self.known_h[part], known_h, where=read)
        np.copyto(self.register[part], registers, where=read)
        self.since_slot[np.flatnonzero(read & (self.since_slot[part] < 0)) + part.start] = slot
        np.copyto(self.read_slot[part], np.int32(slot), where=read)
        return self._changes(read, self._told(slot, read, part), part, at_us=(slot + 1) * HOUR_US)

    def _forget_holes(self, homes: Int64s, slot: int) -> None:
        """Forget the hours since the last reading of homes that were read only now: nothing is known of them."""
        gone_h = slot - self.read_slot[homes]
        for back in range(1, min(DAY_H, int(gone_h.max(initial=1)))):
            self.ring[homes[gone_h > back], (slot - back) % DAY_H] = 0

    def _turn_weeks(self, homes: Int64s) -> None:
        """Let the week that is over count among the earlier ones, with the first reading of a new one."""
        for span in range(SPANS) if len(homes) else ():
            self.most[homes, span] = np.maximum(self.most[homes, span], self.week_most[homes, span])
            self.week_most[homes, span] = 0

    def _told(self, slot: int, read: Mask, part: slice) -> tuple[Mask, Mask]:
        """Return which homes draw too much, and which have drawn in every hour of the last 24; note what they have shown."""
        much, leak = np.zeros(len(read), bool), np.zeros(len(read), bool)
        day = much.copy()
        wide = np.uint16 if self.ring[part].max(initial=0) <= MOST_TENTHS // DAY_H else np.uint32
        total, low = np.zeros(len(read), wide), np.full(len(read), MOST_TENTHS, np.uint16)
        for hours in range(1, DAY_H + 1):
            litres = self.ring[part, (slot + 1 - hours) % DAY_H]
            np.add(total, litres, out=total)
            np.minimum(low, litres, out=low)
            if hours not in ENDS:
                continue
            shown = (read & (self.known_h[part] >= hours)).view(np.uint8).astype(np.uint16)
            for span, values, factor, least_l in self._spans(hours, total, low):
                tenths = shown * _capped(values)
                self._exceed(tenths, much, part, span=span, factor=factor, least_l=least_l)
                np.maximum(self.week_most[part, span], tenths, out=self.week_most[part, span])
                if hours == DAY_H and span < len(high.DRAWN_H):
                    day = tenths > min(int(10 * self.params["day_limit_l"]), MOST_TENTHS)
                elif hours == DAY_H:
                    leak = tenths > 0
        known = slot - self.since_slot[part] >= self.params["learning_h"]
        return (much & known) | (day & ~known), leak

    def _exceed(self, tenths: Tenths, much: Mask, part: slice, *, span: int, factor: float, least_l: float) -> None:
        """Mark in `much` the homes that exceed their greatest; only those above it or the least that matters are looked at closely."""
        floor = np.maximum(self.most[part, span], np.uint16(10 * least_l)) if factor >= 1 else np.uint16(10 * least_l)
        exceeds = tenths > floor
        if exceeds.any():
            near = np.flatnonzero(exceeds)
            most = self.most[near + part.start, span] * np.float32(factor)
            much[near] |= tenths[near] > np.maximum(most, np.float32(10 * least_l))

    def _spans(self, hours: int, total: NDArray[np.generic], low: Tenths) -> Iterator[tuple[int, NDArray[np.generic], float, float]]:
        """Yield for the spans of `hours` their place, what was shown, how many times the greatest is too much, and from how many litres on."""
        if hours in high.DRAWN_H:
            yield high.DRAWN_H.index(hours), total, self.params["drawn_factor"], high.DRAWN_LEAST_L
        if hours in high.NEVER_LESS_H:
            yield len(high.DRAWN_H) + high.NEVER_LESS_H.index(hours), low, self.params["least_factor"], high.NEVER_LESS_LEAST_L

    def _changes(self, read: Mask, told: tuple[Mask, Mask], part: slice, *, at_us: int) -> list[Finding]:
        if at_us <= self.judged_us:
            return []
        found: list[tuple[int, int, Finding]] = []
        for which, is_so in enumerate(told):
            places = np.flatnonzero(read & (is_so != (self.open_slot[part, which] != CLOSED)))
            found += zip(places.tolist(), [which] * len(places), self._findings(places + part.start, which, is_so[places], at_us=at_us), strict=True)
        return [finding for _, _, finding in sorted(found, key=itemgetter(0, 1))]

    def _findings(self, homes: Int64s, which: int, opens: Mask, *, at_us: int) -> list[Finding]:
        slot, (kind, reason, severity) = at_us // HOUR_US - 1, KINDS[which]
        episode_us = np.where(opens, at_us, (self.open_slot[homes, which] + np.int64(1)) * HOUR_US)
        self.open_slot[homes, which] = np.where(opens, slot, CLOSED)
        columns = (
            self.stream[homes], episode_us, np.where(opens, OPEN, END), self.ring[homes, slot % DAY_H] / 10,
            self.ring[homes].sum(axis=1, dtype=np.int64) / 10, self.most[homes, 0] / 10, self.read_slot[homes] * np.int64(HOUR_US),
        )
        return [
            Finding(kind, stream, begun_us, phase, severity, at_us, f"{reason}_{phase}", dict(zip(SHOWN, said, strict=True)))
            for stream, begun_us, phase, *said in zip(*(column.tolist() for column in columns), strict=True)
        ]


def _capped(values: NDArray[np.generic]) -> Tenths:
    capped: Tenths = values if values.dtype == np.uint16 else np.minimum(values, MOST_TENTHS).astype(np.uint16)  # type: ignore[assignment] # tenths of a litre
    return capped


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
