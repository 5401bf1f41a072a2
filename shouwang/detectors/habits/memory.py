"""What is remembered of many homes, hour by hour: the only way readings become figures, so nothing can look ahead.

`Memory.step` takes the registers of one hour. A profile learns from a week only once that week is over. All homes move
together; a home without a reading in an hour is unknown in it, never silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

WEEK_H = 168
RING_H = 192
LEAK_H = 48
AHEAD_H = 36
HALF_LIFE_WEEKS = 16
DECAY = 0.5 ** (1 / HALF_LIFE_WEEKS)
LONG_H = (8, 12, 18, 24)
USUAL_GAPS_YEAR = (60.0, 15.0, 4.0, 1.0)
YEAR_H = 8766
WARM_H = 14 * 24
RECENT_H = (3, 6, 12, 24)


@dataclass(frozen=True)
class Population:
    """The usual chance of use of an hour, by weekday or weekend and hour, and after three hours of silence by hour."""

    use: Floats
    after_silence: Floats


@dataclass(frozen=True)
class Contexts:
    """What is known of homes at a last use: the chance of use in each of the next 36 hours, and figures by name."""

    home: Ints
    slot: Ints
    use: Floats
    after_silence: Floats
    figures: Mapping[str, Floats]

    def __len__(self) -> int:
        """Return the number of contexts."""
        return len(self.home)

    def where(self, chosen: Mask | Ints) -> Contexts:
        """Return the contexts that `chosen` names."""
        figures = {name: values[chosen] for name, values in self.figures.items()}
        return Contexts(self.home[chosen], self.slot[chosen], self.use[chosen], self.after_silence[chosen], figures)

    @classmethod
    def joined(cls, parts: list[Contexts]) -> Contexts:
        """Return all parts in one."""
        figures = {name: np.concatenate([part.figures[name] for part in parts]) for name in parts[0].figures}
        return cls(
            np.concatenate([part.home for part in parts]), np.concatenate([part.slot for part in parts]),
            np.concatenate([part.use for part in parts]), np.concatenate([part.after_silence for part in parts]), figures,
        )


class Memory:
    """The habits of `count` homes."""

    def __init__(self, count: int) -> None:
        self.register = np.full(count, np.nan)
        self.read_slot = np.full(count, -1, np.int64)
        self.use_slot = np.full(count, -1, np.int64)
        self.since_slot = np.full(count, -1, np.int64)
        self.used_ring = np.zeros((count, RING_H), bool)
        self.litres_ring = np.zeros((count, 24), np.float32)
        self.rate_ring = np.full((count, LEAK_H), np.nan, np.float32)
        self.learnt = {name: np.zeros((count, *shape), np.float32) for name, shape in SHAPES.items()}
        self.week = {name: np.zeros((count, *shape), np.float32) for name, shape in SHAPES.items()}
        self.slot = -1

    def forget(self, homes: Mask) -> None:
        """Forget all habits of `homes`, as if they had been enrolled now; their last reading and use stay."""
        for arrays in (self.learnt, self.week):
            for array in arrays.values():
                array[homes] = 0
        self.used_ring[homes] = False
        self.litres_ring[homes] = 0
        self.since_slot[homes] = self.slot

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return everything remembered, by name; `of` takes it back."""
        kept: dict[str, NDArray[np.generic]] = {name: getattr(self, name) for name in KEPT}
        kept |= {f"learnt_{name}": array for name, array in self.learnt.items()}
        kept |= {f"week_{name}": array for name, array in self.week.items()}
        return kept | {"memory_slot": np.array([self.slot], np.int64)}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.generic]], *, place: Ints, count: int) -> Memory:
        """Return the memory of `arrays` with its homes moved to `place` among `count`; the others are new."""
        memory = cls(count)
        if "memory_slot" not in arrays:
            return memory
        memory.slot = int(arrays["memory_slot"][0])
        for name in KEPT:
            getattr(memory, name)[place] = arrays[name]
        for name in SHAPES:
            memory.learnt[name][place] = arrays[f"learnt_{name}"]
            memory.week[name][place] = arrays[f"week_{name}"]
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
        count = len(arrays["register"])
        memory = cls.of(arrays, place=np.arange(count), count=count)
        memory.turn(slot)
        return {**arrays, **memory.arrays()}

    def step(self, slot: int, registers: NDArray[np.float64], *, hours: NDArray[np.int16]) -> tuple[Mask, Floats]:
        """Take the last register of each home in hour `slot` (NaN: none); return who used water, and the litres.

        `hours` holds the local hours of the week of this slot and the next 36. Slots must ascend.
        """
        self.turn(slot)
        read = np.isfinite(registers)
        first = read & (self.read_slot < 0)
        gone_h = np.where(read & ~first, slot - self.read_slot, 1)
        litres = np.where(read & ~first, registers - self.register, 0.0)
        exchanged = litres < 0
        litres = np.maximum(litres, 0).astype(np.float32)
        self.rate_ring[:, slot % LEAK_H] = np.where(read, litres / gone_h, np.nan)
        used = read & ((litres > 0.5 + 1.2 * self._leak_l_h() * gone_h) | exchanged | first)
        self._learn(slot, read & ~first, used, litres, gone_h, hour=int(hours[0]))
        self.used_ring[used, slot % RING_H] = True
        self.litres_ring[read, slot % 24] = np.minimum(litres[read], 1_000)
        self.register[read] = registers[read]
        self.read_slot[read] = slot
        self.since_slot[first] = slot
        return used, litres

    def mark_used(self, slot: int, used: Mask) -> None:
        """Let the silence of `used` begin anew at `slot`; call it after `contexts`, which still needs the last silence."""
        self.use_slot[used] = slot

    def turn(self, slot: int) -> None:
        """Clear the hours since the last step, and learn from the week that is over."""
        if self.slot >= 0:
            for passed in range(max(self.slot + 1, slot - RING_H + 1), slot + 1):
                self.used_ring[:, passed % RING_H] = False
                self.litres_ring[:, passed % 24] = 0
                self.rate_ring[:, passed % LEAK_H] = np.nan
            for _ in range(min(slot // WEEK_H - self.slot // WEEK_H, 520)):
                for name in SHAPES:
                    self.learnt[name] = self.learnt[name] * np.float32(DECAY) + self.week[name]
                    self.week[name] = np.zeros_like(self.week[name])
        self.slot = slot

    def _leak_l_h(self) -> Floats:
        """Return the least litres an hour of the last 48 hours, 0 where fewer than 24 of them were read."""
        known = np.isfinite(self.rate_ring)
        least = np.where(known, self.rate_ring, np.inf).min(axis=1)
        return np.where(known.sum(axis=1) >= LEAK_H // 2, least, 0).astype(np.float32)

    def _learn(self, slot: int, read: Mask, used: Mask, litres: Floats, gone_h: Ints, *, hour: int) -> None:
        silent_h = np.where(self.use_slot >= 0, slot - self.use_slot, 1)
        hourly = read & (gone_h == 1) & (used | (silent_h <= AHEAD_H))
        kind, hour_of_day = int(hour // 24 >= 5), hour % 24
        week = self.week
        week["hours"][hourly, kind, hour_of_day] += 1
        week["uses"][hourly & used, kind, hour_of_day] += 1
        quiet = hourly & (silent_h >= 3)
        week["quiet_hours"][quiet, hour_of_day] += 1
        week["quiet_uses"][quiet & used, hour_of_day] += 1
        silence_h = self.read_slot - self.use_slot
        ended = used & read & (self.use_slot >= 0) & (silence_h < AHEAD_H)
        for place, long_h in enumerate(LONG_H):
            week["gaps"][ended & (silence_h >= long_h), place] += 1
        week["read"][read, 0] += 1
        week["litres"][read, 0] += np.minimum(litres[read], 500)

    def contexts(self, slot: int, homes: Mask, litres: Floats, *, hours: NDArray[np.int16], population: Population) -> Contexts:
        """Return what is known of `homes`, which used `litres` in hour `slot`."""
        chosen = np.flatnonzero(homes)
        known = {name: array[chosen] for name, array in self.learnt.items()}
        use, after = profiles(known, population)
        ahead = hours[1:]
        kind, hour = (ahead // 24 >= 5).astype(int), ahead % 24
        figures = _rates(known, population) | self._recent(slot, chosen, litres[chosen], known)
        figures["hour"] = np.full(len(chosen), hours[0], np.float32)
        return Contexts(chosen, np.full(len(chosen), slot), use[:, kind, hour], after[:, hour], figures)

    def _recent(self, slot: int, chosen: Ints, litres: Floats, known: Mapping[str, Floats]) -> dict[str, Floats]:
        back = (slot - np.arange(RING_H)) % RING_H
        ring = self.used_ring[chosen][:, back]
        age_h = np.minimum(slot - self.since_slot[chosen], RING_H - 1) + 1
        recent = {f"uses_{h}": (ring[:, :h].sum(axis=1) / np.minimum(h, age_h)).astype(np.float32) for h in RECENT_H}
        day_l = 24 * (known["litres"][:, 0] + 3_125) / (known["read"][:, 0] + 500)
        drawn = self.litres_ring[chosen][:, (slot - np.arange(24)) % 24]
        recent["drawn_3"] = drawn[:, :3].sum(axis=1) / day_l
        recent["drawn_24"] = drawn.sum(axis=1) / day_l * (24 / np.minimum(24, age_h)).astype(np.float32)
        recent["last_use"] = np.log1p(litres)
        before = np.where(self.use_slot[chosen] >= 0, slot - self.use_slot[chosen], 1)
        recent["silence_before"] = np.minimum(before, AHEAD_H).astype(np.float32)
        recent["longest_48"], recent["longest_168"] = (_longest(ring[:, :h]) for h in (48, WEEK_H))
        for name, lag_h in (("yesterday", 24), ("last_week", WEEK_H)):
            later = ring[:, lag_h - 1 :: -1][:, :40]
            silence_h = np.where(later.any(axis=1), later.argmax(axis=1) + 1, 40)
            recent[name] = np.where(age_h > lag_h, np.minimum(silence_h, lag_h), -1).astype(np.float32)
        recent["is_known"] = (slot - self.since_slot[chosen] >= WARM_H).astype(np.float32)
        return recent


KEPT = ("register", "read_slot", "use_slot", "since_slot", "used_ring", "litres_ring", "rate_ring")
SHAPES: dict[str, tuple[int, ...]] = {
    "hours": (2, 24), "uses": (2, 24), "quiet_hours": (24,), "quiet_uses": (24,), "gaps": (4,), "read": (1,), "litres": (1,),
}


def profiles(known: Mapping[str, Floats], population: Population) -> tuple[Floats, Floats]:
    """Return each home's chance of use by kind of day and hour, and by hour after three hours of silence, both shrunk.

    A home's hour is shrunk to the home's hour over all days (10 hours' weight), that to the population's (20 hours').
    """
    over_days = (known["uses"].sum(axis=1) + 20 * population.use.mean(axis=0)) / (known["hours"].sum(axis=1) + 20)
    use = (known["uses"] + 10 * over_days[:, None, :]) / (known["hours"] + 10)
    after = (known["quiet_uses"] + 15 * population.after_silence) / (known["quiet_hours"] + 15)
    return use, after


def _rates(known: Mapping[str, Floats], population: Population) -> dict[str, Floats]:
    uses, hours = known["uses"].sum(axis=(1, 2)), known["hours"].sum(axis=(1, 2))
    found: dict[str, Floats] = {"rate": (uses + 30 * population.use.mean()) / (hours + 30)}
    for place, (long_h, usual) in enumerate(zip(LONG_H, USUAL_GAPS_YEAR, strict=True)):
        yearly = (known["gaps"][:, place] + usual * 1_000 / YEAR_H) / (known["read"][:, 0] + 1_000) * YEAR_H
        found[f"gaps_{long_h}"] = np.log(yearly / usual).astype(np.float32)
    return found


def _longest(ring: Mask) -> Floats:
    """Return the longest silence that ended in these hours, newest first; its beginning may lie before them."""
    place = np.arange(1, ring.shape[1] + 1)
    last = np.maximum.accumulate(np.where(ring, place, 0), axis=1)
    gaps = np.where(ring[:, 1:], place[1:] - last[:, :-1], 0)
    longest: Floats = np.minimum(gaps.max(axis=1, initial=0), AHEAD_H).astype(np.float32)
    return longest
