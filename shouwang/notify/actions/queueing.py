"""Queueing: the rows that a decision leaves in the outbox, in the decision's own transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from shouwang.journal.actions import wake_worker
from shouwang.journal.put import put
from shouwang.kernel.moments import to_us
from shouwang.notify.models import Message

_COLUMNS = (
    "person_id", "channel", "template", "params", "key", "severity", "task_id", "case_id", "exercise_id", "not_before", "queued_at",
)
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to queue. `key` is unique per channel: a person is told once per task, rung and reminder (invariant I5)."""

    person_id: int
    channel: str
    template: str
    key: str
    severity: int
    params: Mapping[str, Any] = field(default_factory=dict)
    task_id: int | None = None
    case_id: int | None = None
    not_before: datetime | None = None
    exercise_id: int | None = None


def queue(messages: Sequence[NewMessage], *, now: datetime) -> None:
    """Queue `messages` inside the caller's transaction; the worker is woken after the commit.

    Raises IntegrityError for a key that its channel already has.
    """
    if not messages:
        return
    now_us = to_us(now)
    put(
        Message, _COLUMNS,
        [
            (
                each.person_id, each.channel, each.template, _encode(each.params).decode(), each.key, int(each.severity),
                each.task_id, each.case_id, each.exercise_id, None if each.not_before is None else to_us(each.not_before), now_us,
            )
            for each in messages
        ],
    )
    transaction.on_commit(wake_worker)
