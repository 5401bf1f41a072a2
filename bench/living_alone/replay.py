"""Walks homes hour by hour through the product's memory and keeps what it knew at each last use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.living_alone.homes import Homes
from shouwang.detectors.habits.chance import fit, hours_after
from shouwang.detectors.habits.contexts import Contexts, Population
from shouwang.detectors.habits.memory import Memory
from shouwang.detectors.habits.spans import AHEAD_H

FOLDS = 5


@dataclass(frozen=True)
class Replay:
    """The contexts of all last uses in order of time, and which hours saw use."""

    contexts: Contexts
    used: NDArray[np.bool_]
    litres: NDArray[np.float32]


def replay(
    registers: NDArray[np.float64], hours: NDArray[np.int16], population: Population, *, homes: NDArray[np.int64], forgets: bool = False, forgets_at: int = -1, since: int = 0,
) -> Replay:
    """Return the replay of some homes; with `forgets` every home forgets its habits each day, so that each is its first.

    At column `forgets_at` every home forgets once: what follows shows how much the time since then has taught.
    """
    memory = Memory(len(homes))
    mine = registers[homes]
    used, litres, parts = np.zeros(mine.shape, bool), np.zeros(mine.shape, np.float32), []
    for slot in range(mine.shape[1]):
        if (forgets and hours[slot] % 24 == 12) or slot == forgets_at:
            memory.forget(np.ones(len(homes), bool))
        ahead = hours[slot : slot + AHEAD_H + 1]
        used[:, slot], litres[:, slot] = memory.step(slot, mine[:, slot], hours=ahead)
        if used[:, slot].any():
            if slot >= since:
                parts.append(memory.contexts(slot, used[:, slot], litres[:, slot], hours=ahead, population=population))
            memory.mark_used(slot, used[:, slot])
    contexts = Contexts.joined(parts)
    return Replay(Contexts(homes[contexts.home], contexts.slot, contexts.use, contexts.after_silence, contexts.figures), used, litres)


def population_of(homes: Homes, hours: NDArray[np.int16], chosen: NDArray[np.int64], *, until: int) -> Population:
    """Return the usual chance of use of some homes before column `until`."""
    memory = Memory(len(chosen))
    for slot in range(until):
        used, _ = memory.step(slot, homes.registers[chosen, slot], hours=hours[slot : slot + 1])
        memory.mark_used(slot, used)
    memory.step(until + 168, np.full(len(chosen), np.nan), hours=hours[until : until + 1])
    learnt = memory.learnt
    use = learnt["uses"].sum(axis=0) / learnt["hours"].sum(axis=0)
    return Population(use, learnt["quiet_uses"].sum(axis=0) / learnt["quiet_hours"].sum(axis=0))


@dataclass(frozen=True)
class Gaps:
    """For each context in the same order: hours of proven silence after it, hours to the next use, and whether that is known."""

    silence_h: NDArray[np.int64]
    next_h: NDArray[np.int64]
    is_last: NDArray[np.bool_]


def gaps_of(contexts: Contexts, registers: NDArray[np.float64]) -> Gaps:
    """Return the silence that followed each context, counted to the last reading that still showed none."""
    silence, following = np.zeros(len(contexts), np.int64), np.zeros(len(contexts), np.int64)
    last = np.zeros(len(contexts), bool)
    for home in np.unique(contexts.home):
        mine = np.flatnonzero(contexts.home == home)
        read = np.flatnonzero(np.isfinite(registers[home]))
        slots = contexts.slot[mine]
        then = np.append(slots[1:], read[-1] + 1)
        before = read[np.searchsorted(read, then) - 1]
        silence[mine], following[mine] = before - slots, then - slots
        last[mine[-1]] = True
    return Gaps(silence, following, last)


def observed(contexts: Contexts, gaps: Gaps, chosen: NDArray[np.int64], *, most_h: int = AHEAD_H) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return (context, hour, used) of every hour whose use is known; announced absences of 36 hours and more are left out.

    Use found after a hole of two hours counts for the second; after a longer hole its hour is unknown.
    """
    chosen = chosen[gaps.silence_h[chosen] < most_h]
    row, hour = hours_after(contexts.where(chosen), most_h=most_h)
    silence, following = gaps.silence_h[chosen][row], gaps.next_h[chosen][row]
    known = ~gaps.is_last[chosen][row] & (following - silence <= 2)
    used = known & (hour == following)
    seen = (hour <= silence) | (known & (hour <= following))
    return chosen[row[seen]], hour[seen], used[seen]


def learn(contexts: Contexts, gaps: Gaps, *, homes: NDArray[np.bool_], begin: int, end: int) -> NDArray[np.float64]:
    """Return the weights fitted on the uses of `homes` in the columns [begin, end)."""
    inside = homes[contexts.home] & (contexts.slot >= begin) & (contexts.slot + AHEAD_H < end)
    row, hour, used = observed(contexts, gaps, np.flatnonzero(inside))
    return fit(contexts, row, hour, used)
