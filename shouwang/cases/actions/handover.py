"""Handing the watch to the next person: given with a note, taken with a second signature; what was open is kept as it stood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from shouwang.cases import events as kinds
from shouwang.cases.actions.changes import compact
from shouwang.cases.models import Handover
from shouwang.cases.queries import handover_row
from shouwang.cases.rules.errors import HandoverNotYours, HandoverSigned, HandoverWaiting
from shouwang.journal.actions import append, lock_order
from shouwang.journal.rules import NewEvent
from shouwang.kernel.moments import local

LONGEST_NOTE = 4_000


def give_shift(
    *, area_id: int, path: str, duty: str, by: int, to: int, note: str, kept: Mapping[str, Sequence[int]], now: datetime,
) -> int:
    """Hand the watch of an area to another person and return the hand-over's id; `kept` are the open and odd case ids.

    Raises HandoverWaiting while an earlier one waits for its second signature.
    """
    with transaction.atomic():
        lock_order()
        waiting = Handover.objects.filter(area_id=area_id, duty=duty, taken_at=None).first()
        if waiting is not None:
            raise HandoverWaiting(area=f"#{area_id}", given=f"{local(waiting.given_at):%m-%d %H:%M}")
        row = Handover.objects.create(
            area_id=area_id, path=path, duty=duty, given_by=by, given_at=now, taken_by=to, note=note.strip()[:LONGEST_NOTE],
            kept=compact(kept),
        )
        payload = {"area": area_id, "duty": duty, "by": by, "to": to, "open": len(kept.get("open", ()))}
        append([NewEvent(kinds.SHIFT_GIVEN, row.pk, payload)], now=now)
    return row.pk


def take_shift(handover_id: int, *, by: int, now: datetime) -> None:
    """Sign as the one who takes the watch; signing again changes nothing. Raises NotFound, HandoverNotYours."""
    with transaction.atomic():
        lock_order()
        row = handover_row(handover_id)
        if row.taken_by != by:
            raise HandoverNotYours(expected=f"#{row.taken_by}")
        if row.taken_at is None:
            Handover.objects.filter(pk=row.id).update(taken_at=now)
            append([NewEvent(kinds.SHIFT_TAKEN, row.id, {"area": row.area_id, "duty": row.duty, "by": by})], now=now)


def withdraw_shift(handover_id: int, *, by: int, now: datetime) -> None:
    """Take back a hand-over that nobody has signed yet. Raises NotFound, HandoverSigned, HandoverNotYours."""
    with transaction.atomic():
        lock_order()
        row = handover_row(handover_id)
        if row.given_by != by:
            raise HandoverNotYours(expected=f"#{row.given_by}")
        if row.taken_at is not None:
            raise HandoverSigned(taken=f"{local(row.taken_at):%m-%d %H:%M}")
        append([NewEvent(kinds.SHIFT_WITHDRAWN, row.id, {"area": row.area_id, "duty": row.duty, "by": by})], now=now)
        Handover.objects.filter(pk=row.id).delete()
