"""The alarm clock: from the chance of use in each coming hour to the hour at which silence is worth a needless visit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats64 = NDArray[np.float64]
Floats = NDArray[np.float32]


def silence(chance: Floats64 | Floats) -> Floats64:
    """Return the chance that a well household is still silent after 0, 1, 2, … hours."""
    return np.concatenate([np.ones((len(chance), 1)), np.cumprod(1 - chance, axis=1)], axis=1)


def alarm_hours(chance: Floats64 | Floats, *, prices_h: Sequence[float]) -> NDArray[np.int64]:
    """Return for each price (line) and context (column) the alarm hour a of the least expected cost.

    The cost is price * G(a) + sum over e < a of G(e) * (a - e): what a needless visit costs in hours of delay, against the
    delay itself, when water may stop at any moment. G is the chance of `silence`.
    """
    still = silence(chance)
    delay_h = np.cumsum(np.cumsum(still, axis=1), axis=1)[:, :-1]
    found = [1 + np.argmin(price * still[:, 1:] + delay_h, axis=1) for price in prices_h]
    return np.array(found)


def quick_alarms(unused: Floats, *, prices_h: Sequence[float]) -> tuple[NDArray[np.uint8], Floats]:
    """Return what `alarm_hours` does (price, context), and `silence` (hour, context), from the chance of no use in each hour (hour, context)."""
    still = np.ones((len(unused) + 1, unused.shape[1]), np.float32)
    total, delay, room = np.ones_like(unused), np.ones_like(unused), np.empty_like(unused)
    for hour, chance in enumerate(unused):
        np.multiply(still[hour], chance, out=still[hour + 1])
        if hour:
            np.add(total[hour - 1], still[hour], out=total[hour])
            np.add(delay[hour - 1], total[hour], out=delay[hour])
    before_none = 255 - np.arange(1, len(unused) + 1, dtype=np.uint8)[:, None]
    found = np.empty((len(prices_h), unused.shape[1]), np.uint8)
    for tier, price in enumerate(prices_h):
        np.multiply(still[1:], np.float32(price), out=room)
        np.add(room, delay, out=room)
        found[tier] = 255 - ((room == room.min(axis=0)).view(np.uint8) * before_none).max(axis=0)
    return found, still
