"""What the rolling rules remember of each stream: its readings of the last window, and its open episodes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.contract import Columns, Float64s, Int64s, State
from shouwang.detectors.rolling.rule import HIGH, LOW, NEVER_US, NO_DATA, PAD_US, Rule

FIRST_CAPACITY = 8
MAX_STREAMS = 1 << 19
Mask = NDArray[np.bool_]


class Memory:
    """What is remembered of every stream: its readings of the last window, left-aligned, and its open episodes."""

    def __init__(self, state: State) -> None:
        def kept(name: str, default: NDArray[np.generic]) -> NDArray[np.generic]:
            array = state.get(name, default)
            return array if array.flags.writeable else array.copy()

        none = np.zeros(0, np.int64)
        self.judged_us = int(state["judged_us"][0]) if state else 0
        self.late = int(state["late"][0]) if "late" in state else 0
        self.stream: Int64s = kept("stream", none).astype(np.int64, copy=False)
        self.count: Int64s = kept("count", none).astype(np.int64, copy=False)
        self.due_us: Int64s = kept("due_us", none).astype(np.int64, copy=False)
        self.at_us: Int64s = kept("at_us", np.zeros((0, FIRST_CAPACITY), np.int64)).astype(np.int64, copy=False)
        self.value: Float64s = kept("value", np.zeros((0, FIRST_CAPACITY))).astype(np.float64, copy=False)
        self.begin: NDArray[np.int16] = kept("begin", np.zeros((0, FIRST_CAPACITY), np.int16)).astype(np.int16, copy=False)
        self.open_us = {kind: kept(kind, none).astype(np.int64, copy=False) for kind in (LOW, HIGH, NO_DATA)}
        self.pending = Columns(
            state.get("pending_stream", none).astype(np.int64, copy=False),
            state.get("pending_at_us", none).astype(np.int64, copy=False),
            state.get("pending_value", np.zeros(0)).astype(np.float64, copy=False),
        )

    @classmethod
    def of(cls, state: State) -> Memory:
        """Return the memory that `state` holds."""
        return cls(state)

    def state(self) -> State:
        """Return the memory as a state."""
        return {
            "judged_us": np.array([self.judged_us], np.int64), "late": np.array([self.late], np.int64),
            "stream": self.stream, "count": self.count, "due_us": self.due_us,
            "at_us": self.at_us, "value": self.value, "begin": self.begin, **self.open_us,
            "pending_stream": self.pending.stream, "pending_at_us": self.pending.at_us, "pending_value": self.pending.value,
        }

    def ready(self, end_us: int) -> Columns:
        """Take the pending rows up to `end_us`, by stream and time, without repeats and without what is older than known.

        Of two rows of one stream and moment the greater value stays, whichever came first.
        """
        now = self.pending.at_us <= end_us
        rows, self.pending = self.pending.where(now), self.pending.where(~now)
        if not len(rows):
            return rows
        rows = rows.where(np.lexsort((rows.value, rows.at_us, rows.stream)))
        repeated = (rows.stream[1:] == rows.stream[:-1]) & (rows.at_us[1:] == rows.at_us[:-1])
        rows = rows.where(np.append(~repeated, True))
        self.know(rows.stream)
        index = np.searchsorted(self.stream, rows.stream)
        known_us = np.where(self.count[index] > 0, self.at_us[index, self.count[index] - 1], -1)
        newer = rows.at_us > known_us
        self.late += len(rows) - int(newer.sum())
        return rows.where(newer)

    def readings(self) -> Columns:
        """Return what is kept of every stream since its meter was last exchanged."""
        place = np.arange(self.at_us.shape[1])
        begun = self.begin[np.arange(len(self.stream)), np.maximum(self.count - 1, 0)]
        row, column = np.nonzero((place >= begun[:, None]) & (place < self.count[:, None]))
        return Columns(self.stream[row], self.at_us[row, column], self.value[row, column])

    def know(self, streams: Int64s) -> None:
        """Make room for those of the sorted `streams` that are seen for the first time."""
        new = streams[np.append(True, streams[1:] != streams[:-1])] if len(streams) else streams
        if len(self.stream):
            place = np.minimum(np.searchsorted(self.stream, new), len(self.stream) - 1)
            new = new[self.stream[place] != new]
        if not len(new):
            return
        if len(self.stream) + len(new) > MAX_STREAMS:
            message = f"a partition holds at most {MAX_STREAMS} streams; use more partitions"
            raise ValueError(message)
        where = np.searchsorted(self.stream, new)
        self.stream = np.insert(self.stream, where, new)
        self.count = np.insert(self.count, where, 0)
        self.due_us = np.insert(self.due_us, where, NEVER_US)
        self.at_us = np.insert(self.at_us, where, PAD_US, axis=0)
        self.value = np.insert(self.value, where, 0.0, axis=0)
        self.begin = np.insert(self.begin, where, 0, axis=0)
        self.open_us = {kind: np.insert(opened, where, 0) for kind, opened in self.open_us.items()}

    def append(self, rows: Columns, *, rule: Rule) -> tuple[Int64s, Int64s]:
        """Append `rows` (by stream and time, newer than what is known) and return the stream index and moment of those kept.

        Only the last row of each grid step is kept, and of what is older than the window only the last.
        """
        index = np.searchsorted(self.stream, rows.stream)
        exchanged = self._exchanged(index, rows.value)
        kept = _kept(index, rows.at_us, rule=rule, oldest_us=self.judged_us + rule.grid_us - rule.window_us)
        exchanges = np.cumsum(exchanged)
        index, at_us, value = index[kept], rows.at_us[kept], rows.value[kept]
        exchanged = np.diff(exchanges[kept], prepend=0) > 0
        first = np.append(True, index[1:] != index[:-1])
        flat = np.arange(len(index))
        start = np.maximum.accumulate(np.where(first, flat, 0))
        self._make_room(index[first], np.diff(np.append(flat[first], len(flat))), rule=rule)
        place = self.count[index] + flat - start
        turn = np.maximum.accumulate(np.where(first | exchanged, flat, 0))
        known = np.where(self.count[index] > 0, self.begin[index, np.maximum(self.count[index] - 1, 0)], 0)
        self.at_us[index, place] = at_us
        self.value[index, place] = value
        self.begin[index, place] = np.where(exchanged[turn], place[turn], known)
        last = np.append(first[1:], True)
        self.count[index[last]] = place[last] + 1
        return index, at_us

    def _exchanged(self, index: Int64s, value: Float64s) -> Mask:
        """Return which rows show less than the row before them."""
        before = np.append(np.nan, value[:-1])
        first = np.append(True, index[1:] != index[:-1])
        known = self.count[index] > 0
        remembered = np.where(known, self.value[index, np.maximum(self.count[index] - 1, 0)], np.nan)
        return value < np.where(first, remembered, before)

    def _make_room(self, index: Int64s, added: Int64s, *, rule: Rule) -> None:
        """Forget what is older than the window, then widen, until `added` rows fit for each stream of `index`."""
        width = self.at_us.shape[1]
        full = self.count[index] + added > width
        if not full.any():
            return
        index, added = index[full], added[full]
        oldest_us = self.judged_us + rule.grid_us - rule.window_us
        gone = np.maximum((self.at_us[index] <= oldest_us).sum(axis=1) - 1, 0)
        shifted = np.arange(width)[None, :] + gone[:, None]
        inside = shifted < width
        shifted = np.minimum(shifted, width - 1)
        rows = index[:, None]
        self.at_us[index] = np.where(inside, self.at_us[rows, shifted], PAD_US)
        self.value[index] = self.value[rows, shifted]
        self.begin[index] = np.maximum(self.begin[rows, shifted] - gone[:, None], 0)
        self.count[index] -= gone
        needed = int((self.count[index] + added).max())
        if needed > width:
            self._widen(max(needed + 4, width + width // 4) - width)

    def _widen(self, more: int) -> None:
        self.at_us = np.pad(self.at_us, ((0, 0), (0, more)), constant_values=PAD_US)
        self.value = np.pad(self.value, ((0, 0), (0, more)))
        self.begin = np.pad(self.begin, ((0, 0), (0, more)))


def _kept(index: Int64s, at_us: Int64s, *, rule: Rule, oldest_us: int) -> NDArray[np.intp]:
    """Return the rows that are the last of their stream's grid step and not made useless by a later old one."""
    same = index[1:] == index[:-1]
    grid_us = rule.up(at_us)
    superseded = same & ((grid_us[1:] == grid_us[:-1]) | (at_us[1:] <= oldest_us))
    return np.flatnonzero(np.append(~superseded, True))
