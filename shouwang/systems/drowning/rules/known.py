"""Notices that persons at a water are known: for a stated time and reason, never by face. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from shouwang.systems.drowning.rules.errors import KnownWrong

LONGEST = timedelta(hours=12)
MOST_PERSONS = 20
REASON_LENGTH = 120
HOURS_OFFERED = (1, 2, 4, 8)


def checked(*, persons: int, reason: str, until: datetime, now: datetime) -> str:
    """Return the reason, tidied. Raises KnownWrong."""
    reason = " ".join(reason.split())
    limits = {"persons": MOST_PERSONS, "hours": int(LONGEST / timedelta(hours=1))}
    if not reason or len(reason) > REASON_LENGTH:
        raise KnownWrong(found=reason[:30] or "—", **limits)
    if not 1 <= persons <= MOST_PERSONS:
        raise KnownWrong(found=persons, **limits)
    if not now < until <= now + LONGEST:
        raise KnownWrong(found=f"{until:%Y-%m-%d %H:%M}", **limits)
    return reason
