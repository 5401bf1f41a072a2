"""Says where something moves: small grey picture against what is usual at each point, so that only there a detector looks.

What always moves (ripple, leaves, a shaking pole) becomes usual by its spread; a change of light is taken out first. Motion alone
decides nothing: in rain it would alarm dozens of times an hour.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shouwang.vision.extra import library
from shouwang.vision.picture import Picture
from shouwang.vision.thresholds import Thresholds

MOST_REGIONS = 64
LEARNING_FRAMES = 8
FLOOD_RATE = 0.3
NOWHERE = np.zeros((0, 4))


@dataclass
class Gate:
    """The usual picture of one camera and its spread, within `around` (x0, y0, x1, y1 in pixels), the only part where motion matters."""

    values: Thresholds
    around: tuple[int, int, int, int] | None = None
    _usual: NDArray[np.float32] | None = field(default=None, init=False)
    _spread: NDArray[np.float32] | None = field(default=None, init=False)
    _seen: int = field(default=0, init=False)

    def moved(self, picture: Picture) -> NDArray[np.float64]:
        """Return boxes (x0, y0, x1, y1, in pixels of the picture) of what moves, largest first; none while it learns or all moves."""
        x0, y0, x1, y1 = self.around or (0, 0, picture.width, picture.height)
        factor = max(1, round(picture.width / self.values.gate_width))
        small = shrunk(picture.luma[y0:y1, x0:x1], factor)
        if self._usual is None or self._spread is None or self._usual.shape != small.shape:
            self._usual, self._spread, self._seen = small, np.full_like(small, self.values.gate_floor / 3), 1
            return NOWHERE
        cv2 = library("cv2")
        change = cv2.subtract(small, self._usual)
        size = cv2.absdiff(change, float(np.median(change[::4, ::4])))
        usual = cv2.max(cv2.multiply(self._spread, self.values.gate_times_usual), self.values.gate_floor)
        mask = cv2.compare(size, usual, cv2.CMP_GT)
        flooded = cv2.countNonZero(mask) > self.values.gate_flood_share * mask.size
        self._learn(small, size, rate=FLOOD_RATE if flooded else max(self.values.gate_rate, 1 / (self._seen + 1)))
        if self._seen <= LEARNING_FRAMES or flooded:
            return NOWHERE
        regions: NDArray[np.float64] = self._regions(mask) * factor + np.array([x0, y0, x0, y0], float)
        return regions

    def _learn(self, small: NDArray[np.float32], size: NDArray[np.float32], *, rate: float) -> None:
        """Take a picture in; what stands out far moves the spread no more than a little, or somebody who lingers became usual."""
        self._seen += 1
        cv2 = library("cv2")
        cv2.accumulateWeighted(small, self._usual, rate)
        cv2.accumulateWeighted(cv2.min(size, 4 * self.values.gate_floor), self._spread, rate)

    def _regions(self, mask: NDArray[np.uint8]) -> NDArray[np.float64]:
        cv2 = library("cv2")
        joined = cv2.dilate(mask, np.ones((5, 3), np.uint8))
        _, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
        stats = stats[1:]
        stats = stats[stats[:, 4] >= self.values.gate_least_px * 5]
        stats = stats[np.argsort(-stats[:, 4], kind="stable")][:MOST_REGIONS].astype(np.float64)
        return np.stack([stats[:, 0], stats[:, 1], stats[:, 0] + stats[:, 2], stats[:, 1] + stats[:, 3]], axis=1)


def shrunk(luma: NDArray[np.uint8], factor: int) -> NDArray[np.float32]:
    """Return the means of blocks of `factor` × `factor`."""
    cv2 = library("cv2")
    size = (max(1, luma.shape[1] // factor), max(1, luma.shape[0] // factor))
    small: NDArray[np.float32] = cv2.resize(luma, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    return small
