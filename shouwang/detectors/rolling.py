"""Water used in a rolling window, from a cumulative register: the core that the rules in service share. Not a detector itself.

Verdicts fall on a fixed grid of minutes of phenomenon time, so they do not depend on when anybody looks. At a grid
moment g the use in (g - window, g] is known between two bounds: `upper` is the register now less the last reading at or
before g - window, `lower` the register now less the first reading from g - window on. Low use needs upper < low_l, high
use needs lower > high_l, and the opposite verdict needs the other bound; in between, the verdict stands as it was. A
register that runs backwards is an exchanged meter: the window starts anew. A stream without a reading for longer than
`max_gap_h` is NO_DATA and says nothing about use: the other verdicts stand as they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.contract import END, OPEN, Columns, Finding, Float64s, Int64s, Params, State

LOW = "WATER_LOW_USE"
HIGH = "WATER_HIGH_USE"
NO_DATA = "WATER_NO_DATA"

HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000
PAD_US = 1 << 62
NEVER_US = 1 << 62
SPAN_BITS = 43
FIRST_CAPACITY = 8
MAX_WINDOW_H = 744
MAX_STREAMS = 1 << 19

Mask = NDArray[np.bool_]
Verdicts = NDArray[np.int8]


@dataclass(frozen=True)
class Rule:
    """The parameters in microseconds and litres; `high_l` infinite means there is no upper rule."""

    window_us: int
    gap_us: int
    grid_us: int
    low_l: float
    high_l: float
    low_severity: int

    @classmethod
    def of(cls, params: Params) -> Rule:
        """Return the rule of `params`. Raises ValueError for a window that is no multiple of the grid or too long."""
        window_us, grid_us = int(params["window_h"] * HOUR_US), int(params["grid_min"] * MINUTE_US)
        if grid_us <= 0 or window_us % grid_us or not 0 < params["window_h"] <= MAX_WINDOW_H:
            message = f"window_h {params['window_h']} must be at most {MAX_WINDOW_H} and a multiple of grid_min {params['grid_min']}"
            raise ValueError(message)
        high_l = float(params.get("high_l", float("inf")))
        return cls(window_us, int(params["max_gap_h"] * HOUR_US), grid_us, params["low_l"], high_l, int(params["low_severity"]))

    def up(self, at_us: Int64s) -> Int64s:
        """Return the first grid moments at or after `at_us`."""
        return -(-at_us // self.grid_us) * self.grid_us

    def after(self, at_us: Int64s) -> Int64s:
        """Return the first grid moments after `at_us`."""
        return (at_us // self.grid_us + 1) * self.grid_us


def judge_window(columns: Columns, state: State, *, watermark_us: int, params: Params) -> tuple[State, list[Finding]]:
    """Return the findings of the rule in `params` up to the watermark, and the state after it."""
    rule = Rule.of(params)
    end_us = watermark_us // rule.grid_us * rule.grid_us
    judged_us = int(state["judged_us"][0]) if state else 0
    if not len(columns) and end_us <= judged_us:
        return state, []
    if not len(columns) and _sleeps(state, end_us):
        return {**state, "judged_us": np.array([end_us], np.int64)}, []
    memory = Memory.of(state)
    memory.pending = memory.pending.joined(columns)
    findings: list[Finding] = []
    if end_us > judged_us:
        for rows, to_us in _steps(memory.ready(end_us), rule=rule, judged_us=judged_us, end_us=end_us):
            findings += _step(memory, rows, rule=rule, to_us=to_us)
        findings.sort(key=lambda finding: (finding.at_us, finding.stream, finding.kind))
    return memory.state(), findings


def _sleeps(state: State, end_us: int) -> bool:
    """Return whether nothing can change up to `end_us`: no row waits and the clock alone changes no verdict."""
    return all(not (state[name].astype(np.int64, copy=False) <= end_us).any() for name in ("pending_at_us", "due_us") if name in state)


def _steps(rows: Columns, *, rule: Rule, judged_us: int, end_us: int) -> Iterator[tuple[Columns, int]]:
    """Yield the rows in steps of at most one window, so that a step's memory is bounded; long pauses are one step."""
    while judged_us < end_us:
        earliest_us = int(rows.at_us.min()) if len(rows) else NEVER_US
        if earliest_us > judged_us + rule.window_us:
            to_us = min(end_us, (earliest_us - 1) // rule.grid_us * rule.grid_us)
            yield Columns.empty(), to_us
        else:
            to_us = min(end_us, judged_us + rule.window_us)
            now = rows.at_us <= to_us
            yield rows.where(now), to_us
            rows = rows.where(~now)
        judged_us = to_us


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
        self._know(rows.stream)
        index = np.searchsorted(self.stream, rows.stream)
        known_us = np.where(self.count[index] > 0, self.at_us[index, self.count[index] - 1], -1)
        newer = rows.at_us > known_us
        self.late += len(rows) - int(newer.sum())
        return rows.where(newer)

    def _know(self, streams: Int64s) -> None:
        """Make room for those of the sorted `streams` that are seen for the first time."""
        new = streams[np.append(True, streams[1:] != streams[:-1])]
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


def _step(memory: Memory, rows: Columns, *, rule: Rule, to_us: int) -> list[Finding]:
    """Judge the grid moments in (judged, to], after appending `rows`; return the findings in no particular order."""
    new = memory.append(rows, rule=rule) if len(rows) else (np.zeros(0, np.int64), np.zeros(0, np.int64))
    touched = memory.due_us <= to_us
    touched[new[0]] = True
    chosen = np.flatnonzero(touched)
    findings: list[Finding] = []
    if len(chosen):
        view = View(memory, chosen, rule)
        pairs = view.pairs(np.searchsorted(chosen, new[0]), new[1], to_us=to_us)
        findings = _findings(memory, view, pairs, rule=rule)
        memory.due_us[chosen] = view.due(to_us)
    memory.judged_us = to_us
    return findings


class View:
    """The streams that a step may concern, with one sorted key over all their readings."""

    def __init__(self, memory: Memory, chosen: Int64s, rule: Rule) -> None:
        self.rule = rule
        self.chosen = chosen
        self.judged_us = memory.judged_us
        self.origin_us = memory.judged_us - rule.window_us
        self.at_us = memory.at_us[chosen]
        self.width = self.at_us.shape[1]
        self.count = memory.count[chosen]
        offset = np.clip(self.at_us - self.origin_us, 0, (1 << SPAN_BITS) - 1)
        offset += (np.arange(len(chosen), dtype=np.int64) << SPAN_BITS)[:, None]
        self.key = offset.ravel()

    def pairs(self, row: Int64s, at_us: Int64s, *, to_us: int) -> Int64s:
        """Return the keys of every (stream, grid moment) in (judged, to] where a verdict can change."""
        rule, a = self.rule, self.at_us
        keys = [self._key(row, np.maximum(rule.up(at_us), self.judged_us + rule.grid_us))]
        leaving = (a > self.judged_us - rule.window_us - rule.grid_us) & (a <= to_us - rule.window_us)
        r, c = np.nonzero(leaving)
        left_us = a[r, c] + rule.window_us
        keys += [self._key(r, rule.up(left_us)), self._key(r, rule.after(left_us))]
        silent = (a > self.judged_us - rule.gap_us - rule.grid_us) & (a < to_us - rule.gap_us)
        r, c = np.nonzero(silent)
        following = np.where(c + 1 < self.width, a[r, np.minimum(c + 1, self.width - 1)], PAD_US)
        alone = following > a[r, c] + rule.gap_us
        keys.append(self._key(r[alone], rule.after(a[r[alone], c[alone]] + rule.gap_us)))
        found = np.sort(np.concatenate(keys))
        found = found[np.append(True, found[1:] != found[:-1])]
        moment = self.moment(found)
        chosen: Int64s = found[(moment > self.judged_us) & (moment <= to_us)]
        return chosen

    def _key(self, row: Int64s, at_us: Int64s) -> Int64s:
        return (row.astype(np.int64) << SPAN_BITS) + (at_us - self.origin_us)

    def moment(self, key: Int64s) -> Int64s:
        """Return the grid moments of these keys."""
        return (key & ((1 << SPAN_BITS) - 1)) + self.origin_us

    def due(self, to_us: int) -> Int64s:
        """Return for each stream the first grid moment after `to_us` at which the clock alone can change a verdict."""
        rule, a = self.rule, self.at_us
        rows = np.arange(len(a))
        next_out = (a < to_us - rule.window_us).sum(axis=1)
        inside = next_out < self.count
        out_us = a[rows, np.minimum(next_out, self.width - 1)] + rule.window_us
        leaves_us = np.where(rule.up(out_us) > to_us, rule.up(out_us), rule.after(out_us))
        silent_us = rule.after(a[rows, self.count - 1] + rule.gap_us)
        silent_us = np.where(silent_us > to_us, silent_us, NEVER_US)
        due_us: Int64s = np.minimum(np.where(inside, leaves_us, NEVER_US), silent_us)
        return due_us


@dataclass(frozen=True)
class Seen:
    """What is known at each (stream, grid moment): indices into the view's flat readings, and both bounds of the use."""

    stream: Int64s
    at_us: Int64s
    last_at_us: Int64s
    base: Int64s
    last: Int64s
    covered: Mask
    upper_l: Float64s
    lower_l: Float64s


def _seen(memory: Memory, view: View, pairs: Int64s, *, rule: Rule) -> Seen:
    row = pairs >> SPAN_BITS
    at_us = view.moment(pairs)
    start = row * view.width
    to_memory = (view.chosen[row] - row) * view.width
    value, begin = memory.value.reshape(-1), memory.begin.reshape(-1)
    last = np.searchsorted(view.key, pairs, "right") - 1
    base = np.searchsorted(view.key, pairs - rule.window_us, "right") - 1
    begun = start + begin[last + to_memory]
    covered = base >= begun
    readings_us = view.at_us.reshape(-1)
    exact = covered & (readings_us[base] == at_us - rule.window_us)
    first = np.minimum(np.where(exact, base, np.maximum(base + 1, begun)), last)
    base = np.where(covered, base, first)
    now = value[last + to_memory]
    return Seen(
        view.chosen[row], at_us, readings_us[last], base + to_memory, last + to_memory, covered,
        now - value[base + to_memory], now - value[first + to_memory],
    )


def _findings(memory: Memory, view: View, pairs: Int64s, *, rule: Rule) -> list[Finding]:
    seen = _seen(memory, view, pairs, rule=rule)
    silent = seen.at_us - seen.last_at_us > rule.gap_us
    low = np.select([silent, seen.covered & (seen.upper_l < rule.low_l), seen.lower_l >= rule.low_l], [-1, 1, 0], -1)
    high = np.select([silent, seen.lower_l > rule.high_l, seen.covered & (seen.upper_l <= rule.high_l)], [-1, 1, 0], -1)
    kinds = [(LOW, low, rule.low_severity), (HIGH, high, 2), (NO_DATA, silent.astype(np.int64), 1)]
    found: list[Finding] = []
    for kind, verdict, severity in kinds:
        for place, episode_us, opens in _changes(seen, verdict, memory.open_us[kind]):
            params = _params(memory, seen, place, kind=kind, opens=opens, rule=rule)
            found.append(Finding(
                kind, int(memory.stream[seen.stream[place]]), episode_us, OPEN if opens else END, severity,
                int(seen.at_us[place]), f"{kind}_{OPEN if opens else END}", params,
            ))
    return found


def _changes(seen: Seen, verdict: NDArray[np.int64], open_us: Int64s) -> list[tuple[int, int, bool]]:
    """Return (place, episode, opens) wherever the verdict differs from the one before, and keep the open episodes."""
    known = np.flatnonzero(verdict >= 0)
    if not len(known):
        return []
    stream, yes = seen.stream[known], verdict[known] > 0
    first = np.append(True, stream[1:] != stream[:-1])
    before = np.where(first, open_us[stream] > 0, np.append(False, yes[:-1]))
    changed = np.flatnonzero(yes != before)
    found = []
    for place in changed.tolist():
        owner, opens, at = int(stream[place]), bool(yes[place]), int(known[place])
        episode_us = int(seen.at_us[at]) if opens else int(open_us[owner])
        open_us[owner] = episode_us if opens else 0
        found.append((at, episode_us, opens))
    return found


def _params(memory: Memory, seen: Seen, place: int, *, kind: str, opens: bool, rule: Rule) -> dict[str, float | int]:
    """Return what the sentence to the reader needs; `unused_since_us` is the first reading in the window that showed the last value."""
    last_at_us = int(seen.last_at_us[place])
    if kind == NO_DATA:
        return {"last_at_us": last_at_us, "max_gap_h": rule.gap_us // HOUR_US}
    low = kind == LOW
    used_l = seen.upper_l if low == opens else seen.lower_l
    params: dict[str, float | int] = {
        "used_l": float(used_l[place]), "window_h": rule.window_us // HOUR_US,
        "limit_l": rule.low_l if low else rule.high_l, "last_at_us": last_at_us,
    }
    if low and opens:
        base, last = int(seen.base[place]), int(seen.last[place])
        values = memory.value.reshape(-1)[base : last + 1]
        params["unused_since_us"] = int(memory.at_us.reshape(-1)[base + int(np.searchsorted(values, values[-1]))])
    return params
