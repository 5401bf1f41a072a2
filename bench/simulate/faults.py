"""Faults: whoever acts may die at the end of a transaction, before or after its commit, or sleep between two of them.

Everything that is stored goes through `transaction.atomic`, so its end is where a crash can make a difference: what was
not committed is gone, what was committed stays, and nothing after it is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from types import TracebackType
from typing import Any

from django.db import transaction
from django.db.transaction import Atomic

from bench.simulate import store
from bench.simulate.stage import Stage

KINDS = (
    "crash_before_commit", "crash_after_commit", "crash_while_sending", "stall", "clock_forward", "clock_back", "drop", "duplicate",
    "reorder", "delay", "lost_reply", "refused",
)


class Crash(BaseException):
    """The process that acts has died here."""


@dataclass(frozen=True)
class Odds:
    """How often somebody dies or sleeps at a commit; and when dying, how often before it."""

    dies: float = 0.0
    sleeps: float = 0.0
    before: float = 0.5


NONE = Odds()
WEB = Odds(dies=0.02)
INGRESS = Odds(dies=0.15)
WORKER = Odds(dies=0.012, sleeps=0.006)


@dataclass
class Faults:
    """Injects faults and counts them by kind."""

    stage: Stage
    dice: Random
    counts: Counter[str] = field(default_factory=Counter)
    enabled: bool = True
    odds: Odds = NONE
    woken: Callable[[], None] | None = None
    meanwhile: Callable[[], None] = lambda: None

    def happens(self, kind: str, odds: float) -> bool:
        """Return whether a fault of `kind` happens here, and count it."""
        if not self.enabled or self.dice.random() >= odds:
            return False
        self.counts[kind] += 1
        self.stage.log("fault", kind=kind)
        return True

    def crash(self, kind: str) -> Crash:
        """Return the death of the one who acts; its process remembers nothing."""
        store.forget()
        return Crash(kind)

    def attempt(self, actor: str, what: Callable[[], Any], odds: Odds = WEB) -> bool:
        """Let `actor` do `what` and return whether it came to its end; False when it died on the way."""
        before, self.odds = self.odds, odds
        with self.stage.acting(actor):
            try:
                what()
            except Crash:
                return False
            finally:
                self.odds = before
        return True

    def nap(self) -> None:
        """Let the one who acts sleep, shorter or longer than its lease, and another come by meanwhile."""
        seconds = self.dice.choice((3.0, 8.0, 12.0, 13.0, 20.0, 90.0, 600.0))
        if self.stage.depth == 0:
            self.counts["stall"] += 1
            self.stage.log("fault", kind="stall", seconds=seconds)
            self.stage.after(timedelta(seconds=seconds * self.dice.uniform(0.85, 0.98)), self.meanwhile)
            odds, self.odds = self.odds, NONE
            woken, self.woken = self.woken, None
            self.stage.stall(timedelta(seconds=seconds))
            self.odds, self.woken = odds, woken
            if woken is not None:
                woken()

    @contextmanager
    def at_commits(self) -> Iterator[None]:
        """Put the faults at the end of every outermost transaction."""
        leave = Atomic.__exit__

        def leave_or_die(atomic: Atomic, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
            outermost = not transaction.get_connection(atomic.using).savepoint_ids
            if not outermost or kind is not None or not self.enabled or self.odds is NONE:
                leave(atomic, kind, error, trace)
                return
            odds = self.odds
            if self.happens("crash_before_commit", odds.dies * odds.before):
                death = self.crash("before_commit")
                leave(atomic, Crash, death, None)
                raise death
            leave(atomic, None, None, None)
            if self.happens("crash_after_commit", odds.dies * (1 - odds.before)):
                raise self.crash("after_commit")
            if self.dice.random() < odds.sleeps:
                self.nap()

        Atomic.__exit__ = leave_or_die  # type: ignore[method-assign, assignment]
        try:
            yield
        finally:
            Atomic.__exit__ = leave  # type: ignore[method-assign]


@dataclass
class Wall:
    """Moves the wall clock: an hour forward or back, and right again after a while."""

    stage: Stage
    faults: Faults
    dice: Random

    def begin(self) -> None:
        """Let the clock jump about every five days."""
        self.stage.after(timedelta(hours=self.dice.uniform(20, 60)), self._jump)

    def _jump(self) -> None:
        if not self.faults.enabled:
            return
        hours = self.dice.choice((1, -1))
        self.faults.counts["clock_forward" if hours > 0 else "clock_back"] += 1
        self.stage.jump(timedelta(hours=hours))
        self.stage.after(timedelta(hours=self.dice.uniform(1.5, 9)), self._set_right)
        self.stage.after(timedelta(hours=self.dice.uniform(60, 140)), self._jump)

    def _set_right(self) -> None:
        if self.stage.offset:
            self.faults.counts["clock_back" if self.stage.offset > timedelta() else "clock_forward"] += 1
            self.stage.jump(timedelta())
