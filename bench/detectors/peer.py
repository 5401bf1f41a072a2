"""River, one meter at a time: the silence rule as a River detector (`learn_one`, `score_one`), each home an object of its own.

Its profile, its rings and its clock are those of the rule, kept in plain Python; the standing leak is River's `RollingMin`
over 48 hours, and over three of them together. It is favoured: like ours it sets a clock only after three silent hours, its logistic is one NumPy product
over 36 hours with tables made beforehand instead of River's dictionary of 156 figures for each hour, and it reads nothing
from bytes and writes no state.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from river import stats
from river.base import AnomalyDetector

from bench.detectors.reference import SilentHome, leaked, litres_of
from shouwang.detectors.habits.contexts import Contexts
from shouwang.detectors.habits.quick import quick_chances


class RiverHome(SilentHome, AnomalyDetector):
    """The silence of one home: `score_one` gives the tiers that are due, `learn_one` takes its hour."""

    def __init__(self, population, *, call_price_h: float, visit_price_h: float) -> None:
        super().__init__(population, call_price_h=call_price_h, visit_price_h=visit_price_h)
        self.least, self.three = stats.RollingMin(48), stats.RollingMin(46)
        self.hourly: list[float] = []
        self.told: list = []

    def note_rate(self, slot: int, number: int, gone_h: int) -> None:
        for back in range(min(gone_h, 48) - 1, -1, -1):
            self.rate[(slot - back) % 80] = (slot - back, number)
            self.hourly = [*self.hourly[-2:], litres_of(number)]
            self.least.update(self.hourly[-1])
            if len(self.hourly) == 3:
                self.three.update(sum(self.hourly))
        self.known_h = min(self.known_h + gone_h, 48) if gone_h <= 6 else max(self.known_h - gone_h, 0)

    def leaked_l(self, slot: int, gone_h: int) -> float:  # noqa: ARG002 - River's window counts its own hours
        return leaked(self.least.get(), self.three.get(), gone_h) if self.known_h >= 24 else 0.5

    def learn_one(self, x: dict) -> None:
        """Take one reading: its hour and its register."""
        self.told = list(self.hour(x["slot"], x["register_l"]))

    def score_one(self, x: dict) -> float:  # noqa: ARG002 - what is due was learnt with the hour
        """Return how many tiers the silence has reached."""
        return float(len(self.open))

    def figures(self) -> dict[str, float]:
        ring, self.rate = self.rate, dict(self.rate.values())
        try:
            return super().figures()
        finally:
            self.rate = ring

    def chances(self) -> Sequence[float]:
        use, after = self.profile()
        figures = {name: np.array([value], np.float32) for name, value in self.figures().items()}
        one = np.zeros(1, np.int64)
        contexts = Contexts(one, one, np.array([use], np.float32), np.array([after], np.float32), figures)
        return quick_chances(contexts)[0].tolist()
