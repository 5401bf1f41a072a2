"""What follows when no message reaches a person: the own next channel is tried, then the next rung asked, at once."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from shouwang.cases import events as kinds
from shouwang.cases.actions.changes import Changes
from shouwang.cases.actions.ladder import climb_on
from shouwang.cases.actions.ringing import ring_next
from shouwang.cases.queries import TaskState, load_task
from shouwang.cases.rules.errors import CaseError
from shouwang.journal.rules import Event
from shouwang.kernel.errors import NotFound
from shouwang.notify.events import MESSAGE_FAILED
from shouwang.notify.queries import Sending, messages_of_tasks
from shouwang.notify.rules import INBOX, State

LISTENER = "cases.unreached"
RANG = frozenset({"NO_ANSWER", "LINE_BUSY"})


def on_failures(events: Sequence[Event], *, now: datetime | None = None) -> None:
    """Go on without the persons whom messages did not reach: the listener of MESSAGE_FAILED; twice changes nothing.

    Whoever is asked next has time from `now` on, else from the moment of the news: it may be hours old.
    """
    for event in events:
        task_id = event.payload.get("task")
        if event.kind == MESSAGE_FAILED and task_id is not None:
            with contextlib.suppress(CaseError, NotFound):
                ask_next(task_id, unreached=event.payload["person"], now=now or event.at)


def ask_next(task_id: int, *, unreached: int, now: datetime) -> bool:
    """Offer a task to the next rung when nothing outside the inbox has reached the person it waits for; return whether it did.

    Whoever has read the inbox, has a channel that was not tried yet, or may still be reached on one, is waited for; on
    the last rung there is nobody else to ask, and the reminders go on. Raises NotFound.
    """
    with transaction.atomic():
        task = load_task(task_id)
        waiting = task.state == "OFFERED" and task.assignee_id == unreached
        if not waiting or not _unreachable(task, unreached) or ring_next(task, unreached, now=now):
            return False
        if task.rung + 1 >= len(task.step.rungs):
            return False
        changes = Changes(now)
        changes.event(kinds.UNREACHED, task.case, task=task.id, person=unreached, rung=task.rung)
        climb_on(task, changes, by=None)
        changes.write()
    return True


def _unreachable(task: TaskState, person_id: int) -> bool:
    """Return whether nothing has reached a person; a telephone that rang has, whether or not it was answered."""
    latest: dict[str, Sending] = {}
    for sending in messages_of_tasks([task.id]):
        if sending.person_id == person_id:
            latest[sending.channel] = sending
    outside = [sending for channel, sending in latest.items() if channel != INBOX]
    read = any(sending.read_at is not None for sending in latest.values())
    return bool(outside) and not read and all(_failed(sending) for sending in outside)


def _failed(sending: Sending) -> bool:
    return sending.state in {State.FAILED, State.UNKNOWN} and sending.reason not in RANG
