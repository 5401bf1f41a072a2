"""What is remembered of many homes, hour by hour: the only way readings become figures, so nothing can look ahead.

`Memory.step` takes the registers of one hour. A profile learns from each hour as it is judged, and halves every 16 weeks.
All homes move together; a home without a reading in an hour is unknown in it, never silent. A home takes about 280 bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.habits.block import Block, blocks
from shouwang.detectors.habits.contexts import Contexts, Population, contexts_of
from shouwang.detectors.habits.leak import DRY_H, HOLE_H, KNOWN_H, LEAK_H, MOST_WET_H, USE_L, WET_H, leaked_l
from shouwang.detectors.habits.packed import UNKNOWN, code_of, decay
from shouwang.detectors.habits.spans import AHEAD_H, EXCHANGED_L, LONG_H, QUIET_H, RING_H, WEEK_H
from shouwang.detectors.habits.waiting import taken

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

MOST_UNSEEN_H = 255
HALF_LIFE_WEEKS = 16
DECAY = 0.5 ** (1 / HALF_LIFE_WEEKS)
MOST_WEEKS = 520


class Memory:
    """The habits of `count` homes."""

    def __init__(self, count: int) -> None:
        self.register = np.full(count, np.nan)
        self.read_slot = np.full(count, -1, np.int32)
        self.use_slot = np.full(count, -1, np.int32)
        self.since_slot = np.full(count, -1, np.int32)
        self.used_ring = np.zeros((count, RING_H // 8), np.uint8, order="F")
        self.rate_ring = np.full((count, LEAK_H), UNKNOWN, np.uint8, order="F")
        self.known_h = np.zeros(count, np.uint8)
        self.dry_h = np.zeros(count, np.uint8)
        self.wet_h = np.full(count, MOST_WET_H, np.uint8)
        self.unseen_h = np.zeros(count, np.uint8)
        self.last_use = np.zeros(count, np.uint8)
        self.silence_before = np.ones(count, np.uint8)
        self.learnt: dict[str, NDArray[Any]] = {name: np.zeros((count, *shape), KINDS[name], order="F") for name, shape in SHAPES.items()}
        self.slot = -1

    def forget(self, homes: Mask) -> None:
        """Forget all habits of `homes`, as if they had been enrolled now; their last reading and use stay."""
        for array in self.learnt.values():
            array[homes] = 0
        self.used_ring[homes] = 0
        self.rate_ring[homes] = np.where(self.rate_ring[homes] == UNKNOWN, UNKNOWN, 0)
        self.dry_h[homes], self.wet_h[homes] = DRY_H, 0
        self.since_slot[homes] = self.slot

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return everything remembered, by name; `of` takes it back."""
        kept: dict[str, NDArray[np.generic]] = {name: getattr(self, name) for name in KEPT}
        return kept | {f"learnt_{name}": array for name, array in self.learnt.items()} | {"memory_slot": np.array([self.slot], np.int64)}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.generic]], *, place: Ints | None, count: int) -> Memory:
        """Return the memory of `arrays` with its homes moved to `place` among `count`, None if they stay; the others are new.

        The arrays are spent: those of homes that stay are written on.
        """
        memory = cls(count if place is not None or "memory_slot" not in arrays else 0)
        if "memory_slot" not in arrays:
            return memory
        memory.slot = int(arrays["memory_slot"][0])
        for name in KEPT:
            setattr(memory, name, taken(arrays[name], getattr(memory, name), place))
        for name in SHAPES:
            memory.learnt[name] = taken(arrays[f"learnt_{name}"], memory.learnt[name], place)
        return memory

    @staticmethod
    def slot_of(arrays: Mapping[str, NDArray[np.generic]]) -> int:
        """Return the last hour that is remembered, −1 for none."""
        return int(arrays["memory_slot"][0]) if "memory_slot" in arrays else -1

    @classmethod
    def passed(cls, arrays: Mapping[str, NDArray[np.generic]], slot: int) -> dict[str, NDArray[np.generic]]:
        """Return everything remembered as it is once the hours up to `slot` have passed unread."""
        if cls.slot_of(arrays) in {-1, slot}:
            return dict(arrays)
        memory = cls.of(arrays, place=None, count=len(arrays["register"]))
        memory.turn(slot)
        return {**arrays, **memory.arrays()}

    def step(self, slot: int, registers: NDArray[np.float64], *, hours: NDArray[np.int16]) -> tuple[Mask, Floats]:
        """Take the last register of each home in hour `slot` (NaN: none); return who used water, and the litres.

        `hours` holds the local hours of the week of this slot and the next 36. Slots must ascend.
        """
        self.turn(slot)
        used, litres = np.empty(len(registers), bool), np.empty(len(registers), np.float32)
        odd = [Block(self, part, slot).step(registers, used, litres, hour=int(hours[0])) for part in blocks(len(registers))]
        homes = np.concatenate([np.zeros(0, np.int64), *odd])
        if len(homes):
            used[homes], litres[homes] = self.take(slot, homes, registers[homes], hour=int(hours[0]))
        return used, litres

    def take(self, slot: int, homes: Ints, registers: NDArray[np.float64], *, hour: int) -> tuple[Mask, Floats]:
        """Take a register of each of `homes` in hour `slot`, which may be over if it is later than all that is known of them."""
        first = self.read_slot[homes] < 0
        gone_h = np.where(first, np.int32(1), slot - self.read_slot[homes])
        litres: Floats = np.where(first, 0.0, registers - self.register[homes]).astype(np.float32)
        exchanged = litres < -EXCHANGED_L
        np.maximum(litres, 0, out=litres)
        code = code_of(np.true_divide(litres, gone_h.astype(np.float32)))
        self._note_rates(slot, homes, code, gone_h)
        used: Mask = (litres > USE_L) | exchanged | first
        self._let_leak(slot, homes, used, litres, gone_h, sure=exchanged | first)
        self._learn(slot, homes, ~first, used=used, litres=litres, gone_h=gone_h, hour=hour)
        self.unseen_h[homes[used]] = np.minimum(gone_h[used] - 1, MOST_UNSEEN_H)
        self.used_ring[homes, slot % RING_H // 8] |= used.view(np.uint8) << np.uint8(slot % 8)
        self.register[homes], self.read_slot[homes] = registers, slot
        self.since_slot[homes[first]] = slot
        return used, litres

    def mark_used(self, slot: int, used: Mask | Ints) -> None:
        """Let the silence of `used` begin anew at `slot`; call it after `contexts`, which still needs the last silence."""
        self.use_slot[used] = slot

    def turn(self, slot: int) -> None:
        """Clear the uses of the hours since the last step, and let the weeks that are over fade.

        The litres of an hour need no clearing: a reading notes all hours since the one before.
        """
        if self.slot >= 0:
            for passed in range(max(self.slot + 1, slot - RING_H + 1), slot + 1):
                self.used_ring[:, passed % RING_H // 8] &= np.uint8(255 - (1 << passed % 8))
            for week in range(max(self.slot // WEEK_H, slot // WEEK_H - MOST_WEEKS), slot // WEEK_H):
                for array in self.learnt.values():
                    if array.dtype == np.uint8:
                        decay(array, factor=DECAY, week=week)
                    else:
                        np.multiply(array, DECAY, out=array, casting="same_kind")
        self.slot = slot

    def _note_rates(self, slot: int, homes: Ints, code: NDArray[np.uint8], gone_h: NDArray[np.int32]) -> None:
        """Note the litres an hour: for this hour and the hours since the reading before."""
        self.rate_ring[homes, slot % LEAK_H] = code
        holes = np.flatnonzero(gone_h > 1)
        for back in range(1, min(LEAK_H, int(gone_h.max(initial=1)))):
            holes = holes[gone_h[holes] > back]
            self.rate_ring[homes[holes], (slot - back) % LEAK_H] = code[holes]
        hours = np.minimum(gone_h, LEAK_H).astype(np.int16)
        known = self.known_h[homes].astype(np.int16)
        self.known_h[homes] = np.where(gone_h <= HOLE_H, np.minimum(known + hours, LEAK_H), np.maximum(known - hours, 0))
        self.dry_h[homes] = dry = np.where(code == 0, np.minimum(self.dry_h[homes] + hours, DRY_H), 0)
        self.wet_h[homes] = np.where(dry >= DRY_H, 0, np.minimum(self.wet_h[homes] + hours, MOST_WET_H))

    def _let_leak(self, slot: int, homes: Ints, used: Mask, litres: Floats, gone_h: NDArray[np.int32], *, sure: Mask) -> None:
        """Take back use that a leak explains, at homes that were never dry for three hours of the last two days."""
        doubtful = np.flatnonzero(used & ~sure & (self.wet_h[homes] > WET_H) & (self.known_h[homes] >= KNOWN_H))
        if len(doubtful):
            used[doubtful] = self.exceeds_leak(slot, homes[doubtful], litres[doubtful], gone_h[doubtful])

    def exceeds_leak(self, slot: int, homes: Ints, litres: Floats, gone_h: NDArray[np.int32]) -> Mask:
        """Return whether litres are more than a leak alone may have shown in `gone_h` hours."""
        codes = self.rate_ring.T.take(homes, axis=1)[(slot - np.arange(LEAK_H)) % LEAK_H]
        exceeds: Mask = litres > leaked_l(codes, gone_h=gone_h)
        return exceeds

    def _learn(self, slot: int, homes: Ints, known: Mask, *, used: Mask, litres: Floats, gone_h: NDArray[np.int32], hour: int) -> None:
        use_slot = self.use_slot[homes]
        silent_h = np.where(use_slot >= 0, slot - use_slot, np.int32(1))
        hourly = known & (gone_h == 1) & (used | (silent_h <= AHEAD_H))
        quiet = hourly & (silent_h >= QUIET_H)
        kind, hour_of_day = int(hour // 24 >= 5), hour % 24
        self._count("hours", (kind, hour_of_day), homes[hourly])
        self._count("uses", (kind, hour_of_day), homes[hourly & used])
        self._count("quiet_hours", (hour_of_day,), homes[quiet])
        self._count("quiet_uses", (hour_of_day,), homes[quiet & used])
        self.note_gaps(homes[used & known & (use_slot >= 0) & (silent_h > LONG_H[0])], until=self.read_slot)
        self.learnt["read"][homes[known], 0] += np.float32(1)
        self.learnt["litres"][homes, 0] += np.minimum(litres, np.float32(500))
        self.silence_before[homes[used]] = np.minimum(silent_h[used], AHEAD_H)
        self.last_use[homes[used]] = code_of(litres[used])

    def note_gaps(self, homes: Ints, *, until: NDArray[np.int32]) -> None:
        """Count the silences of `homes` that have ended, which lasted to the last reading without use, in `until`."""
        silence_h = until[homes] - self.use_slot[homes]
        for place, long_h in enumerate(LONG_H):
            self.learnt["gaps"][homes[(silence_h < AHEAD_H) & (silence_h >= long_h)], place] += np.float16(1)

    def _count(self, name: str, place: tuple[int, ...], homes: Ints) -> None:
        index: Any = (homes, *place)
        self.learnt[name][index] += np.uint8(UNITS[name])

    def contexts(self, slot: int, homes: Mask, litres: Floats | None = None, *, hours: NDArray[np.int16], population: Population) -> Contexts:
        """Return what is known of `homes`, which used water in hour `slot`, at most a day ago and last of all.

        `hours` holds the local hours of the week of that slot and the next 36.
        """
        del litres
        return contexts_of(self, slot, np.flatnonzero(homes), hours=hours, population=population)


KEPT = ("register", "read_slot", "use_slot", "since_slot", "used_ring", "rate_ring", "known_h", "dry_h", "wet_h", "unseen_h", "last_use", "silence_before")
SHAPES: dict[str, tuple[int, ...]] = {
    "hours": (2, 24), "uses": (2, 24), "quiet_hours": (24,), "quiet_uses": (24,), "gaps": (4,), "read": (1,), "litres": (1,),
}
KINDS: dict[str, type[np.generic]] = {
    "hours": np.uint8, "uses": np.uint8, "quiet_hours": np.uint8, "quiet_uses": np.uint8,
    "gaps": np.float16, "read": np.float32, "litres": np.float32,
}
UNITS = {"hours": 2, "uses": 2, "quiet_hours": 1, "quiet_uses": 1, "gaps": 1, "read": 1, "litres": 1}
"""What a count of one is kept as."""
