"""What is done to real homes before their readings are given to a detector, and the truth of it. Nothing here judges.

A `Lives` holds for each stream the litres that really went through the meter (`truth`, never NaN after the first reading) and
the hours whose reading arrives (`read`). Streams are numbered by variant and home, so that all are judged in one go.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Registers = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
DAY_H, WEEK_H = 24, 168
STANDING_LEAK_L_H, DRIP_L_H = 3.0, 0.5
DRIBBLE_L = 3.0
VISIT_H, HOLIDAY_H = 14 * DAY_H, 7 * DAY_H
AFTER_VISIT_H, AFTER_HOLIDAY_H = 28 * DAY_H, 14 * DAY_H
LOSSES = (5, 20, 50)
STREAMS_APART = 10_000


@dataclass(frozen=True)
class Lives:
    """One variant of all homes, named by the scenario in which its water stops: the real register, which hours are read, what leaks on in an hour, and when its effect is looked at."""

    name: str
    truth: Registers
    read: Mask
    leak_l_h: float
    looked_at: Mask

    def registers(self) -> Registers:
        """Return what the meters send: whole litres, NaN where nothing was read."""
        return np.where(self.read, np.floor(self.truth), np.nan)

    def stopped(self, at: int, *, hours: int) -> Registers:
        """Return the columns after `at` if no more water is drawn from then on; a leak leaks on, holes stay."""
        leaked = self.leak_l_h * np.arange(1, hours + 1)
        still = np.floor(self.truth[:, at : at + 1] + leaked)
        return np.where(self.read[:, at + 1 : at + 1 + hours], still, np.nan)


def lived(registers: Registers) -> Lives:
    """Return the homes as they are: between readings the register stands where it stood."""
    read = np.isfinite(registers)
    latest = np.maximum.accumulate(np.where(read, np.arange(read.shape[1]), 0), axis=1)
    truth = np.take_along_axis(registers, latest, axis=1)
    first = np.take_along_axis(registers, read.argmax(axis=1)[:, None], axis=1)
    return Lives("stop", np.where(np.isfinite(truth), truth, first), read, 0.0, np.ones(read.shape, bool))


def variants(base: Lives, *, begin: int, judged: range, chance: np.random.Generator) -> list[Lives]:
    """Return the homes as they are, and each variant of them; losses begin at `begin`, all others shortly before the judged columns."""
    found = [base]
    for percent in LOSSES:
        lost = chance.random(base.read.shape) < percent / 100
        lost[:, :begin] = False
        found.append(Lives(f"loss_{percent}", base.truth, base.read & ~lost, 0.0, base.looked_at))
    found += [leaking(base, name, l_h, since=judged.start - WEEK_H) for name, l_h in (("leak_3", STANDING_LEAK_L_H), ("drip_half", DRIP_L_H))]
    return [*found, visited(base, judged=judged, chance=chance), holiday(base, judged=judged, chance=chance)]


def leaking(base: Lives, name: str, l_h: float, *, since: int) -> Lives:
    """Return the homes with a leak of `l_h` litres an hour that has stood since a column."""
    hours = np.clip(np.arange(base.truth.shape[1]) - since, 0, None)
    return Lives(name, base.truth + l_h * hours, base.read, l_h, base.looked_at)


def visited(base: Lives, *, judged: range, chance: np.random.Generator) -> Lives:
    """Return the homes with another home's water over their own for two weeks, twice eight weeks apart; looked at in the four weeks after."""
    litres = np.diff(base.truth, axis=1, prepend=base.truth[:, :1]).clip(min=0)
    looked_at = np.zeros(base.read.shape, bool)
    for home in range(len(litres)):
        first = judged.start + int(chance.integers(0, 14)) * DAY_H
        guest = (home + int(chance.integers(1, max(len(litres), 2)))) % len(litres)
        for since in range(first, judged.stop - VISIT_H - AFTER_VISIT_H + 1, 56 * DAY_H):
            litres[home, since : since + VISIT_H] += np.diff(base.truth[guest, since - 1 : since + VISIT_H]).clip(min=0)
            looked_at[home, since + VISIT_H : since + VISIT_H + AFTER_VISIT_H] = True
    return Lives("visitor", base.truth[:, :1] + np.cumsum(litres, axis=1), base.read, 0.0, looked_at)


def holiday(base: Lives, *, judged: range, chance: np.random.Generator) -> Lives:
    """Return the homes with a week away, every five weeks; looked at in the two weeks after the return."""
    litres = np.diff(base.truth, axis=1, prepend=base.truth[:, :1])
    looked_at = np.zeros(base.read.shape, bool)
    for home in range(len(litres)):
        first = judged.start + int(chance.integers(0, 14 * DAY_H))
        for since in range(first, judged.stop - HOLIDAY_H - AFTER_HOLIDAY_H + 1, 35 * DAY_H):
            litres[home, since : since + HOLIDAY_H] = 0
            looked_at[home, since + HOLIDAY_H : since + HOLIDAY_H + AFTER_HOLIDAY_H] = True
    return Lives("holiday", base.truth[:, :1] + np.cumsum(litres, axis=1), base.read, 0.0, looked_at)


def streams_of(place: int, count: int) -> Ints:
    """Return the streams of the variant in that place."""
    return place * STREAMS_APART + np.arange(count)


def dribbling(base: Lives, at: int, *, hours: int) -> Registers:
    """Return the columns after `at` if no more is drawn but a cistern fills with 3 L within the first hour."""
    return base.stopped(at, hours=hours) + DRIBBLE_L


def dark(base: Lives, at: int, *, lasts_h: int, hours: int, homes: Mask) -> Registers:
    """Return the columns after `at` as they are lived, with no reading of `homes` for `lasts_h` hours."""
    shown = base.registers()[:, at + 1 : at + 1 + hours].copy()
    shown[homes, :lasts_h] = np.nan
    return shown


def exchanged(base: Lives, at: int, *, hours: int, to_l: float) -> Registers:
    """Return the columns after `at` as they are lived, counted by a new register that began at `to_l`."""
    since = np.floor(base.truth[:, at : at + 1])
    return base.registers()[:, at + 1 : at + 1 + hours] - since + to_l


def adding(base: Lives, at: int, *, hours: int, l_h: float) -> Registers:
    """Return the columns after `at` as they are lived, with `l_h` litres more in each hour."""
    return base.registers()[:, at + 1 : at + 1 + hours] + np.floor(l_h * np.arange(1, hours + 1))
