"""How well a camera sees: no picture, lens covered, blurred, moved. Each is told when it has lasted, and again when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shouwang.vision.entering import Kind, State
from shouwang.vision.extra import library
from shouwang.vision.picture import Picture

EVERY_S = 2.0
WIDTH = 160
NO_FRAME_S = 60.0
LASTED_S = 10.0
COVERED_SPREAD = 6.0
"""A lens with a hand or a bag over it shows less spread of brightness than any night did."""
BLURRED_SHARE = 0.25
"""Less than this share of the usual sharpness."""
MOVED_LIKENESS = 0.35
"""Edges agree less than this with the usual ones."""
LEARNT_FRAMES = 30
RATE = 0.02


@dataclass
class Lasting:
    """One complaint: told once it has lasted LASTED_S, over once it is gone as long."""

    kind: Kind
    after_s: float = LASTED_S
    told: bool = False
    _since_s: float | None = None

    def step(self, wrong: bool, *, at_s: float) -> tuple[Kind, State] | None:
        """Take how it stands now and return a change to tell."""
        if wrong == self.told:
            self._since_s = None
            return None
        self._since_s = at_s if self._since_s is None else self._since_s
        if at_s - self._since_s < self.after_s:
            return None
        self.told, self._since_s = wrong, None
        return self.kind, State.START if wrong else State.STOP


@dataclass
class Health:
    """The health of one camera. Call `see` with every picture and `silent` when none came."""

    _usual: NDArray[np.float32] | None = field(default=None, init=False)
    _sharp: float = field(default=0.0, init=False)
    _seen: int = field(default=0, init=False)
    _looked_s: float = field(default=-1e18, init=False)
    _last_s: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.loss = Lasting(Kind.VIDEO_LOSS, after_s=0.0)
        self.covered, self.blurred, self.moved = Lasting(Kind.TAMPER), Lasting(Kind.BLUR), Lasting(Kind.MOVED)

    def silent(self, *, at_s: float) -> list[tuple[Kind, State]]:
        """Return a change when no picture has come by `at_s`; the first call begins the wait."""
        self._last_s = at_s if self._last_s is None else self._last_s
        told = self.loss.step(at_s - self._last_s >= NO_FRAME_S, at_s=at_s)
        return [told] if told else []

    def see(self, picture: Picture, *, at_s: float) -> list[tuple[Kind, State]]:
        """Return what has changed with this picture; looks closely every EVERY_S only."""
        self._last_s = at_s
        told = [self.loss.step(False, at_s=at_s)]
        if at_s - self._looked_s >= EVERY_S:
            self._looked_s = at_s
            told += self._look(picture, at_s=at_s)
        return [each for each in told if each]

    def _look(self, picture: Picture, *, at_s: float) -> list[tuple[Kind, State] | None]:
        cv2 = library("cv2")
        small = picture.small(WIDTH).astype(np.float32)
        edges = cv2.magnitude(cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1))
        if self._usual is not None and self._usual.shape != edges.shape:
            self._usual, self._seen = None, 0
        steps = np.diff(picture.luma[::8].astype(np.float32), axis=1)
        sharp = float((steps**2).mean()) / max(36.0, float(small.var()))
        covered = float(small.std()) < COVERED_SPREAD
        learnt = self._seen >= LEARNT_FRAMES
        blurred = learnt and not covered and sharp < BLURRED_SHARE * self._sharp
        moved = learnt and not covered and not blurred and likeness(edges, self._usual) < MOVED_LIKENESS
        if not (covered or blurred):
            self._learn(edges, sharp, moved=moved)
        return [self.covered.step(covered, at_s=at_s), self.blurred.step(blurred, at_s=at_s), self.moved.step(moved, at_s=at_s)]

    def _learn(self, edges: NDArray[np.float32], sharp: float, *, moved: bool) -> None:
        """Take a good picture in; while it is moved only slowly, so that a camera turned for good is healthy again after a while."""
        self._seen += 1
        rate = max(RATE / 4 if moved else RATE, 1 / self._seen)
        self._usual = edges if self._usual is None else self._usual + rate * (edges - self._usual)
        self._sharp += rate * (sharp - self._sharp)


def likeness(edges: NDArray[np.float32], usual: NDArray[np.float32] | None) -> float:
    """Return the correlation of two pictures of edges, −1 to 1; 1 where there is nothing to compare."""
    if usual is None:
        return 1.0
    one, other = edges - edges.mean(), usual - usual.mean()
    size = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / size if size > 0 else 1.0
