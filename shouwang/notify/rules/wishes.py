"""How a person wishes to be told: which channels at once, which only when nothing was accepted, and when not at all. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

LAST_STEP = 2
DAY_MINUTES = 24 * 60


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
