"""The exact truth of a scene and what must be seen of it, by plain arithmetic that shares no code with the product."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

REARM_S = 2.0
LEAST_S = 0.5

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Entry:
    """Somebody who must be seen: in the zone, clear of its edge, for half a second. `line_s` is when they crossed the line itself."""

    person: int
    zone: str
    at_s: float
    line_s: float


@dataclass
class Truth:
    """Who stands where, frame by frame. `ignore_px` is the band at a zone's edge that is nobody's error."""

    fps: float
    ignore_px: float
    zones: Mapping[str, Sequence[Point]]
    feet: dict[int, dict[int, Box]] = field(default_factory=dict)
    """Frame → person → box; the foot is the middle of its lower edge."""

    def put(self, frame: int, person: int, box: Box) -> None:
        """Note a person's box in a frame."""
        self.feet.setdefault(frame, {})[person] = box

    def entries(self, frames: int) -> list[Entry]:
        """Return the entries that must be seen, in order of time; somebody away for 2 s enters anew."""
        people = {person for frame in self.feet.values() for person in frame}
        found = [entry for person in people for zone in self.zones for entry in self._of(person, zone, frames)]
        return sorted(found, key=lambda entry: (entry.at_s, entry.person, entry.zone))

    def _of(self, person: int, zone: str, frames: int) -> Iterator[Entry]:
        polygon, stays = self.zones[zone], max(1, math.ceil(LEAST_S * self.fps))
        depth = [self._depth(person, polygon, frame) for frame in range(frames)]
        frame, last_in = 0, -(10**9)
        while frame < frames:
            if depth[frame] >= self.ignore_px and all(each >= self.ignore_px for each in depth[frame : frame + stays]) and frame + stays <= frames:
                if (frame - last_in) / self.fps > REARM_S:
                    line = frame
                    while line > 0 and depth[line - 1] >= 0:
                        line -= 1
                    yield Entry(person, zone, frame / self.fps, line / self.fps)
                last_in = frame
            elif depth[frame] >= -self.ignore_px:
                last_in = max(last_in, frame) if last_in > 0 else last_in
            frame += 1

    def _depth(self, person: int, polygon: Sequence[Point], frame: int) -> float:
        box = self.feet.get(frame, {}).get(person)
        return depth(polygon, foot(box)) if box else -math.inf

    def somebody_at(self, frame: int, zone: str, at: Point, *, heights: float = 1.0) -> bool:
        """Return whether a person stands in the zone or its band near a point, in this frame or one beside it."""
        for near in (frame - 1, frame, frame + 1):
            for box in self.feet.get(near, {}).values():
                close = math.dist(foot(box), at) <= heights * (box[3] - box[1]) + self.ignore_px
                if close and depth(self.zones[zone], foot(box)) >= -self.ignore_px:
                    return True
        return False


def foot(box: Box) -> Point:
    """Return where somebody stands."""
    return (box[0] + box[2]) / 2, box[3]


def depth(polygon: Sequence[Point], point: Point) -> float:
    """Return how far inside a polygon a point lies, in pixels; negative outside. By winding, not by crossing."""
    x, y = point
    turned, nearest = 0.0, math.inf
    for n, (x1, y1) in enumerate(polygon):
        x2, y2 = polygon[(n + 1) % len(polygon)]
        a, b = math.atan2(y1 - y, x1 - x), math.atan2(y2 - y, x2 - x)
        turned += (b - a + math.pi) % (2 * math.pi) - math.pi
        length = (x2 - x1) ** 2 + (y2 - y1) ** 2 or 1e-12
        along = max(0.0, min(1.0, ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length))
        nearest = min(nearest, math.hypot(x - x1 - along * (x2 - x1), y - y1 - along * (y2 - y1)))
    return nearest if abs(turned) > math.pi else -nearest
