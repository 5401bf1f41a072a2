"""Leading: messages that go as one are led by the gravest of them, which alone is sent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from shouwang.notify import queries
from shouwang.notify.models import LastSent, Message
from shouwang.notify.rules import Bundle
from shouwang.notify.rules.bundling import URGENT

CHUNK = 500


def together(bundle: Bundle, now: datetime) -> QuerySet[Message]:
    """Return the messages of `bundle` that nobody has taken up."""
    return queries.visible(now).filter(
        person_id=bundle.person_id, channel=bundle.channel, severity__lt=URGENT, exercise_id=bundle.exercise_id,
    )


def lead(bundle: Bundle, *, now: datetime, **columns: Any) -> tuple[int, int]:
    """Make the gravest, then oldest, message of `bundle` lead the others; return it and how many others there are."""
    rows = together(bundle, now)
    leader = rows.order_by("-severity", "id").values_list("pk", flat=True).first() or bundle.first_id
    return leader, rows.exclude(pk=leader).update(leader_id=leader, **columns)


def remember(bundles: Iterable[Bundle], *, now: datetime) -> None:
    """Keep for the throttle that these persons are being sent something; urgent messages do not count."""
    rows = [
        LastSent(person_id=bundle.person_id, channel=bundle.channel, exercise_id=bundle.exercise_id or 0, at=now)
        for bundle in bundles
        if not bundle.urgent
    ]
    LastSent.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["person_id", "channel", "exercise_id"], update_fields=["at"], batch_size=CHUNK,
    )
