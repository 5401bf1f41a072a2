"""The voice on site: what is said when, and when it is better to be quiet. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shouwang.systems.drowning.rules.kinds import CHILD
from shouwang.systems.drowning.rules.zones import Hours

PLAYED_WITHIN = timedelta(seconds=6)
"""Words that come later than this after their time would speak to nobody."""
USUAL_NIGHT = Hours(22 * 60, 6 * 60)
LADDER_LASTS = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Words:
    """What is said so many seconds after the first: a recorded prompt, and the words of a named call where somebody speaks them."""

    step: str
    after_s: int
    prompt: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class Manners:
    """How long it is quiet after a ladder, and how many ladders an hour a night may have."""

    quiet_s: int = 60
    night: Hours | None = USUAL_NIGHT
    night_most_an_hour: int = 4


def ladder(kind: str, *, place: str) -> tuple[Words, ...]:
    """Return what is said at a water's edge: at once, firmer after 8 s, a call that names the place after 20 s."""
    first = "WATER_EDGE_CHILD" if kind == CHILD else "WATER_EDGE"
    return (
        Words("STANDARD", 0, first), Words("FIRM", 8, "WATER_EDGE_FIRM"),
        Words("NAMED", 20, "WATER_EDGE_LAST", f"{place}水边的朋友，请立即离开水边，村干部正在赶来。"),
    )


def may_speak(at: datetime, *, begun: Sequence[datetime], minute: int, manners: Manners) -> bool:
    """Return whether a ladder may begin at `at`, given when earlier ones of the last hour began; `minute` is the minute of the local day."""
    earlier = [each for each in begun if each <= at]
    if earlier and at < max(earlier) + LADDER_LASTS + timedelta(seconds=manners.quiet_s):
        return False
    if manners.night is None or not manners.night.hold(minute):
        return True
    return sum(at - each < timedelta(hours=1) for each in earlier) < manners.night_most_an_hour
