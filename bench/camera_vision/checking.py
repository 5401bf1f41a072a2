"""Slow, independent looks at what was timed: the zone rule told again in plain Python, packing there and back, an alarm without its future."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.camera_vision.pipelines import Packed
from bench.camera_vision.truth import depth
from shouwang.vision.packing import unpacked
from shouwang.vision.picture import Square

INSIDE, OF, HITS = 2, 3, 2


@dataclass
class Trail:
    """What the tracker said of every track: frame, foot, how often seen before."""

    rows: dict[int, list[tuple[int, tuple[float, float], int]]] = field(default_factory=dict)

    def note(self, pipeline: Packed, frame: int) -> None:
        """Write down the tracks seen in a frame."""
        for track in pipeline.watcher.tracker.tracks:
            if track.seen_now:
                self.rows.setdefault(track.id, []).append((frame, track.foot, track.hits))

    def earliest(self, polygon: Sequence[tuple[float, float]]) -> dict[int, int]:
        """Return for each track the first frame in which the zone rule holds: 2 of its last 3 sightings inside, this one too, seen twice."""
        first: dict[int, int] = {}
        for track, rows in self.rows.items():
            marks: list[bool] = []
            for frame, foot, hits in rows:
                inside = depth(polygon, foot) >= 0
                if inside or any(marks):
                    marks.append(inside)
                if inside and sum(marks[-OF:]) >= INSIDE and hits >= HITS:
                    first[track] = frame
                    break
        return first


def told_too_early(trail: Trail, told: Sequence[tuple[int, str, tuple[float, float]]], zones: dict[str, Sequence[tuple[float, float]]]) -> int:
    """Return how many alarms (frame, zone, foot) no track of the trail accounts for by the plain rule; ties of presence may only delay."""
    wrong = 0
    for frame, zone, foot in told:
        first = trail.earliest(zones[zone])
        wrong += not any(
            at <= frame and any(row[0] == frame and np.hypot(row[1][0] - foot[0], row[1][1] - foot[1]) < 1 for row in trail.rows[track])
            for track, at in first.items()
        )
    return wrong


def packing_errors(picture: object, *, side: int = 192, chance: np.random.Generator) -> int:
    """Return how many of 200 boxes put into packed squares by hand do not come back where they were, within half a cell pixel."""
    wrong = 0
    for _ in range(200):
        squares = [Square(*chance.uniform(0, 800, 2), float(chance.uniform(100, 300))) for _ in range(4)]
        place = int(chance.integers(4))
        row, column = divmod(place, 2)
        cell, square = side // 2, squares[place]
        box = np.array([*(chance.uniform(10, 30, 2)), *(chance.uniform(50, 80, 2))])
        inside = box + np.array([column, row, column, row]) * cell
        back = unpacked(np.array([[*inside, 0.9]]), squares, picture=picture, side=side, across=2)  # type: ignore[arg-type]
        expected = box * square.side / cell + np.array([square.x, square.y, square.x, square.y])
        wrong += len(back) != 1 or bool(np.abs(back[0, :4] - expected).max() > 0.5 * square.side / cell)
    return wrong
