"""What a meter's register tells of the last use of water. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
LEAST_L = 1.0
"""A register counts whole litres: less than this between two readings is no use."""


@dataclass(frozen=True, slots=True)
class LastUse:
    """When water was last used as far as it is known, and until when readings say that none was used since."""

    at: datetime
    seen_until: datetime

    @property
    def silent_h(self) -> float:
        """Return for how many hours readings have shown no use; what came after the last reading is not known."""
        return (self.seen_until - self.at) / HOUR


def last_use(points: Sequence[tuple[datetime, float]]) -> LastUse | None:
    """Return the last use in a register's readings, oldest first: at the earliest that of the first; None without two readings.

    The moment is that of the reading that showed it. A register that falls (an exchanged meter) shows no use.
    """
    if len(points) < 2:
        return None
    steps = zip(reversed(points[:-1]), reversed(points[1:]), strict=True)
    used_at = next((at for (_, before), (at, after) in steps if after - before >= LEAST_L), points[0][0])
    return LastUse(used_at, points[-1][0])
