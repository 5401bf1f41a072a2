"""The review pass: readings that came after their time was judged are judged again, and what that changes is told, marked as late.

A detector looks once at a stretch of time without the late readings and once with them. What goes on unseen is told now,
like any finding; what came and went unseen is kept and listed, since there is nobody to be sent any more. A spell that
somebody has had an alert of is not told again, also when a device sends old readings once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

import numpy as np

from shouwang.alerts.actions import take_findings
from shouwang.alerts.queries import seen_already
from shouwang.alerts.rules import FoundFinding
from shouwang.detectors.contract import Columns, Finding, Int64s, fresh
from shouwang.detectors.registry import Detector, detectors_found, params_hash
from shouwang.kernel.moments import from_us, to_us
from shouwang.telemetry import queries as telemetry
from shouwang.watch import actions, queries
from shouwang.watch.queries import LateRow, WatchRow
from shouwang.watch.rules import Reviewed, compare

LATE = "_LATE"
SETTLED_AFTER = timedelta(minutes=10)
WAITED_AT_MOST = timedelta(hours=1)
LOOKS_BACK = timedelta(days=31)
HISTORY = timedelta(days=3)
LATE_ROWS_AT_ONCE = 100_000
READINGS = 200_000
KEPT_FOR = timedelta(days=400)
FORGOTTEN_AT_ONCE = 1_000


def review(now: datetime) -> int:
    """Judge late readings again, at most 50 streams in one go; return how many findings were told.

    A stream is looked at once no more late readings have come for ten minutes, so that a meter that sends its backlog is
    judged on the whole of it; after an hour it is looked at all the same.
    """
    actions.forget_reviews(now - KEPT_FOR, limit=FORGOTTEN_AT_ONCE)
    last = queries.last_tick()
    if last is None:
        return 0
    actions.sort_late(most_rows=LATE_ROWS_AT_ONCE)
    waiting = queries.late_rows(settled_before=now - SETTLED_AFTER, waiting_since=now - WAITED_AT_MOST)
    watches = {row.id: row for row in queries.family_rows(enabled_only=True)}
    told = 0
    for watch_id, rows in groupby(waiting, key=lambda row: row.watch_id):
        detector = detectors_found().get(watches[watch_id].detector)
        if detector is not None and detector.version == watches[watch_id].version:
            told += _review(watches[watch_id], detector, list(rows), judged_at=last.at, now=now)
    return told


def _review(watch: WatchRow, detector: Detector, rows: Sequence[LateRow], *, judged_at: datetime, now: datetime) -> int:
    watermark = judged_at - timedelta(seconds=watch.lateness_s)
    late = {row.stream: np.frombuffer(row.moments, np.int64) for row in rows}
    start = max(from_us(min(int(moments[0]) for moments in late.values())), watch.since, now - LOOKS_BACK)
    columns = telemetry.columns_of(list(late), start - HISTORY, max(watermark, start - HISTORY), max_points=READINGS)
    found = _twice(detector, watch, columns, late, start=start, watermark=watermark)
    asked = [_found(_marked(finding), detector, watch) for finding in found.tell]
    seen = seen_already([each for each in asked if each.phase == "OPEN"])
    findings = [each for each in asked if each.phase == "END" or each.key not in seen]
    still = {(each.kind, each.subject_id, each.phase) for each in findings}
    told = [_marked(finding) for finding in found.tell if (finding.kind, finding.stream, finding.phase) in still]
    kept = [_marked(finding) for finding in found.keep]
    take = partial(take_findings, now=now)
    done = actions.finish_review(
        {row.id: row.moments for row in rows}, watch_id=watch.id, told=told, kept=kept, findings=findings, take=take, now=now,
    )
    return len(findings) if done else 0


def _twice(
    detector: Detector, watch: WatchRow, columns: Columns, late: dict[int, Int64s], *, start: datetime, watermark: datetime,
) -> Reviewed:
    """Return how the verdict on [start, watermark] differs with the late readings from that without them."""
    is_late = np.zeros(len(columns), bool)
    for stream, moments in late.items():
        is_late |= (columns.stream == stream) & np.isin(columns.at_us, moments)
    state, at_us = fresh(to_us(start)), to_us(watermark)
    without, with_late = (
        detector.judge(part, state, now_us=at_us, watermark_us=at_us, params=watch.params)[1]
        for part in (columns.where(~is_late), columns)
    )
    return compare(without, with_late)


def _marked(finding: Finding) -> Finding:
    """Return a finding that says it rests on late readings."""
    return replace(finding, reason_code=finding.reason_code + LATE)


def _found(finding: Finding, detector: Detector, watch: WatchRow) -> FoundFinding:
    known = telemetry.catalogue()
    place = int(known.place(np.array([finding.stream], np.int64))[0])
    exercise_id = int(known.exercise_id[place]) if place >= 0 else 0
    return FoundFinding(
        finding.kind, "datastream", finding.stream, finding.episode_us, finding.phase, finding.severity, finding.at_us,
        finding.reason_code, {**finding.params, "late": 1}, detector.name, str(detector.version), params_hash(watch.params),
        exercise_id or None,
    )
