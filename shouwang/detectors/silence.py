"""Silence by a home's own habits: a call, then a visit, at the hour its usual life makes it worth one, and a hard stop after 24 hours."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.contract import END, OPEN, Columns, Finding, Int64s, Params, State, join_streams
from shouwang.detectors.habits.clock import alarm_hours, silence
from shouwang.detectors.habits.frozen import frozen
from shouwang.detectors.habits.hourly import HOUR_US, WEEK_H, Hour, Intake, hour_of_week, is_idle, waits
from shouwang.detectors.habits.memory import AHEAD_H, Memory
from shouwang.detectors.habits.older import packed
from shouwang.detectors.habits.quick import quick_chances
from shouwang.detectors.habits.waiting import taken as taken_over

NAME = "silence"
VERSION = 1
PARAMS: Params = {
    "call_price_h": frozen().prices_h["homebody"]["8"], "visit_price_h": frozen().prices_h["homebody"]["2"], "hard_stop_h": 24,
    "max_gap_h": 6, "utc_offset_h": 8, "grid_min": 60,
}
TIERS = (("WATER_SILENCE_CALL", 2), ("WATER_SILENCE", 3), ("WATER_HARD_STOP", 4))
HARD = 2
NEVER_H = 255
CLOSED = 65_535
ALL = slice(None)
CLOCK_SET_H = 3
"""Hours of silence before a call or visit can be due: its clock is set then and not with each use, most of which more follow at once."""


def judge(
    columns: Columns, state: State, *, now_us: int, watermark_us: int, params: Params,
) -> tuple[State, list[Finding]]:
    """Return the findings of silence up to the watermark, and the state after it.

    A call or visit is due when a reading shows the silence to have lasted until its hour. The hard stop needs no reading at
    its hour if one of the last `max_gap_h` hours still showed none; a meter that is silent itself raises nothing here.
    """
    del now_us
    if is_idle(state, columns, watermark_us=watermark_us):
        return state, []
    waiting = waits(state, columns, watermark_us=watermark_us)
    if waiting is not None:
        return waiting, []
    state = packed(state)
    intake = Intake(state, columns, watermark_us=watermark_us)
    watch = Watched(intake, state, {**PARAMS, **params})
    findings = [finding for hour in watch.hours(intake) for finding in watch.judge(hour)]
    findings = [finding for finding in findings if finding.at_us > intake.judged_us]
    return {**intake.state(), **watch.arrays()}, findings


def take_streams(state: State, taken: State) -> State:
    """Return `state` with the homes of `taken`, both brought to one hour; when a call or visit is due changes with the next use."""
    state, taken = packed(state), packed(taken)
    slot = max(Memory.slot_of(state), Memory.slot_of(taken))
    joined = join_streams(Memory.passed(state, slot), Memory.passed(taken, slot))
    return {**joined, "memory_slot": np.array([slot], np.int64)} if "memory_slot" in joined else joined


class Watched:
    """The homes under watch: their memory, how long after their last use each tier is due and was opened."""

    def __init__(self, intake: Intake, state: State, params: Params) -> None:
        self.params, self.stream, count = params, intake.stream, len(intake.stream)
        self.judged_us = intake.judged_us
        self.hard_h = int(params["hard_stop_h"])
        self.begins = -(-(intake.judged_us + 1) // HOUR_US) - 1 if intake.judged_us and intake.next_slot < 0 else -1
        self.memory = Memory.of(state, place=intake.place, count=count)
        self.due_h = np.full((count, HARD), NEVER_H, np.uint8, order="F")
        self.again = np.zeros((count, 3), np.uint16, order="F")
        self.open_h = np.full((count, 3), CLOSED, np.uint16, order="F")
        if "due_h" in state:
            for name in ("due_h", "again", "open_h"):
                setattr(self, name, taken_over(state[name], getattr(self, name), intake.place))

    def arrays(self) -> State:
        """Return what must be kept."""
        return {**self.memory.arrays(), "due_h": self.due_h, "again": self.again, "open_h": self.open_h}

    def hours(self, intake: Intake) -> Iterator[Hour]:
        """Yield the hours with readings, between them those at which a clock must be set, a hard stop falls due or the judging begins."""
        nothing = (np.zeros(0, np.int64), np.zeros(0))
        at = max(intake.next_slot, 0)
        for hour in intake.hours():
            yield from (Hour(slot, *nothing) for slot in self._due_before(hour.slot, at=at))
            yield hour
            at = hour.slot + 1
        yield from (Hour(slot, *nothing) for slot in self._due_before(intake.end_slot, at=at))

    def _due_before(self, end: int, *, at: int) -> list[int]:
        if at >= end:
            return []
        found = {self.begins} if at <= self.begins < end else set()
        use_slot = self.memory.use_slot
        for due, still in ((use_slot + CLOCK_SET_H, self.due_h[:, 0] == NEVER_H), (self._hard_slot(), self.open_h[:, HARD] == CLOSED)):
            found.update(np.unique(due[still & (use_slot >= 0) & (due >= at) & (due < end)]).tolist())
        return sorted(found)

    def _hard_slot(self, homes: slice | Int64s = ALL) -> NDArray[np.int32]:
        """Return when the hard stop is due: counted from the first hour without a reading in which the last use may have been."""
        most_h = max(min(int(self.params["max_gap_h"]), self.hard_h - CLOCK_SET_H), 0)
        unseen_h = np.minimum(self.memory.unseen_h[homes], most_h).astype(np.int32)
        slot: NDArray[np.int32] = self.memory.use_slot[homes] - unseen_h + np.int32(self.hard_h)
        return slot

    def judge(self, hour: Hour) -> list[Finding]:
        """Take the readings of an hour and return what became true by its end."""
        registers = np.full(len(self.stream), np.nan)
        registers[hour.place] = hour.register_l
        at_us = (hour.slot + 1) * HOUR_US
        self.memory.turn(hour.slot)
        findings = [finding for past in hour.earlier for finding in self._caught_up(past, at_us=at_us)]
        used, _ = self.memory.step(hour.slot, registers, hours=self._hours_after(hour.slot))
        findings += self._begin_anew(hour.slot, np.flatnonzero(used), at_us=at_us)
        self._set_clocks(hour.slot - CLOCK_SET_H)
        for slot in {past.slot for past in hour.earlier}:
            self._set_clocks(min(slot, hour.slot - CLOCK_SET_H))
        return findings + self._opened(hour.slot, np.isfinite(registers) & ~used, at_us=at_us)

    def _caught_up(self, past: Hour, *, at_us: int) -> list[Finding]:
        """Take the readings of an hour that is over, for the homes of which nothing later is known; return what ended."""
        later = self.memory.read_slot[past.place] < past.slot
        homes = past.place[later]
        used, _ = self.memory.take(past.slot, homes, past.register_l[later], hour=hour_of_week(past.slot, utc_offset_h=self.params["utc_offset_h"]))
        return self._begin_anew(past.slot, homes[used], at_us=at_us)

    def _begin_anew(self, slot: int, homes: Int64s, *, at_us: int) -> list[Finding]:
        """Let the silence of homes that used water begin anew; return what ended."""
        ended = self._ended(homes, at_us=at_us)
        self.memory.mark_used(slot, homes)
        self.due_h[homes] = NEVER_H
        return ended

    def _hours_after(self, slot: int) -> NDArray[np.int16]:
        first = hour_of_week(slot, utc_offset_h=self.params["utc_offset_h"])
        return ((first + np.arange(AHEAD_H + 1)) % WEEK_H).astype(np.int16)

    def _set_clocks(self, slot: int) -> None:
        """Set the clocks of homes whose last use fell in hour `slot`: most silences end before it is worth reckoning them."""
        homes = (self.memory.use_slot == slot) & (self.due_h[:, 0] == NEVER_H)
        if slot < 0 or not homes.any():
            return
        contexts = self.memory.contexts(slot, homes, hours=self._hours_after(slot), population=frozen().population)
        chance = quick_chances(contexts)
        hours = alarm_hours(chance, prices_h=[self.params["call_price_h"], self.params["visit_price_h"]])
        still = silence(chance)
        home = contexts.home
        for tier in range(HARD):
            after_h = np.clip(hours[tier], min(CLOCK_SET_H, self.hard_h), self.hard_h)
            self.due_h[home, tier] = after_h
            self.again[home, tier] = np.rint(1_000 * (1 - still[np.arange(len(home)), after_h]))
        self.again[home, HARD] = np.rint(1_000 * (1 - still[:, min(self.hard_h, AHEAD_H)]))

    def _opened(self, slot: int, silent: NDArray[np.bool_], *, at_us: int) -> list[Finding]:
        if at_us <= self.judged_us:
            return []
        memory = self.memory
        silent_h = slot - memory.use_slot
        recent = (slot - memory.read_slot <= int(self.params["max_gap_h"])) & (memory.use_slot >= 0)
        shown = silent | recent if slot == self.begins else silent
        late = [shown & (silent_h >= self.due_h[:, tier]) & (self.due_h[:, tier] != NEVER_H) for tier in range(HARD)]
        late.append(recent & (self._hard_slot() <= slot))
        rows = []
        for tier, due in enumerate(late):
            home = np.flatnonzero(due & (self.open_h[:, tier] == CLOSED))
            self.open_h[home, tier] = np.minimum(silent_h[home], CLOSED - 1)
            rows += [(place, tier) for place in home.tolist()]
        return [self._finding(home, tier, OPEN, at_us=at_us) for home, tier in sorted(rows)]

    def _ended(self, homes: Int64s, *, at_us: int) -> list[Finding]:
        homes = homes[(self.open_h[homes] != CLOSED).any(axis=1)]
        found = []
        for row, tier in zip(*np.nonzero(self.open_h[homes] != CLOSED), strict=True):
            found.append(self._finding(int(homes[row]), int(tier), END, at_us=at_us))
        self.open_h[homes] = CLOSED
        return found

    def _finding(self, home: int, tier: int, phase: str, *, at_us: int) -> Finding:
        """Return a finding that carries its sentence: last use, and in how many of 100 such hours water was used again by when."""
        kind, severity = TIERS[tier]
        use_slot = int(self.memory.use_slot[home])
        due = int(self._hard_slot(np.array([home]))[0]) if tier == HARD else use_slot + int(self.due_h[home, tier])
        params: dict[str, float | int] = {
            "last_use_us": use_slot * HOUR_US, "again_by_us": due * HOUR_US, "again_of_100": float(self.again[home, tier]) / 10,
            "silent_h": at_us // HOUR_US - 1 - use_slot, "last_at_us": int(self.memory.read_slot[home]) * HOUR_US,
        }
        episode_us = (use_slot + int(self.open_h[home, tier]) + 1) * HOUR_US
        return Finding(kind, int(self.stream[home]), episode_us, OPEN if phase == OPEN else END, severity, at_us, f"{kind}_{phase}", params)
