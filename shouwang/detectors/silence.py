"""Silence by a home's own habits: a call, then a visit, at the hour its usual life makes it worth one, and a hard stop after 24 hours."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.contract import END, OPEN, Columns, Finding, Int64s, Params, State, join_streams
from shouwang.detectors.habits.chance import chances
from shouwang.detectors.habits.clock import alarm_hours, silence
from shouwang.detectors.habits.frozen import frozen
from shouwang.detectors.habits.hourly import HOUR_US, Hour, Intake, hour_of_week, is_idle
from shouwang.detectors.habits.memory import AHEAD_H, Memory

NAME = "silence"
VERSION = 1
PARAMS: Params = {
    "call_price_h": frozen().prices_h["homebody"]["8"], "visit_price_h": frozen().prices_h["homebody"]["2"], "hard_stop_h": 24,
    "max_gap_h": 6, "utc_offset_h": 8, "grid_min": 60,
}
TIERS = (("WATER_SILENCE_CALL", 2), ("WATER_SILENCE", 3), ("WATER_HARD_STOP", 4))
HARD = 2
NEVER = 1 << 40


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
    intake = Intake(state, columns, watermark_us=watermark_us)
    watch = Watched(intake, state, {**PARAMS, **params})
    findings = [finding for hour in watch.hours(intake) for finding in watch.judge(hour)]
    findings = [finding for finding in findings if finding.at_us > intake.judged_us]
    return {**intake.state(), **watch.arrays()}, findings


def take_streams(state: State, taken: State) -> State:
    """Return `state` with the homes of `taken`, both brought to one hour; when a call or visit is due changes with the next use."""
    slot = max(Memory.slot_of(state), Memory.slot_of(taken))
    joined = join_streams(Memory.passed(state, slot), Memory.passed(taken, slot))
    return {**joined, "memory_slot": np.array([slot], np.int64)} if "memory_slot" in joined else joined


class Watched:
    """The homes under watch: their memory, the hours at which each tier is due, and the episodes that are open."""

    def __init__(self, intake: Intake, state: State, params: Params) -> None:
        self.params, self.stream, count = params, intake.stream, len(intake.stream)
        self.judged_us = intake.judged_us
        self.begins = -(-(intake.judged_us + 1) // HOUR_US) - 1 if intake.judged_us and intake.next_slot < 0 else -1
        self.memory = Memory.of(state, place=intake.place, count=count)
        self.due = np.full((count, 3), NEVER, np.int64)
        self.again = np.full((count, 3), np.nan)
        self.open_us = np.zeros((count, 3), np.int64)
        if "due" in state:
            for name in ("due", "again", "open_us"):
                getattr(self, name)[intake.place] = state[name]

    def arrays(self) -> State:
        """Return what must be kept."""
        return {**self.memory.arrays(), "due": self.due, "again": self.again, "open_us": self.open_us}

    def hours(self, intake: Intake) -> Iterator[Hour]:
        """Yield the hours with readings, between them those at which a hard stop falls due or the judging begins, each once."""
        nothing = (np.zeros(0, np.int64), np.zeros(0))
        at = max(intake.next_slot, 0)
        for hour in intake.hours():
            for slot in self._due_before(hour.slot, at=at):
                yield Hour(slot, *nothing)
            yield hour
            at = hour.slot + 1
        for slot in self._due_before(intake.end_slot, at=at):
            yield Hour(slot, *nothing)

    def _due_before(self, end: int, *, at: int) -> list[int]:
        waiting = self.due[:, HARD][(self.open_us[:, HARD] == 0) & (self.due[:, HARD] >= at) & (self.due[:, HARD] < end)]
        found = set(waiting.tolist())
        if at <= self.begins < end:
            found.add(self.begins)
        return sorted(found)

    def judge(self, hour: Hour) -> list[Finding]:
        """Take the readings of an hour and return what became true by its end."""
        registers = np.full(len(self.stream), np.nan)
        registers[hour.place] = hour.register_l
        ahead = np.array(
            [hour_of_week(hour.slot + each, utc_offset_h=self.params["utc_offset_h"]) for each in range(AHEAD_H + 1)], np.int16,
        )
        used, litres = self.memory.step(hour.slot, registers, hours=ahead)
        at_us = (hour.slot + 1) * HOUR_US
        findings = self._ended(np.flatnonzero(used), at_us=at_us)
        if used.any():
            self._learn(hour.slot, used, litres, ahead)
        return findings + self._opened(hour.slot, np.isfinite(registers) & ~used, at_us=at_us)

    def _learn(self, slot: int, used: NDArray[np.bool_], litres: NDArray[np.float32], ahead: NDArray[np.int16]) -> None:
        """Set the clocks of homes that have just used water."""
        known = frozen()
        contexts = self.memory.contexts(slot, used, litres, hours=ahead, population=known.population)
        self.memory.mark_used(slot, used)
        chance = chances(contexts, known.warm, cold=known.cold)
        hours = alarm_hours(chance, prices_h=[self.params["call_price_h"], self.params["visit_price_h"]])
        still = silence(chance)
        homes, hard_h = contexts.home, int(self.params["hard_stop_h"])
        for tier in range(HARD):
            after_h = np.minimum(hours[tier], hard_h)
            self.due[homes, tier] = slot + after_h
            self.again[homes, tier] = 100 * (1 - still[np.arange(len(homes)), after_h])
        self.due[homes, HARD] = slot + hard_h
        self.again[homes, HARD] = 100 * (1 - still[:, min(hard_h, AHEAD_H)])

    def _opened(self, slot: int, silent: NDArray[np.bool_], *, at_us: int) -> list[Finding]:
        recent = slot - self.memory.read_slot <= int(self.params["max_gap_h"])
        late = (self.due <= slot) & (self.open_us == 0) & (at_us > self.judged_us)
        shown = silent | (recent & (slot == self.begins))
        late &= np.where(np.arange(3) == HARD, recent[:, None], shown[:, None])
        found = []
        for home, tier in np.argwhere(late).tolist():
            self.open_us[home, tier] = at_us
            found.append(self._finding(home, tier, OPEN, at_us=at_us))
        return found

    def _ended(self, homes: Int64s, *, at_us: int) -> list[Finding]:
        found = []
        for home, tier in zip(*np.nonzero(self.open_us[homes]), strict=True):
            found.append(self._finding(int(homes[home]), int(tier), END, at_us=at_us))
        self.open_us[homes] = 0
        return found

    def _finding(self, home: int, tier: int, phase: str, *, at_us: int) -> Finding:
        """Return a finding that carries its sentence: last use, and in how many of 100 such hours water was used again by when."""
        kind, severity = TIERS[tier]
        use_slot, due = int(self.memory.use_slot[home]), int(self.due[home, tier])
        params: dict[str, float | int] = {
            "last_use_us": use_slot * HOUR_US, "again_by_us": due * HOUR_US, "again_of_100": round(float(self.again[home, tier]), 1),
            "silent_h": at_us // HOUR_US - 1 - use_slot, "last_at_us": int(self.memory.read_slot[home]) * HOUR_US,
        }
        episode_us = int(self.open_us[home, tier])
        return Finding(kind, int(self.stream[home]), episode_us, OPEN if phase == OPEN else END, severity, at_us, f"{kind}_{phase}", params)
