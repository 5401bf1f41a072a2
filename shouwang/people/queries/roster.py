"""Who answers, in bulk: one roster per process, at most 5 s old, forgotten when this process changes a duty or shift."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from shouwang.journal.prepared import Prepared
from shouwang.kernel.moments import local
from shouwang.people.models import Duty, Leave, Shift
from shouwang.people.rules.roster import DutyRow, LeaveRow, Roster, ShiftRow, Who

FRESH_S = 5.0
_BEFORE = timedelta(days=1)
_AFTER = timedelta(days=2)


@dataclass(frozen=True)
class _Kept:
    roster: Roster
    loaded_s: float
    start_at: datetime
    until_at: datetime


_kept: _Kept | None = None
_generation = 0


def answerable(
    requests: Sequence[Who], *, at: datetime, monotonic: Callable[[], float] = time.monotonic,
) -> list[int | None]:
    """Return who is on duty for each request; None where nobody is (a coverage gap).

    The nearest area of the level on the path is asked first: a shift in force wins over the holder of the duty.
    500 requests cost about 1 ms while the roster is kept; loading it costs three queries.
    """
    return _roster(at, monotonic()).answer(requests, at=at)


def forget() -> None:
    """Forget the roster this process keeps."""
    global _kept, _generation  # noqa: PLW0603 - one roster per process
    _kept = None
    _generation += 1


def _roster(at: datetime, now_s: float) -> Roster:
    global _kept  # noqa: PLW0603 - one roster per process
    kept = _kept
    if kept is not None and now_s - kept.loaded_s < FRESH_S and kept.start_at <= at < kept.until_at:
        return kept.roster
    asked_in = _generation
    kept = _Kept(_load(at), now_s, at - _BEFORE, at + _AFTER)
    if asked_in == _generation:
        _kept = kept
    return kept.roster


def _load(at: datetime) -> Roster:
    earliest = local(at - _BEFORE).date()
    return Roster(
        [DutyRow(*row) for row in _DUTIES.rows(earliest)],
        [ShiftRow(*row) for row in _SHIFTS.rows(at - _BEFORE, at + _AFTER)],
        [LeaveRow(*row) for row in _LEAVES.rows(earliest, earliest + (_BEFORE + _AFTER) + _BEFORE)],
    )


_DUTIES = Prepared(
    lambda ended_after: Duty.objects.unscoped().filter(Q(until_date__isnull=True) | Q(until_date__gt=ended_after), object_kind="AREA")
    .values_list("area_id", "level", "code", "rank", "person_id", "from_date", "until_date"),
)
_LEAVES = Prepared(
    lambda ended_after, begun_by: Leave.objects.unscoped().filter(until_date__gt=ended_after, from_date__lte=begun_by)
    .values_list("person_id", "from_date", "until_date"),
)
_SHIFTS = Prepared(
    lambda ended_after, begun_before: Shift.objects.unscoped().filter(until_at__gt=ended_after, start_at__lt=begun_before)
    .values_list("area_id", "level", "code", "start_at", "until_at", "person_id", "deputy_id"),
)
