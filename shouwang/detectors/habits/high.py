"""Too much water by a home's own measure: more in some hours than it ever drew in as many, or never zero for longer than it ever was.

For each span of hours the litres drawn (a running tap) and the least litres of any hour (a leak) are compared with the
home's own greatest of earlier weeks. An hour that was not read on time makes the spans over it unknown.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

DRAWN_H = (1, 2, 3, 6, 12, 24)
NEVER_LESS_H = (4, 6, 8, 10, 12, 24)
DRAWN_FACTOR = 1.5
NEVER_LESS_FACTOR = 1.3
DRAWN_LEAST_L = 150.0
NEVER_LESS_LEAST_L = 10.0


def spans(litres: Floats) -> tuple[Floats, Floats]:
    """Return of hourly litres (home, hour; NaN unknown) the litres of the last 1…24 hours and the least of the last 4…24."""
    filled = np.pad(litres, ((0, 0), (max(DRAWN_H), 0)), constant_values=np.nan)
    count, hours = litres.shape
    drawn, least = np.empty((len(DRAWN_H), count, hours), np.float32), np.empty((len(NEVER_LESS_H), count, hours), np.float32)
    total, low = np.zeros((count, hours), np.float32), np.full((count, hours), np.inf, np.float32)
    for back in range(max(DRAWN_H)):
        part = filled[:, max(DRAWN_H) - back : max(DRAWN_H) - back + hours]
        total, low = total + part, np.where(np.isnan(part), np.nan, np.minimum(low, part))
        if back + 1 in DRAWN_H:
            drawn[DRAWN_H.index(back + 1)] = total
        if back + 1 in NEVER_LESS_H:
            least[NEVER_LESS_H.index(back + 1)] = low
    return drawn, least


def limits(drawn: Floats, least: Floats, *, drawn_factor: float = DRAWN_FACTOR, least_factor: float = NEVER_LESS_FACTOR) -> tuple[Floats, Floats]:
    """Return what a span of each home must exceed, from the greatest (span, home) of earlier weeks; NaN counts as nothing seen."""
    return (
        np.maximum(np.nan_to_num(drawn) * drawn_factor, DRAWN_LEAST_L),
        np.maximum(np.nan_to_num(least) * least_factor, NEVER_LESS_LEAST_L),
    )
