"""Chooses which squares of a picture the detector looks at: around every track and motion near a zone, and in turn the zone itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shouwang.vision.picture import Square
from shouwang.vision.thresholds import Thresholds

LARGEST = 2.0
"""A region longer than this many squares is looked at in parts."""


@dataclass
class Sizes:
    """How tall a person is at a row of the picture: calibrated from two known heights, else learnt from the people seen."""

    usual_px: float
    calibrated: tuple[tuple[float, float], tuple[float, float]] | None = None
    largest_px: float = float("inf")
    """No square need be larger than a little over the picture."""
    _learnt: int = 0

    def at(self, foot_y: float) -> float:
        """Return the expected height in pixels of somebody whose feet are at `foot_y`."""
        if self.calibrated is None:
            return self.usual_px
        (y0, px0), (y1, px1) = self.calibrated
        return max(8.0, px0 + (px1 - px0) * (foot_y - y0) / (y1 - y0))

    def side_at(self, foot_y: float, heights: float) -> float:
        """Return the side of a square for somebody whose feet are at `foot_y`."""
        return min(self.at(foot_y) * heights, self.largest_px)

    def learn(self, height_px: float) -> None:
        """Take in the height of somebody who was surely seen."""
        self._learnt += 1
        self.usual_px += max(0.05, 1 / (self._learnt + 2)) * (height_px - self.usual_px)


@dataclass
class Chooser:
    """Chooses squares frame by frame; `area` is the box around the zones, which is swept in turn."""

    values: Thresholds
    sizes: Sizes
    area: tuple[float, float, float, float]
    _turn: int = field(default=0, init=False)
    left_off: int = field(default=0, init=False)

    def choose(
        self, tracks: NDArray[np.float64], moved: NDArray[np.float64], *, heights: float, fill: int, sweep: bool,
    ) -> list[Square]:
        """Return the squares to look at now, tracks first; empty cells of the last input (`fill` to each) are given to the sweep.

        Raises nothing; what is more than `squares_most` waits for the next frame and is counted in `left_off`.
        """
        chosen: list[Square] = []
        for box in [*tracks, *moved]:
            if not any(square.holds(_roomy(box, square.side)) for square in chosen):
                chosen.extend(self._around(box, heights=heights))
        self.left_off += max(0, len(chosen) - self.values.squares_most)
        chosen = chosen[: self.values.squares_most]
        spare = -len(chosen) % fill if chosen else (fill if sweep else 0)
        return chosen + self._swept(spare, heights=heights)

    def _around(self, box: NDArray[np.float64], *, heights: float) -> Iterable[Square]:
        side = self.sizes.side_at(float(box[3]), heights)
        width, height = float(box[2] - box[0]), float(box[3] - box[1])
        longest = max(width, height) * 1.25
        if longest <= LARGEST * side:
            side = max(side, longest)
            yield Square(float(box[0] + box[2] - side) / 2, float(box[1] + box[3] - side) / 2, side)
            return
        if self.sizes.calibrated is None:  # perhaps one person near by, perhaps many far away: both are looked for
            yield Square(float(box[0] + box[2] - longest) / 2, float(box[1] + box[3] - longest) / 2, longest)
        yield from tiles((float(box[0]), float(box[1]), float(box[2]), float(box[3])), side=max(side, longest / 3))

    def _swept(self, count: int, *, heights: float) -> list[Square]:
        if not count:
            return []
        side = self.sizes.side_at((self.area[1] + self.area[3]) / 2, heights)
        all_tiles = tiles(self.area, side=side)
        chosen = [all_tiles[(self._turn + n) % len(all_tiles)] for n in range(min(count, len(all_tiles)))]
        self._turn = (self._turn + len(chosen)) % len(all_tiles)
        return chosen


def tiles(area: tuple[float, float, float, float], *, side: float) -> Sequence[Square]:
    """Return squares of `side` that cover `area` and overlap by about a quarter."""
    x0, y0, x1, y1 = area
    columns, rows = (max(1, int(np.ceil((length - side / 4) / (side * 0.75)))) for length in (x1 - x0, y1 - y0))
    xs, ys = _starts(x0, x1, side, columns), _starts(y0, y1, side, rows)
    return [Square(x, y, side) for y in ys for x in xs]


def _starts(low: float, high: float, side: float, count: int) -> list[float]:
    if count == 1:
        return [(low + high - side) / 2]
    return [low + (high - side - low) * n / (count - 1) for n in range(count)]


def _roomy(box: NDArray[np.float64], side: float) -> NDArray[np.float64]:
    margin = 0.06 * side
    return np.array([box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin])
