"""What telemetry does by itself: keep the ingest log, the readings, the device events and the quarantine within their limits, and follow moved areas."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from shouwang.journal.paths import move_paths
from shouwang.journal.rules import Event
from shouwang.kernel.moments import HOUR_US, to_us
from shouwang.places.events import AREA_MOVED
from shouwang.telemetry import queries
from shouwang.telemetry.models import DeviceEvent, IngestBatch, Observation, Quarantine, Thing
from shouwang.telemetry.rules import KEEP_RAW

MOVES = "telemetry.area_moved"
KEEP_BATCHES = timedelta(days=7)
KEEP_RELEASED = timedelta(days=90)
KEEP_READINGS = timedelta(days=400)
DELETED_AT_ONCE = 500
READINGS_AT_ONCE = 5_000
ROUNDS = 20


def on_moves(events: Sequence[Event]) -> None:
    """Give what is observed below moved areas its new path; other processes know it within the age of their catalogue."""
    for event in events:
        if event.kind == AREA_MOVED:
            move_paths(Thing.objects.all(), old=event.payload["from"], new=event.payload["to"])
            queries.forget()


def tidy(now: datetime, *, read_upto: int, keep_readings: timedelta = KEEP_READINGS) -> int:
    """Delete what has passed its time, at most 20 portions of each kind, and return how many rows.

    Batches over 7 days old that every watch has read (up to `read_upto`); released quarantine after 90 days; readings, and
    quarantine that nobody released, after `keep_readings`; device events likewise, and what they were told as after 30 days. The last batch always stays: its number is where the next one
    continues.
    """
    gone = _batches(now, read_upto) + _quarantine(now, keep_readings) + _readings(now - keep_readings)
    return gone + _device_events(now, keep_readings)


def _batches(now: datetime, read_upto: int) -> int:
    upto = min(read_upto, queries.last_batch() - 1)
    found = IngestBatch.objects.filter(seq__lte=upto, received_at__lt=now - KEEP_BATCHES).order_by("seq")
    deleted = 0
    for _ in range(ROUNDS):
        with transaction.atomic():
            last = list(found.values_list("seq", flat=True)[:DELETED_AT_ONCE])[-1:]
            if not last:
                break
            deleted += found.filter(seq__lte=last[0]).order_by().delete()[0]
    return deleted


def _quarantine(now: datetime, keep_readings: timedelta) -> int:
    gone = Q(released_at__lt=now - KEEP_RELEASED) | Q(released_at__isnull=True, at__lt=now - keep_readings)
    with transaction.atomic():
        ids = list(Quarantine.objects.filter(gone).order_by("pk").values_list("pk", flat=True)[:DELETED_AT_ONCE])
        return Quarantine.objects.filter(pk__in=ids).delete()[0]


def _readings(before: datetime) -> int:
    """Delete the oldest readings in key order: each portion is one range of the table."""
    last_hour = to_us(before) // HOUR_US
    deleted = 0
    for _ in range(ROUNDS):
        rows = Observation.objects.filter(hour__lt=last_hour).order_by("hour", "datastream_id", "at")
        portion = list(rows.values_list("hour", "datastream_id", "at")[:READINGS_AT_ONCE])
        if not portion:
            break
        hour, stream, at = portion[-1]
        upto = Q(hour__lt=hour) | Q(hour=hour, datastream_id__lt=stream) | Q(hour=hour, datastream_id=stream, at__lte=at)
        with transaction.atomic():
            deleted += Observation.objects.filter(upto).delete()[0]
    return deleted


def _device_events(now: datetime, keep: timedelta) -> int:
    with transaction.atomic():
        told = DeviceEvent.objects.filter(raw__isnull=False, received_at__lt=now - KEEP_RAW).order_by("received_at")
        DeviceEvent.objects.filter(pk__in=list(told.values_list("pk", flat=True)[:DELETED_AT_ONCE])).update(raw=None)
        old = DeviceEvent.objects.filter(received_at__lt=now - keep).order_by("received_at")
        return DeviceEvent.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:DELETED_AT_ONCE])).delete()[0]
