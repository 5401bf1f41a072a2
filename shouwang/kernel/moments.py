"""Moments and spans: microseconds since 1970 UTC, as stored, and aware datetimes, as spoken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from shouwang.kernel.errors import NaiveMoment

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOCAL_ZONE = ZoneInfo("Asia/Shanghai")
MICROSECOND = timedelta(microseconds=1)
SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


def require_aware(moment: datetime) -> None:
    """Raise NaiveMoment when `moment` has no time zone."""
    if moment.tzinfo is None:
        raise NaiveMoment(moment=moment.isoformat())


def to_us(moment: datetime) -> int:
    """Return `moment` as microseconds since 1970 UTC. Raises NaiveMoment."""
    if moment.tzinfo is None:
        require_aware(moment)
    passed = moment - EPOCH
    return (passed.days * 86_400 + passed.seconds) * SECOND_US + passed.microseconds


def from_us(us: int) -> datetime:
    """Return the aware UTC datetime of `us` microseconds since 1970."""
    return EPOCH + timedelta(microseconds=us)


def local(moment: datetime) -> datetime:
    """Return `moment` on the wall clock of Asia/Shanghai."""
    require_aware(moment)
    return moment.astimezone(LOCAL_ZONE)
