"""What officers and grid workers see of requests: lists, one page, and what a case's page says of its request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from shouwang.cases.queries import CaseRow, case_rows, notes_of
from shouwang.kernel.errors import NotFound
from shouwang.kernel.texts import Text
from shouwang.people.queries import PersonCard, area_names, list_persons, person_cards
from shouwang.people.rules import Scope
from shouwang.people.rules.lines import is_phone
from shouwang.places.queries import search
from shouwang.requests.models import Photo, Report, ServiceRequest
from shouwang.requests.rules.catalogue import service_of
from shouwang.requests.rules.intake import CHANNELS
from shouwang.requests.rules.numbers import is_number, tidy_number
from shouwang.requests.rules.progress import ANSWERS, STATES, state_of

READ = "case.read"
FOUND_AREAS = 20
FOUND_PERSONS = 50
SORTS = {"requested_at": "requested_at", "due_at": "case__due_at", "number": "number"}


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request as a list shows it."""

    id: int
    number: str
    service_code: str
    service: Text
    channel: Text
    area: str
    area_id: int
    path: str
    address: str
    description: str
    lon: float | None
    lat: float | None
    state_code: str
    state: Text
    case_id: int
    severity: int
    requested_at: datetime
    due_at: datetime | None
    reporters: int


@dataclass(frozen=True, slots=True)
class ReportCard:
    """One person's report; the contact is masked."""

    id: int
    channel: Text
    said_at: datetime
    description: str
    person_id: int | None
    masked_name: str
    masked_phone: str
    taken_by: str
    answer: Text | None
    answered_at: datetime | None
    photos: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RequestPage:
    """All that the page of one request shows."""

    row: RequestRow
    case: CaseRow
    reports: tuple[ReportCard, ...]
    joined: tuple[int, str] | None


@dataclass(frozen=True, slots=True)
class AboutCase:
    """What whoever handles the case must know of its request; contacts only once the matter is theirs."""

    request_id: int
    number: str
    description: str
    address: str
    added: tuple[str, ...]
    objections: tuple[str, ...]
    contacts: tuple[tuple[str, str], ...]
    photos: tuple[int, ...]


@dataclass(frozen=True)
class Filters:
    """What a list of requests is narrowed to."""

    text: str = ""
    state: str = ""
    service: str = ""
    channel: str = ""
    answer: str = ""
    overdue_at: datetime | None = None
    said_from: datetime | None = None
    person_id: int | None = None


def list_requests(
    scope: Scope, filters: Filters, *, sort: str = "-requested_at", offset: int = 0, limit: int = 50,
) -> tuple[list[RequestRow], int]:
    """Return a page of the requests `scope` sees, newest first where nothing else is asked, and how many there are."""
    rows = _filtered(scope, filters)
    key = SORTS.get(sort.removeprefix("-"), "requested_at")
    ordered = rows.order_by(f"-{key}" if sort.startswith("-") else key, "-pk")
    return rows_of(list(ordered[offset : offset + limit])), rows.count()


def request_in_scope(scope: Scope, request_id: int, right: str = READ) -> ServiceRequest:
    """Return a request that `scope` sees, or has `right` on. Raises NotFound otherwise."""
    found = within(scope, right).filter(pk=request_id).first()
    if found is None:
        raise NotFound(what=f"诉求 {request_id}")
    return found


def request_page(scope: Scope, request_id: int, *, language: str) -> RequestPage:
    """Return all about one request. Raises NotFound out of scope."""
    found = request_in_scope(scope, request_id)
    (row,) = rows_of([found])
    into = ServiceRequest.objects.filter(pk=found.joined_id).first() if found.joined_id else None
    return RequestPage(
        row, case_rows([found.case_id])[found.case_id], tuple(_cards(found.pk, language)), (into.pk, into.number) if into else None,
    )


def photo_in_scope(scope: Scope, request_id: int, file_id: int) -> ServiceRequest:
    """Return the request a photo came with. Raises NotFound out of scope, or for another request's photo."""
    found = request_in_scope(scope, request_id)
    if not Photo.objects.filter(report__request_id=request_id, file_id=file_id).exists():
        raise NotFound(what=f"照片 {file_id}")
    return found


def about_case(case: CaseRow, *, revealed: bool, language: str) -> AboutCase | None:
    """Return what a case's request says, None for a case of anything else; takes no scope: the caller has checked the case's."""
    if case.subject_kind != "request":
        return None
    found = ServiceRequest.objects.filter(case_id=case.id).first()
    if found is None:
        return None
    reports = list(Report.objects.filter(request_id=found.pk).order_by("pk"))
    cards = person_cards({report.person_id for report in reports if report.person_id}, language=language) if revealed else {}
    contacts = tuple((card.name, card.phone) for card in cards.values() if card.phone)
    photos = Photo.objects.filter(report__request_id=found.pk).order_by("pk").values_list("file_id", flat=True)
    added = tuple(report.description for report in reports if report.description)
    objections = tuple(text for person_id, text, _ in notes_of(case.id) if person_id is None)
    return AboutCase(found.pk, found.number, found.description, found.address, added, objections, contacts, tuple(photos))


def within(scope: Scope, right: str = READ) -> QuerySet[ServiceRequest]:
    """Return the requests at the places where `scope` has `right`; none without it."""
    inside = Q(pk__in=())
    for path in scope.paths_for(right):
        inside |= _below(path)
    return ServiceRequest.objects.filter(inside)


def _below(path: str) -> Q:
    return Q(path__gte=path, path__lt=path[:-1] + "0")


def _filtered(scope: Scope, filters: Filters) -> QuerySet[ServiceRequest]:
    rows = within(scope).filter(exercise_id__isnull=True)
    plain = {"case__state": filters.state, "service_code": filters.service, "channel": filters.channel, "case__result": filters.answer}
    rows = rows.filter(**{column: value for column, value in plain.items() if value})
    if filters.overdue_at is not None:
        rows = rows.filter(case__state="OPEN", case__due_at__lt=filters.overdue_at)
    if filters.said_from is not None:
        rows = rows.filter(requested_at__gte=filters.said_from)
    if filters.person_id is not None:
        rows = rows.filter(pk__in=Report.objects.filter(person_id=filters.person_id).values("request_id"))
    return rows.filter(_matching(scope, filters.text)) if filters.text else rows


def _matching(scope: Scope, text: str) -> Q:
    """Return the condition that a request is found by `text`: its number, words, place, or a reporter's whole phone."""
    number = tidy_number(text)
    if is_number(number):
        return Q(number=number)
    found = Q(description__icontains=text) | Q(address__icontains=text)
    for area in search(text, scope.paths_for(READ), FOUND_AREAS):
        found |= _below(area.path)
    if is_phone(number):
        persons, _ = list_persons(scope, text=number, limit=FOUND_PERSONS)
        found |= Q(pk__in=Report.objects.filter(person_id__in=[person.id for person in persons]).values("request_id"))
    return found


def rows_of(found: Sequence[ServiceRequest]) -> list[RequestRow]:
    """Return requests as lists show them, in five queries for all of them."""
    cases = case_rows([each.case_id for each in found])
    names = area_names({each.area_id for each in found})
    told = Report.objects.filter(request_id__in=[each.pk for each in found]).values_list("request_id").annotate(Count("pk"))
    reporters = dict(told)
    return [_row(each, cases[each.case_id], names.get(each.area_id, ""), reporters.get(each.pk, 0)) for each in found]


def _row(found: ServiceRequest, case: CaseRow, area: str, reporters: int) -> RequestRow:
    state = state_of(case.state, case.task.state if case.task else None)
    title = service_of(found.service_code).title
    return RequestRow(
        found.pk, found.number, found.service_code, Text(title.zh, title.en), CHANNELS[found.channel], area, found.area_id, found.path,
        found.address, found.description, found.lon, found.lat, state, STATES[state], found.case_id, case.severity,
        found.requested_at, case.due_at if case.state == "OPEN" else None, reporters,
    )


def _cards(request_id: int, language: str) -> list[ReportCard]:
    reports = list(Report.objects.filter(request_id=request_id).order_by("pk"))
    ids = {each for report in reports for each in (report.person_id, report.taken_by) if each}
    cards = person_cards(ids, language=language)
    photos: dict[int, list[int]] = {}
    for report_id, file_id in Photo.objects.filter(report__request_id=request_id).order_by("pk").values_list("report_id", "file_id"):
        photos.setdefault(report_id, []).append(file_id)
    return [_card(report, cards, tuple(photos.get(report.pk, ()))) for report in reports]


def _card(report: Report, cards: dict[int, PersonCard], photos: tuple[int, ...]) -> ReportCard:
    person = cards.get(report.person_id or 0)
    taker = cards.get(report.taken_by or 0)
    return ReportCard(
        report.pk, CHANNELS[report.channel], report.said_at, report.description, report.person_id,
        person.masked_name if person else "", person.masked_phone if person else "", taker.name if taker else "",
        ANSWERS.get(report.answer), report.answered_at, photos,
    )
