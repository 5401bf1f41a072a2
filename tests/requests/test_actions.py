"""Requests on the real database: one transaction, one key, doubles, limits, telling, answers, merges, lists."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import IntegrityError

from shouwang.cases import actions as cases
from shouwang.cases.jobs import run_due_timers
from shouwang.cases.models import Case, Note, Task
from shouwang.cases.rules.evidence import Given
from shouwang.files.models import File
from shouwang.journal.models import EventRow
from shouwang.journal.queries import events_after, events_of, verify
from shouwang.journal.rules import Event
from shouwang.kernel.errors import NotFound, Refused
from shouwang.notify.models import Message
from shouwang.notify.rules import link_of
from shouwang.people.actions import withdraw_consent
from shouwang.people.models import Consent
from shouwang.people.queries import list_persons
from shouwang.people.rules import SYSTEM, Scope
from shouwang.requests import actions, queries
from shouwang.requests.actions.answering import add_why
from shouwang.requests.actions.limiting import tidy
from shouwang.requests.jobs import KINDS, on_cases, on_moves
from shouwang.requests.links import follow_link, photo_link, read_follow, read_photo
from shouwang.requests.models import Allowance, Photo, Report, ServiceRequest
from shouwang.requests.queries import Filters
from shouwang.requests.rules.errors import FollowLinkInvalid, NothingToAnswer, ReportWrong, RequestEnded, TooOften
from shouwang.requests.rules.limits import BUDGETS, HOUR
from shouwang.requests.rules.numbers import is_number, number_of
from tests.journeys.conftest import County, county  # noqa: F401 - a fixture
from tests.requests.conftest import report

pytestmark = pytest.mark.django_db
DONE = [Given("how", "ON_SITE")]


def taken(hall: County, now: datetime, **changes: Any) -> actions.Taken:
    return actions.receive(report(hall, **changes), taken_by=hall.township_officer, now=now)


def complete(request_id: int, now: datetime) -> None:
    """Let whoever has the request's task complete it, and the listeners hear of it."""
    task = Task.objects.filter(case__pk=ServiceRequest.objects.get(pk=request_id).case_id).order_by("-pk")[0]
    assert task.assignee_id is not None
    cases.complete(task.pk, person_id=task.assignee_id, result="SOLVED", evidence=DONE, now=now)
    hear()


def hear() -> None:
    on_cases(events_after(0, kinds=KINDS))


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (ServiceRequest, Report, Case, Task, Message, EventRow))


def test_a_report_becomes_request_case_task_timer_message_and_event(hall: County, now: datetime) -> None:
    done = taken(hall, now)
    request = ServiceRequest.objects.get()
    case = Case.objects.get()
    assert (request.case_id, case.subject_kind, case.subject_id) == (case.pk, "request", request.pk)
    assert (case.kind, case.reason, case.severity, case.path) == ("requests", "REQUEST_LIGHT", 1, hall.path)
    assert is_number(done.number)
    task = Task.objects.get()
    assert (task.assignee_id, task.state) == (hall.worker, "OFFERED")
    assert [message.person_id for message in Message.objects.all()] == [hall.worker]
    last = events_of(request.pk, prefix="request.")[-1]
    assert (last.kind, last.payload["case"], last.payload["report"]) == ("request.received", case.pk, done.report_id)
    assert last.seq == max(EventRow.objects.values_list("seq", flat=True)), "the event comes last"
    person = Report.objects.get().person
    assert person is not None
    assert (person.name, person.phone, person.path) == ("来电甲", "10000001234", hall.path)
    assert Consent.objects.unscoped().get(person_id=person.pk).purpose == "REQUEST_ANSWER"
    assert verify() > 0


def test_an_installation_without_the_procedures_gets_them_with_the_first_report(county: County, now: datetime) -> None:  # noqa: F811
    actions.receive(report(county), taken_by=None, now=now)
    assert Case.objects.get().procedure.code == "RESIDENT_REQUEST"


def test_events_hold_no_name_phone_text_or_address(hall: County, now: datetime) -> None:
    done = taken(hall, now, description="张三家门口路灯不亮", address="3组7号")
    complete(done.request_id, now)
    actions.answer(done.report_id, solved=False, round_=1, why="还是不亮", now=now)
    payloads = " ".join(EventRow.objects.values_list("payload", flat=True)) + " ".join(Message.objects.values_list("params", flat=True))
    for secret in ("10000001234", "来电甲", "张三", "3组7号", "还是不亮", "follow"):
        assert secret not in payloads


def test_the_same_key_again_changes_nothing(hall: County, now: datetime) -> None:
    first = taken(hall, now, key="phone-key-1")
    before = counts()
    again = taken(hall, now, key="phone-key-1", description="别的字")
    assert (again.request_id, again.report_id, again.number) == (first.request_id, first.report_id, first.number)
    assert (first.is_new, again.is_new) == (True, False)
    assert counts() == before
    assert taken(hall, now, key="phone-key-1", channel="QR").is_new, "another channel's key is another's"


def test_a_failure_in_the_middle_leaves_nothing(hall: County, now: datetime) -> None:
    before = counts()
    with patch("shouwang.requests.actions.intake.append", side_effect=RuntimeError), pytest.raises(RuntimeError):
        taken(hall, now)
    assert counts() == before
    assert list_persons(SYSTEM, text="10000001234")[1] == 0


def test_a_number_that_is_taken_is_drawn_again_and_not_for_ever(hall: County, now: datetime) -> None:
    def drawn(*values: int) -> Any:
        left: Iterator[int] = iter(values)
        return lambda: number_of(next(left))

    new = [report(hall) for _ in range(3)]
    first = actions.receive(new[0], taken_by=None, number=drawn(10_000_000), now=now)
    second = actions.receive(new[1], taken_by=None, number=drawn(10_000_000, 10_000_001), now=now)
    assert (first.number, second.number) == (number_of(10_000_000), number_of(10_000_001))
    with pytest.raises(IntegrityError):
        actions.receive(new[2], taken_by=None, number=lambda: first.number, now=now)


def test_a_report_without_a_phone_has_no_person_and_one_without_a_name_still_has_a_word_for_it(hall: County, now: datetime) -> None:
    taken(hall, now, phone="", name="某人")
    taken(hall, now, phone="10000005678", name="")
    assert [each.person.name if each.person else None for each in Report.objects.order_by("pk")] == [None, "群众"]
    taken(hall, now, phone="10000005678", name="", service="ROAD")
    assert list_persons(SYSTEM, text="10000005678")[1] == 1


def test_who_may_enter_what_and_where(hall: County, now: datetime, town: Scope, worker: Scope) -> None:
    called = actions.take_call(town, report(hall), now=now)
    assert called.is_new
    with pytest.raises(Refused):
        actions.take_call(worker, report(hall), now=now)
    from_field = actions.report_from_field(worker, report(hall, channel="FIELD_REPORT", phone="", name=""), now=now)
    assert Report.objects.get(pk=from_field.report_id).person_id == hall.worker
    first, second = (ServiceRequest.objects.get(pk=each.request_id).case.procedure.code for each in (called, from_field))
    assert (first, second) == ("RESIDENT_REQUEST", "FIELD_REQUEST")
    elsewhere = report(hall, area_id=hall.other_village)
    assert actions.take_call(town, elsewhere, now=now).is_new
    with pytest.raises(NotFound):
        actions.report_from_field(worker, elsewhere, now=now)
    theirs = taken(hall, now, area_id=hall.other_village)
    with pytest.raises(NotFound):
        actions.report_from_field(worker, report(hall, join=theirs.request_id), now=now)
    with pytest.raises(Refused):
        actions.take_call(Scope(None, (), frozenset()), report(hall), now=now)


def test_what_a_grid_worker_reports_goes_to_the_township(hall: County, now: datetime, worker: Scope) -> None:
    actions.report_from_field(worker, report(hall, channel="FIELD_REPORT", service="DANGER"), now=now)
    task = Task.objects.get()
    assert (task.assignee_id, task.step) == (hall.township_officer, "handle")
    assert task.due_at == now + timedelta(minutes=15)


def test_doubles_show_before_saving_and_are_joined_instead(hall: County, now: datetime, town: Scope) -> None:
    first = taken(hall, now - timedelta(days=2), phone="10000005678", name="来电乙")
    taken(hall, now, service="ROAD")
    taken(hall, now, area_id=hall.other_village)
    found = queries.nearby(town, "case.dispatch", service="LIGHT", area_id=hall.village, address="村委会门前", now=now)
    assert [(each.row.id, each.is_same_address, each.row.reporters) for each in found] == [(first.request_id, True, 1)]
    before = counts()
    joined = actions.take_call(town, report(hall, join=first.request_id, description="我家门前也黑"), now=now)
    after = counts()
    assert (joined.request_id, joined.number, joined.joined) == (first.request_id, first.number, True)
    assert (after[0], after[1], after[2]) == (before[0], before[1] + 1, before[2]), "no second case"
    assert events_of(first.request_id, prefix="request.")[-1].kind == "request.joined"
    page = queries.request_page(town, first.request_id, language="zh")
    assert [card.description for card in page.reports] == ["", "我家门前也黑"]
    assert page.row.reporters == 2


def test_doubles_outside_the_scope_are_not_shown(hall: County, now: datetime, worker: Scope) -> None:
    taken(hall, now, area_id=hall.other_village, lon=115.6, lat=36.3)
    near = queries.nearby(worker, "case.handle", service="LIGHT", area_id=hall.village, lon=115.6, lat=36.3, now=now)
    assert near == []
    assert queries.list_requests(worker, Filters())[1] == 0
    with pytest.raises(NotFound):
        queries.request_page(worker, ServiceRequest.objects.get().pk, language="zh")


def test_nothing_is_added_to_a_request_that_has_ended(hall: County, now: datetime) -> None:
    done = taken(hall, now)
    complete(done.request_id, now)
    with pytest.raises(RequestEnded):
        taken(hall, now, join=done.request_id)
    with pytest.raises(NotFound):
        taken(hall, now, join=9_999)


def test_the_reporter_is_told_and_answers_solved(hall: County, now: datetime, sms: None) -> None:
    done = taken(hall, now)
    received = Message.objects.get(template="REQUEST_RECEIVED")
    assert (received.channel, received.person_id, received.severity) == ("sms", Report.objects.get().person_id, 4)
    complete(done.request_id, now)
    hear()
    hear()
    told = Message.objects.get(template="REQUEST_DONE")
    assert told.key == f"q{done.report_id}:1"
    assert f'"report":{done.report_id}' in told.params
    link = link_of(None, told.person_id, template=told.template, params={"report": done.report_id})
    assert read_follow(link.rstrip("/").rpartition("/")[2]) == done.report_id
    seen = queries.followed(done.report_id, now=now)
    assert (seen.state_code, seen.asks, seen.rounds) == ("TO_ANSWER", True, 1)
    actions.answer(done.report_id, solved=True, round_=1, now=now)
    actions.answer(done.report_id, solved=True, round_=1, now=now)
    assert (Case.objects.get().state, Case.objects.get().result) == ("CLOSED", "SOLVED")
    with pytest.raises(NothingToAnswer):
        actions.answer(done.report_id, solved=False, round_=1, now=now)


def test_not_solved_opens_it_again_above_and_a_supervisor_sees_why(hall: County, now: datetime, sms: None) -> None:
    done = taken(hall, now)
    complete(done.request_id, now)
    actions.answer(done.report_id, solved=False, round_=1, why="晚上\n还是黑的", now=now)
    actions.answer(done.report_id, solved=False, round_=1, why="晚上还是黑的", now=now)
    assert Case.objects.get().state == "OPEN"
    again = Task.objects.order_by("-pk")[0]
    assert (again.assignee_id, again.rung) == (hall.township_officer, 2)
    assert [note.text for note in Note.objects.all()] == ["反映人说没有解决：晚上 还是黑的"]
    add_why(done.report_id, why="三盏都不亮", now=now)
    assert Note.objects.count() == 2
    complete(done.request_id, now)
    seen = queries.followed(done.report_id, now=now)
    assert (seen.asks, seen.rounds, seen.answer) == (True, 2, "")
    assert Message.objects.filter(template="REQUEST_DONE").count() == 2
    with pytest.raises(NothingToAnswer):
        actions.answer(done.report_id, solved=True, round_=1, now=now)
    with pytest.raises(NothingToAnswer):
        add_why(done.report_id, why="晚了", now=now)


def test_silence_closes_it_and_an_objection_still_counts_for_a_month(hall: County, now: datetime) -> None:
    done = taken(hall, now)
    complete(done.request_id, now)
    later = now + timedelta(days=7)
    run_due_timers(later)
    assert Case.objects.get().result == "NO_ANSWER"
    seen = queries.followed(done.report_id, now=later)
    assert (seen.asks, seen.may_object) == (False, True)
    assert not queries.followed(done.report_id, now=now + timedelta(days=31)).may_object
    actions.answer(done.report_id, solved=False, round_=1, now=later)
    assert Case.objects.get().state == "OPEN"


def test_of_two_reporters_the_first_closes_and_the_other_may_object(hall: County, now: datetime) -> None:
    one = taken(hall, now)
    two = taken(hall, now, join=one.request_id, phone="10000005678", name="来电乙")
    complete(one.request_id, now)
    actions.answer(one.report_id, solved=True, round_=1, now=now)
    assert Case.objects.get().state == "CLOSED"
    assert queries.followed(two.report_id, now=now).may_object
    actions.answer(two.report_id, solved=False, round_=1, now=now)
    assert Case.objects.get().state == "OPEN"


def test_nobody_is_told_who_withdrew_the_consent_or_has_no_phone(hall: County, now: datetime, sms: None) -> None:
    done = taken(hall, now)
    taken(hall, now, join=done.request_id, phone="")
    person = Report.objects.get(pk=done.report_id).person_id
    withdraw_consent(SYSTEM, person or 0, purpose="REQUEST_ANSWER", now=now)
    complete(done.request_id, now)
    assert not Message.objects.filter(template="REQUEST_DONE").exists()
    assert [each.rounds for each in Report.objects.all()] == [1, 1], "the page of the receipt asks all the same"


def test_a_grid_worker_is_told_as_officers_are(hall: County, now: datetime, worker: Scope) -> None:
    done = actions.report_from_field(worker, report(hall, channel="FIELD_REPORT", phone="", name=""), now=now)
    complete(done.request_id, now)
    assert [(each.person_id, each.channel) for each in Message.objects.filter(template="REQUEST_DONE")] == [(hall.worker, "inbox")]


def test_a_merged_request_takes_its_reporters_along(hall: County, now: datetime) -> None:
    one, two = taken(hall, now), taken(hall, now, phone="10000005678", description="灯坏了")
    first, second = (ServiceRequest.objects.get(pk=each.request_id) for each in (one, two))
    cases.merge(second.case_id, into=first.case_id, by=hall.township_officer, now=now)
    hear()
    hear()
    assert {each.request_id for each in Report.objects.all()} == {first.pk}
    assert Report.objects.get(pk=two.report_id).description == "灯坏了"
    assert queries.report_of_number(two.number, "5678") == two.report_id
    assert queries.followed(two.report_id, now=now).number == one.number
    complete(one.request_id, now)
    assert queries.followed(two.report_id, now=now).asks


def test_a_request_that_is_split_off_has_its_reporters_back(hall: County, now: datetime) -> None:
    one, two, third = taken(hall, now), taken(hall, now, phone="10000005678", description="灯坏了"), taken(hall, now, phone="10000005679")
    first, second, early = (ServiceRequest.objects.get(pk=each.request_id) for each in (one, two, third))
    cases.merge(early.case_id, into=second.case_id, by=hall.township_officer, now=now)
    hear()
    cases.merge(second.case_id, into=first.case_id, by=hall.township_officer, now=now)
    hear()
    cases.split(first.case_id, taken=second.case_id, reason="OTHER_MATTER", by=hall.township_officer, now=now)
    hear()
    hear()
    assert {one.report_id: first.pk, two.report_id: second.pk, third.report_id: second.pk} == dict(Report.objects.values_list("pk", "request_id"))
    assert {first.pk: None, second.pk: None, early.pk: second.pk} == dict(ServiceRequest.objects.values_list("pk", "joined_id"))
    assert Report.objects.get(pk=two.report_id).description == ""
    assert queries.followed(two.report_id, now=now).number == two.number
    complete(two.request_id, now)
    assert queries.followed(two.report_id, now=now).asks
    assert not queries.followed(one.report_id, now=now).asks


def test_number_and_last_four_digits_find_the_own_report_only(hall: County, now: datetime) -> None:
    one = taken(hall, now)
    two = taken(hall, now, join=one.request_id, phone="10000005678")
    assert queries.report_of_number(one.number, "1234") == one.report_id
    assert queries.report_of_number(one.number, "5678") == two.report_id
    for number, tail in ((one.number, "0000"), (one.number, ""), (one.number, "234"), ("123456789", "1234"), ("", "1234"), (one.number, "１２３４")):
        assert queries.report_of_number(number, tail) is None


def test_the_public_form_has_limits_by_address_phone_and_all(hall: County, now: datetime) -> None:
    for n in range(BUDGETS["report.phone"].most):
        actions.report_as_resident(report(hall, channel="QR", key=f"resident-{n}"), address="192.0.2.1", now=now)
    with pytest.raises(TooOften) as refused:
        actions.report_as_resident(report(hall, channel="QR", key="resident-x"), address="192.0.2.2", now=now)
    assert refused.value.status == 429
    assert actions.report_as_resident(report(hall, channel="QR", key="resident-1"), address="192.0.2.2", now=now).is_new is False
    other = report(hall, channel="QR", key="resident-y", phone="10000009999")
    assert actions.report_as_resident(other, address="192.0.2.1", now=now).is_new
    assert not any("192.0.2" in who or "1234" in who for who in Allowance.objects.values_list("who", flat=True))


def test_an_address_may_go_on_in_the_next_window_and_rows_are_forgotten(hall: County, now: datetime) -> None:
    for _ in range(BUDGETS["follow.address"].most):
        actions.spend("follow.address", "192.0.2.1", now=now)
    with pytest.raises(TooOften):
        actions.spend("follow.address", "192.0.2.1", now=now)
    actions.spend("follow.address", "192.0.2.2", now=now)
    actions.spend("follow.address", "192.0.2.1", now=now + HOUR)
    assert Allowance.objects.count() == 2
    assert tidy(now=now + timedelta(days=3)) == 2


def test_a_resident_joins_only_what_is_listed_at_the_own_place(hall: County, now: datetime) -> None:
    listed = taken(hall, now)
    private = taken(hall, now, service="HELP")
    elsewhere = taken(hall, now, area_id=hall.other_village)
    assert [each[0] for each in queries.listed_nearby(hall.village, now=now)] == [listed.request_id]
    for request in (private, elsewhere):
        with pytest.raises(NotFound):
            actions.report_as_resident(report(hall, channel="QR", join=request.request_id), address="192.0.2.1", now=now)
    assert actions.report_as_resident(report(hall, channel="QR", join=listed.request_id), address="192.0.2.1", now=now).joined


def test_what_is_wrong_spends_nothing(hall: County, now: datetime) -> None:
    with pytest.raises(ReportWrong):
        actions.report_as_resident(report(hall, channel="QR", description=""), address="192.0.2.1", now=now)
    assert not Allowance.objects.exists()


def test_photos_belong_to_their_report(hall: County, now: datetime, town: Scope) -> None:
    files = [
        File.objects.create(sha256=f"{n}" * 64, size=1, media_type="image/jpeg", sensitivity="PERSONAL", stored_at_us=0).pk for n in range(5)
    ]
    done = actions.receive(report(hall), taken_by=None, photos=[files[0], files[0], *files], now=now)
    other = taken(hall, now, service="ROAD")
    assert list(Photo.objects.filter(report_id=done.report_id).values_list("file_id", flat=True)) == files[:3]
    assert queries.photo_in_scope(town, done.request_id, files[0]).pk == done.request_id
    with pytest.raises(NotFound):
        queries.photo_in_scope(town, other.request_id, files[0])
    assert read_photo(photo_link(files[0]).rstrip("/").rpartition("/")[2]) == files[0]


def test_a_link_of_another_kind_or_cut_off_opens_nothing(hall: County, now: datetime) -> None:
    done = taken(hall, now)
    token = follow_link(done.report_id).rstrip("/").rpartition("/")[2]
    for wrong in (token[:-3], "", photo_link(done.report_id).rstrip("/").rpartition("/")[2]):
        with pytest.raises(FollowLinkInvalid):
            read_follow(wrong)
    with pytest.raises(NotFound):
        read_photo(token)


def test_lists_are_searched_filtered_and_sorted(hall: County, now: datetime, town: Scope) -> None:
    old = taken(hall, now, said_at=now - timedelta(days=2))
    new = taken(hall, now, service="ROAD", description="路面有坑", area_id=hall.other_village, phone="10000005678", address="桥头")

    def ids(**filters: Any) -> list[int]:
        rows, total = queries.list_requests(town, Filters(**filters))
        assert total == len(rows)
        return [row.id for row in rows]

    assert ids() == [new.request_id, old.request_id]
    for text in ("路面", "桥头", "西塘", "xtc", "10000005678", new.number, f" {new.number[:3]} {new.number[3:]}"):
        assert ids(text=text) == [new.request_id], text
    assert ids(text="无此事") == []
    assert ids(service="ROAD") == ids(channel="TELEPHONE", service="ROAD") == [new.request_id]
    assert ids(state="COMPLETED") == []
    complete(old.request_id, now)
    assert ids(state="COMPLETED") == [old.request_id]
    actions.answer(old.report_id, solved=True, round_=1, now=now)
    assert ids(answer="SOLVED") == [old.request_id]
    assert ids(said_from=now - timedelta(days=1)) == [new.request_id]
    assert ids(overdue_at=now + timedelta(days=30)) == [new.request_id]
    rows, _ = queries.list_requests(town, Filters(), sort="requested_at")
    assert [row.id for row in rows] == [old.request_id, new.request_id]


def test_requests_follow_their_area_when_it_moves(hall: County, now: datetime) -> None:
    taken(hall, now)
    on_moves([Event(2, now, "place.area_moved", 1, None, {"from": hall.path, "to": "/9/8/"}, None)])
    assert ServiceRequest.objects.get().path == "/9/8/"


def test_contacts_show_on_the_case_only_once_it_is_accepted(hall: County, now: datetime) -> None:
    from shouwang.cases.queries import case_row  # noqa: PLC0415

    done = taken(hall, now)
    case = case_row(Case.objects.get().pk)
    masked, shown = (queries.about_case(case, revealed=revealed, language="zh") for revealed in (False, True))
    assert masked is not None
    assert shown is not None
    assert (masked.request_id, masked.contacts, shown.contacts) == (done.request_id, (), (("来电甲", "10000001234"),))
