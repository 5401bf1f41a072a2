"""How a person wishes to be told: which channels at once, which only when nothing was accepted, and when not at all. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shouwang.kernel.severity import Severity

LAST_STEP = 2
DAY_MINUTES = 24 * 60
RINGS_FROM = Severity.ORANGE
NEVER = -1


@dataclass(frozen=True, slots=True)
class Quiet:
    """The hours in which only what is red leaves: minutes of the local day, [start, end), over midnight where `end` is smaller."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person has chosen: the step of a channel (0 at once … LAST_STEP) where it is not the usual one; quiet hours."""

    steps: Mapping[str, int] = field(default_factory=dict)
    quiet: Quiet | None = None


NO_WISHES = Wishes()


@dataclass(frozen=True, slots=True)
class Plan:
    """In which order a person is told: the channels of each step; `rings` are those that interrupt."""

    steps: tuple[tuple[str, ...], ...] = ()
    rings: frozenset[str] = frozenset()

    @property
    def first(self) -> tuple[str, ...]:
        """Return what goes at once, beside the inbox."""
        return self.steps[0] if self.steps else ()

    def later(self, severity: int) -> tuple[tuple[str, ...], ...]:
        """Return the steps for what was not accepted. What is mild rings nobody who has not chosen to be rung at once."""
        quiet = severity < RINGS_FROM
        steps = (tuple(code for code in step if not (quiet and code in self.rings)) for step in self.steps[1:])
        return tuple(step for step in steps if step)

    def following(self, told: Collection[str], severity: int) -> tuple[str, ...]:
        """Return the channels of the next step that has any on which the person was not told yet; nothing at the end."""
        for step in self.later(severity):
            untold = tuple(code for code in step if code not in told)
            if untold:
                return untold
        return ()


def step_of(channel: str, wishes: Wishes, *, rings: Collection[str]) -> int:
    """Return the step of a channel: as chosen, else at once if it is silent and after that if it rings."""
    return wishes.steps.get(channel, 1 if channel in rings else 0)


def steps_of(channels: Sequence[str], wishes: Wishes, *, rings: Collection[str]) -> tuple[tuple[str, ...], ...]:
    """Return `channels` step by step. Steps nobody uses are closed up, but for the first, which is what goes at once."""
    if not channels:
        return ()
    by_step: dict[int, list[str]] = {0: []}
    for channel in channels:
        by_step.setdefault(step_of(channel, wishes, rings=rings), []).append(channel)
    return tuple(tuple(by_step[step]) for step in sorted(by_step))


def ring_wait(minutes: int, red_minutes: int, severity: int) -> timedelta | None:
    """Return how long after one step the next is tried: an area's minutes, None for never."""
    chosen = red_minutes if severity >= Severity.RED else minutes
    return None if chosen <= NEVER else timedelta(minutes=chosen)


def quiet_until(quiet: Quiet | None, at: datetime) -> datetime | None:
    """Return when the quiet hours end that hold at the local moment `at`, None outside of them."""
    if quiet is None:
        return None
    minute = at.hour * 60 + at.minute
    length = (quiet.end - quiet.start) % DAY_MINUTES
    into = (minute - quiet.start) % DAY_MINUTES
    if into >= length:
        return None
    return at.replace(second=0, microsecond=0) + timedelta(minutes=length - into)
