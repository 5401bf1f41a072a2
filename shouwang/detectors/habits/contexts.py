"""What is known of a home at its last use: the chance of use in each of the next 36 hours by its profile, and the last days.

Figures of many homes are reckoned with one line an hour and one column a home, so that each pass runs along the homes: `take`
lays them out so, an index would not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.habits.leak import LEAK_H
from shouwang.detectors.habits.packed import LITRES, ring_bits
from shouwang.detectors.habits.spans import AHEAD_H, LONG_H, RECENT_H, RING_H, WARM_H, WEEK_H, YEAR_H

if TYPE_CHECKING:
    from shouwang.detectors.habits.memory import Memory

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

USUAL_GAPS_YEAR = (60.0, 15.0, 4.0, 1.0)
HALVES = np.float32(2)
"""What a count of one is kept as among `hours` and `uses`."""


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


def contexts_of(memory: Memory, slot: int, homes: Ints, *, hours: NDArray[np.int16], population: Population) -> Contexts:
    """Return what `memory` knows of homes that used water in hour `slot`, at most a day ago and last of all.

    `hours` holds the local hours of the week of that slot and the next 36.
    """
    hourly, uses = (memory.learnt[name].T.take(homes, axis=-1).astype(np.float32) for name in ("hours", "uses"))
    hourly_of_day, uses_of_day = hourly[:, 0] + hourly[:, 1], uses[:, 0] + uses[:, 1]
    kind, hour = (hours[1:] // 24 >= 5).astype(int), hours[1:] % 24
    over_days = uses_of_day + HALVES * 20 * population.use.mean(axis=0)[:, None]
    over_days /= hourly_of_day + HALVES * 20
    over_days *= HALVES * 10
    use, counted = uses[hour, kind], hourly[hour, kind]
    use += over_days[hour]
    use /= np.add(counted, HALVES * 10, out=counted)
    after, counted = (memory.learnt[name].T.take(homes, axis=-1).astype(np.float32) for name in ("quiet_uses", "quiet_hours"))
    after += 15 * population.after_silence[:, None]
    after /= np.add(counted, 15, out=counted)
    figures = {"rate": (uses_of_day.sum(axis=0) + HALVES * 30 * population.use.mean()) / (hourly_of_day.sum(axis=0) + HALVES * 30)}
    figures |= _gaps(memory, homes) | _recent(memory, slot, homes)
    figures["hour"] = np.full(len(homes), hours[0], np.float32)
    return Contexts(homes, np.full(len(homes), slot), use.T, after[hour].T, figures)


def _gaps(memory: Memory, homes: Ints) -> dict[str, Floats]:
    gaps, reads = memory.learnt["gaps"].T.take(homes, axis=-1).astype(np.float32), memory.learnt["read"][homes, 0]
    found: dict[str, Floats] = {}
    for seen, long_h, usual in zip(gaps, LONG_H, USUAL_GAPS_YEAR, strict=True):
        yearly = (seen + np.float32(usual * 1_000 / YEAR_H)) / (reads + 1_000) * YEAR_H
        found[f"gaps_{long_h}"] = np.log(yearly / np.float32(usual))
    return found


def _recent(memory: Memory, slot: int, homes: Ints) -> dict[str, Floats]:
    ring = ring_bits(memory.used_ring, homes, slot=slot, hours=WEEK_H)
    known_h = slot - memory.since_slot[homes]
    age_h = np.minimum(known_h, RING_H - 1) + 1
    recent: dict[str, Floats] = {
        f"uses_{h}": np.true_divide(ring[:h].sum(axis=0, dtype=np.uint8), np.minimum(h, age_h), dtype=np.float32) for h in RECENT_H
    }
    day_l = 24 * (memory.learnt["litres"][homes, 0] + 3_125) / (memory.learnt["read"][homes, 0] + 500)
    drawn = LITRES.take(memory.rate_ring.T.take(homes, axis=1)[(slot - np.arange(24)) % LEAK_H])
    recent["drawn_3"] = drawn[:3].sum(axis=0) / day_l
    recent["drawn_24"] = drawn.sum(axis=0) / day_l * (24 / np.minimum(24, age_h)).astype(np.float32)
    recent["last_use"] = np.log1p(LITRES[memory.last_use[homes]])
    recent["silence_before"] = memory.silence_before[homes].astype(np.float32)
    recent["longest_48"], recent["longest_168"] = _longest(ring, after_h=(48, WEEK_H))
    for name, lag_h in (("yesterday", 24), ("last_week", WEEK_H)):
        silence_h = _until_use(ring[lag_h - 1 :: -1][:40])
        recent[name] = np.where(age_h > lag_h, np.minimum(silence_h, lag_h).astype(np.float32), np.float32(-1))
    recent["is_known"] = (known_h >= WARM_H).astype(np.float32)
    return recent


def _longest(ring: NDArray[np.uint8], *, after_h: tuple[int, ...]) -> list[Floats]:
    """Return the longest silence that ended in the first so many hours (hour, home; newest first); its beginning may lie before them."""
    longest, gap, ended = (np.zeros(ring.shape[1], np.uint8) for _ in range(3))
    unused = 1 - ring
    found = []
    for hour in range(1, len(ring) + 1):
        np.multiply(gap, ring[hour - 1], out=ended)
        np.maximum(longest, ended, out=longest)
        np.multiply(gap, unused[hour - 1], out=gap)
        np.add(gap, 1, out=gap)
        if hour in after_h:
            found.append(np.minimum(longest, AHEAD_H).astype(np.float32))
    return found


def _until_use(ring: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return in which of these hours (hour, home) water was first used, from 1; 40 where in none."""
    before_none = (40 - np.arange(1, len(ring) + 1)).astype(np.uint8)[:, None]
    hours: NDArray[np.uint8] = np.uint8(40) - (ring * before_none).max(axis=0)
    return hours
