"""Writes of the watch: set a watch, record a tick, store state with findings in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import transaction
from django.db.models import Q

from shouwang.alerts.rules import FoundFinding
from shouwang.detectors.contract import Finding, Int64s, dump, fresh
from shouwang.detectors.registry import detectors_found
from shouwang.journal.actions import append, check_fence
from shouwang.journal.put import put, remove, reserve_ids
from shouwang.journal.rules import Lease, NewEvent
from shouwang.journal.sql import run, run_many
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import from_us, to_us
from shouwang.telemetry import queries as telemetry
from shouwang.telemetry.rules import PARTITIONS
from shouwang.watch import queries
from shouwang.watch.events import THRESHOLDS_SET
from shouwang.watch.models import LateBatch, LateRows, Learning, ReviewFinding, Watch, WatchState, WatchTick
from shouwang.watch.rules import (
    BY_HABIT,
    LATE_ROW_BYTES,
    DetectorUnknown,
    ParameterUnknown,
    Tick,
    joined_moments,
    late_blob,
    late_by_stream,
)

LATENESS_S = 600
Take = Callable[[Sequence[FoundFinding]], object]
_SAVE = "UPDATE watch_watchstate SET state = %s, cursor = %s, tick_id = %s, fence = %s WHERE id = %s AND fence <= %s"

_MOVE_ON = "UPDATE watch_watchstate SET cursor = %s, tick_id = %s, fence = %s WHERE id = %s AND fence <= %s AND tick_id < %s"


@dataclass(frozen=True)
class Judged:
    """The state of one watch and partition after a tick."""

    state_id: int
    state: bytes
    cursor: int
    tick_id: int


@transaction.atomic
def set_watch(
    code: str, *, detector: str, now: datetime, params: Mapping[str, float] | None = None, thing_kind: str = "",
    observed: str = "", lateness_s: int = LATENESS_S, enabled: bool = True,
) -> int:
    """Set the watch `code` and return its id; it starts anew at `now` when its detector or parameters changed.

    Readings before `now` are not judged. Raises DetectorUnknown, ParameterUnknown.
    """
    found = detectors_found().get(detector)
    if found is None:
        raise DetectorUnknown(watch=code, detector=detector, version="?", found=", ".join(sorted(detectors_found())))
    try:
        settled = found.settled(params or {})
    except KeyError as error:
        raise ParameterUnknown(detail=error.args[0]) from error
    judging = {
        "detector": detector, "version": found.version, "params": settled, "thing_kind": thing_kind, "property": observed,
        "lateness_s": lateness_s,
    }
    watch = Watch.objects.filter(code=code, path="").first()
    if watch is not None and all(getattr(watch, name) == value for name, value in judging.items()):
        Watch.objects.filter(code=code).update(enabled=enabled)
        return watch.pk
    watch, _ = Watch.objects.update_or_create(code=code, path="", defaults={**judging, "enabled": enabled, "since": now})
    Watch.objects.filter(code=code).update(enabled=enabled)
    _start_family_anew(watch, now=now)
    return watch.pk


@transaction.atomic
def set_thresholds(code: str, *, area_id: int, path: str, own: Mapping[str, float], by: int | None, now: datetime) -> bool:
    """Let a watch judge by other parameters at an area and below; what is not in `own` follows the area above.

    The caller has checked the right and the numbers. Returns False where nothing changes. Raises NotFound.
    """
    base = Watch.objects.filter(code=code, path="").first()
    if base is None:
        raise NotFound(what=f"监测 {code[:48]}")
    before = dict(Watch.objects.filter(code=code, path=path).values_list("path", "params")).get(path, {})
    if before == dict(own):
        return False
    same = {"detector": base.detector, "version": base.version, "lateness_s": base.lateness_s, "since": base.since, "enabled": base.enabled}
    Watch.objects.update_or_create(code=code, path=path, defaults={**same, "params": dict(own)})
    append([NewEvent(THRESHOLDS_SET, area_id, {"watch": code, "own": dict(own), "before": before, "by": by})], now=now)
    return True


@transaction.atomic
def ask_learning(streams: Sequence[int], *, now: datetime) -> int:
    """Ask that the watches by habit learn from what is stored of these streams, and return how many rows that makes; asking again learns anew."""
    watches = [row for row in queries.watches() if row.detector in BY_HABIT]
    Learning.objects.filter(stream__in=streams).delete()
    return len(Learning.objects.bulk_create(Learning(watch_id=row.id, stream=stream, asked_at=now) for row in watches for stream in streams))


@transaction.atomic
def learn_again(streams: Sequence[int], *, known_since: datetime) -> int:
    """Let the past of those streams be learnt once more that are known only since after a moment; return how many rows wait then: readings may have come of earlier times."""
    young = Learning.objects.filter(Q(first_at=None) | Q(first_at__gt=known_since), stream__in=streams, taken_at__isnull=False)
    return young.update(learnt_at=None, taken_at=None, tried_at=None)


@transaction.atomic
def settle(
    lease: Lease, *, born: Sequence[tuple[int, int, bytes, int, int]], moved: Sequence[Judged], gone: Sequence[int], heir: int,
) -> list[int]:
    """Store states between which streams moved, those of new watches, and give watches up; return the new states' ids.

    `born` are watch, partition, state, cursor and tick. What came late for watches that are `gone` is the heir's. Raises LeaseLost.
    """
    check_fence(lease)
    ids = list(reserve_ids(WatchState, len(born)))
    put(WatchState, ("id", "watch_id", "partition", "state", "cursor", "tick_id", "fence"), [
        (state_id, *row, lease.fence) for state_id, row in zip(ids, born, strict=True)
    ])
    run_many(_SAVE, [(each.state, each.cursor, each.tick_id, lease.fence, each.state_id, lease.fence) for each in moved])
    for watch_id in gone:
        _give_up(watch_id, heir=heir)
    return ids


def _give_up(watch_id: int, *, heir: int) -> None:
    for row in LateRows.objects.filter(watch_id=watch_id):
        moments = np.frombuffer(bytes(row.moments), np.int64)
        LateBatch.objects.create(watch_id=heir, noted_at=row.noted_at, rows=late_blob(np.full(len(moments), row.stream, np.int64), moments))
    LateBatch.objects.filter(watch_id=watch_id).update(watch_id=heir)
    ReviewFinding.objects.filter(watch_id=watch_id).exclude(
        stream__in=ReviewFinding.objects.filter(watch_id=heir).values("stream"),
    ).update(watch_id=heir)
    Watch.objects.filter(pk=watch_id).delete()


@transaction.atomic
def switch_watch(code: str, *, enabled: bool, now: datetime) -> bool:
    """Switch a watch on or off and return whether that changed anything.

    One that is switched on starts anew at `now`: what came while it was off was not kept for it. Raises NotFound.
    """
    watch = Watch.objects.filter(code=code, path="").first()
    if watch is None:
        raise NotFound(what=f"监测 {code[:48]}")
    if watch.enabled == enabled:
        return False
    Watch.objects.filter(code=code).update(enabled=enabled)
    if enabled:
        Watch.objects.filter(code=code).update(since=now, version=detectors_found()[watch.detector].version)
        _start_family_anew(watch, now=now)
    return True


def _start_family_anew(watch: Watch, *, now: datetime) -> None:
    """Start the watch of everywhere anew; those of areas take their streams from it once it judges."""
    WatchState.objects.filter(watch__code=watch.code).exclude(watch_id=watch.pk).delete()
    _start_anew(watch.pk, now=now)


def _start_anew(watch_id: int, *, now: datetime) -> None:
    last = queries.last_tick()
    blob = dump(fresh(to_us(now)))
    cursor, tick_id = (last.upto_seq, last.id) if last else (telemetry.last_batch(), 0)
    WatchState.objects.filter(watch_id=watch_id).delete()
    Learning.objects.filter(watch_id=watch_id).update(learnt_at=None, taken_at=None, tried_at=None, state=None)
    put(WatchState, ("watch_id", "partition", "state", "cursor", "tick_id", "fence"), [
        (watch_id, partition, blob, cursor, tick_id, 0) for partition in range(PARTITIONS)
    ])


@transaction.atomic
def record_tick(lease: Lease, *, upto_seq: int, at: datetime) -> Tick:
    """Record a tick before it is judged. Raises LeaseLost."""
    check_fence(lease)
    (tick_id,) = reserve_ids(WatchTick, 1)
    put(WatchTick, ("id", "upto_seq", "at"), [(tick_id, upto_seq, to_us(at))])
    return Tick(tick_id, upto_seq, at)


@transaction.atomic
def save(lease: Lease, judged: Sequence[Judged], *, findings: Sequence[FoundFinding], take: Take) -> None:
    """Store states and hand over findings, together or not at all; the findings last. Raises LeaseLost."""
    check_fence(lease)
    run_many(_SAVE, [(each.state, each.cursor, each.tick_id, lease.fence, each.state_id, lease.fence) for each in judged])
    if findings:
        take(findings)


@transaction.atomic
def move_on(lease: Lease, state_ids: Sequence[int], *, cursor: int, tick_id: int) -> None:
    """Move the cursors of states in which nothing has changed on; none that is further already moves back. Raises LeaseLost."""
    check_fence(lease)
    run_many(_MOVE_ON, [(cursor, tick_id, lease.fence, state_id, lease.fence, tick_id) for state_id in state_ids])


@transaction.atomic
def forget_ticks(before: int, *, limit: int) -> int:
    """Delete at most `limit` ticks before the tick `before` and return how many."""
    ids = list(WatchTick.objects.filter(pk__lt=before).order_by("pk").values_list("pk", flat=True)[:limit])
    return WatchTick.objects.filter(pk__in=ids).delete()[0]


@transaction.atomic
def note_late(lease: Lease, watch_id: int, streams: Int64s, moments: Int64s, *, now: datetime) -> None:
    """Note that these readings came after their moments were judged; noting them again changes nothing. Raises LeaseLost."""
    check_fence(lease)
    put(LateBatch, ("watch_id", "noted_at", "rows"), [(watch_id, to_us(now), late_blob(streams, moments))])


@transaction.atomic
def sort_late(*, most_rows: int) -> int:
    """Sort what the oldest ticks noted into the late rows of each stream, about `most_rows` at once; return how many ticks."""
    if run("SELECT 1 FROM watch_latebatch LIMIT 1").fetchone() is None:
        return 0
    batches: list[LateBatch] = []
    size = 0
    for batch in LateBatch.objects.select_for_update().order_by("pk").iterator(chunk_size=20):
        batches.append(batch)
        size += len(batch.rows) // LATE_ROW_BYTES
        if size >= most_rows:
            break
    for watch_id in {batch.watch_id for batch in batches}:
        own = [batch for batch in batches if batch.watch_id == watch_id]
        first, last = own[0].noted_at, max(batch.noted_at for batch in own)
        _add_late(watch_id, late_by_stream(bytes(batch.rows) for batch in own), first=first, last=last)
    LateBatch.objects.filter(pk__in=[batch.pk for batch in batches]).delete()
    return len(batches)


def _add_late(watch_id: int, late: Mapping[int, Int64s], *, first: datetime, last: datetime) -> None:
    known = {
        stream: (pk, bytes(moments))
        for stream, pk, moments in LateRows.objects.filter(watch_id=watch_id, stream__in=late).values_list("stream", "pk", "moments")
    }
    fresh = [stream for stream in late if stream not in known]
    put(
        LateRows, ("id", "watch_id", "stream", "moments", "noted_at", "first_noted_at"),
        [
            (pk, watch_id, stream, joined_moments(b"", late[stream]), to_us(last), to_us(first))
            for pk, stream in zip(reserve_ids(LateRows, len(fresh)), fresh, strict=True)
        ],
    )
    run_many("UPDATE watch_laterows SET moments = %s, noted_at = %s WHERE id = %s", [
        (joined_moments(moments, late[stream]), to_us(last), pk) for stream, (pk, moments) in known.items()
    ])


@transaction.atomic
def finish_review(
    reviewed: Mapping[int, bytes], *, watch_id: int, told: Sequence[Finding], kept: Sequence[Finding],
    findings: Sequence[FoundFinding], take: Take, now: datetime,
) -> bool:
    """Keep what a review found, tell what must be told, and forget the late rows it looked at; all of it, or nothing.

    `reviewed` are the rows' numbers with the moments that were looked at: where more came meanwhile, nothing is done and
    False returned, and the next review looks at all of them.
    """
    for pk, moments in reviewed.items():
        if not LateRows.objects.filter(pk=pk, moments=moments).delete()[0]:
            transaction.set_rollback(True)
            return False
    rows = [(each, True) for each in told] + [(each, False) for each in kept]
    ReviewFinding.objects.bulk_create(
        [
            ReviewFinding(
                watch_id=watch_id, stream=each.stream, kind=each.kind, phase=each.phase, episode_us=each.episode_us,
                at=from_us(each.at_us), severity=each.severity, reason=each.reason_code, params=dict(each.params), reviewed_at=now,
                told=is_told,
            )
            for each, is_told in rows
        ],
        ignore_conflicts=True,
    )
    if findings:
        take(findings)
    return True


@transaction.atomic
def forget_reviews(before: datetime, *, limit: int) -> int:
    """Delete at most `limit` review findings made before a moment and return how many."""
    found = run("SELECT id FROM watch_reviewfinding WHERE reviewed_at < %s ORDER BY id LIMIT %s", (to_us(before), limit)).fetchall()
    remove(ReviewFinding, [row[0] for row in found])
    return len(found)
