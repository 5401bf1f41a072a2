"""Silence by a home's own habits: a call, then a visit, at the hour its usual life makes it worth one, and a hard stop after 24 hours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.contract import END, OPEN, Columns, Finding, Int64s, Params, State, join_streams
from shouwang.detectors.habits.block import blocks, every_bit
from shouwang.detectors.habits.clock import quick_alarms
from shouwang.detectors.habits.contexts import contexts_of
from shouwang.detectors.habits.frozen import frozen
from shouwang.detectors.habits.hourly import HOUR_US, WEEK_H, Hour, Intake, hour_of_week, is_idle, waits
from shouwang.detectors.habits.memory import Memory
from shouwang.detectors.habits.older import packed
from shouwang.detectors.habits.quick import quick_silences
from shouwang.detectors.habits.spans import AHEAD_H
from shouwang.detectors.habits.waiting import taken as taken_over

NAME = "silence"
VERSION = 1
PARAMS: Params = {
    "call_price_h": frozen().prices_h["homebody"]["8"], "visit_price_h": frozen().prices_h["homebody"]["2"], "hard_stop_h": 24,
    "max_gap_h": 6, "utc_offset_h": 8, "grid_min": 60,
}
TIERS = (("WATER_SILENCE_CALL", 2), ("WATER_SILENCE", 3), ("WATER_HARD_STOP", 4))
HARD = 2
SENTENCE = ("last_use_us", "again_by_us", "again_of_100", "silent_h", "last_at_us")
NEVER_H = 255
CLOSED = 65_535
ALL = slice(None)
Mask = NDArray[np.bool_]
CLOCKS_AT_ONCE = 4_096
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
        self.params, self.stream, count = params, intake.stream, intake.to_lay_out(state, "due_h")
        self.judged_us = intake.judged_us
        self.hard_h = int(params["hard_stop_h"])
        self.most_unseen_h = max(min(int(params["max_gap_h"]), self.hard_h - CLOCK_SET_H), 0)
        self.begins = -(-(intake.judged_us + 1) // HOUR_US) - 1 if intake.judged_us and intake.next_slot < 0 else -1
        self.memory = Memory.of(state, place=intake.place, count=len(intake.stream))
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
        unseen_h = np.minimum(self.memory.unseen_h[homes], self.most_unseen_h).astype(np.int32)
        slot: NDArray[np.int32] = self.memory.use_slot[homes] - unseen_h + np.int32(self.hard_h)
        return slot

    def judge(self, hour: Hour) -> list[Finding]:
        """Take the readings of an hour and return what became true by its end."""
        registers = hour.registers(len(self.stream))
        at_us = (hour.slot + 1) * HOUR_US
        self.memory.turn(hour.slot)
        findings = [finding for past in hour.earlier for finding in self._caught_up(past, at_us=at_us)]
        used, _ = self.memory.step(hour.slot, registers, hours=self._hours_after(hour.slot))
        for part in blocks(len(used)):
            findings += self._begin_anew(hour.slot, used[part], part, at_us=at_us)
        self._set_clocks(hour.slot - CLOCK_SET_H)
        for slot in {past.slot for past in hour.earlier}:
            self._set_clocks(min(slot, hour.slot - CLOCK_SET_H))
        if at_us > self.judged_us:
            for part in blocks(len(used)):
                findings += self._opened(hour.slot, np.isfinite(registers[part]) > used[part], part, at_us=at_us)
        return findings

    def _caught_up(self, past: Hour, *, at_us: int) -> list[Finding]:
        """Take the readings of an hour that is over, for the homes of which nothing later is known; return what ended."""
        later = self.memory.read_slot[past.place] < past.slot
        homes = past.place[later]
        used, _ = self.memory.take(past.slot, homes, past.register_l[later], hour=hour_of_week(past.slot, utc_offset_h=self.params["utc_offset_h"]))
        homes = homes[used]
        ended = self._ended(homes, at_us=at_us)
        self.memory.mark_used(past.slot, homes)
        self.due_h[homes] = NEVER_H
        return ended

    def _begin_anew(self, slot: int, used: Mask, part: slice, *, at_us: int) -> list[Finding]:
        """Let the silence of those homes of `part` that used water begin anew; return what ended."""
        is_open = self.open_h[part, 0] != CLOSED
        for tier in range(1, HARD + 1):
            is_open |= self.open_h[part, tier] != CLOSED
        ended = self._ended(np.flatnonzero(used & is_open) + part.start, at_us=at_us)
        np.maximum(self.memory.use_slot[part], np.multiply(used, np.int32(slot)), out=self.memory.use_slot[part])
        for tier in range(HARD):
            self.due_h[part, tier] |= every_bit(used)
        return ended

    def _hours_after(self, slot: int) -> NDArray[np.int16]:
        first = hour_of_week(slot, utc_offset_h=self.params["utc_offset_h"])
        return ((first + np.arange(AHEAD_H + 1)) % WEEK_H).astype(np.int16)

    def _set_clocks(self, slot: int) -> None:
        """Set the clocks of homes whose last use fell in hour `slot`: most silences end before it is worth reckoning them."""
        waiting = np.flatnonzero((self.memory.use_slot == slot) & (self.due_h[:, 0] == NEVER_H)) if slot >= 0 else np.zeros(0, np.int64)
        for begin in range(0, len(waiting), CLOCKS_AT_ONCE):
            self._set_clocks_of(slot, waiting[begin : begin + CLOCKS_AT_ONCE])

    def _set_clocks_of(self, slot: int, home: Int64s) -> None:
        contexts = contexts_of(self.memory, slot, home, hours=self._hours_after(slot), population=frozen().population)
        prices_h = [self.params["call_price_h"], self.params["visit_price_h"]]
        hours, still = quick_alarms(quick_silences(contexts), prices_h=prices_h)
        for tier in range(HARD):
            after_h = np.clip(hours[tier], min(CLOCK_SET_H, self.hard_h), self.hard_h)
            self.due_h[home, tier] = after_h
            self.again[home, tier] = np.rint(1_000 * (1 - still[after_h, np.arange(len(home))]))
        self.again[home, HARD] = np.rint(1_000 * (1 - still[min(self.hard_h, AHEAD_H)]))

    def _opened(self, slot: int, silent: Mask, part: slice, *, at_us: int) -> list[Finding]:
        """Return the tiers that open at homes of `part`, which `silent` says have shown no use in the hour."""
        memory = self.memory
        silent_h = slot - memory.use_slot[part]
        hard = np.flatnonzero(silent_h >= min(CLOCK_SET_H, self.hard_h)) if slot == self.begins else np.flatnonzero(silent_h >= self.hard_h - self.most_unseen_h)
        hard = hard[self._is_recent(slot, hard + part.start)]
        if slot == self.begins:
            silent[hard] = True
        hours = np.minimum(silent_h, NEVER_H - 1).astype(np.uint8)
        late = [np.flatnonzero(silent & (hours >= self.due_h[part, tier])) for tier in range(HARD)]
        late.append(hard[self._hard_slot(hard + part.start) <= slot])
        return self._found_open(slot, [each + part.start for each in late], at_us=at_us)

    def _is_recent(self, slot: int, homes: Int64s) -> Mask:
        recent: Mask = (slot - self.memory.read_slot[homes] <= int(self.params["max_gap_h"])) & (self.memory.use_slot[homes] >= 0)
        return recent

    def _found_open(self, slot: int, late: list[Int64s], *, at_us: int) -> list[Finding]:
        late = [homes[self.open_h[homes, tier] == CLOSED] for tier, homes in enumerate(late)]
        for tier, homes in enumerate(late):
            self.open_h[homes, tier] = np.minimum(slot - self.memory.use_slot[homes], CLOSED - 1)
        homes, tiers = np.concatenate(late), np.repeat(np.arange(len(late)), [len(each) for each in late])
        order = np.lexsort((tiers, homes))
        return self._findings(homes[order], tiers[order], OPEN, at_us=at_us)

    def _ended(self, homes: Int64s, *, at_us: int) -> list[Finding]:
        row, tiers = np.nonzero(self.open_h[homes] != CLOSED)
        found = self._findings(homes[row], tiers, END, at_us=at_us)
        self.open_h[homes] = CLOSED
        return found

    def _findings(self, homes: Int64s, tiers: Int64s, phase: Literal["OPEN", "END"], *, at_us: int) -> list[Finding]:
        """Return findings that carry their sentence: last use, and in how many of 100 such hours water was used again by when."""
        if not len(homes):
            return []
        use_slot = self.memory.use_slot[homes].astype(np.int64)
        due = np.where(tiers == HARD, self._hard_slot(homes), use_slot + self.due_h[homes, np.minimum(tiers, HARD - 1)])
        columns = (
            tiers, self.stream[homes], (use_slot + self.open_h[homes, tiers] + 1) * HOUR_US, use_slot * HOUR_US, due * HOUR_US,
            self.again[homes, tiers] / 10, at_us // HOUR_US - 1 - use_slot, self.memory.read_slot[homes] * np.int64(HOUR_US),
        )
        return [
            Finding(TIERS[tier][0], stream, episode_us, phase, TIERS[tier][1], at_us, f"{TIERS[tier][0]}_{phase}", dict(zip(SENTENCE, said, strict=True)))
            for tier, stream, episode_us, *said in zip(*(column.tolist() for column in columns), strict=True)
        ]
