"""Decides from tracks that somebody entered a zone. Evidence counts only inside: nothing seen before the line is inherited.

A second detector confirms and never vetoes: confirmed is told at once; unconfirmed but standing inside for a while is told as
something a person should look at.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from shouwang.vision.thresholds import Thresholds
from shouwang.vision.tracking import Track
from shouwang.vision.zones import Band, Zone

Box = tuple[float, float, float, float]


class Kind(StrEnum):
    """What happened, in the words of the record."""

    ENTER = "ENTER"
    CROSS = "CROSS"
    STAY = "STAY"
    CROWD = "CROWD"
    TAMPER = "TAMPER"
    BLUR = "BLUR"
    MOVED = "MOVED"
    VIDEO_LOSS = "VIDEO_LOSS"


class State(StrEnum):
    """Whether it begins, ends, or has no length."""

    START = "START"
    STOP = "STOP"
    PULSE = "PULSE"


@dataclass(frozen=True)
class Happening:
    """One thing that happened in a zone; `box` in pixels. Unconfirmed is 请核查: a person should look."""

    kind: Kind
    state: State
    zone: str
    presence: int
    box: Box | None
    at_s: float
    confirmed: bool = True


@dataclass
class Presence:
    """Somebody in a zone, however their track may break: from the first frame inside until the zone is empty of them for a while."""

    id: int
    track: Track
    since_s: float
    inside_s: float
    marks: deque[bool]
    scores: list[float] = field(default_factory=list)
    confirmed: bool = False
    told: bool = False
    checked: bool = False
    stayed: bool = False
    crossed: bool = False


Confirm = Callable[[Sequence[Track]], Sequence[bool]]


@dataclass
class ZoneWatch:
    """Who is inside one zone. `width` and `height` are the picture's, in pixels."""

    zone: Zone
    values: Thresholds
    width: int
    height: int
    presences: list[Presence] = field(default_factory=list)
    _made: int = 0
    _crowded: bool = False

    def step(self, tracks: Iterable[Track], *, at_s: float, confirm: Confirm, ashore: frozenset[int] = frozenset()) -> list[Happening]:
        """Take the tracks that were seen in a frame and return what happened; `ashore` are tracks that were in a shore band before."""
        for track in tracks:
            self._mark(track, at_s=at_s, crossed=self.zone.band is Band.WATER and track.id in ashore)
        self._confirm(confirm, at_s=at_s)
        told = [happening for each in self.presences for happening in self._judged(each, at_s=at_s)]
        return told + self._left(at_s=at_s) + self._crowd(at_s=at_s)

    def _mark(self, track: Track, *, at_s: float, crossed: bool) -> None:
        x, y = track.foot
        inside = self.zone.contains(x / self.width, min(y, self.height - 1) / self.height)
        presence = next((each for each in self.presences if each.track.id == track.id), None)
        if presence is None and inside:
            presence = self._taken_up(track, at_s=at_s)
        if presence is None:
            return
        presence.track = track
        presence.marks.append(inside)
        presence.crossed |= crossed
        if inside:
            presence.inside_s = at_s
            presence.scores = [*presence.scores[-9:], track.score]

    def _taken_up(self, track: Track, *, at_s: float) -> Presence:
        """Return the presence that a new track goes on with: somebody lost nearby a moment ago, else somebody new."""
        for each in self.presences:
            lost = not each.track.seen_now and at_s - each.inside_s <= self.values.rearm_s
            if lost and math.dist(each.track.foot, track.foot) <= self.values.near_heights * track.height:
                each.marks.clear()  # the new track has to prove itself
                return each
        self._made += 1
        marks: deque[bool] = deque(maxlen=self.values.inside_of[1])
        self.presences.append(Presence(self._made, track, at_s, at_s, marks))
        return self.presences[-1]

    def _holds(self, presence: Presence) -> bool:
        return presence.track.hits >= self.values.hits and sum(presence.marks) >= self.values.inside_of[0]

    def _confirm(self, confirm: Confirm, *, at_s: float) -> None:
        asked = [each for each in self.presences if not each.confirmed and each.track.seen_now and each.inside_s == at_s]
        if asked:
            for each, agreed in zip(asked, confirm([each.track for each in asked]), strict=True):
                each.confirmed = agreed

    def _judged(self, presence: Presence, *, at_s: float) -> Iterable[Happening]:
        if not self._holds(presence) or presence.inside_s != at_s:
            return
        lasted = at_s - presence.since_s
        if presence.confirmed and not presence.told:
            presence.told = True
            yield self._happened(Kind.CROSS if presence.crossed else Kind.ENTER, presence, at_s=at_s)
        elif not presence.confirmed and not presence.checked and lasted >= self.values.check_after_s and self._is_steady(presence):
            presence.checked = True
            yield self._happened(Kind.ENTER, presence, at_s=at_s, confirmed=False)
        if presence.told and not presence.stayed and self.zone.stay_s and lasted >= self.zone.stay_s:
            presence.stayed = True
            yield self._happened(Kind.STAY, presence, at_s=at_s)

    def _is_steady(self, presence: Presence) -> bool:
        return len(presence.scores) >= 5 and sum(presence.scores) / len(presence.scores) >= self.values.check_least

    def _left(self, *, at_s: float) -> list[Happening]:
        gone = [each for each in self.presences if at_s - each.inside_s > self.values.rearm_s]
        self.presences = [each for each in self.presences if at_s - each.inside_s <= self.values.rearm_s]
        return [
            self._happened(Kind.CROSS if each.crossed else Kind.ENTER, each, at_s=at_s, state=State.STOP, confirmed=each.told)
            for each in gone if each.told or each.checked
        ]

    def _crowd(self, *, at_s: float) -> list[Happening]:
        inside = [each for each in self.presences if each.told]
        crowded = bool(self.zone.group) and len(inside) >= self.zone.group
        if crowded == self._crowded:
            return []
        self._crowded = crowded
        state = State.START if crowded else State.STOP
        return [Happening(Kind.CROWD, state, self.zone.id, 0, None, at_s)]

    def _happened(self, kind: Kind, presence: Presence, *, at_s: float, state: State = State.START, confirmed: bool = True) -> Happening:
        x0, y0, x1, y1 = (float(each) for each in presence.track.box)
        return Happening(kind, state, self.zone.id, presence.id, (x0, y0, x1, y1), at_s, confirmed)
