"""Readings by whole hours: which streams are known, what waits, and the last register of each stream in each hour.

An hour is judged once the watermark has passed its end. A row that comes later counts in the next hour to be judged if it is
newer than all that is known of its stream, else it is only counted as late. Of several that come late together, as a meter
sends that uploads once a day, those before the last are told with the hours they were taken in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from shouwang.detectors.contract import Columns, Float64s, Int64s, State
from shouwang.detectors.habits.waiting import as_state, taken, with_new, with_waiting

HOUR_US = 3_600_000_000
THURSDAY_H = 72
WEEK_H = 168
LATE_H = 48
AT_ONCE = 16_384


@dataclass(frozen=True)
class Hour:
    """The streams (by their place, each once) that were read in an hour since 1970, and their last registers in litres.

    `earlier` are hours of the last two days that are over, ascending, with readings that came only now.
    """

    slot: int
    place: Int64s
    register_l: Float64s
    earlier: Sequence[Hour] = ()
    dense: Float64s | None = None

    def registers(self, count: int) -> Float64s:
        """Return the register of each of `count` streams, NaN of those that were not read."""
        if self.dense is not None:
            return self.dense
        registers = np.full(count, np.nan)
        registers[self.place] = self.register_l
        return registers


class Intake:
    """The rows of a state, with new rows joined: `stream` ascends and holds every stream seen.

    `place` says where the streams of the state stand in it, None for where they stood.
    """

    def __init__(self, state: State, columns: Columns, *, watermark_us: int) -> None:
        none = np.zeros(0, np.int64)
        self.judged_us = int(state["judged_us"][0]) if "judged_us" in state else 0
        self.next_slot = int(state["next_slot"][0]) if "next_slot" in state else -1
        self.end_slot = watermark_us // HOUR_US
        self.late = int(state["late"][0]) if "late" in state else 0
        waiting = with_waiting(state, columns)
        ready = waiting.at_us < self.end_slot * HOUR_US
        if ready.all():
            self.pending, self._ready = Columns.empty(), waiting
        else:
            self.pending, self._ready = waiting.where(~ready), waiting.where(ready)
        self.stream, self.place, self._places = with_new(state.get("stream", none).astype(np.int64, copy=False), self._ready.stream)
        self.read_us: Int64s = taken(state.get("read_us", none), np.full(self.to_lay_out(state, "read_us"), -1, np.int64), self.place)

    def to_lay_out(self, state: State, name: str) -> int:
        """Return for how many streams arrays must be laid out anew: none where `state` has `name` and its streams stay where they stand."""
        return 0 if self.place is None and name in state else len(self.stream)

    def hours(self) -> Iterator[Hour]:
        """Yield the hours that have rows, in order of time."""
        rows, place = self._ready, self._places
        whole = self._whole_hour(rows, place)
        if whole is not None:
            yield whole
            return
        slot = np.maximum(rows.at_us // HOUR_US, self.next_slot)
        for number in _distinct(slot):
            if len(rows) and (slot[0] != number or (slot != number).any()):
                mine = np.flatnonzero(slot == number)
                yield self._hour(number, rows.where(mine), place[mine])
            else:
                yield self._hour(number, rows, place)

    def _whole_hour(self, rows: Columns, place: Int64s) -> Hour | None:
        """Return the hour if all rows fall into one, are of a stream each and newer than all known; None if any is not.

        Moment and register travel together: with a million streams nearly all the cost is in going to each of them.
        """
        slot = int(rows.at_us[0]) // HOUR_US if len(rows) else -1
        if slot < max(self.next_slot, 1) or rows.at_us.min() < slot * HOUR_US or rows.at_us.max() >= (slot + 1) * HOUR_US:
            return None
        pairs, shown = np.empty(len(rows), np.complex128), np.zeros(len(self.stream), np.complex128)
        count = 0
        pairs.real, pairs.imag = rows.value, rows.at_us
        shown[place] = pairs
        dense, read_us = np.empty(len(shown)), np.empty(len(shown), np.int64)
        for begin in range(0, len(shown), AT_ONCE):
            part = slice(begin, begin + AT_ONCE)
            at_us = shown[part].imag.astype(np.int64)
            read = at_us > self.read_us[part]
            count += int(np.count_nonzero(read))
            dense[part] = np.where(read, shown[part].real, np.nan)
            np.maximum(self.read_us[part], at_us, out=read_us[part])
        if count != len(rows):
            return None
        self.read_us = read_us
        return Hour(slot, place, rows.value, dense=dense)

    def _hour(self, slot: int, rows: Columns, place: Int64s) -> Hour:
        fresh = rows.at_us > self.read_us[place]
        if not fresh.all():
            self.late += int((~fresh).sum())
            rows, place = rows.where(fresh), place[fresh]
        last = self._last_of_each(rows, place)
        earlier: list[Hour] = []
        if last is not None:
            earlier = self._earlier(slot, rows, place, last=last) if slot == self.next_slot else []
            rows, place = rows.where(last), place[last]
        self.read_us[place] = rows.at_us
        return Hour(slot, place, rows.value, earlier)

    def _earlier(self, slot: int, rows: Columns, place: Int64s, *, last: Int64s) -> list[Hour]:
        """Return the hours before `slot` of the rows that are not the last of their stream."""
        over = rows.at_us // HOUR_US
        over[last] = slot
        found = []
        for number in np.unique(over[(over < slot) & (over >= slot - LATE_H)]).tolist():
            mine = np.flatnonzero(over == number)
            part, where = rows.where(mine), place[mine]
            ends = self._last_of_each(part, where)
            found.append(Hour(number, where, part.value) if ends is None else Hour(number, where[ends], part.value[ends]))
        return found

    def _last_of_each(self, rows: Columns, place: Int64s) -> Int64s | None:
        """Return which rows are the last of their stream, of two at one moment the greater; None where all are."""
        lines = np.arange(len(rows), dtype=np.int32)
        line = np.empty(len(self.stream), np.int32)
        line[place] = lines
        winner = line[place]
        if (winner == lines).all():
            return None
        is_double = np.zeros(len(self.stream), bool)
        is_double[place[winner != lines]] = True
        doubled = is_double[place]
        mine = np.flatnonzero(doubled)
        mine = mine[np.lexsort((rows.value[mine], rows.at_us[mine], place[mine]))]
        ends = np.append(place[mine][1:] != place[mine][:-1], True)
        return np.sort(np.concatenate([np.flatnonzero(~doubled), mine[ends]]))

    def state(self) -> State:
        """Return what must be kept."""
        return {
            "judged_us": np.array([max(self.judged_us, self.end_slot * HOUR_US)], np.int64), "next_slot": np.array([self.end_slot], np.int64),
            "late": np.array([self.late], np.int64), "stream": self.stream, "read_us": self.read_us, **as_state(self.pending),
        }


def _distinct(slot: Int64s) -> list[int]:
    if not len(slot):
        return []
    first, last = int(slot.min()), int(slot.max())
    return [first] if first == last else np.unique(slot).tolist()


def is_idle(state: State, columns: Columns, *, watermark_us: int) -> bool:
    """Return whether there is nothing new to judge."""
    return bool(state) and not len(columns) and "next_slot" in state and watermark_us // HOUR_US <= int(state["next_slot"][0])


def waits(state: State, columns: Columns, *, watermark_us: int) -> State | None:
    """Return the state with `columns` waiting, None once an hour is over and must be judged."""
    if "next_slot" not in state or watermark_us // HOUR_US > int(state["next_slot"][0]):
        return None
    return {**state, **as_state(with_waiting(state, columns))}


def hour_of_week(slot: int, *, utc_offset_h: float) -> int:
    """Return the local hour of the week of an hour since 1970, Monday 00:00 being 0."""
    return int(slot + THURSDAY_H + utc_offset_h) % WEEK_H
