"""Taking a report in: reporter, request, case, tasks, timers and messages in one transaction, the events last."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import IntegrityError, transaction

from shouwang.cases.actions import NewCase, open_cases
from shouwang.cases.queries import is_published, load_case
from shouwang.journal.actions import append
from shouwang.journal.put import reserve_ids
from shouwang.journal.rules import NewEvent
from shouwang.kernel.errors import NotFound
from shouwang.notify.actions import NewMessage, queue
from shouwang.notify.queries import enabled_channels
from shouwang.people import actions as people
from shouwang.people.queries import find_person
from shouwang.people.rules import SYSTEM, Scope
from shouwang.places import queries as places
from shouwang.requests import events as kinds
from shouwang.requests.actions.limiting import spend
from shouwang.requests.actions.publishing import publish_shipped
from shouwang.requests.models import Photo, Report, ServiceRequest
from shouwang.requests.queries import listed_nearby, report_of_key
from shouwang.requests.rules.catalogue import REASON, service_of
from shouwang.requests.rules.errors import RequestEnded
from shouwang.requests.rules.intake import MOST_PHOTOS, NewReport, check, settled
from shouwang.requests.rules.numbers import END, LEAST, number_of
from shouwang.requests.rules.procedures import ALONE, CONSENT, KIND, SMS, SUBJECT, WORDING, procedure_for, service_word

TRIES = 5
NAMELESS = "群众"
"""What a reporter is called who gave a phone and no name."""
Number = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a report; `is_new` is False for one that was sent before, `joined` True where it was added to another's request."""

    request_id: int
    report_id: int
    number: str
    is_new: bool
    joined: bool


def any_number() -> str:
    """Return a number drawn by chance."""
    return number_of(LEAST + secrets.randbelow(END - LEAST))


def take_call(scope: Scope, new: NewReport, *, photos: Sequence[int] = (), number: Number = any_number, now: datetime) -> Taken:
    """Take a report that an officer enters for somebody. Raises Refused, NotFound, ReportWrong, RequestEnded."""
    _require_at(scope, "case.dispatch", new)
    return receive(new, taken_by=scope.person_id, photos=photos, number=number, now=now)


def report_from_field(scope: Scope, new: NewReport, *, photos: Sequence[int] = (), number: Number = any_number, now: datetime) -> Taken:
    """Take what a grid worker reports, who is the reporter. Raises Refused, NotFound, ReportWrong, RequestEnded."""
    _require_at(scope, "case.handle", new)
    return receive(replace(new, person_id=scope.person_id), taken_by=None, photos=photos, number=number, now=now)


def report_as_resident(
    new: NewReport, *, address: str, photos: Sequence[int] = (), number: Number = any_number, now: datetime,
) -> Taken:
    """Take a report from nobody in particular, within the limits of the network `address` and of the phone. Raises TooOften too."""
    check(new, now=now)
    if new.join is not None and new.join not in {request_id for request_id, _, _ in listed_nearby(new.area_id, now=now)}:
        raise NotFound(what=f"诉求 {new.join}")
    if report_of_key(_key(new)) is None:
        spend("report.address", address, now=now)
        spend("report.phone", new.phone, now=now)
        spend("report.all", "", now=now)
    return receive(new, taken_by=None, photos=photos, number=number, now=now)


def receive(new: NewReport, *, taken_by: int | None, photos: Sequence[int] = (), number: Number = any_number, now: datetime) -> Taken:
    """Take a report that the caller has allowed: make a request with its case, or add it to an open one.

    The same key again changes nothing. Raises NotFound, ReportWrong, RequestEnded.
    """
    check(new, now=now)
    for tried in range(TRIES):
        known = report_of_key(_key(new))
        if known is not None:
            return Taken(known.request_id, known.pk, known.request.number, is_new=False, joined=False)
        try:
            with transaction.atomic():
                return _write(new, taken_by=taken_by, photos=list(dict.fromkeys(photos))[:MOST_PHOTOS], number=number(), now=now)
        except IntegrityError:
            if tried == TRIES - 1:
                raise
    raise AssertionError


def _write(new: NewReport, *, taken_by: int | None, photos: Sequence[int], number: str, now: datetime) -> Taken:
    person_id = new.person_id or _reporter(new, now=now)
    request, events = _opened(new, number=number, now=now) if new.join is None else (_joined(new.join), [])
    report = Report.objects.create(
        request_id=request.pk, key=_key(new), channel=new.channel, person_id=person_id, taken_by=taken_by,
        description=new.description if new.join else "", language=new.language, said_at=new.said_at or now,
    )
    Photo.objects.bulk_create([Photo(report=report, file_id=file_id) for file_id in photos])
    _acknowledge(new, request, report, now=now)
    payload = {
        "report": report.pk, "service": request.service_code, "channel": new.channel, "area": request.area_id, "case": request.case_id,
        "by": taken_by,
    }
    kind = kinds.JOINED if new.join else kinds.RECEIVED
    append([*events, NewEvent(kind, request.pk, payload, request.exercise_id)], now=now)
    return Taken(request.pk, report.pk, request.number, is_new=True, joined=new.join is not None)


def _opened(new: NewReport, *, number: str, now: datetime) -> tuple[ServiceRequest, list[NewEvent]]:
    service = service_of(new.service)
    area_id, path = _place(new)
    severity = int(service.severity)
    procedure = procedure_for(channel=new.channel, severity=severity)
    if not is_published(procedure):
        publish_shipped(now=now)
    (request_id,) = reserve_ids(ServiceRequest, 1)
    case = NewCase(
        procedure, KIND, severity, area_id, path, SUBJECT, request_id,
        REASON + service.code, {"service": service_word(service.code), "channel": new.channel}, exercise_id=new.exercise_id,
    )
    opened = open_cases([case], now=now)
    request = ServiceRequest.objects.create(
        pk=request_id, number=number, service_code=service.code, channel=new.channel, area_id=area_id, path=path, lon=new.lon,
        lat=new.lat, address=new.address, description=new.description, case_id=opened.ids[0], requested_at=new.said_at or now,
        exercise_id=new.exercise_id,
    )
    return request, opened.events


def _joined(request_id: int) -> ServiceRequest:
    """Return the request a report is added to, its case locked, so that it cannot end unseen meanwhile."""
    found = ServiceRequest.objects.filter(pk=request_id).first()
    if found is None:
        raise NotFound(what=f"诉求 {request_id}")
    if load_case(found.case_id).state != "OPEN":
        raise RequestEnded(number=found.number)
    return found


def _place(new: NewReport) -> tuple[int, str]:
    area = places.area(new.area_id)
    found = places.area_at(new.lon, new.lat) if new.lon is not None and new.lat is not None else None
    return settled((area.id, area.path), (found.id, found.path) if found else None)


def _reporter(new: NewReport, *, now: datetime) -> int | None:
    """Return the person who can be told of the end: known by name and phone at this area, else added; None without a phone.

    Giving the phone for this is the consent to be told; it is recorded with its wording.
    """
    if not new.phone:
        return None
    name = new.name or NAMELESS
    person_id = find_person(SYSTEM, name=name, area_id=new.area_id, phone=new.phone)
    if person_id is None:
        person_id = people.add_person(SYSTEM, name=name, area_id=new.area_id, phone=new.phone, language=new.language, now=now)
    people.give_consent(SYSTEM, person_id, purpose=CONSENT, wording=WORDING, source=new.channel, now=now)
    return person_id


def _acknowledge(new: NewReport, request: ServiceRequest, report: Report, *, now: datetime) -> None:
    """Queue the number and the link for a resident who gave a phone; hotline callers have a number of the hotline's."""
    if not new.phone or report.person_id is None or new.channel == "HOTLINE_XLSX" or SMS not in enabled_channels():
        return
    params = {"report": report.pk, "number": request.number, "service": service_word(request.service_code)}
    queue([NewMessage(
        report.person_id, SMS, "REQUEST_RECEIVED", key=f"q{report.pk}:0", severity=ALONE, params=params, case_id=request.case_id,
        exercise_id=request.exercise_id,
    )], now=now)


def _require_at(scope: Scope, right: str, new: NewReport) -> None:
    scope.require(right)
    if not scope.may(right, places.area(new.area_id).path):
        raise NotFound(what=f"地区 {new.area_id}")
    if new.join is not None:
        found = ServiceRequest.objects.filter(pk=new.join).first()
        if found is None or not scope.may(right, found.path):
            raise NotFound(what=f"诉求 {new.join}")


def _key(new: NewReport) -> str:
    return f"{new.channel}:{new.key}"
