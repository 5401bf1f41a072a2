"""Five ways to watch a bank, side by side: motion only, the full frame, tiles, gate and crops, and ours, packed. Same tracker, same zone rule."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from shouwang.vision.camera import hidden_in
from shouwang.vision.detecting import NOTHING, Boxes, Detector, thinned
from shouwang.vision.entering import Happening, ZoneWatch
from shouwang.vision.evidence import Box
from shouwang.vision.gate import Gate
from shouwang.vision.packing import look_at
from shouwang.vision.picture import Picture, Square
from shouwang.vision.thresholds import Thresholds, thresholds
from shouwang.vision.tracking import Track, Tracker
from shouwang.vision.watching import Watcher, near_box
from shouwang.vision.zones import Plan


@dataclass(frozen=True)
class Models:
    """The two detectors."""

    person: Detector
    second: Detector


@dataclass
class Step:
    """What a pipeline made of a frame: what happened, who is told of and where their feet are, and what it cost."""

    happenings: list[Happening]
    told: list[tuple[str, tuple[float, float], float]]
    cpu_s: float


class Pipeline(Protocol):
    """Anything that watches."""

    inferences: int

    def step(self, picture: Picture, *, at_s: float) -> Step:
        """Take a frame."""
        ...


def told_of(watches: Sequence[ZoneWatch]) -> list[tuple[str, tuple[float, float], float]]:
    """Return zone, foot and height of everybody who was told of and is seen now."""
    return [
        (watch.zone.id, each.track.foot, each.track.height)
        for watch in watches for each in watch.presences if each.told and each.track.seen_now
    ]


@dataclass
class Packed:
    """Ours."""

    plan: Plan
    models: Models
    values: Thresholds = field(default_factory=thresholds)

    def __post_init__(self) -> None:
        self.watcher = Watcher(self.plan, self.models.person, self.models.second, self.values)
        self.hidden: deque[list[Box]] = deque(maxlen=3)

    @property
    def inferences(self) -> int:
        """Return how often a detector ran."""
        return self.watcher.inferences

    def step(self, picture: Picture, *, at_s: float) -> Step:
        """Take a frame."""
        begun = time.process_time()
        seen = self.watcher.see(picture, at_s=at_s)
        spent = time.process_time() - begun
        self.hidden.append(hidden_in(seen, self.watcher.tracker.tracks))
        return Step(seen.happenings, told_of(list(self.watcher.zones.values())), spent)


@dataclass
class Plain:
    """The other ways: boxes from `find`, then the product's tracker and zone rule without a second detector."""

    plan: Plan
    models: Models
    inferences: int = 0

    def __post_init__(self) -> None:
        self.values, self.zones = thresholds(), []
        self.tracker = Tracker(self.values.lost_after_s)
        self.gate = Gate(self.values)

    def step(self, picture: Picture, *, at_s: float) -> Step:
        """Take a frame."""
        begun = time.process_time()
        if not self.zones:
            self.zones = [ZoneWatch(zone, self.values, picture.width, picture.height) for zone in self.plan.zones]
        tracks = self.tracker.step(self.find(picture), at_s=at_s, high=self.values.day.high)
        happenings = [each for watch in self.zones for each in watch.step(tracks, at_s=at_s, confirm=self.agree)]
        return Step(happenings, told_of(self.zones), time.process_time() - begun)

    def agree(self, tracks: Sequence[Track]) -> list[bool]:
        """Confirm everybody."""
        return [True] * len(tracks)

    def find(self, picture: Picture) -> Boxes:
        """Return boxes."""
        raise NotImplementedError


class Motion(Plain):
    """Whatever moves is a person."""

    def find(self, picture: Picture) -> Boxes:
        """Return what moves."""
        moved = self.gate.moved(picture)
        return np.concatenate([moved, np.ones((len(moved), 1))], axis=1)


class FullFrame(Plain):
    """The whole frame in one input of YOLOX-nano."""

    def find(self, picture: Picture) -> Boxes:
        """Return the people of the frame."""
        self.inferences += 1
        side = max(picture.width, picture.height)
        whole = Square((picture.width - side) / 2, (picture.height - side) / 2, side)
        return look_at(picture, [whole], detector=self.models.second, least=self.values.day.low)


class Tiled(Plain):
    """Six overlapping tiles, an inference each: the known way to see small people."""

    def find(self, picture: Picture) -> Boxes:
        """Return the people of all tiles."""
        side = picture.width / 3
        parts = [Square(column * side, row * (picture.height - side), side) for row in (0, 1) for column in range(3)]
        self.inferences += len(parts)
        found = [look_at(picture, [part], detector=self.models.second, least=self.values.day.low) for part in parts]
        return thinned(np.concatenate(found))


class Cropped(Plain):
    """Motion and tracks as squares of 416, an inference of YOLOX-nano each: how network recorders do it."""

    def find(self, picture: Picture) -> Boxes:
        """Return the people of all crops."""
        self.gate.around = self.gate.around or near_box(self.plan, picture.width, picture.height)
        side = picture.height * 0.385
        chosen: list[Square] = []
        for box in [*(track.box for track in self.tracker.tracks), *self.gate.moved(picture)]:
            if not any(square.holds(box) for square in chosen):
                chosen.append(Square((box[0] + box[2] - side) / 2, (box[1] + box[3] - side) / 2, side))
        chosen = chosen[: self.values.squares_most]
        self.inferences += len(chosen)
        found = [look_at(picture, [square], detector=self.models.second, least=self.values.day.low) for square in chosen]
        return thinned(np.concatenate(found)) if found else NOTHING


WAYS: dict[str, type[Plain]] = {"motion": Motion, "full_frame": FullFrame, "tiles": Tiled, "crop": Cropped}
