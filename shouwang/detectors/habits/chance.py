"""The chance that water is used in each hour after the last use: one logistic over all homes, on figures of `memory`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.habits.contexts import Contexts
from shouwang.detectors.habits.spans import AHEAD_H, LONG_H, RECENT_H, WEEK_H

Floats64 = NDArray[np.float64]
Floats = NDArray[np.float32]
AT_ONCE = 4_000
ELAPSED_H = (2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 24)
EVIDENCE = (0.5, 1, 2, 3, 4, 6, 8)
GAPS_AFTER_H = ((8, 4), (8, 8), (12, 6), (12, 12), (18, 12))
RIDGE = 3.0


def hours_after(contexts: Contexts, *, most_h: int = AHEAD_H) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (context, hour after the last use) of every pair, one context after the other."""
    count = len(contexts)
    return np.repeat(np.arange(count), most_h), np.tile(np.arange(1, most_h + 1), count)


def design(contexts: Contexts, row: NDArray[np.int64], elapsed_h: NDArray[np.int64]) -> Floats:
    """Return the figures that the logistic weighs, one line for each (context, hour after the last use)."""
    after = {step: (elapsed_h >= step).astype(np.float32) for step in (*ELAPSED_H, 11)}
    figures = {name: values[row] for name, values in contexts.figures.items()}
    columns = [np.ones(len(row), np.float32), *(after[step] for step in ELAPSED_H)]
    columns += _profile(contexts, row, elapsed_h, after)
    columns += _home(figures, after)
    columns += _calendar(figures["hour"].astype(int), elapsed_h, after)
    columns += _recent(figures, after)
    for name in ("yesterday", "last_week"):
        columns += _then(figures[name], elapsed_h, after)
    return np.stack([column.astype(np.float32) for column in columns], axis=1)


def _logit(chance: Floats) -> Floats:
    kept = np.clip(chance, 0.01, 0.99)
    logit: Floats = np.log(kept / (1 - kept))
    return logit


def _evidence(chance: Floats) -> Floats:
    """Return how surprising the silence before each hour is by the profile alone, in nats."""
    surprise = -np.log(1 - np.clip(chance, 0, 0.97))
    return np.cumsum(surprise, axis=1) - surprise


def _profile(contexts: Contexts, row: NDArray[np.int64], elapsed_h: NDArray[np.int64], after: dict[int, Floats]) -> list[Floats]:
    at = elapsed_h - 1
    use, quiet = _logit(contexts.use)[row, at], _logit(contexts.after_silence)[row, at]
    columns = [use, quiet, use**2, use * quiet]
    for step in (2, 3, 5, 8, 12, 18):
        columns += [use * after[step], quiet * after[step]]
    seen, seen_quiet = _evidence(contexts.use)[row, at], _evidence(contexts.after_silence)[row, at]
    columns += [seen, seen_quiet, *(np.maximum(seen - knot, 0) for knot in EVIDENCE)]
    return columns + [np.maximum(seen_quiet - knot, 0) for knot in (1, 2, 4)]


def _home(figures: dict[str, Floats], after: dict[int, Floats]) -> list[Floats]:
    columns = [figures["rate"], *(figures[f"gaps_{long_h}"] for long_h in LONG_H)]
    return columns + [figures[f"gaps_{long_h}"] * after[step] for long_h, step in GAPS_AFTER_H]


def _calendar(hour_of_week: NDArray[np.int64], elapsed_h: NDArray[np.int64], after: dict[int, Floats]) -> list[Floats]:
    coming = (hour_of_week + elapsed_h) % WEEK_H
    day, hour, last_hour = coming // 24, coming % 24, hour_of_week % 24
    columns = [(hour == each).astype(np.float32) for each in range(24)]
    for begin in range(0, 24, 3):
        now, then = ((part >= begin) & (part < begin + 3) for part in (hour, last_hour))
        columns += [now * after[5], now * after[11], then.astype(np.float32), then * after[5]]
    weekend = day >= 5
    return [*columns, weekend.astype(np.float32), weekend * after[5], (day == 6).astype(np.float32), (weekend & (hour >= 6) & (hour < 11)).astype(np.float32)]


def _recent(figures: dict[str, Floats], after: dict[int, Floats]) -> list[Floats]:
    shown = [figures[f"uses_{hours}"] for hours in RECENT_H]
    shown += [np.log(figures["drawn_24"] + 0.1), np.log(figures["drawn_3"] + 0.05), figures["last_use"]]
    shown += [np.log(figures["silence_before"]), np.log1p(figures["longest_48"]), np.log1p(figures["longest_168"])]
    return [part for figure in shown for part in (figure, figure * after[3], figure * after[8])]


def _then(silence_h: Floats, elapsed_h: NDArray[np.int64], after: dict[int, Floats]) -> list[Floats]:
    """Return what the silence that followed the same hour on another day says of this one."""
    known, longer = silence_h >= 0, (silence_h > elapsed_h)
    size = np.where(known, np.log1p(np.maximum(silence_h, 0)), 0)
    near = known & (np.abs(silence_h - elapsed_h) <= 1)
    return [known * 1.0, known & (silence_h == elapsed_h), longer * 1.0, longer * after[5], longer * after[10], size, size * after[5], near * 1.0]


def fit(contexts: Contexts, row: NDArray[np.int64], elapsed_h: NDArray[np.int64], used: NDArray[np.bool_], *, rounds: int = 6) -> Floats64:
    """Return the weights that make the observed hours likeliest, by Newton steps with a ridge of 3."""
    size = design(contexts.where(np.array([0])), np.array([0]), np.array([1])).shape[1]
    weights, ridge = np.zeros(size), np.full(size, RIDGE)
    ridge[0] = 1e-6
    parts = np.array_split(np.arange(len(row)), max(1, len(row) // 40_000))
    designs = [design(contexts, row[part], elapsed_h[part]) for part in parts]
    for _ in range(rounds):
        curvature, slope = np.diag(ridge), -ridge * weights
        for part, lines in zip(parts, designs, strict=True):
            chance = 1 / (1 + np.exp(-(lines @ weights.astype(np.float32))))
            steep = np.maximum(chance * (1 - chance), 1e-6)
            curvature = curvature + (lines * steep[:, None]).T @ lines
            slope = slope + lines.T @ (used[part] - chance)
        weights = weights + np.linalg.solve(curvature, slope)
    return weights


def chances(contexts: Contexts, weights: Floats64, *, cold: Floats64 | None = None) -> Floats64:
    """Return the chance of use in each of the 36 hours after the last use, given silence until then.

    `cold` are the weights for homes known for less than two weeks.
    """
    found = np.empty((len(contexts), AHEAD_H))
    for begin in range(0, len(contexts), AT_ONCE):
        part = contexts.where(np.arange(begin, min(begin + AT_ONCE, len(contexts))))
        lines = design(part, *hours_after(part))
        score = (lines @ weights.astype(np.float32)).reshape(len(part), AHEAD_H)
        if cold is not None:
            young = part.figures["is_known"] < 1
            score[young] = (lines @ cold.astype(np.float32)).reshape(len(part), AHEAD_H)[young]
        found[begin : begin + len(part)] = 1 / (1 + np.exp(-score.astype(np.float64)))
    return found
