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
from shouwang.detectors.habits.frozen import frozen
from shouwang.detectors.habits.memory import AHEAD_H, Contexts

AT_ONCE = 1_000
QUIET_EVIDENCE = (1, 2, 4)
LOGS: Mapping[str, float] = {"drawn_24": 0.1, "drawn_3": 0.05, "silence_before": 0.0, "longest_48": 1.0, "longest_168": 1.0}
LAGS = ("yesterday", "last_week")
LONGEST_H = 40
PROFILE = slice(12, 12 + 28)


@dataclass(frozen=True)
class Parts:
    """The logistic by parts, each over the 36 hours ahead: the calendar's, one line for each figure, one for each silence after the same hour."""

    calendar: Floats
    figures: Mapping[str, Floats]
    then: Mapping[str, Floats]
    use: Floats
    quiet: Floats
    weights: Floats

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
        return cls(plain, figures, then, profile[0] + profile[4:16:2] @ after, profile[1] + profile[5:16:2] @ after, profile)


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
    found = np.empty((len(contexts), AHEAD_H), np.float32)
    is_known = contexts.figures["is_known"] > 0
    for kind in (True, False):
        chosen = np.flatnonzero(is_known == kind)
        for begin in range(0, len(chosen), AT_ONCE):
            part = chosen[begin : begin + AT_ONCE]
            hour = int(contexts.figures["hour"][part[0]])
            found[part] = _chances(contexts, part, _parts(hour, is_known=kind, names=tuple(contexts.figures)))
    return found


def _chances(contexts: Contexts, part: NDArray[np.int64], parts: Parts) -> Floats:
    shown = np.stack([_as_weighed(name, contexts.figures[name][part]) for name in parts.figures], axis=1)
    score = shown @ np.stack(list(parts.figures.values())) + parts.calendar
    for name, table in parts.then.items():
        score += table[contexts.figures[name][part].astype(np.int64) + 1]
    score += _of_profiles(contexts.use[part], contexts.after_silence[part], parts)
    np.negative(score, out=score)
    np.exp(score, out=score)
    score += 1
    chance: Floats = np.reciprocal(score, out=score)
    return chance


def _as_weighed(name: str, values: Floats) -> Floats:
    weighed: Floats = np.log(values + np.float32(LOGS[name])) if name in LOGS else values
    return weighed


def _of_profiles(use_chance: Floats, quiet_chance: Floats, parts: Parts) -> Floats:
    use, quiet = _logit(use_chance), _logit(quiet_chance)
    w = parts.weights
    score = use * (parts.use + w[2] * use + w[3] * quiet) + quiet * parts.quiet
    for chance, knots, place in ((use_chance, EVIDENCE, 18), (quiet_chance, QUIET_EVIDENCE, 25)):
        seen = _evidence(chance)
        score += w[16 if place == 18 else 17] * seen
        for knot, weight in zip(knots, w[place:], strict=False):
            score += weight * np.maximum(seen - np.float32(knot), 0)
    found: Floats = score
    return found


def _logit(chance: Floats) -> Floats:
    kept = np.clip(chance, np.float32(0.01), np.float32(0.99))
    logit: Floats = np.log(kept / (1 - kept))
    return logit


def _evidence(chance: Floats) -> Floats:
    surprise = np.log(1 - np.minimum(chance, np.float32(0.97)))
    seen: Floats = np.zeros_like(surprise)
    np.cumsum(-surprise[:, :-1], axis=1, out=seen[:, 1:])
    return seen
