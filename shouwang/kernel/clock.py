"""The clock as an argument: real time, or the scaled clock of a demo, a replay or an exercise."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the present moment, aware and in UTC."""

    def now(self) -> datetime:
        """Return the present moment."""
        ...

    def real_seconds(self, span: timedelta) -> float:
        """Return how many real seconds `span` of this clock lasts."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present moment."""
        return datetime.now(UTC)

    def real_seconds(self, span: timedelta) -> float:
        """Return the seconds of `span`."""
        return span.total_seconds()


@dataclass(frozen=True)
class ScaledClock:
    """A clock that started at `origin` when the real clock showed `real_origin_s` and runs `speed` times as fast."""

    origin: datetime
    real_origin_s: float
    speed: float
    real: Callable[[], float] = time.time

    def now(self) -> datetime:
        """Return the scaled present moment."""
        return self.origin + timedelta(seconds=(self.real() - self.real_origin_s) * self.speed)

    def real_seconds(self, span: timedelta) -> float:
        """Return how many real seconds `span` of this clock lasts."""
        return span.total_seconds() / self.speed


@dataclass
class ManualClock:
    """A clock that stands still until it is moved: for tests and the simulator."""

    moment: datetime

    def now(self) -> datetime:
        """Return the moment it was last set to."""
        return self.moment

    def real_seconds(self, span: timedelta) -> float:
        """Return 0: nothing waits on a manual clock."""
        return span.total_seconds() * 0.0

    def advance(self, span: timedelta) -> None:
        """Move the clock forward by `span`."""
        self.moment += span
