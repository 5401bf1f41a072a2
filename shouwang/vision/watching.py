"""The whole pipeline of one camera: gate, squares, detector, tracker, zones, second detector. Pictures in, happenings out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from shouwang.vision.detecting import NOTHING, Boxes, Detector, shared_area
from shouwang.vision.entering import Happening, ZoneWatch
from shouwang.vision.gate import Gate
from shouwang.vision.packing import look_at
from shouwang.vision.picture import Picture, Square
from shouwang.vision.squares import Chooser, Sizes
from shouwang.vision.thresholds import Light, Thresholds, thresholds
from shouwang.vision.tracking import Track, Tracker
from shouwang.vision.zones import Band, Plan

NEAR_SHARE = 0.06
"""How far outside a zone motion matters, in shares of the picture's height: a track must stand before the line is crossed."""
WIDE_SHARE = 0.2
CONFIRM_HEIGHTS = 3.0
SAME_SHARE = 0.3
DARK_FRAMES = 10


@dataclass
class Seen:
    """What one frame showed."""

    happenings: list[Happening]
    tracks: list[Track]
    boxes: Boxes
    night: bool
    squares: int


@dataclass
class Watcher:
    """Watches one camera. `person` finds people by day, `second` confirms them; by night they change places."""

    plan: Plan
    person: Detector
    second: Detector
    values: Thresholds = field(default_factory=thresholds)
    inferences: int = 0
    night: bool = False
    _ready: bool = field(default=False, init=False)
    _dark: int = field(default=0, init=False)

    def _begin(self, picture: Picture) -> None:
        width, height = picture.width, picture.height
        calibrated = None
        if self.plan.heights:
            first, last = (tuple(each * height for each in pair) for pair in self.plan.heights)
            calibrated = ((first[0], first[1]), (last[0], last[1]))
        self.sizes = Sizes(self.values.person_share * height, calibrated, largest_px=1.15 * min(width, height))
        x0, y0, x1, y1 = self.plan.area()
        self.chooser = Chooser(self.values, self.sizes, (x0 * width, y0 * height, x1 * width, y1 * height))
        self.gate = Gate(self.values, near_box(self.plan, width, height))
        self.tracker = Tracker(self.values.lost_after_s)
        self.zones = {zone.id: ZoneWatch(zone, self.values, width, height) for zone in self.plan.zones}
        self._ashore: dict[int, float] = {}
        self._swept_s = -1e9
        self._size = (width, height)
        self._ready = True

    def see(self, picture: Picture, *, at_s: float, at: datetime | None = None) -> Seen:
        """Take the next picture, `at_s` on the stream's own clock, and return what it shows; `at` is the moment for the zones' hours."""
        if not self._ready or self._size != (picture.width, picture.height):
            self._begin(picture)
        light = self._light(picture)
        boxes, squares = self._look(picture, light, at_s=at_s)
        tracks = self.tracker.step(boxes, at_s=at_s, high=light.high)
        for track in tracks:
            if track.hits > 2 and track.score >= light.high:
                self.sizes.learn(track.height)
        return Seen(self._judge(picture, tracks, light, at_s=at_s, at=at), tracks, boxes, self.night, squares)

    def _light(self, picture: Picture) -> Light:
        values = self.values
        dark = float(picture.luma[::16, ::16].mean()) < values.night_below_luma or is_grey(picture, least=values.night_chroma)
        self._dark = max(-DARK_FRAMES, min(DARK_FRAMES, self._dark + (1 if dark else -1)))
        if self._dark in {-DARK_FRAMES, DARK_FRAMES} or not self._swept_s > -1e9:
            self.night = dark
        return values.night if self.night else values.day

    def _look(self, picture: Picture, light: Light, *, at_s: float) -> tuple[Boxes, int]:
        moved = self.gate.moved(picture)
        expected = np.array([track.ahead(at_s) for track in self.tracker.tracks if self._matters(track)]).reshape(-1, 4)
        sweep = at_s - self._swept_s >= self.values.sweep_s
        squares = self.chooser.choose(expected, moved, heights=light.heights_in_square, fill=light.across**2, sweep=sweep)
        if not squares:
            return NOTHING, 0
        self._swept_s = at_s if sweep else self._swept_s
        self.inferences += -(-len(squares) // light.across**2)
        detector = self.second if self.night else self.person
        return look_at(picture, squares, detector=detector, least=light.low, across=light.across, stretch=self.night), len(squares)

    def _matters(self, track: Track) -> bool:
        x0, y0, x1, y1 = self.gate.around or (0, 0, *self._size)
        x, y = track.foot
        return x0 <= x <= x1 and y0 <= y <= y1

    def _judge(self, picture: Picture, tracks: Sequence[Track], light: Light, *, at_s: float, at: datetime | None) -> list[Happening]:
        def confirm(asked: Sequence[Track]) -> list[bool]:
            return self._confirmed(picture, asked, light)

        counting = {zone.id for zone in (self.plan.zones_at(at) if at else self.plan.zones)}
        happenings: list[Happening] = []
        ashore = frozenset(self._ashore)
        for name, watch in self.zones.items():
            happenings += watch.step(tracks if name in counting else (), at_s=at_s, confirm=confirm, ashore=ashore)
            if watch.zone.band is Band.SHORE:
                self._ashore |= {each.track.id: at_s for each in watch.presences if sum(each.marks) >= self.values.inside_of[0]}
        self._ashore = {track: seen_s for track, seen_s in self._ashore.items() if at_s - seen_s < 30}
        return happenings

    def _confirmed(self, picture: Picture, asked: Sequence[Track], light: Light) -> list[bool]:
        """Return for each track whether it is sure by itself or another look, close up, finds a person in the same place."""
        return [self._is_sure(track, light) or self._agrees(picture, track, light) for track in asked]

    def _is_sure(self, track: Track, light: Light) -> bool:
        return track.hits >= self.values.hits and track.score >= light.sure

    def _agrees(self, picture: Picture, track: Track, light: Light) -> bool:
        side = max(track.height * CONFIRM_HEIGHTS, 32.0)
        x, y = track.foot
        square = Square(x - side / 2, y - track.height / 2 - side / 2, side)
        for detector in (self.person, self.second) if self.night else (self.second,):
            self.inferences += 1
            found = look_at(picture, [square], detector=detector, least=light.confirm, stretch=self.night)
            if np.any(overlap(track.box, found) > SAME_SHARE):
                return True
        return False


def overlap(box: NDArray[np.float64], others: Boxes) -> NDArray[np.float64]:
    """Return the intersection over union of a box with each of `others`."""
    shared = shared_area(box, others)
    area = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1]) + (box[2] - box[0]) * (box[3] - box[1])
    share: NDArray[np.float64] = shared / np.maximum(area - shared, 1e-9)
    return share


def near_box(plan: Plan, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the part of the picture where motion matters: the zones, whoever stands in them from head to foot, and a margin around.

    Where nobody said how tall people are, all that is above the zones belongs to it.
    """
    x0, y0, x1, y1 = plan.area()
    tall = 1.0 if plan.heights is None else max(each for _, each in plan.heights)
    margin = min(WIDE_SHARE, max(NEAR_SHARE, tall)) * height
    left, right = max(0, int(x0 * width - margin)), min(width, int(x1 * width + margin))
    return left, max(0, int((y0 - 1.2 * tall) * height)), right, min(height, int(y1 * height + margin))


def is_grey(picture: Picture, *, least: float) -> bool:
    """Return whether the picture has no colour: an infrared night, or a camera that is set to grey."""
    if picture.blue is None or picture.red is None:
        return True
    return all(float(np.abs(plane[::8, ::8].astype(np.int16) - 128).mean()) < least for plane in (picture.blue, picture.red))
