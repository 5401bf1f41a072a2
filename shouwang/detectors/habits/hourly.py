"""Readings by whole hours: which streams are known, what waits, and the last register of each stream in each hour.

An hour is judged once the watermark has passed its end. A row that comes later counts in the next hour to be judged if it is
newer than all that is known of its stream, else it is only counted as late.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from shouwang.detectors.contract import Columns, Float64s, Int64s, State

HOUR_US = 3_600_000_000
THURSDAY_H = 72
WEEK_H = 168


@dataclass(frozen=True)
class Hour:
    """The streams (by their place) that were read in an hour since 1970, and their last registers in litres."""

    slot: int
    place: Int64s
    register_l: Float64s


class Intake:
    """The rows of a state, with new rows joined: `stream` ascends and holds every stream seen."""

    def __init__(self, state: State, columns: Columns, *, watermark_us: int) -> None:
        none = np.zeros(0, np.int64)
        self.judged_us = int(state["judged_us"][0]) if "judged_us" in state else 0
        self.next_slot = int(state["next_slot"][0]) if "next_slot" in state else -1
        self.end_slot = watermark_us // HOUR_US
        self.late = int(state["late"][0]) if "late" in state else 0
        waiting = Columns(
            state.get("pending_stream", none).astype(np.int64, copy=False), state.get("pending_at_us", none).astype(np.int64, copy=False),
            state.get("pending_value", np.zeros(0)).astype(np.float64, copy=False),
        ).joined(columns)
        ready = waiting.at_us < self.end_slot * HOUR_US
        self.pending, self._ready = waiting.where(~ready), waiting.where(ready)
        known = state.get("stream", none).astype(np.int64, copy=False)
        self.stream: Int64s = np.union1d(known, self._ready.stream)
        self.place: Int64s = np.searchsorted(self.stream, known)
        self.read_us = np.full(len(self.stream), -1, np.int64)
        self.read_us[self.place] = state.get("read_us", none)

    def hours(self) -> Iterator[Hour]:
        """Yield the hours that have rows, in order of time."""
        rows = self._ready.where(np.lexsort((self._ready.value, self._ready.at_us, self._ready.stream)))
        place = np.searchsorted(self.stream, rows.stream)
        fresh = rows.at_us > self.read_us[place]
        self.late += int((~fresh).sum())
        rows, place = rows.where(fresh), place[fresh]
        slot = np.maximum(rows.at_us // HOUR_US, self.next_slot)
        last = np.ones(len(rows), bool)
        last[:-1] = (place[1:] != place[:-1]) | (slot[1:] != slot[:-1])
        self.read_us[place[last]] = np.maximum(self.read_us[place[last]], rows.at_us[last])
        np.maximum.at(self.read_us, place, rows.at_us)
        slot, place, value = slot[last], place[last], rows.value[last]
        order = np.argsort(slot, kind="stable")
        for part in np.split(order, np.flatnonzero(np.diff(slot[order])) + 1) if len(order) else []:
            yield Hour(int(slot[part[0]]), place[part], value[part])

    def state(self) -> State:
        """Return what must be kept."""
        return {
            "judged_us": np.array([max(self.judged_us, self.end_slot * HOUR_US)], np.int64), "next_slot": np.array([self.end_slot], np.int64),
            "late": np.array([self.late], np.int64), "stream": self.stream, "read_us": self.read_us,
            "pending_stream": self.pending.stream, "pending_at_us": self.pending.at_us, "pending_value": self.pending.value,
        }


def is_idle(state: State, columns: Columns, *, watermark_us: int) -> bool:
    """Return whether there is nothing new to judge."""
    return bool(state) and not len(columns) and "next_slot" in state and watermark_us // HOUR_US <= int(state["next_slot"][0])


def hour_of_week(slot: int, *, utc_offset_h: float) -> int:
    """Return the local hour of the week of an hour since 1970, Monday 00:00 being 0."""
    return int(slot + THURSDAY_H + utc_offset_h) % WEEK_H
