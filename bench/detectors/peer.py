"""River, one meter at a time: the silence rule as a River detector (`learn_one`, `score_one`), each home an object of its own.

Its profile, its rings and its clock are those of the rule, kept in plain Python; the standing leak is River's `RollingMin`
over 48 hours. It is favoured: like ours it sets a clock only after three silent hours, its logistic is one NumPy product
over 36 hours with tables made beforehand instead of River's dictionary of 156 figures for each hour, and it reads nothing
from bytes and writes no state.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from river import stats
from river.base import AnomalyDetector

from bench.detectors.reference import SilentHome, litres_of
from shouwang.detectors.habits.memory import Contexts
from shouwang.detectors.habits.quick import quick_chances


class RiverHome(SilentHome, AnomalyDetector):
    """The silence of one home: `score_one` gives the tiers that are due, `learn_one` takes its hour."""

    def __init__(self, population, *, call_price_h: float, visit_price_h: float) -> None:
        super().__init__(population, call_price_h=call_price_h, visit_price_h=visit_price_h)
        self.least = stats.RollingMin(48)
        self.known = 0
        self.told: list = []

    def note_rate(self, slot: int, number: int, gone_h: int) -> None:
        for back in range(min(gone_h, 48) - 1, -1, -1):
            self.rate[(slot - back) % 80] = (slot - back, number)
            self.least.update(number)
        self.known += gone_h

    def leak_l_h(self, slot: int) -> float:  # noqa: ARG002 - River's window counts its own hours
        return litres_of(int(self.least.get())) if self.known >= 24 else 0.0

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
