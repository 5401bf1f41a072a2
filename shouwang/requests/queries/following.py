"""What a reporter sees of the own report; no officer's name, no text, nobody's contact."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shouwang.cases.queries import CaseRow, case_row, procedure_of_case
from shouwang.journal.queries import events_of
from shouwang.kernel.errors import NotFound
from shouwang.kernel.texts import Text
from shouwang.people.queries import area_names, person_cards
from shouwang.places.queries import setting
from shouwang.requests.models import Report, ServiceRequest
from shouwang.requests.rules.catalogue import service_of
from shouwang.requests.rules.intake import tail_of
from shouwang.requests.rules.numbers import is_number
from shouwang.requests.rules.progress import STATES, Happened, Line, State, chain, state_of
from shouwang.requests.rules.promise import NAME_LENGTH, PROMISE

KEYS_AT_ONCE = 500
LATE_ANSWER = timedelta(days=30)
"""How long after the end "not solved" still opens a request again."""


@dataclass(frozen=True, slots=True)
class Followed:
    """One report as its reporter follows it. `asks`: an answer is waited for; `may_object`: it was closed without this one's; `promise`: the area's own name of it."""

    report_id: int
    number: str
    service: Text
    area: str
    said_at: datetime
    due_at: datetime | None
    promise: str
    state_code: State
    state: Text
    chain: tuple[Line, ...]
    rounds: int
    answer: str
    asks: bool
    may_object: bool


def followed(report_id: int, *, now: datetime) -> Followed:
    """Return one report as its reporter sees it. Raises NotFound."""
    report = Report.objects.select_related("request").filter(pk=report_id).first()
    if report is None:
        raise NotFound(what=f"反映 {report_id}")
    found = report.request
    case = case_row(found.case_id)
    state = state_of(case.state, case.task.state if case.task else None)
    title = service_of(found.service_code).title
    asks = case.state == "COMPLETED" and report.rounds > 0 and not report.answer
    return Followed(
        report.pk, found.number, Text(title.zh, title.en), area_names([found.area_id]).get(found.area_id, ""), report.said_at,
        case.due_at if case.state == "OPEN" else None, str(setting(found.area_id, PROMISE.key).value)[:NAME_LENGTH], state, STATES[state], tuple(_chain(report, found, case)), report.rounds,
        report.answer, asks, _may_object(report, case, now),
    )


def report_of_number(number: str, tail: str) -> int | None:
    """Return the report of request `number` made by somebody whose phone ends with `tail`; None for none.

    Every reporter is compared, in the same time whether or not one fits.
    """
    fits = None
    for report_id, phone in _phones(number):
        same = hmac.compare_digest(tail_of(phone).encode(), tail.encode())
        fits = report_id if same and len(tail) == 4 else fits
    return fits


def report_of_key(key: str) -> Report | None:
    """Return the report that was sent with `key` before, with its request."""
    return Report.objects.select_related("request").filter(key=key).first()


def known_keys(channel: str, keys: Sequence[str]) -> frozenset[str]:
    """Return those of `keys` that were sent by `channel` before."""
    wanted = [f"{channel}:{key}" for key in keys]
    found: set[str] = set()
    for start in range(0, len(wanted), KEYS_AT_ONCE):
        part = Report.objects.filter(key__in=wanted[start : start + KEYS_AT_ONCE])
        found |= {key.removeprefix(f"{channel}:") for key in part.values_list("key", flat=True)}
    return frozenset(found)


def _phones(number: str) -> Sequence[tuple[int, str]]:
    """Return (report, phone) of a request's reporters; an unknown number costs the same reads and gives one that fits nobody."""
    found = ServiceRequest.objects.filter(number=number if is_number(number) else "").first()
    request_id = (found.joined_id or found.pk) if found else 0
    reports = list(Report.objects.filter(request_id=request_id).order_by("pk").values_list("pk", "person_id"))
    cards = person_cards({person or 0 for _, person in reports} or {0}, language="zh")
    return [(report, cards[person].phone) for report, person in reports if person in cards] or [(0, "")]


def _chain(report: Report, found: ServiceRequest, case: CaseRow) -> list[Line]:
    events = [Happened(event.kind, event.at, event.payload) for event in events_of(found.case_id, prefix="case.")]
    is_first = not Report.objects.filter(request_id=found.pk, pk__lt=report.pk).exists()
    return chain(report.said_at, events, procedure_of_case(case.id), joined=not is_first)


def _may_object(report: Report, case: CaseRow, now: datetime) -> bool:
    by_answer = case.state == "CLOSED" and case.result in {"NO_ANSWER", "SOLVED"} and not report.answer and report.rounds > 0
    return by_answer and case.ended_at is not None and now - case.ended_at <= LATE_ANSWER
