"""What comes back: a provider's report, a person's reply, that an entry was read; and a channel's settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from shouwang.journal.actions import append
from shouwang.journal.prepared import Prepared
from shouwang.journal.rules import NewEvent
from shouwang.journal.sql import run
from shouwang.kernel.moments import to_us
from shouwang.notify import events, queries
from shouwang.notify.actions.ending import failures_of
from shouwang.notify.models import ChannelSetting, Message
from shouwang.notify.rules import Delivered, Outcome, Rejected, State
from shouwang.notify.rules.delivery import code_of
from shouwang.notify.rules.texts import meaning

REPLY_TASKS = 100
_ASKED = "SELECT id FROM notify_message WHERE key = %s AND channel = %s AND leader_id IS NULL ORDER BY id LIMIT 1"
_REPORT = """
UPDATE notify_message SET state = %s, reason = %s, done_at = %s, lease_until = NULL, fence = NULL
WHERE id = %s AND (lease_until IS NOT NULL OR (state IN (%s, %s) AND done_at IS NOT NULL))
"""


def report_delivery(channel: str, key: str, outcome: Outcome, *, now: datetime) -> bool:
    """Take a provider's report about the message `key`; return False when it changes nothing.

    A report may also mend what had ended SENT or UNKNOWN. It never overrules DELIVERED or FAILED.
    """
    match outcome:
        case Delivered():
            columns: dict[str, Any] = {"state": int(State.DELIVERED), "reason": ""}
        case Rejected(reason):
            columns = {"state": int(State.FAILED), "reason": code_of(reason)}
        case _:
            return False
    with transaction.atomic():
        found = run(_ASKED, (key, channel)).fetchone()
        ended = (*columns.values(), to_us(now))
        if found is None or not run(_REPORT, (*ended, *found, State.SENT, State.UNKNOWN)).rowcount:
            return False
        run("UPDATE notify_message SET state = %s, reason = %s, done_at = %s WHERE leader_id = %s", (*ended, *found))
        if columns["state"] == State.FAILED:
            append(failures_of(*found), now=now)
    return True


_ASKED_ABOUT = Prepared(lambda key, channel: Message.objects.filter(key=key, channel=channel, leader_id__isnull=True)[:1])


def take_reply(channel: str, key: str, *, said: str, now: datetime) -> bool:
    """Publish what a person has pressed or written on the message `key`, as a code; return False for a key nobody sent.

    The words themselves are not kept.
    """
    with transaction.atomic():
        row = _ASKED_ABOUT.one(key, channel)
        if row is None:
            return False
        members = run("SELECT task_id FROM notify_message WHERE leader_id = %s ORDER BY id LIMIT %s", (row.pk, REPLY_TASKS)).fetchall()
        tasks = [task for (task,) in ((row.task_id,), *members) if task is not None]
        code, number = meaning(msgspec.json.decode(row.params), said)
        payload = {"message": row.pk, "person": row.person_id, "tasks": tasks, "code": code, "number": number}
        append([NewEvent(events.REPLY_RECEIVED, row.case_id, payload, row.exercise_id)], now=now)
    return True


def mark_read(person_id: int, ids: Collection[int], *, now: datetime) -> int:
    """Mark entries of a person's own inbox as read and return how many were not before."""
    with transaction.atomic():
        return Message.objects.filter(person_id=person_id, pk__in=ids, push_seq__isnull=False, read_at__isnull=True).update(read_at=now)


def save_setting(channel: str, settings: Mapping[str, Any], *, enabled: bool, by: int | None, now: datetime) -> None:
    """Keep a channel's settings and whether it is on; the log says who changed it, never what the settings hold."""
    text = msgspec.json.encode(settings).decode()
    with transaction.atomic():
        ChannelSetting.objects.update_or_create(channel=channel, defaults={"settings": text, "enabled": enabled})
        queries.forget()
        transaction.on_commit(queries.forget)
        append([NewEvent(events.CHANNEL_CHANGED, None, {"channel": channel, "enabled": enabled, "by": by})], now=now)
