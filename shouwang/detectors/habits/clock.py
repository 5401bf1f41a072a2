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
