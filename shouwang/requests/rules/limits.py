"""How often the public forms may be used: by one address, by one phone, and by all together. Pure.

Many phones share one address behind an operator's network, so an address has more room than a phone.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shouwang.kernel.moments import from_us, to_us


@dataclass(frozen=True, slots=True)
class Budget:
    """How many times within one window."""

    most: int
    window: timedelta


HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BUDGETS: Mapping[str, Budget] = {
    "report.address": Budget(30, HOUR),
    "report.phone": Budget(10, DAY),
    "report.all": Budget(3_000, HOUR),
    "follow.address": Budget(30, HOUR),
    "follow.number": Budget(10, HOUR),
    "answer.report": Budget(20, HOUR),
}


def window_of(budget: Budget, now: datetime) -> datetime:
    """Return when the window that holds `now` began; windows lie end to end since 1970."""
    length_us = budget.window // timedelta(microseconds=1)
    return from_us(to_us(now) // length_us * length_us)


def minutes_left(budget: Budget, now: datetime) -> int:
    """Return after how many whole minutes the next window begins, at least one."""
    left = window_of(budget, now) + budget.window - now
    return max(1, -(-left // timedelta(minutes=1)))


def pseudonym(secret: str, purpose: str, who: str) -> str:
    """Return what stands for an address or phone in the table of limits: it cannot be turned back without the secret."""
    return hmac.new(secret.encode(), f"{purpose}\x1f{who}".encode(), hashlib.sha256).hexdigest()[:40]
