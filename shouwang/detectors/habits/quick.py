"""The same chances as `chance.design` gives, for many homes whose last use fell in one hour, without spelling out the design.

The logistic falls into what the calendar says (the same for all of them), what a home's figures say (one product of
matrices), what the same hour of other days says (a table), and what the profiles say (hour by hour).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.habits.chance import EVIDENCE, Floats, Floats64, design, hours_after
from shouwang.detectors.habits.contexts import Contexts
from shouwang.detectors.habits.frozen import frozen
from shouwang.detectors.habits.spans import AHEAD_H

AT_ONCE = 1_024
QUIET_EVIDENCE = (1, 2, 4)
LOGS: Mapping[str, float] = {"drawn_24": 0.1, "drawn_3": 0.05, "silence_before": 0.0, "longest_48": 1.0, "longest_168": 1.0}
LAGS = ("yesterday", "last_week")
LONGEST_H = 40
PROFILE = slice(12, 12 + 28)
Part = slice | NDArray[np.int64]


@dataclass(frozen=True)
class Parts:
    """The logistic by parts, each over the 36 hours ahead: the calendar's, one line for each figure, one for each silence after the same hour."""

    calendar: Floats
    figures: Mapping[str, Floats]
    then: Mapping[str, Floats]
    use: Floats
    quiet: Floats
    weights: Floats
    weighed: Floats

    @classmethod
    def of(cls, weights: Floats64, *, hour: int, names: tuple[str, ...]) -> Parts:
        """Return the parts of `weights` for a last use in `hour` of the week.

        Each is read off the design itself: what a line of it gains when one figure alone changes.
        """
        weighed = [name for name in names if name not in LAGS and name != "hour"]
        silences = [(name, float(silence_h)) for name in LAGS for silence_h in range(-1, LONGEST_H + 1)]
        changes = [(None, 0.0), *((name, np.e - LOGS[name] if name in LOGS else 1.0) for name in weighed), *silences]
        scores = _scores(np.where(_is_profile(len(weights)), 0, weights), changes, hour=hour, names=names)
        plain, more = scores[0], scores[1:] - scores[0]
        figures = dict(zip(weighed, more, strict=False))
        then = dict(zip(LAGS, np.split(more[len(weighed) :], len(LAGS)), strict=True))
        profile = weights[PROFILE].astype(np.float32)
        after = np.stack([np.arange(1, AHEAD_H + 1) >= step for step in (2, 3, 5, 8, 12, 18)]).astype(np.float32)
        below = sum(weight * knot for weight, knot in zip(profile[18:], (*EVIDENCE, *QUIET_EVIDENCE), strict=True))
        return cls(plain - np.float32(below), figures, then, profile[0] + profile[4:16:2] @ after, profile[1] + profile[5:16:2] @ after, profile, np.stack(list(figures.values())))


def _scores(weights: Floats64, changes: list[tuple[str | None, float]], *, hour: int, names: tuple[str, ...]) -> Floats:
    """Return the scores of contexts whose figures are all neutral but for one each."""
    count = len(changes)
    figures = {name: np.full(count, -1.0 if name in LAGS else 1.0 - LOGS[name] if name in LOGS else 0.0) for name in names}
    figures["hour"] = np.full(count, float(hour))
    for line, (name, value) in enumerate(changes):
        if name is not None:
            figures[name][line] = value
    half = np.full((count, AHEAD_H), 0.5, np.float32)
    contexts = Contexts(np.zeros(count, np.int64), np.zeros(count, np.int64), half, half, figures)
    found: Floats = (design(contexts, *hours_after(contexts)) @ weights).reshape(count, AHEAD_H).astype(np.float32)
    return found


def _is_profile(size: int) -> NDArray[np.bool_]:
    found = np.zeros(size, bool)
    found[PROFILE] = True
    return found


@cache
def _parts(hour: int, *, is_known: bool, names: tuple[str, ...]) -> Parts:
    return Parts.of(frozen().warm if is_known else frozen().cold, hour=hour, names=names)


def quick_chances(contexts: Contexts) -> Floats:
    """Return what `chance.chances` does with the weights that ship, to a few units of float32, for contexts of one hour of the week."""
    return 1 - quick_silences(contexts).T


def quick_silences(contexts: Contexts) -> Floats:
    """Return the chance of no use in each of the 36 hours (hour, context): one less that of `quick_chances`."""
    found = np.empty((AHEAD_H, len(contexts)), np.float32)
    is_known = contexts.figures["is_known"] > 0
    for kind in (True, False):
        chosen = np.flatnonzero(is_known == kind)
        for begin in range(0, len(chosen), AT_ONCE):
            part: Part = chosen[begin : begin + AT_ONCE]
            if len(chosen) == len(contexts):
                part = slice(begin, begin + AT_ONCE)
            parts = _parts(int(contexts.figures["hour"][0]), is_known=kind, names=tuple(contexts.figures))
            found[:, part] = _silences(contexts, part, parts)
    return found


def _silences(contexts: Contexts, part: Part, parts: Parts) -> Floats:
    shown = np.stack([_as_weighed(name, contexts.figures[name][part]) for name in parts.figures])
    score = parts.weighed.T @ shown
    score += parts.calendar[:, None]
    for name, table in parts.then.items():
        score += table.T.take(contexts.figures[name][part].astype(np.int64) + 1, axis=1)
    use, after = (np.ascontiguousarray(each.T[:, part]) for each in (contexts.use, contexts.after_silence))
    _add_profiles(score, use, after, parts)
    np.exp(score, out=score)
    score += 1
    silence: Floats = np.reciprocal(score, out=score)
    return silence


def _as_weighed(name: str, values: Floats) -> Floats:
    weighed: Floats = np.log(values + np.float32(LOGS[name])) if name in LOGS else values
    return weighed


def _add_profiles(score: Floats, use_chance: Floats, quiet_chance: Floats, parts: Parts) -> None:
    """Add to `score` (hour, context) what the profiles say; `parts.calendar` holds already that evidence below a knot counts nothing."""
    use, quiet = _logit(use_chance), _logit(quiet_chance)
    w, room = parts.weights, np.empty_like(score)
    score += np.multiply(quiet, parts.quiet[:, None], out=room)
    np.multiply(use, w[2], out=room)
    room += np.multiply(quiet, w[3], out=quiet)
    room += parts.use[:, None]
    score += np.multiply(room, use, out=room)
    for chance, knots, slope, place in ((use_chance, EVIDENCE, w[16], 18), (quiet_chance, QUIET_EVIDENCE, w[17], 25)):
        seen = _evidence(chance, out=use)
        score += np.multiply(seen, slope, out=room)
        for knot, weight in zip(knots, w[place:], strict=False):
            np.maximum(seen, np.float32(knot), out=room)
            score += np.multiply(room, weight, out=room)


def _logit(chance: Floats) -> Floats:
    kept = np.minimum(np.maximum(chance, np.float32(0.01)), np.float32(0.99))
    kept /= 1 - kept
    logit: Floats = np.log(kept, out=kept)
    return logit


def _evidence(chance: Floats, *, out: Floats) -> Floats:
    """Return how surprising the silence before each hour is by the profile alone, in nats."""
    kept = np.minimum(chance[:-1], np.float32(0.97))
    kept = np.log(np.subtract(1, kept, out=kept), out=kept)
    out[0] = 0
    for hour, surprise in enumerate(kept, start=1):
        np.subtract(out[hour - 1], surprise, out=out[hour])
    return out
