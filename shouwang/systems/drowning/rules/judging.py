"""What a camera's event means at the water's edge: an alarm and how grave, or why none. Pure.

Evidence counts only inside a zone. Nothing is passed over in silence: every event gets a verdict, which is kept and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shouwang.systems.drowning.rules.kinds import ALONE_AT_NIGHT, CHILD, ENTERED, GROUP, PERSON, STAY, UNSURE
from shouwang.systems.drowning.rules.zones import WATER, Box, Zone, foot_of, is_inside

NEAR = timedelta(seconds=30)
"""Whoever was seen this long ago and did not leave since is taken to be there."""
PERSONS = frozenset({"HUMAN", "UNKNOWN"})


class Verdict(StrEnum):
    """What came of an event."""

    ALARM = "ALARM"
    KNOWN = "KNOWN"
    OUTSIDE = "OUTSIDE"
    NO_PERSON = "NO_PERSON"
    NOT_YET = "NOT_YET"
    LEFT = "LEFT"


@dataclass(frozen=True, slots=True)
class Seen:
    """One event of a camera. `box` is None where the camera names none; then its own rule is believed."""

    kind: str
    state: str
    object: str
    who: str
    at: datetime
    box: Box | None = None
    rule: str = ""
    is_unsure: bool = False
    is_child: bool = False
    count: int = 1


@dataclass(frozen=True, slots=True)
class Near:
    """Somebody who was seen at the same water a moment ago."""

    who: str
    band: str
    since: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """That up to so many persons are expected at a water until a moment."""

    until: datetime
    persons: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict of an event, the zone it fell in, how many persons are there, and the kind of alert of an alarm."""

    verdict: Verdict
    zone: Zone | None = None
    persons: int = 0
    kind: str = ""


def judge(seen: Seen, *, zones: Sequence[Zone], near: Sequence[Near], known: Known | None, is_night: bool) -> Judgement:
    """Return what an event means, given the zones in force and who else is there.

    Without any zone drawn the camera's own rule counts. Of several zones the water's band goes before the shore's.
    """
    others = [each for each in near if each.who != seen.who and seen.at - each.last_at <= NEAR]
    own = next((each for each in near if each.who == seen.who and seen.at - each.last_at <= NEAR), None)
    if seen.object not in PERSONS:
        return Judgement(Verdict.NO_PERSON)
    if seen.state == "STOP":
        return Judgement(Verdict.LEFT, persons=len(others))
    zone = _zone_of(seen, zones)
    if zone is None and zones:
        return Judgement(Verdict.OUTSIDE, persons=len(others))
    persons = len(others) + max(seen.count, 1)
    if known is not None and seen.at < known.until and persons <= known.persons:
        return Judgement(Verdict.KNOWN, zone, persons)
    if _is_too_short(seen, zone, own):
        return Judgement(Verdict.NOT_YET, zone, persons)
    return Judgement(Verdict.ALARM, zone, persons, _kind(seen, zone, own, persons, is_night=is_night))


def _zone_of(seen: Seen, zones: Sequence[Zone]) -> Zone | None:
    """Return the zone an event fell in: where its foot stands, or without a box the one its rule names, or the first."""
    if seen.box is not None:
        inside = [zone for zone in zones if is_inside(zone.polygon, foot_of(seen.box))]
    else:
        inside = [zone for zone in zones if zone.code == seen.rule] or list(zones)
    return min(inside, key=lambda zone: zone.band != WATER, default=None)


def _is_too_short(seen: Seen, zone: Zone | None, own: Near | None) -> bool:
    """Return whether the zone asks for a stay that is not reached yet; a camera that says STAY or CROWD has waited itself."""
    if zone is None or not zone.stay_s or seen.kind in {"STAY", "CROWD"}:
        return False
    return own is None or (seen.at - own.since).total_seconds() < zone.stay_s


def _kind(seen: Seen, zone: Zone | None, own: Near | None, persons: int, *, is_night: bool) -> str:
    is_in_water = zone is not None and zone.band == WATER
    if seen.is_unsure:
        return UNSURE
    if is_in_water and (own is None or own.band != WATER):
        return ENTERED
    if seen.is_child:
        return CHILD
    if (zone is not None and zone.group_from and persons >= zone.group_from) or seen.kind == "CROWD":
        return GROUP
    if is_night and persons == 1:
        return ALONE_AT_NIGHT
    return STAY if seen.kind == "STAY" else PERSON
