"""Verdicts of a rolling window on a grid of minutes, for many streams at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.contract import END, OPEN, Columns, Finding, Float64s, Int64s, Params, State
from shouwang.detectors.rolling.memory import Memory
from shouwang.detectors.rolling.rule import HIGH, HOUR_US, LOW, NEVER_US, NO_DATA, PAD_US, Rule

SPAN_BITS = 43
Mask = NDArray[np.bool_]


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


def move_readings(state: State, taken: State) -> State:
    """Return `state` with the streams of `taken`: their episodes stay open, their readings wait to be judged as history.

    So a stream may come from a rule with another window, and its verdict falls anew at the next grid moment.
    """
    memory, moved = Memory.of(state), Memory.of(taken)
    memory.know(moved.stream)
    place = np.searchsorted(memory.stream, moved.stream)
    for kind, opened in memory.open_us.items():
        opened[place] = moved.open_us[kind]
    memory.pending = memory.pending.joined(moved.readings()).joined(moved.pending)
    return memory.state()


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
