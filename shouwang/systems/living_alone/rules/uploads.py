"""How often a meter sends, told from its readings: hourly, every six hours, daily. Pure.

A reading that came within an hour of its moment was sent then; of those that came later it is not known with which upload
they came. A meter that sends once a day brings a day of hourly readings, of which only the last is on time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

LEAST = 4
"""Fewer gaps tell nothing."""
UP_TO_H = {1: 2.5, 6: 12.0, 24: 36.0}
"""Hours between two uploads, each with the longest usual gap that is taken for it."""


def upload_interval(readings: Sequence[tuple[datetime, bool]]) -> int | None:
    """Return the hours between two uploads of a meter, None where its readings do not tell; each with whether it came late, oldest first.

    Where none was on time, as from a list of daily freezes, the gaps between the readings themselves tell, if those are
    hours apart: hourly readings that all came late may have come in one upload or in many.
    """
    gaps = _gaps_h(_sent(readings))
    if len(gaps) >= LEAST:
        return _nearest(median(gaps))
    gaps = _gaps_h([at for at, _ in readings])
    return _nearest(median(gaps)) if len(gaps) >= LEAST and median(gaps) > UP_TO_H[1] else None


def _sent(readings: Sequence[tuple[datetime, bool]]) -> list[datetime]:
    """Return the moments of uploads: of readings that are mostly late, the last on-time one of each run, for the one before it may be on time just so."""
    on_time = [place for place, (_, is_late) in enumerate(readings) if not is_late]
    if on_time and 2 * len(on_time) < len(readings) - on_time[0]:  # what came before the first is a past brought in from elsewhere
        on_time = [place for place in on_time if place + 1 == len(readings) or readings[place + 1][1]]
    return [readings[place][0] for place in on_time]


def _gaps_h(moments: Sequence[datetime]) -> list[float]:
    return [(after - before) / timedelta(hours=1) for before, after in pairwise(moments)]


def _nearest(gap_h: float) -> int | None:
    return next((hours for hours, up_to_h in UP_TO_H.items() if gap_h <= up_to_h), None)
