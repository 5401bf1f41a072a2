"""Follows people from frame to frame at some five frames a second: sure boxes first, then doubtful ones for the tracks that are left.

Small and its own: no appearance, nobody is recognised, and nothing is followed across cameras.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shouwang.vision.detecting import Boxes

STEP_HEIGHTS = 0.35
PACE_HEIGHTS_S = 2.2
"""Nobody runs faster than this many body heights a second; with STEP_HEIGHTS for the box's own unrest it bounds a match."""
MOST_TRACKS = 64
GROWTH = 0.6


@dataclass
class Track:
    """One person while in view. `box` is where they were seen last, `hits` how often, `at_s` when."""

    id: int
    box: NDArray[np.float64]
    at_s: float
    score: float
    began_s: float
    hits: int = 1
    speed: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    seen_now: bool = True

    @property
    def foot(self) -> tuple[float, float]:
        """Return the middle of the box's lower edge: where the person stands."""
        return float(self.box[0] + self.box[2]) / 2, float(self.box[3])

    @property
    def height(self) -> float:
        """Return the height in pixels."""
        return float(self.box[3] - self.box[1])

    def ahead(self, at_s: float) -> NDArray[np.float64]:
        """Return the box where it should be at `at_s`, at most half a second on."""
        moved = self.speed * min(0.5, max(0.0, at_s - self.at_s))
        return self.box + np.tile(moved, 2)


@dataclass
class Tracker:
    """The tracks of one camera."""

    lost_after_s: float
    tracks: list[Track] = field(default_factory=list)
    _made: int = 0

    def step(self, boxes: Boxes, *, at_s: float, high: float) -> list[Track]:
        """Take the boxes of a frame and return the tracks that were seen in it."""
        for track in self.tracks:
            track.seen_now = False
        sure = boxes[:, 4] >= high
        free = self._match(self.tracks, boxes[sure], at_s=at_s)
        waiting = [track for track in self.tracks if not track.seen_now]
        self._match(waiting, boxes[~sure], at_s=at_s)
        for box in boxes[sure][free]:
            if len(self.tracks) < MOST_TRACKS:
                self._made += 1
                self.tracks.append(Track(self._made, box[:4].copy(), at_s, float(box[4]), at_s))
        self.tracks = [track for track in self.tracks if at_s - track.at_s <= self._patience_s(track)]
        return [track for track in self.tracks if track.seen_now]

    def _patience_s(self, track: Track) -> float:
        return self.lost_after_s if track.hits > 2 else self.lost_after_s / 2

    @staticmethod
    def _match(tracks: Sequence[Track], boxes: Boxes, *, at_s: float) -> list[int]:
        """Give each track its nearest box, nearest pairs first; return the rows of the boxes that are left."""
        pairs = []
        for place, track in enumerate(tracks):
            ahead = track.ahead(at_s)
            for row, box in enumerate(boxes):
                far = apart(ahead, box, reach=STEP_HEIGHTS + PACE_HEIGHTS_S * min(1.0, at_s - track.at_s))
                if far < 1:
                    pairs.append((far, place, row))
        taken_tracks: set[int] = set()
        taken_rows: set[int] = set()
        for _, place, row in sorted(pairs):
            if place not in taken_tracks and row not in taken_rows:
                taken_tracks.add(place)
                taken_rows.add(row)
                follow(tracks[place], boxes[row], at_s=at_s)
        return [row for row in range(len(boxes)) if row not in taken_rows]


def apart(ahead: NDArray[np.float64], box: NDArray[np.float64], *, reach: float) -> float:
    """Return how far a box is from where it was awaited, in shares of `reach` body heights; 1 or more is somebody else."""
    tall, found = float(ahead[3] - ahead[1]), float(box[3] - box[1])
    growth = abs(math.log(max(found, 1.0) / max(tall, 1.0)))
    if growth > GROWTH:
        return math.inf
    across = float(ahead[0] + ahead[2] - box[0] - box[2]) / 2
    down = float(ahead[3] - box[3])
    return math.hypot(across, down) / (reach * max(tall, found)) + 0.2 * growth


def follow(track: Track, box: NDArray[np.float64], *, at_s: float) -> None:
    """Move a track on to a box."""
    passed = at_s - track.at_s
    if passed > 0:
        before, after = track.foot, (float(box[0] + box[2]) / 2, float(box[3]))
        speed = np.array([after[0] - before[0], after[1] - before[1]]) / passed
        track.speed = 0.5 * track.speed + 0.5 * speed
    track.box, track.at_s, track.score = box[:4].copy(), at_s, float(box[4])
    track.hits += 1
    track.seen_now = True
