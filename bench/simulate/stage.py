"""The stage: true time and the wall clock, what happens when, who acts, the log, and what was found wrong.

True time only goes forward; the wall clock is true time and an offset that jumps. The product is given the wall clock.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from shouwang.kernel.moments import local

MOST_VIOLATIONS = 20
MOST_STEPS = 200_000
LOG_LINES = 4_000
Happening = Callable[[], None]


@dataclass(frozen=True)
class Violation:
    """What was found wrong: which invariant, when, what was found and expected, and about which case, task or message."""

    invariant: str
    at: str
    found: str
    expected: str
    case: int | None = None
    task: int | None = None
    message: int | None = None


class Enough(BaseException):
    """The run has found what it was asked for."""


@dataclass
class Stage:
    """What all players of one run share."""

    seed: int
    start: datetime
    end: datetime
    stop_at: int = MOST_VIOLATIONS
    offset: timedelta = timedelta()
    actor: str = "-"
    depth: int = 0
    steps: int = 0
    violations: list[Violation] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    lines: deque[tuple[datetime, str, str, dict[str, Any]]] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    _heap: list[tuple[datetime, int, Happening]] = field(default_factory=list)
    _order: int = 0
    _noted: set[tuple[object, ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.true = self.start

    def chance(self, name: str) -> Random:
        """Return the dice of one player, so that what one of them throws changes nothing for the others."""
        return Random(f"{self.seed}/{name}")

    def wall(self) -> datetime:
        """Return what the clocks on the wall show."""
        return self.true + self.offset

    def after(self, span: timedelta, what: Happening) -> None:
        """Let `what` happen after `span` of true time."""
        self._order += 1
        heapq.heappush(self._heap, (self.true + span, self._order, what))

    def every(self, span: timedelta, what: Happening, *, first: timedelta | None = None) -> None:
        """Let `what` happen again and again, until the end of the play."""

        def again() -> None:
            what()
            if self.true + span < self.end:
                self.after(span, again)

        self.after(span if first is None else first, again)

    def play(self, until: datetime) -> None:
        """Let happen what is due before `until`, in order, and leave true time there."""
        while self._heap and self._heap[0][0] < until:
            at, _, what = heapq.heappop(self._heap)
            self.true = max(self.true, at)
            self.steps += 1
            if self.steps > MOST_STEPS:
                self.violate("limit", found=f"{self.steps} steps", expected=f"at most {MOST_STEPS}")
                raise Enough
            what()
        self.true = max(self.true, until)

    def stall(self, span: timedelta) -> None:
        """Let the one who acts sleep for `span` while everybody else goes on; sleepers do not sleep within a sleep."""
        if self.depth == 0:
            self.depth += 1
            with self.acting(self.actor):
                self.play(self.true + span)
            self.depth -= 1

    @contextmanager
    def acting(self, name: str) -> Iterator[None]:
        """Write what happens within down to `name`."""
        before, self.actor = self.actor, name
        try:
            yield
        finally:
            self.actor = before

    def jump(self, offset: timedelta) -> None:
        """Set the wall clock to true time and `offset`."""
        self.log("clock", offset_s=offset.total_seconds())
        self.offset = offset

    def log(self, what: str, **about: Any) -> None:
        """Keep a line of the trail; the oldest are forgotten."""
        self.lines.append((self.true, self.actor, what, about))

    def violate(
        self, invariant: str, *, found: str, expected: str, case: int | None = None, task: int | None = None, message: int | None = None,
    ) -> None:
        """Note that an invariant does not hold, once for each case, task or message. Raises Enough when the run stops at so many."""
        about = (invariant, case, task, message)
        if about in self._noted:
            return
        self._noted.add(about)
        self.violations.append(Violation(invariant, self.wall().isoformat(), found, expected, case, task, message))
        self.log("VIOLATION", invariant=invariant, found=found, expected=expected, case=case, task=task, message=message)
        if len(self.violations) >= self.stop_at:
            raise Enough

    def trail(self, violation: Violation, *, lines: int = 60) -> list[str]:
        """Return the lines about the violation's case, task or message, and the last ones before it."""
        wanted = {name: value for name, value in asdict(violation).items() if name in ("case", "task", "message") and value is not None}
        kept = list(self.lines)
        about = [line for line in kept if any(line[-1].get(name) == value for name, value in wanted.items())]
        last = kept[-20:]
        chosen = about[-lines:] + [line for line in last if line not in about[-lines:]]
        return [
            f"{local(at):%m-%d %H:%M:%S} {actor} {what} {' '.join(f'{name}={value}' for name, value in about.items())}"
            for at, actor, what, about in chosen
        ]
