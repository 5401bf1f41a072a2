"""Invented lives behind water meters, hour by hour for all meters at once: usual days, and every kind of thing that must be found."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.contract import Columns

HOUR_US = 3_600_000_000
DAY_USE = np.array([.12, .06, .04, .03, .03, .08, .35, .6, .55, .45, .4, .42, .5, .45, .38, .35, .35, .42, .5, .55, .5, .48, .4, .25])
FIRST_STREAM = 1_000
EVENTS = ("stops", "tap", "leak", "offline", "exchanged", "away", "drips")
EVENT_OF = 97
"""Of so many meters one has each event; the other meters live on as usual."""


class World:
    """`count` meters from hour `begin`; events fall from hour `event` on. The litres of an hour depend on seed, hour and meter alone."""

    def __init__(self, count: int, *, begin: int, event: int, seed: int, lives: int | None = None) -> None:
        self.count, self.begin, self.event, self.seed = count, begin, event, seed
        self.lives = lives or count
        life = np.random.default_rng(seed)
        self.much = np.resize(life.uniform(0.5, 1.4, self.lives), count)
        self.shift = np.resize(life.integers(-2, 3, self.lives), count)
        self.minute_us = np.resize(life.integers(0, HOUR_US - 1, self.lives), count)
        self.register = np.resize(life.integers(1_000, 900_000, self.lives).astype(np.float64), count)
        self.kind = np.arange(count) % EVENT_OF

    @property
    def stream(self) -> NDArray[np.int64]:
        """Return the streams of all meters."""
        return FIRST_STREAM + np.arange(self.count)

    def widened(self, count: int) -> World:
        """Return the world with as many meters, each with the life so far of one of these; what comes differs."""
        wide = World(count, begin=self.begin, event=self.event, seed=self.seed, lives=self.count)
        wide.register = np.resize(self.register, count)
        return wide

    def hour(self, slot: int, *, order: np.random.Generator | None = None) -> Columns:
        """Let an hour pass and return the readings of it, in random order where `order` is given."""
        chance = np.random.default_rng((self.seed, slot))
        day = DAY_USE[(slot + 8 + self.shift) % 24] * self.much
        used = chance.random(self.count, np.float32) < day
        litres = np.where(used, 1 + np.rint(chance.exponential(18, self.count)), 0.0)
        litres[(slot - self.event >= -30) & (self.kind == 6)] = 0
        gone_h = slot - self.event
        if gone_h >= 0:
            litres[self.kind == 1] = 0
            litres[(self.kind == 2) & (gone_h < 3)] += 360
            litres[self.kind == 3] += 20
            if gone_h == 2:
                self.register[self.kind == 5] = 0
            litres[self.kind == 7] = 0
        litres[self.kind == 7] += slot % 2
        self.register += litres
        shown = chance.random(self.count, np.float32) >= 0.01
        if gone_h >= 0:
            shown &= ~((self.kind == 4) & (gone_h < 9))
        mine = np.flatnonzero(shown) if order is None else order.permutation(np.flatnonzero(shown))
        return Columns(self.stream[mine], slot * HOUR_US + self.minute_us[mine], self.register[mine].copy())
