"""The pages in a test client: list and calendar, planning, the windows, who signed up, paper; and who may not."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook

from shouwang.activities import actions, queries
from shouwang.activities.actions import NewMatter
from shouwang.activities.models import Activity, Headcount, Matter, Photo, SignUp, Ticket
from shouwang.cases.links import task_link
from shouwang.cases.models import Task
from shouwang.people.models import AccessLog
from tests.activities.conftest import Hall, signed_in
from tests.activities.test_actions import CHILD, elsewhere, entry, picture
from tests.journeys.conftest import County

pytestmark = pytest.mark.django_db
FORM = {
    "kind": "SERVICE_DAY", "title": "三月志愿服务日", "area": "柳河镇", "place": "敬老院", "starts_at": "2026-03-05T09:00", "ends_at": "2026-03-05T11:30",
    "entry": "BOTH", "capacity": "30", "windows": "2", "organiser": "duty:TOWNSHIP_DUTY", "about": "带好工具", "key": "plan-form-key",
}


def text(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return str(answer.content.decode())


def sheet_of(client: Client, address: str) -> list[tuple[object, ...]]:
    sheet = load_workbook(io.BytesIO(client.get(address).content)).active
    assert sheet is not None
    return list(sheet.iter_rows(values_only=True))


def test_an_activity_is_planned_changed_and_copied_by_form(hall: Hall, desk: Client) -> None:
    assert "集中帮办日" in text(desk, "/activities/new/")
    offered = text(desk, "/activities/new/?kind=SERVICE_DAY")
    for said in ("窗口数", 'value="示范县 柳河镇"', 'value="2026-01-16T09:00"', 'value="2026-01-16T11:30"'):
        assert said in offered, said
    assert "窗口数" not in text(desk, "/activities/new/?kind=DRILL")
    text(desk, "/activities/new/?kind=PARTY", 404)
    made = desk.post("/activities/new/", FORM)
    assert made.status_code == 302
    assert desk.post("/activities/new/", FORM)["Location"] == made["Location"]
    page = text(desk, made["Location"])
    for said in ("三月志愿服务日", "敬老院", "2026-03-05 09:00", "乡镇值班员", "筹备中", "带好工具"):
        assert said in page, said
    edit = text(desk, f"{made['Location']}edit/")
    assert 'value="2026-03-05T09:00"' in edit
    changed = {**FORM, "title": "三月五日志愿服务", "organiser": f"person:{hall.officer.person_id}"}
    assert desk.post(f"{made['Location']}edit/", changed).status_code == 302
    assert "镇班丙" in text(desk, made["Location"])
    assert "新的日期" in text(desk, f"{made['Location']}copy/")
    copy = desk.post(f"{made['Location']}copy/", {"day": "2026-04-05", "key": "copy-form-key"})
    assert "2026-04-05 09:00" in text(desk, copy["Location"])


@pytest.mark.parametrize(("change", "says"), [
    ({"title": ""}, "请填写"), ({"area": "无此村"}, "没有找到"), ({"ends_at": "2026-03-05T08:00"}, "结束时间"), ({"starts_at": "明天"}, "请核对"),
    ({"entry": "NOT"}, "请核对"), ({"capacity": "0"}, "1"), ({"windows": "99"}, "20"), ({"organiser": "person:999999"}, "请核对"),
])
def test_a_wrong_plan_says_what_to_do(hall: Hall, desk: Client, change: dict[str, str], says: str) -> None:
    answer = desk.post("/activities/new/", {**FORM, **change})
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert Activity.objects.count() == 0


def test_a_wrong_change_or_copy_says_so(hall: Hall, desk: Client) -> None:
    activity = hall.open("SERVICE_DAY", entry="BOTH")
    assert desk.post(f"/activities/{activity}/edit/", {**FORM, "area": "无此村"}).status_code == 422
    assert "结束时间" in desk.post(f"/activities/{activity}/edit/", {**FORM, "ends_at": "2026-03-05T08:00"}).content.decode()
    assert desk.post(f"/activities/{activity}/copy/", {"day": "", "key": "copy-form-key"}).status_code == 422
    assert "开始时间" in desk.post(f"/activities/{activity}/copy/", {"day": "2036-01-01", "key": "copy-form-key"}).content.decode()


def test_the_list_is_filtered_searched_sorted_and_exported(hall: Hall, desk: Client) -> None:
    assert "还没有活动" in text(desk, "/activities/")
    activity = hall.run(title="一月帮办日")
    hall.plan("DRILL", title="防汛演练", starts_at=hall.now + timedelta(days=3), ends_at=hall.now + timedelta(days=3, hours=1))
    actions.note_cost(hall.officer, activity, fen=128_050, now=hall.now)
    actions.count_attendance(hall.officer, activity, change=7, key="tap-00001", now=hall.now)
    assert "防汛演练" not in text(desk, "/activities/?kind=HELP_DAY")
    assert "一月帮办日" not in text(desk, "/activities/?state=PLANNED&when=COMING")
    assert "一月帮办日" not in text(desk, "/activities/?q=%E9%98%B2%E6%B1%9B")
    assert "没有符合条件" in text(desk, "/activities/?q=%E6%97%A0%E6%AD%A4")
    page = text(desk, "/activities/?sort=starts_at")
    assert page.index("一月帮办日") < page.index("防汛演练")
    rows = sheet_of(desk, "/activities/?format=xlsx&kind=HELP_DAY")
    assert rows[0] == ("名称", "类型", "开始", "地区", "地点", "状态", "叫号", "事项", "当场办结", "人次", "费用（元）", "评价")
    assert rows[1][:2] == ("一月帮办日", "集中帮办日") and rows[1][6:] == (0, 0, 0, 7, "1,280.50", None)
    assert "打印于" in text(desk, "/activities/?format=print")


def test_the_calendar_shows_a_month(hall: Hall, desk: Client) -> None:
    activity = hall.plan(title="一月帮办日")
    page = text(desk, "/activities/calendar/")
    assert f'href="/activities/{activity}/">11:00 一月帮办日</a>' in page
    assert "这个月有 1 场活动" in page
    assert 'aria-current="date"' in page
    assert "这个月没有活动" in text(desk, "/activities/calendar/?month=2026-02")
    assert "2026-01" in text(desk, "/activities/calendar/?month=nonsense")


def test_an_activity_is_led_through_its_states_by_buttons(hall: Hall, desk: Client) -> None:
    activity = hall.plan()
    address = f"/activities/{activity}/"
    assert "给群众扫的码" not in text(desk, address)
    for what in ("open", "start", "end"):
        desk.post(f"{address}do/{what}/")
    assert Activity.objects.get(pk=activity).state == "ENDED"
    desk.post(f"{address}do/cancel/", {"reason_code": "WEATHER"})
    assert "现为“已结束”" in text(desk, address)
    desk.post(f"{address}do/reopen/")
    desk.post(f"{address}do/cancel/", {"reason_code": "WEATHER", "reason": "大风"})
    page = text(desk, address)
    assert "已取消：" in page and "天气原因" in page and "大风" in page
    assert desk.post(f"{address}do/explode/").status_code == 404


def test_counts_cost_and_photos_on_the_page(hall: Hall, desk: Client) -> None:
    activity = hall.run()
    address = f"/activities/{activity}/"
    for key, do in (("tap-0001", "+5"), ("tap-0001", "+5"), ("tap-0002", "-1"), ("tap-0003", "nothing")):
        desk.post(f"{address}count/", {"do": do, "idempotency_key": key})
    assert Activity.objects.get(pk=activity).attended == 4
    desk.post(f"{address}count/", {"do": "set", "total": "120", "idempotency_key": "tap-0004"})
    assert "120 人次" in text(desk, address)
    assert Headcount.objects.count() == 4
    desk.post(f"{address}cost/", {"yuan": "八十"})
    assert "以元为单位" in text(desk, address)
    desk.post(f"{address}cost/", {"yuan": "80"})
    assert "80.00 元" in text(desk, address)
    desk.post(f"{address}photos/")
    assert "没有选择文件" in text(desk, address)
    desk.post(f"{address}photos/", {"photo": SimpleUploadedFile("a.jpg", picture())})
    (photo,) = Photo.objects.all()
    answer = desk.get(f"{address}photos/{photo.file_id}/")
    assert (answer.status_code, answer["Content-Type"], b"".join(answer.streaming_content)[:3]) == (200, "image/jpeg", b"\xff\xd8\xff")  # type: ignore[attr-defined]
    assert AccessLog.objects.unscoped().filter(action="PHOTO", object_kind="activity", object_id=activity, path=hall.path).count() == 1
    other = hall.run()
    assert desk.get(f"/activities/{other}/photos/{photo.file_id}/").status_code == 404
    desk.post(f"{address}photos/{photo.file_id}/remove/")
    assert Photo.objects.count() == 0


def test_a_window_calls_by_its_buttons_and_records_matters(hall: Hall, desk: Client) -> None:
    activity = hall.run()
    address = f"/activities/{activity}/"
    for n in range(3):
        desk.post(f"{address}number/", {"idempotency_key": f"give-{n:04d}"})
    assert "3 号" in text(desk, address)
    window = f"{address}windows/1/"
    assert "空闲" in text(desk, window)
    desk.post(f"{window}next/", {"idempotency_key": "press-001", "finishing": "DONE"})
    desk.post(f"{window}next/", {"idempotency_key": "press-001", "finishing": "DONE"})
    assert "<strong>1</strong>" in text(desk, window)
    desk.post(f"{address}matters/", {"matter": "POLICY", "handled": "SETTLED", "idempotency_key": "matter-001", "number": "1", "window": "1"})
    kept = Matter.objects.get()
    assert (kept.code, kept.handled, kept.number) == ("POLICY", "SETTLED", 1)
    desk.post(f"{window}next/", {"idempotency_key": "press-002", "number": "1", "finishing": "SKIP"})
    assert "叫 1 号" in text(desk, f"{window}now/")
    desk.post(f"{window}done/", {"number": "2"})
    desk.post(f"{window}again/", {"number": "1", "idempotency_key": "press-003"})
    desk.post(f"{window}skip/", {"number": "1"})
    desk.post(f"{window}next/", {"idempotency_key": "press-004"})
    desk.post(f"{window}done/", {"number": "3"})
    desk.post(f"{window}next/", {"idempotency_key": "press-005"})
    assert "暂时无人等候" in text(desk, window)
    assert list(Ticket.objects.order_by("number").values_list("state", flat=True)) == ["SKIPPED", "DONE", "DONE"]
    assert desk.post(f"{window}explode/", {"number": "1"}).status_code == 404
    text(desk, f"{address}windows/3/", 404)
    text(desk, f"/activities/{hall.run('DRILL')}/windows/1/", 409)
    page = text(desk, address)
    assert "政策咨询" in page and f'href="/cases/{kept.case_id}/"' in page
    assert "活动现场受理：政策咨询" in text(desk, f"/cases/{kept.case_id}/")


def test_a_matter_recorded_on_the_page_that_is_wrong_says_so(hall: Hall, desk: Client) -> None:
    activity = hall.run()
    answer = desk.post(f"/activities/{activity}/matters/", {"matter": "HAIRCUT", "handled": "SETTLED", "idempotency_key": "matter-001"})
    assert answer["Location"] == f"/activities/{activity}/#matters"
    assert "“事项”为" in text(desk, f"/activities/{activity}/")


def test_who_signed_up_is_shown_masked_and_printed_masked(hall: Hall, desk: Client) -> None:
    activity = hall.open("SAFETY_LESSON", entry="SIGN_UP", capacity=20)
    address = f"/activities/{activity}/sign-ups/"
    assert "还没有人报名" in text(desk, address)
    form = {"name": "示例童", "phone": "10000000041", "party": "1", "age": "MINOR", "key": "desk-key-1"}
    assert "需要监护人同意" in desk.post(address, form).content.decode()
    form |= {"guardian": "示例母", "relation": "母亲", "agrees": "on", "version": "2026-1", "notes_arrival": "on"}
    assert desk.post(address, form).status_code == 302
    (kept,) = SignUp.objects.all()
    page = text(desk, address)
    assert "示**" in page and "100****0041" in page and "示**（母亲） · 2026-1" in page
    sheet = text(desk, f"/activities/{activity}/sheet/")
    assert "示**" in sheet and "本表不用于签到" in sheet
    for secret in ("示例童", "10000000041", "示例母"):
        assert secret not in page and secret not in sheet
    assert AccessLog.objects.unscoped().filter(action="EXPORT", object_kind="sign_up").count() == 1
    one = f"{address}{kept.pk}/"
    desk.post(f"{one}reveal/", {"reason": ""})
    desk.post(f"{one}reveal/", {"reason": "改时间通知"})
    assert "示例童 10000000041 示例母" in text(desk, address)
    actions.move(hall.officer, activity, "START", now=hall.now)
    desk.post(f"{one}arrived/")
    assert "已到场" in text(desk, address)
    desk.post(f"{one}withdraw/")
    assert "还没有人报名" in text(desk, address)
    assert desk.post(f"{one}explode/").status_code == 404
    assert desk.get(f"/activities/{hall.open()}/sign-ups/").status_code == 409


def test_the_notice_is_printed_with_its_code(hall: Hall, desk: Client) -> None:
    activity = hall.open("PUBLIC_CLASS", entry="BOTH", capacity=20, about="请自带水杯")
    page = text(desk, f"/activities/{activity}/notice/")
    for said in ("通知", "示例公益课", "2026 年 1 月 15 日（星期四） 11:00 至 14:00", "文化广场", "名额 20 人", "请自带水杯", "data:image/svg+xml"):
        assert said in page, said
    assert "QR" not in text(desk, f"/activities/{hall.plan()}/notice/")
    actions.move(hall.officer, activity, "CANCEL", reason_code="WEATHER", now=hall.now)
    assert "本次活动已取消" in text(desk, f"/activities/{activity}/notice/")


def test_a_grid_worker_runs_a_service_day_in_the_phones_frame(hall: Hall, county: County, stopped: None) -> None:
    worker = signed_in("worker")
    assert 'class="phone"' in text(worker, "/activities/")
    made = worker.post("/activities/new/", {**FORM, "area": "东塘村"})
    assert made.status_code == 302, made.content.decode()
    address = made["Location"]
    worker.post(f"{address}do/open/")
    worker.post(f"{address}do/start/")
    worker.post(f"{address}matters/", {"matter": "HAIRCUT", "handled": "SETTLED", "idempotency_key": "matter-001"})
    worker.post(f"{address}count/", {"do": "+1", "idempotency_key": "tap-0001"})
    page = text(worker, address)
    assert 'class="phone"' in page and "理发" in page
    for other in (f"{address}windows/1/", f"{address}sign-ups/", f"{address}edit/", f"{address}copy/", "/activities/calendar/", "/activities/new/"):
        text(worker, other)
    assert "没有找到" in worker.post("/activities/new/", {**FORM, "area": "西塘村", "key": "plan-else-1"}).content.decode()


def addresses(hall: Hall) -> list[tuple[str, str]]:
    """Return every address of one activity under /activities/, by method."""
    activity = hall.run("SERVICE_DAY", entry="BOTH")
    sign_up = actions.enter_sign_up(hall.officer, activity, entry(1), now=hall.now)
    photo = actions.add_photo(hall.officer, activity, picture(), now=hall.now)
    gets = ("", "edit/", "copy/", "windows/1/", "windows/1/now/", "sign-ups/", "notice/", "sheet/", f"photos/{photo}/")
    posts = (
        "do/end/", "count/", "cost/", "number/", "matters/", "windows/1/next/", "windows/1/again/", "windows/1/done/", f"sign-ups/{sign_up}/withdraw/",
        f"sign-ups/{sign_up}/arrived/", f"sign-ups/{sign_up}/reveal/", "photos/", f"photos/{photo}/remove/", "edit/", "copy/", "sign-ups/",
    )
    return [("get", f"/activities/{activity}/{each}") for each in gets] + [("post", f"/activities/{activity}/{each}") for each in posts]


DATA = {
    **FORM, "day": "2026-04-05", "idempotency_key": "outside-key", "yuan": "5", "do": "+1", "matter": "HAIRCUT", "handled": "SETTLED", "number": "1",
    "reason": "看看", "name": "示例", "phone": "10000000009", "party": "1",
}


def test_every_address_is_unknown_elsewhere_and_asks_nobody_in(hall: Hall, desk: Client, stopped: None) -> None:
    known = addresses(hall)
    elsewhere(hall, hall.now)
    other = signed_in("other")
    for method, address in known:
        assert getattr(other, method)(address, DATA).status_code == 404, address
        answer = getattr(Client(), method)(address, DATA)
        assert answer.status_code == 302 and "/sign-in/" in answer["Location"], address
    for address in ("/activities/", "/activities/?q=%E7%A4%BA%E4%BE%8B", "/activities/?format=print", "/activities/calendar/"):
        assert "示例志愿服务日" not in text(other, address)
    assert len(sheet_of(other, "/activities/?format=xlsx")) == 1
    assert Activity.objects.get().state == "RUNNING"
    assert SignUp.objects.get().state == "IN"


def test_the_pages_of_one_activity_ask_little_of_the_database(hall: Hall, desk: Client, django_assert_max_num_queries: object) -> None:
    activity = hall.run()
    for n in range(30):
        actions.give_number(hall.officer, activity, key=f"ticket-{n:03d}", now=hall.now)
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        text(desk, f"/activities/{activity}/windows/1/now/")
    for n in range(12):
        hall.plan(title=f"第{n}场")
    with django_assert_max_num_queries(24):  # type: ignore[operator]
        text(desk, "/activities/")
    assert re.search(r"共 13 条", text(desk, "/activities/"))


def test_a_child_is_not_listed_for_whoever_may_not_see_people(hall: Hall) -> None:
    activity = hall.open("SAFETY_LESSON", entry="SIGN_UP")
    actions.sign_up(queries.activity_in(hall.officer, activity).code, CHILD, now=hall.now)
    assert len(queries.sign_ups(hall.officer, queries.activity_in(hall.officer, activity))) == 1


def test_whoever_gets_a_matter_handed_on_sees_whom_to_call_once_it_is_accepted(hall: Hall, county: County, stopped: None) -> None:
    activity = hall.run("SERVICE_DAY", area=hall.village)
    new = NewMatter("REPAIR", "HANDED_ON", "matter-0001", note="水管漏水", name="示例辛", phone="10000000051")
    task = Task.objects.get(case_id=actions.record_matter(hall.officer, activity, new, now=hall.now))
    link = task_link(task.pk, county.worker)
    before = text(Client(), link)
    assert "示例志愿服务日" in before and "水管漏水" in before and "10000000051" not in before
    Client().post(link, {"do": "accept"})
    assert 'href="tel:10000000051"' in text(Client(), link)
