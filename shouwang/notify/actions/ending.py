"""Ending: what ends without anybody knowing that it went is published, one event per message, so that nothing is silent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F, Q

from shouwang.journal.actions import append
from shouwang.journal.prepared import Prepared
from shouwang.journal.rules import NewEvent
from shouwang.notify import events
from shouwang.notify.models import ALIVE, Message
from shouwang.notify.rules import Next, State


def end(ids: Sequence[int], following: Next, *, now: datetime) -> list[NewEvent]:
    """End these messages and the bundles they lead, and return the events of their failure."""
    columns = {"state": following.state, "reason": following.reason, "done_at": now}
    ended: list[NewEvent] = []
    for pk in ids:
        if Message.objects.filter(ALIVE, pk=pk).update(**columns, lease_until=None, fence=None):
            Message.objects.filter(leader_id=pk).update(**columns)
            ended += failures_of(pk)
    return ended


_LED = Prepared(lambda leader_id, its: Message.objects.filter(Q(pk=leader_id) | Q(leader_id=its)).order_by(F("leader_id").asc(nulls_first=True), "id"))


def failures_of(leader_id: int) -> list[NewEvent]:
    """Return the event of each message of a bundle that has ended without anybody knowing that it went."""
    rows = _LED.objects(leader_id, leader_id)
    return [
        NewEvent(
            events.MESSAGE_FAILED, row.case_id,
            {
                "message": row.pk, "channel": row.channel, "state": State(row.state).name, "reason": row.reason,
                "task": row.task_id, "person": row.person_id,
            },
            row.exercise_id,
        )
        for row in rows
    ]


def append_failures(failures: Sequence[NewEvent], *, now: datetime) -> None:
    """Publish these failures, as the last statement of the transaction."""
    if failures:
        append(failures, now=now)
