"""What telemetry does by itself: keep the ingest log and the quarantine within their limits."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from shouwang.telemetry import queries
from shouwang.telemetry.models import IngestBatch, Quarantine

KEEP_BATCHES = timedelta(days=7)
KEEP_RELEASED = timedelta(days=90)
DELETED_AT_ONCE = 500


def tidy(now: datetime, *, read_upto: int) -> int:
    """Delete batches over 7 days old that every watch has read (up to `read_upto`), and old released quarantine; return how many.

    The last batch always stays: its number is where the next one continues.
    """
    upto = min(read_upto, queries.last_batch() - 1)
    batches = IngestBatch.objects.filter(seq__lte=upto, received_at__lt=now - KEEP_BATCHES).order_by("seq")
    released = Quarantine.objects.filter(released_at__lt=now - KEEP_RELEASED).order_by("pk")
    deleted = 0
    for found, table in ((batches, IngestBatch.objects), (released, Quarantine.objects)):
        with transaction.atomic():
            ids = list(found.values_list("pk", flat=True)[:DELETED_AT_ONCE])
            deleted += table.filter(pk__in=ids).delete()[0]
    return deleted
