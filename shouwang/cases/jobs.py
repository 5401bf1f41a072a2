"""What cases do when a timer rings, when a reply comes in, and when an area moves."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime

from shouwang.cases.actions import accept
from shouwang.cases.actions.answers import answer_due
from shouwang.cases.actions.changes import ANSWER_TIMER, RING
from shouwang.cases.actions.clocks import clock_due
from shouwang.cases.actions.contacts import take_answer
from shouwang.cases.actions.ladder import task_due
from shouwang.cases.actions.ringing import ring_due
from shouwang.cases.models import Case, CoverageGap, Handover, ProcedureVersion
from shouwang.cases.rules.errors import CaseError
from shouwang.journal.apart import Apart
from shouwang.journal.paths import move_paths
from shouwang.journal.queries import due_timers
from shouwang.journal.rules import Event
from shouwang.notify.events import REPLY_RECEIVED
from shouwang.places.events import AREA_MOVED

REPLIES = "cases.replies"
MOVES = "cases.area_moved"


def run_due_timers(now: datetime, *, limit: int = 200) -> int:
    """Do what is due, each timer in its own transaction; return how many rang.

    One that fails is left for the next time and holds up none of the others; the first error is raised at the end.
    """
    rung, apart = 0, Apart()
    for timer in due_timers(now, limit=limit):
        with apart.piece(f"the timer {timer.kind} of {timer.subject_id}"):
            if timer.kind == "task":
                rung += task_due(timer, now=now)
            elif timer.kind == "clock":
                rung += clock_due(timer, now=now)
            elif timer.kind == RING:
                rung += ring_due(timer, now=now)
            elif timer.kind == ANSWER_TIMER:
                rung += answer_due(timer, now=now)
    apart.end()
    return rung


def on_replies(events: Sequence[Event]) -> None:
    """Accept the tasks that a person accepted by replying, one that another has taken stays theirs; take what a contact answered."""
    for event in events:
        if event.kind == REPLY_RECEIVED and event.payload["code"] == "ACCEPT":
            for task_id in event.payload["tasks"]:
                with contextlib.suppress(CaseError):
                    accept(task_id, person_id=event.payload["person"], now=event.at)
        elif event.kind == REPLY_RECEIVED and event.payload["code"] != "OTHER":
            for task_id in event.payload["tasks"]:
                with contextlib.suppress(CaseError):
                    said = {"code": event.payload["code"], "number": event.payload.get("number", 0)}
                    take_answer(task_id, person_id=event.payload["person"], **said, now=event.at)


def on_moves(events: Sequence[Event]) -> None:
    """Give what cases keep by area its new path when the area is moved."""
    for event in events:
        if event.kind == AREA_MOVED:
            for model in (Case, CoverageGap, Handover, ProcedureVersion):
                move_paths(model.objects.all(), old=event.payload["from"], new=event.payload["to"])
