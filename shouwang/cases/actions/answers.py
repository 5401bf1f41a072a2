"""The end of cases that whoever reported them closes: solved, not solved, or silence. Knows no reporter, only the answer."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shouwang.cases.actions.control import close, reopen
from shouwang.cases.queries import load_case
from shouwang.journal.actions import claim_timer
from shouwang.journal.rules import DueTimer

SOLVED, NOT_SOLVED, NO_ANSWER = "SOLVED", "NOT_SOLVED", "NO_ANSWER"


def answer(case_id: int, *, solved: bool, now: datetime) -> None:
    """Take the reporter's answer: close the completed case, or open it again at the level above whoever did it last.

    "Not solved" also opens a case that silence has closed. Raises CaseNotOpen.
    """
    if solved:
        close(case_id, by=None, answer=SOLVED, now=now)
    else:
        reopen(case_id, reason=NOT_SOLVED, by=None, to_above=True, now=now)


def answer_due(timer: DueTimer, *, now: datetime) -> bool:
    """Close a completed case whose reporter has said nothing in time; return False when another did it."""
    with transaction.atomic():
        if not claim_timer(timer.id, due_at=timer.due_at):
            return False
        if load_case(timer.subject_id).state == "COMPLETED":
            close(timer.subject_id, by=None, answer=NO_ANSWER, now=now)
    return True
