"""A meter that has stopped sending: its own finding with its own ticket, and never a word about use."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.contract import END, OPEN, Columns, Finding, Int64s, Params, State, join_streams
from shouwang.detectors.habits.waiting import as_state, taken, with_new, with_waiting

NAME = "no_data"
VERSION = 1
PARAMS: Params = {"max_gap_h": 6, "grid_min": 10}
KIND = "WATER_NO_DATA"
HOUR_US, MINUTE_US = 3_600_000_000, 60_000_000
Event = tuple[int, int, str, int]
"""Moment, place of the stream, phase, and the last reading before it."""


def judge(
    columns: Columns, state: State, *, now_us: int, watermark_us: int, params: Params,
) -> tuple[State, list[Finding]]:
    """Return which meters fell silent or came back up to the watermark, and the state after it.

    A meter is silent at the first moment of the grid more than `max_gap_h` after its last reading, and back at the first
    one after a new reading.
    """
    del now_us
    settled = {**PARAMS, **params}
    grid_us = int(settled["grid_min"] * MINUTE_US)
    end_us, judged_us = watermark_us // grid_us * grid_us, int(state["judged_us"][0]) if state else 0
    if not len(columns) and end_us <= judged_us:
        return state, []
    state = _packed(state)
    if end_us <= judged_us:
        return {**state, **_header(state, judged_us), **as_state(with_waiting(state, columns))}, []
    meters = Meters(state, columns, end_us=end_us, gap_us=int(settled["max_gap_h"] * HOUR_US), grid_us=grid_us)
    findings = [meters.finding(event) for event in meters.events()]
    return meters.state(), [each for each in findings if each is not None]


def take_streams(state: State, taken: State) -> State:
    """Return `state` with the meters of `taken`."""
    return join_streams(_packed(state), _packed(taken))


class Meters:
    """The last reading of every meter, and since which minute it has been silent (0: it is not)."""

    def __init__(self, state: State, columns: Columns, *, end_us: int, gap_us: int, grid_us: int) -> None:
        self.judged_us = int(state["judged_us"][0]) if state else 0
        self.end_us, self.gap_us, self.grid_us = end_us, gap_us, grid_us
        self.first_us = self.judged_us // grid_us * grid_us + grid_us
        self.late = int(state["late"][0]) if "late" in state else 0
        rows = with_waiting(state, columns)
        ready = rows.at_us <= end_us
        self.pending, rows = (Columns.empty(), rows) if ready.all() else (rows.where(~ready), rows.where(ready))
        none = np.zeros(0, np.int64)
        self.stream, place, standing = with_new(state.get("stream", none).astype(np.int64, copy=False), rows.stream)
        count = len(self.stream)
        self.last_us = taken(state.get("last_us", none), np.full(count, -1, np.int64), place)
        self.open_min = taken(state.get("open_min", none), np.zeros(count, np.int32), place)
        self.place, self.at_us = standing, rows.at_us

    def state(self) -> State:
        """Return what must be kept."""
        return {
            "judged_us": np.array([self.end_us], np.int64), "late": np.array([self.late], np.int64),
            "stream": self.stream, "last_us": self.last_us, "open_min": self.open_min, **as_state(self.pending),
        }

    def events(self) -> list[Event]:
        """Return every moment at which a meter may fall silent or come back, in order, and keep its last reading."""
        readings = self._one_of_each()
        place, at_us, before_us = readings or self._readings()
        events: list[Event] = []
        back_us = np.maximum(-(-at_us // self.grid_us) * self.grid_us, self.first_us)
        opens_us = self._opens(before_us)
        fell = (before_us >= 0) & (at_us > opens_us)
        events += zip(opens_us[fell].tolist(), place[fell].tolist(), [OPEN] * int(fell.sum()), before_us[fell].tolist(), strict=True)
        is_old = back_us - at_us > self.gap_us
        was_open = self.open_min > 0
        was_open[place[fell]] = True
        came = was_open[place] & ~is_old
        events += zip(back_us[came].tolist(), place[came].tolist(), [END] * int(came.sum()), at_us[came].tolist(), strict=True)
        if readings is None:
            np.maximum.at(self.last_us, place, at_us)
        silent = np.flatnonzero((self.last_us < self.end_us - self.gap_us) & (self.last_us >= 0))
        due_us = self._opens(self.last_us[silent])
        silent, due_us = silent[due_us <= self.end_us], due_us[due_us <= self.end_us]
        events += zip(due_us.tolist(), silent.tolist(), [OPEN] * len(silent), self.last_us[silent].tolist(), strict=True)
        return sorted(events, key=lambda event: (event[0], self.stream[event[1]], event[2]))

    def finding(self, event: Event) -> Finding | None:
        """Return the finding of an event, None where it changes nothing."""
        at_us, place, phase, last_us = event
        opened = int(self.open_min[place])
        if (phase == OPEN) == (opened > 0):
            return None
        self.open_min[place] = at_us // MINUTE_US if phase == OPEN else 0
        episode_us = at_us if phase == OPEN else opened * MINUTE_US
        params = {"last_at_us": last_us, "max_gap_h": self.gap_us // HOUR_US}
        return Finding(KIND, int(self.stream[place]), episode_us, OPEN if phase == OPEN else END, 1, at_us, f"{KIND}_{phase}", params)

    def _opens(self, last_us: Int64s) -> Int64s:
        opens: Int64s = np.maximum(((last_us + self.gap_us) // self.grid_us + 1) * self.grid_us, self.first_us)
        return opens

    def _one_of_each(self) -> tuple[Int64s, Int64s, Int64s] | None:
        """Keep the readings if each stream has one that is newer than all known, and return the few that may change anything; None if not so."""
        shown = np.zeros(len(self.stream), np.int64)
        shown[self.place] = self.at_us
        if np.count_nonzero(shown > self.last_us) != len(self.place) or np.count_nonzero(shown) != len(self.place):
            return None
        near = np.flatnonzero(((shown - self.last_us > self.gap_us) | (self.open_min > 0)) & (shown > 0))
        before_us = self.last_us[near]
        np.maximum(self.last_us, shown, out=self.last_us)
        return near, shown[near], before_us

    def _newer(self, place: Int64s, at_us: Int64s) -> tuple[Int64s, Int64s]:
        """Return the readings newer than what was known; older ones only count as late."""
        newer = at_us > self.last_us[place]
        if newer.all():
            return place, at_us
        pairs = np.unique(np.stack([place[~newer], at_us[~newer]]), axis=1)
        self.late += pairs.shape[1]
        return place[newer], at_us[newer]

    def _readings(self) -> tuple[Int64s, Int64s, Int64s]:
        """Return (place, moment, moment of the reading before it, −1 for none) of the last reading in each step of the grid."""
        place, at_us = self._newer(self.place, self.at_us)
        lines = np.arange(len(place), dtype=np.int32)
        line = np.empty(len(self.stream), np.int32)
        line[place] = lines
        if (line[place] == lines).all():
            return place, at_us, self.last_us[place]
        order = np.lexsort((at_us, place))
        place, at_us = place[order], at_us[order]
        step = np.maximum(-(-at_us // self.grid_us), self.first_us // self.grid_us)
        last = np.append((place[1:] != place[:-1]) | (step[1:] != step[:-1]), True)
        place, at_us = place[last], at_us[last]
        first = np.append(True, place[1:] != place[:-1])[: len(place)]
        return place, at_us, np.where(first, self.last_us[place], np.append(-1, at_us[:-1]))


def _header(state: State, judged_us: int) -> State:
    none = np.zeros(0, np.int64)
    return {
        "judged_us": np.array([judged_us], np.int64), "late": state.get("late", np.zeros(1, np.int64)),
        "stream": state.get("stream", none), "last_us": state.get("last_us", none), "open_min": state.get("open_min", np.zeros(0, np.int32)),
    }


def _packed(state: State) -> State:
    """Return a state as it is kept now, also one that was stored with readings of a window."""
    if "count" not in state:
        return state
    count, at_us = state["count"].astype(np.int64), state["at_us"].astype(np.int64)
    last_us = np.where(count > 0, at_us[np.arange(len(count)), np.maximum(count - 1, 0)], -1)
    open_min: NDArray[np.int32] = (state[KIND].astype(np.int64) // MINUTE_US).astype(np.int32)
    kept = {name: state[name] for name in state if name in {"judged_us", "late", "stream"} or name.startswith("pending_")}
    return {**kept, "last_us": last_us, "open_min": open_min}
