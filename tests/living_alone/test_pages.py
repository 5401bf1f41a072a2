"""The pages in a test client: enrol by form and list, the list with its exports, one-tap absence; and who may not."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook

from shouwang.alerts.actions import take_findings
from shouwang.cases.models import Case
from shouwang.cases.queries import case_row
from shouwang.kernel.moments import local
from shouwang.people.actions import add_account, add_person, assign_duty
from shouwang.people.models import AccessLog
from shouwang.people.rules import SYSTEM
from shouwang.systems.living_alone import queries
from shouwang.systems.living_alone.models import Enrolment
from tests.journeys.conftest import County
from tests.journeys.test_meter_to_closed import finding, open_one
from tests.living_alone.test_actions import book

pytestmark = pytest.mark.django_db
FORM = {"name": "示例甲", "phone": "10000000031", "area": "柳河镇 东塘村", "address": "2组3号", "meter": "WM2", "consent": "on"}


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return str(answer.content.decode())


def sheet_of(client: Client, address: str) -> list[tuple[object, ...]]:
    sheet = load_workbook(io.BytesIO(client.get(address).content)).active
    assert sheet is not None
    return list(sheet.iter_rows(values_only=True))


def test_a_home_is_enrolled_by_form_and_shown_masked(county: County, desk: Client) -> None:
    assert "登记一户" in text(desk, "/living-alone/new/")
    answer = desk.post("/living-alone/new/", FORM)
    assert answer.status_code == 302
    page = text(desk, answer["Location"])
    assert "2组3号" in page
    assert "示**" in page
    assert "示例甲" not in page
    assert "10000000031" not in page
    assert "已记录" in page


WRONG = [
    ({"address": ""}, "请填写"), ({"phone": "12"}, "5 至 15 位"), ({"area": "无此村"}, "没有找到"), ({"meter": "WM1"}, "已用于另一住户"),
    ({"relative": "示例乙"}, "联系不上"), ({"id_number": "123"}, "校验位不对"),
]


@pytest.mark.parametrize(("change", "says"), WRONG)
def test_a_wrong_form_says_what_to_do(county: County, desk: Client, change: dict[str, str], says: str) -> None:
    answer = desk.post("/living-alone/new/", {**FORM, **change})
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert Enrolment.objects.count() == 1


def test_the_list_is_filtered_searched_and_exported(county: County, desk: Client, now: datetime) -> None:
    desk.post("/living-alone/new/", FORM)
    Enrolment.objects.filter(household_id=county.household).update(away_until=now + timedelta(days=1))
    assert "东塘村1组2号" in text(desk, "/living-alone/")
    away = text(desk, "/living-alone/?state=AWAY")
    assert "东塘村1组2号" in away
    assert "2组3号" not in away
    for words in ("slj", "WM2", "2组3号", "10000000031"):
        assert "2组3号" in text(desk, f"/living-alone/?q={words}"), words
    assert "东塘村1组2号" not in text(desk, "/living-alone/?q=WM2")
    assert "没有符合条件" in text(desk, "/living-alone/?q=%E6%97%A0%E6%AD%A4%E4%BA%BA")
    assert sheet_of(desk, "/living-alone/?format=xlsx")[0][2] == "住址"
    assert "打印" in text(desk, "/living-alone/?format=print")
    assert AccessLog.objects.unscoped().filter(action="EXPORT", object_kind="household").count() == 2


def test_a_list_is_imported_by_way_of_template_and_preview(county: County, desk: Client, now: datetime) -> None:
    heads = [str(cell).rstrip("*") for cell in sheet_of(desk, "/living-alone/import/template.xlsx")[0]]
    assert heads[0] == "姓名"
    rows = [{"姓名": f"示例{n}", "地区": "东塘村", "住址": f"{n}号", "水表编号": f"X{n}"} for n in range(3)]
    rows[1]["地区"] = ""
    file = SimpleUploadedFile("名单.xlsx", book(*rows))
    preview = desk.post("/living-alone/import/", {"file": file})["Location"]
    page = text(desk, preview)
    assert "可以登记 2 户，有问题 1 行" in page
    assert "缺少“地区”" in page
    started = desk.post(f"{preview}decide/", {"do": "enrol"})["Location"]
    assert Enrolment.objects.count() == 1
    assert "已处理 0 / 2 户" in text(desk, started)
    assert desk.post(started).status_code == 302
    done = text(desk, started)
    assert "新登记 2 户" in done
    assert 'hx-trigger="load' not in done
    assert desk.get(preview).status_code == 302  # a list that was begun shows how far it is
    bad = sheet_of(desk, f"{preview}bad.xlsx")
    assert bad[1][0] == "3"
    assert AccessLog.objects.unscoped().filter(action="IMPORT").count() == 1


def test_a_running_list_answers_the_pages_own_posts_with_its_bar(county: County, desk: Client) -> None:
    file = SimpleUploadedFile("a.xlsx", book({"姓名": "示例甲", "地区": "东塘村", "住址": "1号", "水表编号": "X1"}))
    preview = desk.post("/living-alone/import/", {"file": file})["Location"]
    answer = desk.post(f"{preview}progress/", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert re.search(r'<progress id="bar" value="1" max="1">', answer.content.decode())
    assert "<html" not in answer.content.decode()


def test_a_list_that_cannot_be_read_or_is_missing_says_so(county: County, desk: Client) -> None:
    assert "没有选择文件" in desk.post("/living-alone/import/").content.decode()
    broken = SimpleUploadedFile("a.xlsx", b"no workbook")
    answer = desk.post("/living-alone/import/", {"file": broken})
    assert answer.status_code == 422
    assert "不是 .xlsx 文件" in answer.content.decode()


def test_a_list_is_dropped_and_anothers_is_not_found(county: County, desk: Client, now: datetime) -> None:
    file = SimpleUploadedFile("a.xlsx", book({"姓名": "示例甲", "地区": "东塘村", "住址": "1号", "水表编号": "X1"}))
    preview = desk.post("/living-alone/import/", {"file": file})["Location"]
    person = add_person(SYSTEM, name="民政壬", area_id=county.village, now=now)
    assign_duty(SYSTEM, person_id=person, code="CIVIL_AFFAIRS", area_id=county.village, from_date=now.date(), now=now)
    other = Client()
    other.force_login(add_account(SYSTEM, username="other", person_id=person, now=now))
    assert other.get(preview).status_code == 404
    assert desk.post(f"{preview}decide/", {"do": "drop"}).status_code == 302
    assert desk.get(preview).status_code == 404


def test_the_grid_worker_notes_an_absence_in_one_tap_and_undoes_it(county: County, phone: Client, now: datetime) -> None:
    page = text(phone, f"/living-alone/{county.household}/")
    assert "今晚不在家" in page
    assert 'class="phone"' in page
    phone.post(f"/living-alone/{county.household}/absence/", {"absence": "tonight"})
    assert queries.enrolment_of(county.household).is_away(now)
    assert "撤销" in text(phone, f"/living-alone/{county.household}/")
    phone.post(f"/living-alone/{county.household}/absence/", {"absence": "back"})
    assert not queries.enrolment_of(county.household).is_away(now)
    phone.post(f"/living-alone/{county.household}/absence/", {"absence": "until", "until": "2026-01-20"})
    assert queries.enrolment_of(county.household).away_until == datetime.fromisoformat("2026-01-21T00:00+08:00")
    phone.post(f"/living-alone/{county.household}/absence/", {"absence": "until", "until": "2020-01-01"})
    assert "请改正日期" in text(phone, f"/living-alone/{county.household}/")


def test_a_hospital_is_set_and_watching_is_ended(county: County, desk: Client) -> None:
    address = f"/living-alone/{county.household}/"
    desk.post(f"{address}hospital/", {"name": "示例县人民医院", "phone": "1000-0000-120"})
    page = text(desk, address)
    assert "示例县人民医院" in page
    assert "10000000120" in page
    desk.post(f"{address}hospital/", {"name": "x", "phone": "12"})
    assert "5 至 15 位" in text(desk, address)
    assert desk.post(f"{address}end/").status_code == 404  # a reason is asked for
    desk.post(f"{address}end/", {"reason": "INSTITUTION"})
    assert "入住机构" in text(desk, address)
    assert "这户已停止关注" in text(desk, address)
    assert desk.post(f"{address}nonsense/").status_code == 404


def test_nobody_reaches_a_home_outside_the_own_area(county: County, desk: Client, now: datetime) -> None:
    person = add_person(SYSTEM, name="网格癸", area_id=county.other_village, now=now)
    assign_duty(SYSTEM, person_id=person, code="GRID_WORKER", area_id=county.other_village, from_date=now.date(), now=now)
    other = Client()
    other.force_login(add_account(SYSTEM, username="outside", person_id=person, now=now))
    assert "东塘村1组2号" not in text(other, "/living-alone/")
    assert "东塘村1组2号" not in text(other, "/living-alone/?q=WM1")
    assert other.get(f"/living-alone/{county.household}/").status_code == 404
    assert other.post(f"/living-alone/{county.household}/absence/", {"absence": "tonight"}).status_code == 404
    assert other.get("/living-alone/new/").status_code == 403
    assert Client().get("/living-alone/").status_code == 302


def test_a_home_about_which_a_case_is_open_never_reads_as_at_home(county: County, desk: Client, phone: Client, now: datetime) -> None:
    assert "没有登记外出" in text(desk, "/living-alone/")
    case = Case.objects.get(pk=open_one(county, now - timedelta(hours=2)).case_id)
    number, since = case_row(case.pk).number, f"{local(case.opened_at):%m-%d %H:%M}"
    for client in (desk, phone):
        page = text(client, "/living-alone/")
        assert f'<span class="severity orange label">橙色</span> <a class="unbroken" href="/cases/{case.pk}/">{number}</a> <span class="unbroken">自 {since}</span>' in page
    assert f"橙 {number} 自 {since}" in sheet_of(desk, "/living-alone/?format=xlsx")[1]
    assert number in text(desk, "/living-alone/?format=print")
    home = text(desk, f"/living-alone/{county.household}/")
    assert "近 24 小时只用水 3 升" in home
    assert f'href="/cases/{case.pk}/"' in home
    desk.post("/living-alone/new/", FORM)
    only = text(desk, "/living-alone/?state=CHECK")
    assert "东塘村1组2号" in only
    assert "2组3号" not in only
    assert re.search(r'state=CHECK">1</a>', text(desk, "/living-alone/programme/"))
    case.state = "CLOSED"
    case.save(update_fields=["state"])
    assert number not in text(desk, "/living-alone/")


def test_of_several_cases_about_a_home_the_gravest_is_shown(county: County, desk: Client, now: datetime) -> None:
    take_findings([finding(county, severity=2), replace(finding(county, severity=4), kind="WATER_HIGH_USE")], now=now)
    page = text(desk, "/living-alone/")
    assert "severity red label" in page
    assert "severity yellow label" not in page
    assert re.search(r"自 \d\d-\d\d \d\d:\d\d \+1<", page)


def test_homes_are_counted_once_by_state_and_found_by_it(county: County, desk: Client, now: datetime) -> None:
    desk.post("/living-alone/new/", FORM)
    Enrolment.objects.filter(household_id=county.household).update(silence_told_at=now)
    assert "东塘村1组2号" in text(desk, "/living-alone/?state=SILENT")
    assert "东塘村1组2号" not in text(desk, "/living-alone/?state=HOME"), "the programme counts it as silent and nowhere else"
