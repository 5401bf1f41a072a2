"""What requests do on news of their cases: tell the reporters that theirs is done, and follow a merge."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F

from shouwang.journal.actions import append
from shouwang.journal.prepared import Prepared
from shouwang.journal.queries import events_of
from shouwang.journal.rules import NewEvent
from shouwang.notify.actions import NewMessage, queue
from shouwang.notify.queries import channels_of
from shouwang.requests import events as kinds
from shouwang.requests.models import Report, ServiceRequest
from shouwang.requests.queries import reachable
from shouwang.requests.rules.procedures import ALONE, SMS, result_word, service_word

_OF_CASE = Prepared(lambda case_id: ServiceRequest.objects.filter(case_id=case_id)[:1])


def tell_done(case_id: int, *, result: str, seq: int, now: datetime) -> None:
    """Ask every reporter of a completed case whether it is solved; telling of the same event (`seq`) again changes nothing.

    A grid worker is told as officers are; a resident by SMS, where a phone and a live consent exist. Whoever cannot be
    reached may still answer on the page of the receipt.
    """
    request = _OF_CASE.one(case_id)
    if request is None:
        return
    with transaction.atomic(savepoint=False):
        untold = Report.objects.filter(request_id=request.pk, told_seq__lt=seq).order_by("pk")
        told = [report.pk for report in untold]
        Report.objects.filter(pk__in=told).update(told_seq=seq, rounds=F("rounds") + 1, answer="", answered_at=None)
        reports = list(Report.objects.filter(pk__in=told).order_by("pk"))
        messages = _messages(request, reports, result)
        queue(messages, now=now)
        if told:
            payload = {"reports": told, "messages": len(messages), "case": case_id}
            append([NewEvent(kinds.TOLD, request.pk, payload, request.exercise_id)], now=now)


def follow_merge(case_id: int, *, into_case_id: int, now: datetime) -> None:
    """Move the reports of a request whose case was merged to the request of the other case; doing it twice changes nothing."""
    with transaction.atomic(savepoint=False):
        request, target = _OF_CASE.one(case_id), _OF_CASE.one(into_case_id)
        if request is None or request.joined_id is not None or target is None or request.pk == target.pk:
            return
        came = list(ServiceRequest.objects.filter(joined_id=request.pk).order_by("pk").values_list("pk", flat=True))
        ServiceRequest.objects.filter(pk__in=[request.pk, *came]).update(joined_id=target.pk)
        first = Report.objects.filter(request_id=request.pk, description="").order_by("pk").values_list("pk", flat=True)[:1]
        Report.objects.filter(pk__in=list(first)).update(description=request.description)
        moved = list(Report.objects.filter(request_id=request.pk).order_by("pk").values_list("pk", flat=True))
        Report.objects.filter(pk__in=moved).update(request_id=target.pk)
        payload = {"into": target.pk, "reports": len(moved), "moved": moved, "came": came}
        append([NewEvent(kinds.MERGED, request.pk, payload, request.exercise_id)], now=now)


def follow_split(case_id: int, *, now: datetime) -> None:
    """Give a request whose case was split off its own reports back; doing it twice changes nothing."""
    with transaction.atomic():
        request = ServiceRequest.objects.filter(case_id=case_id, joined__isnull=False).first()
        merged = [event.payload for event in events_of(request.pk, prefix=kinds.MERGED)] if request else []
        if request is None or not merged:
            return
        last = merged[-1]
        back = Report.objects.filter(pk__in=last.get("moved", ()), request_id=request.joined_id).update(request_id=request.pk)
        Report.objects.filter(pk__in=last.get("moved", ()), request_id=request.pk, description=request.description).update(description="")
        ServiceRequest.objects.filter(pk__in=last.get("came", ()), joined_id=request.joined_id).update(joined_id=request.pk)
        ServiceRequest.objects.filter(pk=request.pk).update(joined_id=None)
        append([NewEvent(kinds.SPLIT, request.pk, {"from": request.joined_id, "reports": back}, request.exercise_id)], now=now)


def _messages(request: ServiceRequest, reports: list[Report], result: str) -> list[NewMessage]:
    persons = {report.person_id for report in reports if report.person_id}
    told_by_sms = reachable(persons)
    channels = channels_of([report.person_id for report in reports if report.person_id and report.channel == "FIELD_REPORT"])
    found = []
    for report in reports:
        if report.person_id is None:
            continue
        own = channels[report.person_id] if report.channel == "FIELD_REPORT" else (SMS,) if report.person_id in told_by_sms else ()
        params = {
            "report": report.pk, "number": request.number, "service": service_word(request.service_code), "result": result_word(result),
        }
        severity = request.case.severity if report.channel == "FIELD_REPORT" else ALONE
        found += [
            NewMessage(
                report.person_id, channel, "REQUEST_DONE", key=f"q{report.pk}:{report.rounds}", severity=severity, params=params,
                case_id=request.case_id, exercise_id=request.exercise_id,
            )
            for channel in own
        ]
    return found
