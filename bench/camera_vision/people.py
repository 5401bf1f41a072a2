"""How invented people walk in a scene: out of the bank into a zone, a while there, back, and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.camera_vision.sprites import Sprite

TALL_AT = ((500.0, 36.0), (1000.0, 60.0))
"""Height in pixels at two rows of a 1080p picture."""
METRES = 1.6
FORESHORTENED = 0.55
REACH_PX = 160


def tall_at(y: float) -> float:
    """Return how tall a person is whose feet are at row `y`."""
    (y0, tall0), (y1, tall1) = TALL_AT
    return min(60.0, max(36.0, tall0 + (tall1 - tall0) * (y - y0) / (y1 - y0)))


@dataclass
class Walker:
    """One person: poses, place, and where to next; `inner` and `outer` draw the points in the zones and on the bank."""

    id: int
    poses: Sequence[Sprite]
    chance: np.random.Generator
    outer: Sequence[tuple[float, float]]
    inner: Sequence[Sequence[tuple[float, float]]]
    x: float = 0.0
    y: float = 0.0
    flip: bool = False
    gain: float = 1.0
    infrared: float = 0.0
    _goal: tuple[float, float] = (0.0, 0.0)
    _wait_s: float = 0.0
    _is_out: bool = True
    _pace_m_s: float = 1.4
    _pose: int = field(default=0)

    def __post_init__(self) -> None:
        self.x, self.y = self._somewhere(self.outer)
        self._goal = self.x, self.y
        self._wait_s = float(self.chance.uniform(0.5, 3))
        self.gain = float(self.chance.uniform(0.9, 1.15))
        self.infrared = float(self.chance.uniform(15, 55))

    def step(self, seconds: float) -> None:
        """Walk on for so long."""
        if self._wait_s > 0:
            self._wait_s -= seconds
            self.x += float(self.chance.normal(0, 0.8))
            if self.chance.random() < 0.1:
                self._turn_pose()
            if self._wait_s <= 0:
                self._is_out = not self._is_out
                self._goal = self._somewhere(self.outer if self._is_out else self.inner[int(self.chance.integers(len(self.inner)))])
                self._pace_m_s = float(self.chance.uniform(1.1, 2.8))
            return
        scale = tall_at(self.y) / METRES
        dx, dy = self._goal[0] - self.x, self._goal[1] - self.y
        far = float(np.hypot(dx / scale, dy / scale / FORESHORTENED))
        reach = self._pace_m_s * seconds
        if far <= reach:
            self.x, self.y = self._goal
            self._wait_s = float(self.chance.uniform(2.2, 3.4) if self._is_out else self.chance.uniform(0.7, 2.4))
            return
        self.x += dx * reach / far
        self.y += dy * reach / far
        self.flip = dx < 0
        self._turn_pose()

    def sprite(self) -> Sprite:
        """Return the pose shown now."""
        return self.poses[self._pose]

    def _turn_pose(self) -> None:
        self._pose = (self._pose + 1) % len(self.poses)

    def _somewhere(self, corners: Sequence[tuple[float, float]]) -> tuple[float, float]:
        """Return a point between two corners, not far along the bank from here: children run straight down."""
        (x0, y0), (x1, y1) = corners
        if self.x:
            x0, x1 = max(x0, min(self.x - REACH_PX, x1 - 1)), min(x1, max(self.x + REACH_PX, x0 + 1))
        return float(self.chance.uniform(x0, x1)), float(self.chance.uniform(y0, y1))
