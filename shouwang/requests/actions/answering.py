"""What a reporter answers: solved or not. The caller has shown to hold the report's link."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shouwang.cases import actions as cases
from shouwang.cases.actions.answers import NOT_SOLVED, SOLVED
from shouwang.cases.queries import load_case
from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.kernel.errors import NotFound
from shouwang.requests import events as kinds
from shouwang.requests.models import Report
from shouwang.requests.queries import followed
from shouwang.requests.rules.errors import NothingToAnswer
from shouwang.requests.rules.intake import DESCRIPTION_LENGTH, one_line


def answer(report_id: int, *, solved: bool, round_: int, why: str = "", now: datetime) -> None:
    """Take a reporter's answer to the telling number `round_`; the same answer again changes nothing.

    "Not solved" opens the case again one level up, with what the reporter wrote as a note. The first "solved" closes it; of
    several reporters the others may still object for a stated time. Raises NotFound, NothingToAnswer.
    """
    with transaction.atomic():
        report = Report.objects.select_related("request").filter(pk=report_id).first()
        if report is None:
            raise NotFound(what=f"反映 {report_id}")
        case = load_case(report.request.case_id)
        report.refresh_from_db()
        wanted = SOLVED if solved else NOT_SOLVED
        if report.rounds == round_ and report.answer == wanted:
            return
        seen = followed(report_id, now=now)
        if report.rounds != round_ or not (seen.asks or seen.may_object):
            raise NothingToAnswer(number=report.request.number)
        Report.objects.filter(pk=report_id).update(answer=wanted, answered_at=now)
        if not solved:
            _object(report, one_line(why)[:DESCRIPTION_LENGTH], now=now)
        elif case.state == "COMPLETED":
            cases.answer(case.id, solved=True, now=now)
        payload = {"report": report_id, "answer": wanted, "case": case.id}
        append([NewEvent(kinds.ANSWERED, report.request_id, payload, report.request.exercise_id)], now=now)


def add_why(report_id: int, *, why: str, now: datetime) -> None:
    """Add what a reporter writes after "not solved" to the reopened case. Raises NotFound, NothingToAnswer."""
    text = one_line(why)[:DESCRIPTION_LENGTH]
    with transaction.atomic():
        report = Report.objects.select_related("request").filter(pk=report_id).first()
        if report is None:
            raise NotFound(what=f"反映 {report_id}")
        if report.answer != NOT_SOLVED or load_case(report.request.case_id).state != "OPEN":
            raise NothingToAnswer(number=report.request.number)
        if text:
            cases.add_note(report.request.case_id, text=_note(text), by=None, now=now)


def _object(report: Report, why: str, *, now: datetime) -> None:
    case_id = report.request.case_id
    if why:
        cases.add_note(case_id, text=_note(why), by=None, now=now)
    cases.answer(case_id, solved=False, now=now)


def _note(why: str) -> str:
    return f"反映人说没有解决：{why}"
