"""One camera from its frames to its letters: watches, keeps what was seen in memory, and writes what happened with its evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from shouwang.vision.entering import Happening, Kind, State
from shouwang.vision.evidence import BEFORE_S, CLIP_S, Box, Held, Ring, blur_faces, clip_of, jpeg_of
from shouwang.vision.health import Health
from shouwang.vision.picture import Picture
from shouwang.vision.records import Letter, Shown, Writer
from shouwang.vision.tracking import Track
from shouwang.vision.watching import Seen, Watcher

CLIP_AFTER_S = CLIP_S / 2
"""The clip leaves when half of it lies behind the entry; the alarm itself never waits for it."""
HEARTBEAT_S = 60.0
MOST_CLIPS = 4
SHOWN_KINDS = frozenset({Kind.ENTER, Kind.CROSS, Kind.STAY, Kind.CROWD})


@dataclass
class Camera:
    """One camera. `put` takes each letter; `now` is the clock that stamps them."""

    watcher: Watcher
    run: str
    put: Callable[[Letter], None]
    now: Callable[[], datetime]
    health: Health = field(default_factory=Health)
    ring: Ring = field(default_factory=Ring)
    state: dict[str, Any] = field(default_factory=dict)
    later: Callable[[Callable[[], None]], object] = lambda work: work()
    """Runs what takes long, the making of a clip, beside the looking."""
    _clips: list[tuple[float, Happening]] = field(default_factory=list)
    _size: tuple[int, int] = (1, 1)
    _beat_s: float = -1e18

    def see(self, picture: Picture, *, at_s: float, lag_s: float = 0.0) -> Seen:
        """Take a frame that was decoded `lag_s` ago and send what it shows."""
        self._size = (picture.width, picture.height)
        at = self.now() - timedelta(seconds=lag_s)
        seen = self.watcher.see(picture, at_s=at_s, at=at)
        self.ring.put(picture, hidden_in(seen, self.watcher.tracker.tracks), at_s=at_s)
        for happening in seen.happenings:
            self._tell(happening, at=at)
        for kind, state in self.health.see(picture, at_s=at_s):
            self._tell_health(kind, state, at=at, picture=picture)
        self._send_clips(at_s=at_s, at=at)
        self._beat(at_s=at_s)
        return seen

    def silent(self, *, at_s: float) -> None:
        """Take note that no frame came by `at_s` on the same clock as frames."""
        for kind, state in self.health.silent(at_s=at_s):
            self._tell_health(kind, state, at=self.now())
        self._beat(at_s=at_s)

    def _writer(self) -> Writer:
        return Writer(self.watcher.plan, self.run, *self._size, health=dict(self.state))

    def _tell(self, happening: Happening, *, at: datetime) -> None:
        begins = happening.state is State.START and happening.kind in SHOWN_KINDS
        shown = (*self._shown("before", happening.at_s - BEFORE_S), *self._shown("entry", happening.at_s)) if begins else ()
        self.put(self._writer().happened(happening, at=at, shown=shown))
        if begins and len(self._clips) < MOST_CLIPS:
            self._clips.append((happening.at_s + CLIP_AFTER_S, happening))

    def _shown(self, name: str, at_s: float) -> tuple[Shown, ...]:
        """Return the copy that may be handed on, and the original that is to be sealed."""
        held = self.ring.at(at_s)
        if held is None:
            return ()
        image = held.picture.bgr()
        original = Shown(f"{name}.original.jpg", "image/jpeg", jpeg_of(image))
        if not self.watcher.plan.blur_faces:
            return (Shown(f"{name}.jpg", "image/jpeg", original.content),)
        boxes = [*held.boxes, *self.ring.boxes_near(held.at_s)]
        return (Shown(f"{name}.jpg", "image/jpeg", blur_faces(image, boxes)), original)

    def _send_clips(self, *, at_s: float, at: datetime) -> None:
        due = [happening for due_s, happening in self._clips if due_s <= at_s]
        self._clips = [each for each in self._clips if each[0] > at_s]
        for happening in due:
            frames, now, writer = self.ring.last(), self._shown("now", at_s), self._writer()
            self.later(partial(self._send_clip, replace(happening, state=State.PULSE), frames, now=now, writer=writer, at=at))

    def _send_clip(self, happening: Happening, frames: list[Held], *, now: tuple[Shown, ...], writer: Writer, at: datetime) -> None:
        blurred = self.watcher.plan.blur_faces
        clip = Shown("clip.mp4", "video/mp4", clip_of(frames, blurred=blurred))
        originals = (Shown("clip.original.mp4", "video/mp4", clip_of(frames, blurred=False)),) if blurred else ()
        if clip.content:
            self.put(writer.happened(happening, at=at, shown=(*now, *originals), clip=clip))

    def _tell_health(self, kind: Kind, state: State, *, at: datetime, picture: Picture | None = None) -> None:
        shown = (Shown("now.original.jpg", "image/jpeg", jpeg_of(picture.bgr())),) if picture is not None and state is State.START else ()
        self.put(self._writer().told(kind, state, at=at, shown=shown))

    def _beat(self, *, at_s: float) -> None:
        """Send a sign of life now and then: the server tells a camera that sees nothing from one that is dead."""
        if at_s - self._beat_s >= HEARTBEAT_S:
            self._beat_s = at_s
            body = {"device": self.watcher.plan.device, "health": {"night": self.watcher.night, **self.state}}
            self.put(Letter(f"{self.run}-{at_s:.0f}", msgspec.json.encode(body)))


def hidden_in(seen: Seen, tracks: Iterable[Track]) -> list[Box]:
    """Return the boxes to hide in a copy: everybody followed, and every box of the frame however doubtful."""
    return [*(whole(track.box) for track in tracks), *(whole(box[:4]) for box in seen.boxes)]


def whole(box: Any) -> Box:
    """Return a box as plain numbers."""
    x0, y0, x1, y1 = (float(each) for each in box)
    return x0, y0, x1, y1
