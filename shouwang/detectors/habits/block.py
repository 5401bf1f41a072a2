"""An hour of many homes at once, a block at a time that stays in the cache: what `Memory.take` does, for those read in two hours running.

Nearly all homes are, so nothing is looked up by number: every figure is one pass over a column. The others are left to `take`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.habits.leak import DRY_H, KNOWN_H, LEAK_H, MOST_WET_H, USE_L, WET_H
from shouwang.detectors.habits.packed import code_of
from shouwang.detectors.habits.spans import AHEAD_H, EXCHANGED_L, LONG_H, QUIET_H, RING_H

if TYPE_CHECKING:
    from shouwang.detectors.habits.memory import Memory

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

BLOCK = 16_384
MOST_L = np.float32(500)


def blocks(count: int) -> Iterator[slice]:
    """Yield the parts of `count` homes that stay in the cache."""
    for begin in range(0, count, BLOCK):
        yield slice(begin, begin + BLOCK)


def choose(values: Bytes, others: Bytes, chosen: Mask) -> None:
    """Put `others` where `chosen`, without a branch for each: what half of the homes do in no order cannot be foreseen."""
    values ^= (values ^ others) & every_bit(chosen)


def every_bit(chosen: Mask) -> Bytes:
    """Return 255 where `chosen`, else 0."""
    bits: Bytes = np.negative(chosen.view(np.uint8))
    return bits


class Block:
    """A part of the homes of a memory in one hour."""

    def __init__(self, memory: Memory, part: slice, slot: int) -> None:
        self.memory, self.part, self.slot = memory, part, slot

    def step(self, registers: NDArray[np.float64], used: Mask, litres: Floats, *, hour: int) -> NDArray[np.int64]:
        """Take the registers of the block and write who used water, and the litres; return the homes that were read but left out."""
        memory, part = self.memory, self.part
        shown = registers[part]
        drawn = (shown - memory.register[part]).astype(np.float32)
        regular: Mask = (memory.read_slot[part] == self.slot - 1) & (drawn >= -np.float32(EXCHANGED_L))
        odd: NDArray[np.int64] = np.flatnonzero(np.isfinite(shown) > regular) + part.start
        drawn = np.where(regular, drawn, np.float32(0))
        litres[part] = np.maximum(drawn, 0, out=drawn)
        used[part] = self._used(drawn, regular)
        self._learn(drawn, used[part], regular, hour=hour)
        np.copyto(memory.register[part], shown, where=regular)
        np.copyto(memory.read_slot[part], np.int32(self.slot), where=regular)
        return odd

    def _used(self, litres: Floats, regular: Mask) -> Mask:
        """Note the litres and since when nothing or something has been running; return who used water."""
        memory, part = self.memory, self.part
        code = code_of(litres)
        np.copyto(memory.rate_ring[part, self.slot % LEAK_H], code, where=regular)
        dry = np.minimum(memory.dry_h[part] + np.uint8(1), np.uint8(DRY_H)) * (code == 0)
        np.copyto(memory.dry_h[part], dry, where=regular)
        wet = np.minimum(memory.wet_h[part] + np.uint8(1), np.uint8(MOST_WET_H)) * (dry < DRY_H)
        np.copyto(memory.wet_h[part], wet, where=regular)
        known = memory.known_h[part]
        np.copyto(known, np.minimum(known + np.uint8(1), np.uint8(LEAK_H)), where=regular)
        used: Mask = litres > np.float32(USE_L)
        doubtful = np.flatnonzero(used & (wet > WET_H) & (known >= KNOWN_H))
        if len(doubtful):
            used[doubtful] = memory.exceeds_leak(self.slot, doubtful + part.start, litres[doubtful], np.ones(len(doubtful), np.int32))
        choose(memory.last_use[part], code, used)
        return used

    def _learn(self, litres: Floats, used: Mask, regular: Mask, *, hour: int) -> None:
        memory, part = self.memory, self.part
        silent_h = self.slot - memory.use_slot[part]
        hourly = used | (silent_h <= AHEAD_H)
        hourly &= regular
        quiet = hourly & (silent_h >= QUIET_H)
        kind, of_day = int(hour // 24 >= 5), hour % 24
        learnt = memory.learnt
        for counts, seen, step in (
            (learnt["hours"][part, kind, of_day], hourly, 1), (learnt["uses"][part, kind, of_day], hourly & used, 1),
            (learnt["quiet_hours"][part, of_day], quiet, 0), (learnt["quiet_uses"][part, of_day], quiet & used, 0),
        ):
            np.add(counts, seen.view(np.uint8) << np.uint8(step), out=counts)
        memory.note_gaps(np.flatnonzero(used & (silent_h > LONG_H[0])) + part.start, until=memory.read_slot)
        learnt["read"][part, 0] += regular.astype(np.float32)
        learnt["litres"][part, 0] += np.minimum(litres, MOST_L)
        choose(memory.silence_before[part], np.minimum(silent_h, AHEAD_H).astype(np.uint8), used)
        memory.unseen_h[part] &= used.view(np.uint8) - np.uint8(1)
        memory.used_ring[part, self.slot % RING_H // 8] |= used.view(np.uint8) << np.uint8(self.slot % 8)
