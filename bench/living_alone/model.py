"""The chance of use of every context from homes it was not fitted on, or from the frozen population."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.living_alone.homes import Homes
from bench.living_alone.judge import Window, window
from bench.living_alone.replay import FOLDS, Gaps, gaps_of, learn, population_of, replay
from shouwang.detectors.habits.chance import chances
from shouwang.detectors.habits.contexts import Contexts, Population
from shouwang.detectors.habits.frozen import frozen
from shouwang.detectors.habits.spans import AHEAD_H

WARM_UP_H = 28 * 24
LEAST_H = 30 * 168


@dataclass(frozen=True)
class Months:
    """Columns at which the months to fit, to choose and to judge begin, and their end."""

    fit: int
    choose: int
    judge: int
    end: int

    @classmethod
    def of(cls, homes: Homes, *, elsewhen: bool = False) -> Months:
        """Return March, October, February and June of the protocol; `elsewhen` takes the same shares of a record of other months.

        Raises ValueError where the record holds neither.
        """
        last = homes.registers.shape[1]
        columns = [min(max(0, homes.hour(year, month)), last) for year, month in ((2016, 3), (2016, 10), (2017, 2), (2017, 6))]
        if columns[1] > 0 and columns[2] < last:
            return cls(*columns)
        if elsewhen and last >= LEAST_H:
            return cls(0, round(last * 7 / 15), round(last * 11 / 15), last)
        needed = f"{LEAST_H // 168} weeks of any months" if elsewhen else "readings from before October 2016 until after January 2017"
        message = f"the homes were read for {last // 168} weeks from hour {homes.begin} since 1970 on; the protocol needs {needed}"
        raise ValueError(message)


@dataclass(frozen=True)
class Weights:
    """A population's profile and the weights for homes that are known and for new ones."""

    population: Population
    warm: NDArray[np.float64]
    cold: NDArray[np.float64]


@dataclass(frozen=True)
class Told:
    """Contexts with the gaps after them and the chance of use ahead."""

    contexts: Contexts
    gaps: Gaps
    chance: NDArray[np.float64]

    def window(self, homes: Homes, *, begin: int, end: int) -> Window:
        """Return the window to judge in."""
        return window(self.contexts.home, self.contexts.slot, self.gaps.silence_h, homes.registers, begin=begin, end=end)


def walk(homes: Homes, hours: NDArray[np.int16], populations: list[Population], fold: NDArray[np.int64], *, forgets: bool = False, forgets_at: int = -1) -> Contexts:
    """Return all contexts by home and time, each fold with its own population."""
    parts = [
        replay(homes.registers, hours, population, homes=np.flatnonzero(fold == number), forgets=forgets, forgets_at=forgets_at).contexts
        for number, population in enumerate(populations) if (fold == number).any()
    ]
    contexts = Contexts.joined(parts)
    return contexts.where(np.lexsort((contexts.slot, contexts.home)))


def held_out(homes: Homes, hours: NDArray[np.int16], *, months: Months, seed: int, note) -> tuple[Told, Told, list[Weights], NDArray[np.int64]]:
    """Return what is told of known homes and of homes on their first day, by models fitted on other homes in the months to fit."""
    fold = np.random.default_rng(seed).permutation(len(homes.ids)) % FOLDS
    populations = [population_of(homes, hours, np.flatnonzero(fold != number), until=months.choose) for number in range(FOLDS)]
    known, new = (walk(homes, hours, populations, fold, forgets=forgets) for forgets in (False, True))
    note("replayed")
    known_gaps, new_gaps = (gaps_of(each, homes.registers) for each in (known, new))
    weights = []
    for number, population in enumerate(populations):
        warm = learn(known, known_gaps, homes=fold != number, begin=months.fit + WARM_UP_H, end=months.choose)
        cold = learn(new, new_gaps, homes=fold != number, begin=months.fit, end=months.choose)
        weights.append(Weights(population, warm, cold))
        note(f"fitted fold {number}")
    told = tuple(
        Told(each, gaps, told_by(each, weights, fold, since=months.choose)) for each, gaps in ((known, known_gaps), (new, new_gaps))
    )
    return told[0], told[1], weights, fold


def told_by(contexts: Contexts, weights: list[Weights], fold: NDArray[np.int64], *, since: int) -> NDArray[np.float64]:
    """Return the chance of use ahead of each context from a month before `since` on; earlier ones are not judged."""
    found = np.full((len(contexts), AHEAD_H), 0.3)
    for number, each in enumerate(weights):
        mine = np.flatnonzero((fold[contexts.home] == number) & (contexts.slot >= since - WARM_UP_H))
        if len(mine):
            found[mine] = chances(contexts.where(mine), each.warm, cold=each.cold)
    return found


def known_for(
    homes: Homes, hours: NDArray[np.int16], weights: list[Weights], fold: NDArray[np.int64], *, months: Months, weeks: int = 16,
) -> Told:
    """Return what is told of homes that were enrolled `weeks` before the judged months begin."""
    populations = [each.population for each in weights]
    contexts = walk(homes, hours, populations, fold, forgets_at=months.judge - weeks * 168)
    return Told(contexts, gaps_of(contexts, homes.registers), told_by(contexts, weights, fold, since=months.judge))


def with_frozen(homes: Homes, hours: NDArray[np.int16], *, months: Months) -> tuple[Told, Told, list[Weights], NDArray[np.int64]]:
    """Return what the population that ships tells of homes it has never seen, as known homes and on their first day."""
    ships = frozen()
    weights, fold = [Weights(ships.population, ships.warm, ships.cold)], np.zeros(len(homes.ids), np.int64)
    told = []
    for forgets in (False, True):
        contexts = walk(homes, hours, [ships.population], fold, forgets=forgets)
        told.append(Told(contexts, gaps_of(contexts, homes.registers), told_by(contexts, weights, fold, since=months.choose)))
    return told[0], told[1], weights, fold
