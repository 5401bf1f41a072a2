"""Gives registers to a real detector through its contract, as the watch does, and takes down when each episode opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bench.living_alone.homes import HOUR_US, Homes
from shouwang.detectors.contract import OPEN, Columns, Finding, Judge, State, drop_streams, dump, fresh, load, streams_of
from shouwang.detectors.registry import detectors_found

Registers = NDArray[np.float64]
Ints = NDArray[np.int64]
CALL, VISIT, HARD_STOP, NO_DATA = "WATER_SILENCE_CALL", "WATER_SILENCE", "WATER_HARD_STOP", "WATER_NO_DATA"
HIGH_USE, LEAK = "WATER_HIGH_USE", "WATER_LEAK"
SILENCE = (CALL, VISIT, HARD_STOP)


@dataclass(frozen=True)
class Opened:
    """An episode that opened: its kind, its stream and the last column whose reading it needed."""

    kind: str
    stream: int
    column: int


@dataclass
class Watch:
    """One detector over many streams, judged up to column `at`; `open` holds the column at which each episode now open began."""

    judge: Judge
    params: dict[str, float]
    begin: int
    offsets_h: NDArray[np.int64]
    state: State
    at: int = 0
    open: dict[tuple[str, int], int] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, homes: Homes, *, begin: int, judged_from: int, params: Mapping[str, float] | None = None) -> Watch:
        """Return a watch that has seen nothing before column `begin` and says nothing about columns before `judged_from`."""
        detector = detectors_found()[name]
        start_us = (homes.begin + judged_from) * HOUR_US
        state = fresh(start_us) if judged_from > begin else {}
        return cls(detector.judge, detector.settled(params or {}), homes.begin, homes.offsets_h(), state, at=begin)

    def branch(self, *, only: Ints | None = None) -> Watch:
        """Return a watch that goes on from here by itself, as after a restart; with `only`, for these streams alone."""
        state = load(dump(self.state))
        if only is not None:
            known = streams_of(state)
            state = drop_streams(state, known[~np.isin(known, only)])
        kept = {key: at for key, at in self.open.items() if only is None or key[1] in set(only.tolist())}
        return replace(self, state=state, open=kept)

    def feed(self, registers: Registers, streams: Ints, *, until: int, arrives: Ints | None = None) -> list[Opened]:
        """Judge the columns from `at` to `until` (exclusive) and return what opened.

        `registers` has one line a stream and one column for each from `at` on; NaN was not read. Readings arrive in their
        own hour, or at the column that `arrives` tells for each.
        """
        opened: list[Opened] = []
        begin = self.at
        for first, last, offset_h in self._spans(until, arrives):
            part = _rows(registers[:, first - begin : last - begin], streams, first_us=(self.begin + first) * HOUR_US)
            opened += self._tick(part, until=last, offset_h=offset_h) if arrives is None else self._upload(part, begin=first, until=last, offset_h=offset_h)
        return opened

    def _spans(self, until: int, arrives: Ints | None) -> Iterator[tuple[int, int, int]]:
        """Yield the spans of columns of one local time, and of one upload where readings come late."""
        changes = np.diff(self.offsets_h[self.at : until]) != 0
        if arrives is not None:
            changes |= np.diff(arrives[self.at : until]) != 0
        edges = [self.at, *(self.at + 1 + np.flatnonzero(changes)).tolist(), until]
        for first, last in zip(edges[:-1], edges[1:], strict=True):
            yield first, last, int(self.offsets_h[first])

    def _upload(self, rows: Columns, *, begin: int, until: int, offset_h: int) -> list[Opened]:
        """Let the clock run through columns in which nothing arrives, then all their readings at once."""
        del begin
        return [*self._tick(Columns.empty(), until=until - 1, offset_h=offset_h), *self._tick(rows, until=until, offset_h=offset_h)]

    def _tick(self, rows: Columns, *, until: int, offset_h: int) -> list[Opened]:
        params = {**self.params, "utc_offset_h": offset_h} if "utc_offset_h" in self.params else self.params
        now_us = (self.begin + until) * HOUR_US
        self.state, findings = self.judge(rows, self.state, now_us=now_us, watermark_us=now_us, params=params)
        self.at = until
        return self._taken_down(findings)

    def _taken_down(self, findings: list[Finding]) -> list[Opened]:
        opened = []
        for finding in findings:
            key = (finding.kind, finding.stream)
            if finding.phase == OPEN:
                self.open[key] = -(-finding.at_us // HOUR_US) - 1 - self.begin
                opened.append(Opened(finding.kind, finding.stream, self.open[key]))
            else:
                self.open.pop(key, None)
        return opened


def _rows(registers: Registers, streams: Ints, *, first_us: int) -> Columns:
    """Return every reading as a row, one microsecond into its hour."""
    line, column = np.nonzero(np.isfinite(registers))
    return Columns(streams[line], first_us + column * HOUR_US + 1, registers[line, column])


def hours_until(opened: list[Opened], before: Mapping[tuple[str, int], int], streams: Ints, *, since: int, kinds: tuple[str, ...], missed_h: int) -> NDArray[np.float64]:
    """Return for each stream the hours from column `since` to the first opening of one of `kinds`; 0 where one was open before."""
    found = np.full(len(streams), float(missed_h))
    place = {int(stream): line for line, stream in enumerate(streams)}
    for each in opened:
        if each.kind in kinds and each.stream in place:
            line = place[each.stream]
            found[line] = min(found[line], max(each.column - since, 0))
    for kind, stream in before:
        if kind in kinds and stream in place:
            found[place[stream]] = 0
    return found
