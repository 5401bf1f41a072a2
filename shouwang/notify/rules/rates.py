"""How often a provider takes a message, and which messages go together when that is not often enough. Pure.

A rate is counted per target: a robot, an address, or a whole channel. What is sent within a window may arrive closer
together than it left, by as long as a call may take; so a window is that much longer than the provider's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

MARGIN_S = 5.0
CALM_SHARE = 0.6
CALM_APART_S = 5.0
FEW_LEFT = 5
MOST_TOGETHER = 50

Per = Literal["robot", "address", "channel"]


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `messages` in any `seconds`, counted per robot, address or channel."""

    messages: int
    seconds: float
    per: Per


@dataclass(frozen=True, slots=True)
class Target:
    """What a rate is counted for. `key` tells targets of a channel apart and gives nothing away."""

    channel: str
    key: str
    rate: Rate
    is_shared: bool


@dataclass(frozen=True, slots=True)
class Use:
    """When a target was last sent something, oldest first, and until when it takes nothing."""

    sent: tuple[datetime, ...] = ()
    blocked_until: datetime | None = None


NEVER_USED = Use()


def recent(use: Use, rate: Rate, *, now: datetime, pace: float) -> list[datetime]:
    """Return the sendings that count at `now`. One further ahead than a window is from before the clock was set back."""
    window = _window(rate, pace)
    return [at for at in use.sent if now - window < at <= now + window]


def free_at(use: Use, target: Target, *, urgent: bool, now: datetime, pace: float) -> datetime:
    """Return from when on the target takes one more message: `now` or later.

    In a group what is not urgent leaves room for what is: it keeps to a share of the rate, and some seconds apart.
    """
    counted = recent(use, target.rate, now=now, pace=pace)
    most, free = target.rate.messages, now
    if target.is_shared and not urgent:
        most = max(1, int(most * CALM_SHARE))
        if counted:
            free = max(free, counted[-1] + timedelta(seconds=CALM_APART_S) * pace)
    if len(counted) >= most:
        free = max(free, counted[-most] + _window(target.rate, pace))
    return max(free, use.blocked_until or now)


@dataclass
class Turns:
    """The turns that one pass may give out: `used` as stored, `taken` in this pass. `pace` is seconds of the clock per real one.

    What shares a target goes together where turns are scarce; each such group is numbered.
    """

    now: datetime
    pace: float = 1.0
    used: Mapping[Target, Use] = field(default_factory=dict)
    taken: dict[Target, list[datetime]] = field(default_factory=dict)
    next_at: datetime | None = None
    _sizes: dict[int, int] = field(default_factory=dict)
    _open: dict[tuple[Target, bool, int | None], int] = field(default_factory=dict)

    def free_at(self, target: Target, *, urgent: bool) -> datetime:
        """Return from when `target` takes one more message, those of this pass counted."""
        return free_at(self._use(target), target, urgent=urgent, now=self.now, pace=self.pace)

    def may(self, target: Target | None, *, urgent: bool) -> bool:
        """Return whether something may go to `target` now; if not, when it may counts for `next_at`."""
        if target is None:
            return True
        free = self.free_at(target, urgent=urgent)
        if free > self.now:
            self.next_at = free if self.next_at is None else min(self.next_at, free)
        return free <= self.now

    def join(self, target: Target, *, urgent: bool, exercise_id: int | None) -> int | None:
        """Return the group of this pass that a message for `target` goes with, None where it must take its own turn.

        Urgent ones go alone as long as turns are plenty.
        """
        group = self._open.get((target, urgent, exercise_id))
        if group is None or self._sizes[group] >= MOST_TOGETHER or (urgent and self._left(target) > FEW_LEFT):
            return None
        self._sizes[group] += 1
        return group

    def take(self, target: Target, *, urgent: bool, exercise_id: int | None) -> int:
        """Take a turn of `target`, which must be free, and return the number of the group it opens."""
        self.taken.setdefault(target, []).append(self.now)
        group = len(self._sizes) + 1
        self._sizes[group] = 1
        if target.is_shared:
            self._open[target, urgent, exercise_id] = group
        return group

    def use_after(self, target: Target) -> Use:
        """Return how the target has been used once this pass's turns are counted; what no longer counts is dropped."""
        use = self._use(target)
        return Use(tuple(recent(use, target.rate, now=self.now, pace=self.pace)), use.blocked_until)

    def _left(self, target: Target) -> int:
        return target.rate.messages - len(recent(self._use(target), target.rate, now=self.now, pace=self.pace))

    def _use(self, target: Target) -> Use:
        stored = self.used.get(target, NEVER_USED)
        return Use((*stored.sent, *self.taken.get(target, ())), stored.blocked_until)


def _window(rate: Rate, pace: float) -> timedelta:
    return timedelta(seconds=rate.seconds + MARGIN_S) * pace
