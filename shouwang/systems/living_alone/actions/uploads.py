"""How often meters send: learnt from their readings, and entered by whoever enrols homes."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from shouwang.kernel.errors import NotFound
from shouwang.systems.living_alone.models import Enrolment
from shouwang.systems.living_alone.rules.lines import UPLOADS
from shouwang.systems.living_alone.rules.uploads import upload_interval
from shouwang.telemetry.queries import arrivals

LOOKS_BACK = timedelta(days=14)
EVERY = timedelta(days=1)
HOMES_AT_ONCE = 100


def learn_uploads(now: datetime) -> int:
    """Look how often meters have sent lately, those first that were never looked at, HOMES_AT_ONCE at once; return how many.

    What the readings do not tell leaves what was learnt before.
    """
    due = Enrolment.objects.filter(Q(upload_seen_at=None) | Q(upload_seen_at__lte=now - EVERY), active=True)
    rows = list(due.order_by(F("upload_seen_at").asc(nulls_first=True), "pk")[:HOMES_AT_ONCE])
    for row in rows:
        row.upload_seen_at = now
        row.upload_learnt_h = upload_interval(arrivals(row.datastream_id, now - LOOKS_BACK, now)) or row.upload_learnt_h
    Enrolment.objects.bulk_update(rows, ["upload_seen_at", "upload_learnt_h"])
    return len(rows)


def set_upload(household_id: int, *, hours: str) -> None:
    """Enter how often a home's meter sends; the caller has checked the right. Raises NotFound."""
    if hours not in {str(each) for each in UPLOADS}:
        raise NotFound(what=f"上报间隔 {hours[:8]}")
    with transaction.atomic():
        Enrolment.objects.filter(household_id=household_id).update(upload_h=int(hours))
