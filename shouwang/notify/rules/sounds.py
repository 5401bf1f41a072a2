"""Sounds of a loudspeaker: where one stands, who plays first, and what follows an outcome. Every sound ends (invariant I4). Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from shouwang.kernel.moments import local
from shouwang.notify.rules.delivery import Delivered, Missing, Outcome, Rejected, Retry, Sent, Unknown, code_of

MAX_PLAYS = 3
MAX_TAKEN = 2
"""How often a sound may be taken up when its player died: once more, and only while it is not too late."""
SHORTEST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(seconds=30)


class SoundState(IntEnum):
    """Where a sound stands. PENDING and LEASED are alive, the others are ends."""

    PENDING = 0
    LEASED = 1
    PLAYED = 2
    FAILED = 3
    UNKNOWN = 4
    DROPPED = 5
    LATE = 6


class SpeakerState(IntEnum):
    """What the last checks of a loudspeaker found."""

    UNKNOWN = 0
    OK = 1
    DEAD = 2


@dataclass(frozen=True, slots=True)
class Alive:
    """A sound that has not ended. `again_at` is when somebody must take it up, `fence` whose it is while it plays."""

    id: int
    speaker_id: int
    severity: int
    state: SoundState
    due_at: datetime
    not_after: datetime
    again_at: datetime
    attempts: int
    fence: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What one pass does: begin, end as too late, take up after a death; and when the next pass is needed (None: when something comes)."""

    due: tuple[Alive, ...]
    late: tuple[Alive, ...]
    orphans: tuple[Alive, ...]
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class AfterPlay:
    """What follows an attempt: the new state, and when it is tried again (None: it has ended)."""

    state: SoundState
    reason: str = ""
    again_at: datetime | None = None


def plan(alive: Collection[Alive], *, now: datetime, fence: int, playing: Collection[int], busy: Collection[int]) -> Plan:
    """Return what to do now: for each loudspeaker that is free the gravest, then the earliest due.

    `playing` are the sounds that this process plays, `busy` the loudspeakers that sound. Whatever plays under another fence
    has lost its player; under this one, when its lease has run out.
    """
    orphans, late, waiting = [], [], []
    for each in alive:
        if each.state == SoundState.LEASED:
            if each.id not in playing and (each.fence != fence or each.again_at <= now):
                orphans.append(each)
        elif each.not_after <= now:
            late.append(each)
        else:
            waiting.append(each)
    taken = {each.speaker_id for each in alive if each.state == SoundState.LEASED} | set(busy)
    due = _first_of_each([each for each in waiting if each.again_at <= now and each.speaker_id not in taken])
    left = {each.id for each in waiting} - {each.id for each in due}
    moments = [each.not_after if each.again_at <= now else each.again_at for each in waiting if each.id in left]
    moments += [each.again_at for each in alive if each.state == SoundState.LEASED and each.id not in playing and each.again_at > now]
    return Plan(tuple(due), tuple(late), tuple(orphans), now if orphans else min(moments, default=None))


def _first_of_each(due: Iterable[Alive]) -> list[Alive]:
    found: dict[int, Alive] = {}
    for each in sorted(due, key=lambda each: (-each.severity, each.due_at, each.id)):
        found.setdefault(each.speaker_id, each)
    return list(found.values())


def after_play(outcome: Outcome | None, *, attempts: int, now: datetime, not_after: datetime) -> AfterPlay:  # noqa: PLR0911 - one line per outcome
    """Return what follows attempt number `attempts`; None means that it was too late to begin.

    What certainly did not sound is tried again while it is not too late. What may have sounded is not: the next sound of
    its ladder comes anyway, and a voice that repeats itself for hours teaches people not to listen.
    """
    match outcome:
        case None:
            return AfterPlay(SoundState.LATE, "LATE")
        case Sent() | Delivered():
            return AfterPlay(SoundState.PLAYED)
        case Rejected(reason):
            return AfterPlay(SoundState.FAILED, code_of(reason))
        case Unknown(reason):
            return AfterPlay(SoundState.UNKNOWN, code_of(reason))
        case Missing():
            return AfterPlay(SoundState.FAILED, "MISSING")
        case Retry(after_s, reason):
            again_at = now + min(max(timedelta(seconds=min(after_s, 3_600.0)), SHORTEST_WAIT), LONGEST_WAIT)
            if attempts >= MAX_PLAYS or again_at >= not_after:
                return AfterPlay(SoundState.FAILED, code_of(reason))
            return AfterPlay(SoundState.PENDING, code_of(reason), again_at)


def after_death(*, attempts: int, now: datetime, not_after: datetime) -> AfterPlay:
    """Return what follows when the player of attempt number `attempts` died: once more where there is time, else UNKNOWN."""
    if attempts < MAX_TAKEN and now < not_after:
        return AfterPlay(SoundState.PENDING, "PLAYER_DIED", now)
    return AfterPlay(SoundState.UNKNOWN, "PLAYER_DIED")


@dataclass(frozen=True, slots=True)
class Loudness:
    """How loud a loudspeaker is, in percent: by day, and in [night_from, night_to) of the local clock, minutes of the day."""

    day: int
    night: int
    night_from: int
    night_to: int

    @staticmethod
    def of(settings: Mapping[str, str]) -> Loudness:
        """Return what a loudspeaker's settings say; what is missing or malformed is as shipped."""
        shipped = LOUDNESS
        return Loudness(
            _percent(settings.get("loudness"), shipped.day), _percent(settings.get("night_loudness"), shipped.night),
            minute_of(settings.get("night_from", ""), shipped.night_from), minute_of(settings.get("night_to", ""), shipped.night_to),
        )

    def at(self, moment: datetime) -> int:
        """Return the loudness at `moment`; a night whose ends are the same is none."""
        there = local(moment)
        minute = there.hour * 60 + there.minute
        start, end = self.night_from, self.night_to
        is_night = start <= minute < end if start <= end else (minute >= start or minute < end)
        return self.night if is_night else self.day


LOUDNESS = Loudness(100, 60, 21 * 60, 7 * 60)
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


def minute_of(text: str, otherwise: int = -1) -> int:
    """Return the minute of the day that "21:30" names, `otherwise` where it names none."""
    found = _CLOCK.fullmatch(text)
    return int(found[1]) * 60 + int(found[2]) if found else otherwise


def _percent(text: str | None, otherwise: int) -> int:
    return min(int(text), 100) if text and text.isascii() and text.isdigit() and len(text) <= 3 else otherwise


RECHECK = timedelta(minutes=10)
DEAD_RECHECK = timedelta(hours=1)
DEAD_AFTER = 2
QUIET_FROM_HOUR = 21
QUIET_TO_HOUR = 7


@dataclass(frozen=True, slots=True)
class AfterCheck:
    """What follows a check: the state, how many checks have failed running, and when the next is."""

    state: SpeakerState
    failures: int
    check_at: datetime


def after_check(*, is_well: bool, was: SpeakerState, failures: int, now: datetime, hour: int) -> AfterCheck:
    """Return what follows: DEAD after two failed checks ten minutes apart, and then looked at each hour of the day."""
    daily = next_check_at(now, hour=hour)
    if is_well:
        return AfterCheck(SpeakerState.OK, 0, daily)
    failed = failures + 1
    if failed < DEAD_AFTER:
        return AfterCheck(was, failed, now + RECHECK)
    again_at = now + DEAD_RECHECK
    return AfterCheck(SpeakerState.DEAD, failed, daily if is_quiet(again_at) else again_at)


def next_check_at(now: datetime, *, hour: int) -> datetime:
    """Return the next moment after `now` at which it is `hour` o'clock; an hour in the quiet of night is moved to its end."""
    there = local(now)
    at = there.replace(hour=hour if QUIET_TO_HOUR <= hour < QUIET_FROM_HOUR else QUIET_TO_HOUR, minute=0, second=0, microsecond=0)
    return (at if at > there else at + timedelta(days=1)).astimezone(now.tzinfo)


def is_quiet(moment: datetime) -> bool:
    """Return whether no test may be heard at `moment`."""
    return not QUIET_TO_HOUR <= local(moment).hour < QUIET_FROM_HOUR
