"""The shared pages in a test client: who lands where, what each sees, and what the buttons do."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest
from django.test import Client

from shouwang.cases import actions
from shouwang.cases.actions import NewCase, open_case
from shouwang.cases.links import task_link
from shouwang.cases.models import Case, CoverageGap, Task
from shouwang.cases.queries import case_row
from shouwang.config.wiring import work_once
from shouwang.journal.actions import take_lease
from shouwang.kernel.moments import local
from shouwang.notify.queries import unread_count
from shouwang.people.actions import NewDuty, add_account, assign_duties, issue_credential
from shouwang.people.models import Account
from shouwang.people.queries import scope_of_token
from shouwang.people.rules import SYSTEM
from shouwang.places.models import Area
from shouwang.systems.living_alone.rules.curve import hourly_use
from shouwang.telemetry.sources.http import receive
from shouwang.web.queries import meter_curve
from shouwang.web.rules import Worked, chain, event_words
from tests.journeys.conftest import County

pytestmark = pytest.mark.django_db
PAGES = (
    "/desk/", "/desk/queue/", "/desk/figures/", "/desk/side/", "/cases/", "/cases/?when=today", "/cases/?when=overdue",
    "/cases/?format=xlsx", "/cases/?format=print", "/tasks/", "/messages/",
)


def one_case(county: County, now: datetime, *, severity: int = 3) -> int:
    params = {"household": county.household, "datastream": county.datastream, "used_l": 3.0, "window_h": 24, "limit_l": 10}
    return open_case(
        NewCase("WELFARE_CHECK", "living_alone", severity, county.village, county.path, "household", county.household, "WATER_LOW_USE_OPEN", params),
        now=now,
    )


def as_person(name: str) -> Client:
    client = Client()
    client.force_login(Account.objects.unscoped().get(username=name))
    return client


def as_holder(person: int, now: datetime) -> Client:
    account = add_account(SYSTEM, username=f"p{person}", person_id=person, now=now)
    client = Client()
    client.force_login(account)
    return client


def task_of(case_id: int) -> Task:
    return Task.objects.get(case_id=case_id)


def test_each_lands_where_the_work_is(county: County, now: datetime) -> None:
    top = Area.objects.get(parent_id=None).pk
    assign_duties(SYSTEM, [NewDuty(county.city_officer, "ADMINISTRATOR", top, local(now).date() - timedelta(days=1))], now=now)
    assert as_person("county").get("/")["Location"] == "/desk/"
    assert as_person("worker").get("/")["Location"] == "/tasks/"
    assert as_holder(county.city_officer, now).get("/setup/").status_code == 200
    assert as_person("worker").get("/setup/").status_code == 403


@pytest.mark.parametrize("page", PAGES)
def test_nobody_is_sent_to_sign_in_and_an_officer_sees_the_page(county: County, now: datetime, page: str) -> None:
    one_case(county, now)
    assert Client().get(page)["Location"].startswith("/sign-in/?next=")
    assert as_person("county").get(page).status_code == 200


def test_the_navigation_leads_where_the_rights_do(county: County) -> None:
    officer = as_person("county").get("/desk/").content.decode()
    worker = as_person("worker").get("/tasks/").content.decode()
    for href in ("/cases/", "/places/", "/people/", "/things/", "/messages/"):
        assert f'<a href="{href}"' in officer
    assert '<a href="/desk/" aria-current="page">' in officer
    assert '<a href="/messages/"' in worker
    assert '<a href="/desk/"' not in worker


def test_what_is_newer_than_the_reader_has_seen_is_counted_not_shown(county: County, now: datetime) -> None:
    first = one_case(county, now)
    second = one_case(county, now, severity=4)
    officer = as_person("county")
    held = officer.get("/desk/queue/", {"seen": first}).content.decode()
    assert "1 条新预警" in held
    assert f'id="case-{second}"' not in held
    shown = officer.get("/desk/queue/", {"after": first}).content.decode()
    assert "条新预警" not in shown
    assert f'id="case-{second}" data-point="{second}" class="fresh"' in shown
    assert officer.get("/desk/queue/", {"seen": "x"}).status_code == 200
    assert f'id="case-{second}"' in officer.get("/desk/queue/", {"seen": 0}).content.decode()  # an empty queue fills at once


def test_a_case_shows_chain_home_and_history_and_the_desk_acts(county: County, now: datetime) -> None:
    case_id = one_case(county, now)
    officer = as_person("county")
    task = task_of(case_id)
    html = officer.get(f"/cases/{case_id}/").content.decode()
    for words in ("预警", "网格甲", "东塘村1组2号", "派给网格甲"):
        assert words in html
    assert officer.post(f"/cases/{case_id}/remind/", {"task": task.pk}).status_code == 302
    answer = officer.post(f"/cases/{case_id}/escalate/", {"task": task.pk}, headers={"HX-Request": "true"})
    assert "已执行" in answer.content.decode()
    html = officer.get(f"/cases/{case_id}/").content.decode()
    assert "县班丁催办网格甲" in html
    assert "县班丁升级到副手乙" in html
    officer.post(f"/cases/{case_id}/note/", {"text": "已电话联系"})
    officer.post(f"/cases/{case_id}/false_alarm/", {"reason": "TEST"})
    assert "已电话联系" in officer.get(f"/cases/{case_id}/").content.decode()
    assert officer.post(f"/cases/{case_id}/remind/", {"task": task.pk}, headers={"HX-Request": "true"}).status_code == 409
    assert Case.objects.get(pk=case_id).state != "OPEN"


def test_a_case_elsewhere_is_not_found_and_the_worker_may_not_dispatch(county: County, now: datetime) -> None:
    case_id = one_case(county, now)
    assert as_person("county").get(f"/cases/{case_id + 1}/").status_code == 404
    refused = as_person("worker").post(f"/cases/{case_id}/remind/", {"task": task_of(case_id).pk})
    assert refused.status_code == 403


def test_a_task_of_another_case_is_not_touched_through_an_own_one(county: County, now: datetime) -> None:
    own, other = one_case(county, now), one_case(county, now)
    task = task_of(other)
    for what in ("dispatch", "remind", "escalate"):
        for number in (str(task.pk), "x", ""):
            answer = as_person("county").post(f"/cases/{own}/{what}/", {"task": number}, headers={"HX-Request": "true"})
            assert answer.status_code == 409
            assert "没有找到任务" in answer.content.decode()
    assert (task.rung, task.reminders, task.state) == (task_of(other).rung, task_of(other).reminders, task_of(other).state)


def test_a_gap_is_told_in_words(county: County, now: datetime) -> None:
    case_id = one_case(county, now)
    CoverageGap.objects.create(
        task=task_of(case_id), case_id=case_id, path=county.path, duty="GRID_WORKER", level="VILLAGE", rank="DEPUTY", at=now,
    )
    assert "村（社区） 网格员" in as_person("county").get("/desk/side/").content.decode()


def test_the_phone_page_in_every_state(county: County, now: datetime) -> None:
    case_id = one_case(county, now)
    link, phone = task_link(task_of(case_id).pk, county.worker), Client()
    offered = phone.get(link).content.decode()
    assert "我去处置" in offered
    assert "住户己" not in offered  # masked until accepted
    assert phone.post(link, {"do": "accept"}).status_code == 302
    accepted = phone.get(link).content.decode()
    for words in ("住户己", "tel:120", "亲属 子女庚", "到场"):
        assert words in accepted
    phone.post(link, {"do": "arrive"})
    assert accepted.index("tel:120") < accepted.index("tel:10000000007")
    wrong = phone.post(link, {"do": "complete", "result": "WELL"})
    assert wrong.status_code == 409
    assert "data-error-summary" in wrong.content.decode()
    done = {"do": "complete", "result": "WELL", "e_how": "MET", "idempotency_key": "k1"}
    assert [phone.post(link, done).status_code for _ in range(2)] == [302, 302]
    ended = phone.get(link).content.decode()
    assert "已办结，谢谢。" in ended
    assert "住户己" not in ended
    assert Client().get("/t/broken/").status_code == 404


def test_who_comes_late_is_told_who_has_it(county: County, now: datetime) -> None:
    case_id = one_case(county, now)
    task = task_of(case_id)
    actions.escalate(task.pk, by=county.county_officer, now=now)
    actions.accept(task.pk, person_id=county.deputy, now=now)
    late = Client().get(task_link(task.pk, county.worker)).content.decode()
    assert "已由副手乙签收" in late
    assert "到场</button>" not in late


def test_the_inbox_counts_shows_and_forgets_what_is_read(county: County, now: datetime) -> None:
    one_case(county, now)
    lease = take_lease("worker", "test", now=now, ttl=timedelta(seconds=10))
    assert lease
    for seconds in range(3):
        work_once(lease, now=now + timedelta(seconds=seconds))
    worker = as_person("worker")
    html = worker.get("/messages/").content.decode()
    assert "新任务：近 24 小时只用水 3" in html
    assert unread_count(county.worker) == 1
    ids = [part.split('"')[0] for part in html.split('name="id" value="')[1:]]
    assert worker.post("/messages/", {"id": ids}).status_code == 302
    assert unread_count(county.worker) == 0


@pytest.mark.parametrize(
    ("kind", "payload", "words"),
    [
        ("case.escalated", {"person": 3, "by": None}, "无人签收，升级到{person}"),
        ("case.escalated", {"person": 3, "by": 4}, "{by}升级到{person}"),
        ("case.escalated", {"person": None, "by": 4}, "升级，但上级也无人值守"),
        ("case.reminded", {"person": None}, "到提醒时间，仍无人值守"),
        ("case.task_overdue", {"told": None}, "办理超时，上级无人值守"),
        ("case.dispatched", {"to": 1, "by": None}, "到时未确认，自动派单给{to}"),
        ("case.closed", {}, "销号"),
        ("case.closed", {"result": "SOLVED"}, "销号"),  # by itself: the result is the worker's
        ("case.closed", {"result": "SOLVED", "by": None}, "反映人确认已解决，销号"),
        ("case.reopened", {"reason": "NOT_SOLVED", "by": None}, "反映人说没有解决，重新打开"),
        ("case.reopened", {"reason": "DESK", "by": 4}, "重新打开"),
    ],
)
def test_an_event_says_who_caused_it_or_that_it_is_about_nobody(kind: str, payload: dict[str, int | str | None], words: str) -> None:
    assert event_words(kind, payload).zh == words


def test_the_chain_says_who_did_what_when(now: datetime) -> None:
    links = chain([Worked("ARRIVED", "甲", now, now, None)], opened_at=now)
    assert [(link.title.zh, link.reached, link.who) for link in links] == [
        ("预警", True, ""), ("签收", True, "甲"), ("到场", True, "甲"), ("办结", False, ""),
    ]


def test_the_curve_has_a_bar_an_hour_and_the_alert_stands_on_one(county: County, now: datetime) -> None:
    start = now - timedelta(hours=30)
    token = issue_credential("DEVICE", subject="WM1", paths=[county.path], now=start)
    readings = [
        {"datastream": "register_l", "phenomenon_time": (start + timedelta(minutes=30 * n)).isoformat(), "result": 100 + n} for n in range(61)
    ]
    receive(msgspec.json.encode({"readings": readings}), scope_of_token(token, "DEVICE", now), now=now)
    found = meter_curve(case_row(one_case(county, now)), now=now, language="zh")
    assert found
    assert len(found["times"]) == 31
    assert sum(value or 0 for value in found["series"][0]["values"]) == 59  # the reading at this very moment is not past yet
    assert found["marks"][0]["at"] in found["times"]
    assert "data-chart" in as_person("county").get(f"/cases/{Case.objects.get().pk}/").content.decode()


def test_use_is_counted_by_the_hour_however_often_the_register_is_read(now: datetime) -> None:
    minutes = [(0, 100.0), (10, 103.0), (59, 104.0), (61, 110.0), (200, 90.0), (201, 92.0)]
    used = hourly_use([(now + timedelta(minutes=minute), register) for minute, register in minutes], until=now)
    assert list(used.values()) == [4.0, 6.0, None, 2.0]  # nothing is known of an hour without a reading; a reset counts nothing
    assert hourly_use([], until=now) == {}
