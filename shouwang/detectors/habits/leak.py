"""What runs by itself: the litres a standing leak or a drip may have shown since a home's last reading. Water beyond them is use.

A leak never lets the register stand. A register of whole litres shows a drip of half a litre as 0 and 1 in turn, so the
least hour of two days is only the lower bound; three hours together tell more. Holes of more than six hours tell nothing:
what was drawn in them looks like a leak.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.habits.packed import LITRES, UNKNOWN

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

LEAK_H = 48
HOLE_H = 6
KNOWN_H = 24
"""Hours that must be known before anything counts as a leak."""
DRY_H = 3
"""Hours in a row without a litre after which nothing has been running."""
WET_H = LEAK_H - DRY_H
MOST_WET_H = 200
USE_L = 0.5
UNEVEN = 1.2
STEP_L = 0.9
_RATES = np.where(np.arange(256) == UNKNOWN, np.float32(np.inf), LITRES).astype(np.float32)


def leaked_l(codes: Bytes, *, gone_h: NDArray[np.int32]) -> Floats:
    """Return what a leak alone may have shown in `gone_h` hours by the codes (hour, home; in order) of the last two days.

    Either the least hour, uneven by a fifth, or where no three hours stood still their least and one litre more: as long as
    that fits a steady drip which shows the least hour's litres and at times one more.
    """
    least = _RATES[codes.min(axis=0)]
    found: Floats = (np.float32(USE_L) + np.float32(UNEVEN) * least * gone_h).astype(np.float32)
    most = DRY_H * (least + 1) - np.float32(0.5)
    near = np.maximum(codes[2:], codes[:-2])
    maybe = np.flatnonzero(_RATES[np.maximum(near, codes[1:-1], out=near).min(axis=0)] < most)
    if len(maybe):
        rates = _RATES.take(codes.take(maybe, axis=1))
        together = (rates[2:] + rates[1:-1] + rates[:-2]).min(axis=0)
        dripped = (together + 1) / np.float32(DRY_H) * gone_h[maybe] + np.float32(STEP_L)
        drips = (together > 0) & (together < most[maybe])
        found[maybe] = np.where(drips, np.maximum(found[maybe], dripped), found[maybe])
    return found
