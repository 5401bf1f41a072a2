"""The pages in a test client: report by every way, follow, answer, list, reveal, import; and who may not."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook, load_workbook
from PIL import Image

from shouwang.cases.links import task_link
from shouwang.cases.models import Case, Note, Task
from shouwang.files.queries import file
from shouwang.kernel.clock import ManualClock
from shouwang.people.actions import withdraw_consent
from shouwang.people.models import AccessLog
from shouwang.people.rules import SYSTEM
from shouwang.places.actions import set_setting
from shouwang.requests import actions
from shouwang.requests.links import follow_link, photo_link
from shouwang.requests.models import Photo, Report, ServiceRequest
from shouwang.requests.rules.limits import BUDGETS
from shouwang.requests.rules.lines import EXAMPLE, HEADINGS
from tests.journeys.conftest import County
from tests.requests.test_actions import complete, hear, taken

pytestmark = pytest.mark.django_db
PAGES = ("calls", "desk", "field", "importing", "photos", "resident")


@pytest.fixture(autouse=True)
def _stopped_pages(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    for page in PAGES:
        monkeypatch.setattr(f"shouwang.requests.pages.{page}.clock", lambda: ManualClock(now))


def text(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return str(answer.content.decode())


def picture(name: str = "p.jpg", kind: str = "JPEG") -> SimpleUploadedFile:
    kept = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "Secret Camera"
    Image.new("RGB", (40, 30), "navy").save(kept, kind, **({"exif": exif} if kind == "JPEG" else {}))
    return SimpleUploadedFile(name, kept.getvalue(), "image/jpeg")


def filled(page: str, **values: str) -> dict[str, Any]:
    """Return what a browser would send: the hidden key of the form with `values`."""
    key = re.search(r'name="idempotency_key" value="([^"]+)"', page)
    assert key is not None
    return {"idempotency_key": key.group(1), **values}


RESIDENT = {"service": "LIGHT", "description": "路灯三天不亮", "address": "村委会门前", "phone": "100 0000 1234"}


def report_as_resident(hall: County, client: Client, **changes: Any) -> Any:
    address = f"/report/{hall.village}/"
    return client.post(address, {**filled(text(client, address), **RESIDENT), **changes})


def test_a_resident_reports_follows_and_answers_without_account_or_javascript(hall: County, client: Client, now: datetime) -> None:
    page = text(client, f"/report/{hall.village}/")
    assert "东塘村" in page
    assert "110" in page
    answer = report_as_resident(hall, client, photo=[picture(), picture("q.png", "PNG")])
    assert answer.status_code == 302
    follow = answer["Location"]
    assert follow.startswith("/follow/")
    assert "1234" not in follow
    shown = text(client, follow)
    request = ServiceRequest.objects.get()
    assert f"{request.number[:3]} {request.number[3:6]} {request.number[6:]}" in shown
    assert "已收到您的反映" in shown
    assert "已交给网格员" in shown
    assert "data:image/svg+xml" in shown
    for secret in ("网格甲", "路灯三天不亮", "村委会门前", "10000001234"):
        assert secret not in shown, "the link may be passed on"
    complete(request.pk, now)
    assert "解决了吗" in text(client, follow)
    done = client.post(follow.partition("?")[0], {"solved": "no", "round": "1", "why": "还是不亮"})
    assert done.status_code == 302
    assert "上一级正在重新办理" in text(client, follow)
    assert Case.objects.get().state == "OPEN"
    client.post(follow.partition("?")[0], {"do": "why", "why": "三盏"})
    assert Note.objects.count() == 2
    complete(request.pk, now)
    client.post(follow.partition("?")[0], {"solved": "yes", "round": "2"})
    assert "您已确认解决" in text(client, follow)
    assert Case.objects.get().state == "CLOSED"
    late = client.post(follow.partition("?")[0], {"solved": "no", "round": "2"})
    assert late.status_code == 409
    assert "不需要您答复" in late.content.decode()


def test_a_look_at_the_link_answers_nothing(hall: County, client: Client, now: datetime) -> None:
    done = taken(hall, now)
    complete(done.request_id, now)
    before = (Case.objects.get().state, Report.objects.get().answer)
    text(client, follow_link(done.report_id) + "?solved=yes&round=1")
    assert (Case.objects.get().state, Report.objects.get().answer) == before
    assert client.post(follow_link(done.report_id), {"solved": "maybe"}).status_code == 404


def test_the_photo_of_a_report_is_cleaned(hall: County, client: Client, now: datetime) -> None:
    report_as_resident(hall, client, photo=picture())
    shown = file(Photo.objects.get().file_id)
    assert (shown.media_type, shown.sensitivity, shown.derived_from_id is None) == ("image/jpeg", "PERSONAL", False)
    assert shown.retain_until is not None
    assert shown.retain_until > now + timedelta(days=365)


WRONG: list[tuple[Mapping[str, Any], int, str]] = [
    ({"description": "  "}, 422, "请填写"), ({"phone": ""}, 422, "请填写"), ({"phone": "12"}, 422, "5 至 15 位"),
    ({"service": "NO_SUCH"}, 422, "请核对"), ({"description": "长" * 501}, 422, "500"), ({"website": "http://spam.example"}, 422, "再点一次"),
    ({"lon": "200", "lat": "36"}, 422, "定位"), ({"photo": SimpleUploadedFile("x.jpg", b"<script>")}, 422, "照片无法读取"),
    ({"idempotency_key": "x"}, 422, "请核对"),
]


@pytest.mark.parametrize(("change", "status", "says"), WRONG)
def test_a_wrong_report_says_what_to_do_and_keeps_what_was_written(
    hall: County, client: Client, change: Mapping[str, Any], status: int, says: str,
) -> None:
    answer = report_as_resident(hall, client, **change)
    assert answer.status_code == status
    page = answer.content.decode()
    assert says in page
    assert "村委会门前" in page
    assert not ServiceRequest.objects.exists()


def test_a_trap_lets_a_person_through_the_second_time(hall: County, client: Client) -> None:
    again = report_as_resident(hall, client, website="auto-filled")
    page = again.content.decode()
    assert 'name="website" value="auto-filled"' not in page
    assert client.post(f"/report/{hall.village}/", {**filled(page, **RESIDENT), "website": ""}).status_code == 302


def test_the_same_form_sent_twice_is_one_report(hall: County, client: Client) -> None:
    values = filled(text(client, f"/report/{hall.village}/"), **RESIDENT)
    first, second = (client.post(f"/report/{hall.village}/", values) for _ in range(2))
    assert first["Location"].split(":")[0] == second["Location"].split(":")[0], "the same receipt, signed again"
    assert Report.objects.count() == 1


def test_a_resident_adds_to_what_is_listed(hall: County, client: Client, now: datetime) -> None:
    listed, private = taken(hall, now), taken(hall, now, service="HELP", description="张三家断粮")
    page = text(client, f"/report/{hall.village}/")
    assert "已有人反映、正在办理的（1 件）" in page
    assert "张三" not in page
    assert "路灯不亮" not in page, "what another wrote is not shown"
    join = f"/report/{hall.village}/?join={listed.request_id}"
    form = text(client, join)
    assert 'name="service"' not in form
    assert client.post(join, filled(form, phone="10000005678")).status_code == 302
    assert Report.objects.order_by("-pk")[0].request_id == listed.request_id
    for wrong in (private.request_id, 99, "x"):
        text(client, f"/report/{hall.village}/?join={wrong}", 404)


def test_too_many_reports_from_one_phone_wait(hall: County, client: Client) -> None:
    for _ in range(BUDGETS["report.phone"].most):
        assert report_as_resident(hall, client).status_code == 302
    refused = report_as_resident(hall, client)
    assert refused.status_code == 429
    assert "过于频繁" in refused.content.decode()


def test_a_header_does_not_change_whose_budget_is_spent(hall: County, client: Client, now: datetime) -> None:
    done = taken(hall, now)
    for n in range(BUDGETS["follow.address"].most):
        client.post("/progress/", {"number": done.number if n % 5 else "111111118", "tail": "0000"}, headers={"x-forwarded-for": f"198.51.100.{n}"})
    assert client.post("/progress/", {"number": "222222226", "tail": "1234"}).status_code == 429


def test_the_place_can_be_chosen_level_by_level(hall: County, client: Client) -> None:
    page = text(client, "/report/")
    assert "示范县" in page
    for name in ("示范县", "柳河镇", "东塘村"):
        link = re.search(rf'href="([^"]+)">{name}</a>', page)
        assert link is not None
        address = link.group(1) if link.group(1).startswith("/") else "/report/" + link.group(1)
        page = text(client, address)
    assert "具体在哪里" in page
    text(client, "/report/?in=zz")
    text(client, "/report/999/", 404)


def test_number_and_digits_lead_to_the_report_and_nothing_of_them_stands_in_an_address(hall: County, client: Client, now: datetime) -> None:
    done = taken(hall, now)
    spoken = f"{done.number[:3]} {done.number[3:]}"
    answer = client.post("/progress/", {"number": spoken, "tail": " 1234 "})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/follow/")
    assert done.number not in answer["Location"]
    wrong = client.post("/progress/", {"number": done.number, "tail": "4321"})
    unknown = client.post("/progress/", {"number": "123456782", "tail": "1234"})
    said = [re.sub(r"\d{9}|4321|1234|csrf\S+|value=\"\S+\"", "", each.content.decode()) for each in (wrong, unknown)]
    assert [wrong.status_code, unknown.status_code] == [422, 422]
    assert said[0] == said[1], "wrong digits and an unknown number look alike"
    assert "9 位数字" in client.post("/progress/", {"number": "123", "tail": "1234"}).content.decode()
    assert "后四位" in client.post("/progress/", {"number": done.number, "tail": "12"}).content.decode()


def test_guessing_the_digits_of_one_number_ends_after_ten(hall: County, client: Client, now: datetime) -> None:
    done = taken(hall, now)
    answers = [client.post("/progress/", {"number": done.number, "tail": f"{n:04}"}).status_code for n in range(12)]
    assert answers == [422] * 10 + [429] * 2


def test_a_grid_worker_reports_from_the_phone(hall: County, phone: Client) -> None:
    page = text(phone, "/field-report/")
    assert 'data-place="auto"' in page
    assert "东塘村" in page
    values = filled(page, description="电线掉在路上", area=str(hall.village), lon="115.6", lat="36.3")
    first = phone.post("/field-report/", {**values, "photo": picture()})
    second = phone.post("/field-report/", values)
    assert (first.status_code, second.status_code, first["Location"]) == (302, 302, "/field-report/")
    request = ServiceRequest.objects.get()
    assert (request.service_code, request.channel, request.lon) == ("DANGER", "FIELD_REPORT", 115.6)
    after = text(phone, "/field-report/")
    assert "已上报，编号" in after
    assert "电线掉在路上" in after
    assert "看进度" in after
    assert phone.post("/field-report/", {**values, "area": str(hall.other_village)}).status_code == 422
    assert phone.post("/field-report/", {**values, "description": ""}).status_code == 422


CALL = {"phone": "10000001234", "service": "LIGHT", "place": "dtc", "address": "村委会门前", "description": "路灯不亮", "name": ""}


def test_an_operator_takes_a_call_by_initials(hall: County, desk: Client, now: datetime) -> None:
    page = text(desk, "/requests/new/")
    answer = desk.post("/requests/new/", filled(page, **CALL))
    assert answer.status_code == 302
    receipt = text(desk, answer["Location"])
    request = ServiceRequest.objects.get()
    assert (request.area_id, request.channel) == (hall.village, "TELEPHONE")
    assert f"{request.number[:3]} {request.number[3:6]} {request.number[6:]}" in receipt
    assert Report.objects.get().taken_by == hall.township_officer
    assert "autofocus" in receipt
    assert "办结后收不到短信" in receipt


@pytest.mark.usefixtures("sms")
def test_a_receipt_promises_a_message_only_to_whom_it_will_be_sent(hall: County, desk: Client, now: datetime) -> None:
    answer = desk.post("/requests/new/", filled(text(desk, "/requests/new/"), **CALL))
    promised = "办结后会收到短信"
    assert promised in text(desk, answer["Location"])
    withdraw_consent(SYSTEM, Report.objects.get().person_id or 0, purpose="REQUEST_ANSWER", now=now)
    assert promised not in text(desk, answer["Location"])


def test_doubles_keep_a_call_from_being_saved_until_they_were_shown(hall: County, desk: Client, now: datetime) -> None:
    first = taken(hall, now, phone="10000005678", description="灯坏了")
    values = filled(text(desk, "/requests/new/"), **CALL)
    held = desk.post("/requests/new/", values)
    assert held.status_code == 409
    page = held.content.decode()
    assert "附近有相同的诉求" in page
    assert "灯坏了" in page
    assert f'name="seen" value="{first.request_id}"' in page
    assert ServiceRequest.objects.count() == 1
    joined = desk.post("/requests/new/", {**values, "seen": str(first.request_id), "join": str(first.request_id)})
    assert joined.status_code == 302
    assert (ServiceRequest.objects.count(), Report.objects.count()) == (1, 2)
    other = filled(text(desk, "/requests/new/"), **CALL)
    assert desk.post("/requests/new/", {**other, "seen": str(first.request_id), "join": ""}).status_code == 302
    assert ServiceRequest.objects.count() == 2


def test_what_is_around_shows_as_it_is_typed_and_stays_in_the_scope(hall: County, desk: Client, phone: Client, now: datetime) -> None:
    taken(hall, now)
    around = text(desk, "/requests/new/nearby/?place=dtc&service=LIGHT")
    assert "柳河镇 东塘村" in around
    assert "并入" in around
    for words in ("lhz dtc", "柳河 东塘", "柳河镇 dongtang", "sfx lhz dtc"):
        assert ("东塘村" in text(desk, f"/requests/new/nearby/?place={words}")) == (words[0] != "s"), words
    many = text(desk, "/requests/new/nearby/?place=塘")
    assert "东塘村" in many
    assert "西塘村" in many
    assert "没有找到" in text(desk, "/requests/new/nearby/?place=无此地")
    assert "没有找到" in text(desk, "/requests/new/nearby/?place=示范县"), "a county lies above this desk"
    text(phone, "/requests/new/nearby/?place=dtc", 403)


def test_an_area_chosen_for_an_earlier_text_is_not_taken(hall: County, desk: Client) -> None:
    values = filled(text(desk, "/requests/new/"), **{**CALL, "place": "塘"})
    several = desk.post("/requests/new/", {**values, "area_id": str(hall.village), "area_for": "dtc"})
    assert several.status_code == 422
    assert "不止一处" in several.content.decode()
    assert desk.post("/requests/new/", {**values, "area_id": str(hall.other_village), "area_for": "塘"}).status_code == 302
    assert ServiceRequest.objects.get().area_id == hall.other_village


@pytest.mark.parametrize(("change", "says"), [({"place": "无此地"}, "没有找到"), ({"place": ""}, "请填写"), ({"description": ""}, "请填写"), ({"phone": "1"}, "5 至 15 位")])
def test_a_wrong_call_says_what_to_do(hall: County, desk: Client, change: dict[str, str], says: str) -> None:
    answer = desk.post("/requests/new/", {**filled(text(desk, "/requests/new/"), **CALL), **change})
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not ServiceRequest.objects.exists()


def test_the_list_filters_searches_exports_and_says_so_in_the_log(hall: County, desk: Client, now: datetime) -> None:
    assert "还没有诉求" in text(desk, "/requests/")
    old = taken(hall, now - timedelta(days=1), description="=cmd()")
    taken(hall, now, service="ROAD", description="路面有坑", channel="QR")
    assert "路面有坑" in text(desk, "/requests/?service=ROAD&channel=QR&state=OPEN&when=today")
    assert "没有符合条件的诉求" in text(desk, "/requests/?state=CLOSED")
    assert "路面有坑" not in text(desk, f"/requests/?q={ServiceRequest.objects.get(pk=old.request_id).number}")
    book = load_workbook(io.BytesIO(desk.get("/requests/?format=xlsx").content)).active
    assert book is not None
    rows = list(book.iter_rows(values_only=True))
    assert rows[0][:3] == ("编号", "类别", "什么事")
    assert [row[2] for row in rows[1:]] == ["路面有坑", "=cmd()"]
    assert "打印" in text(desk, "/requests/?format=print")
    assert AccessLog.objects.unscoped().filter(action="EXPORT", object_kind="request").count() == 2


def test_one_request_shows_masks_and_the_contact_only_for_a_reason(hall: County, desk: Client, phone: Client, now: datetime) -> None:
    done = taken(hall, now)
    page = text(desk, f"/requests/{done.request_id}/")
    assert "来**" in page
    assert "100****1234" in page
    assert "10000001234" not in page
    contact = f"/requests/{done.request_id}/contact/{done.report_id}/"
    assert desk.post(contact, {"reason": ""}).status_code == 422
    shown = desk.post(contact, {"reason": "回电核实"})
    assert "10000001234" in shown.content.decode()
    log = AccessLog.objects.unscoped().get(action="REVEAL")
    assert (log.reason, log.actor_id) == ("回电核实", hall.township_officer)
    assert desk.get(contact).status_code == 405
    assert "/cases/" not in text(phone, f"/requests/{done.request_id}/"), "a grid worker has no desk"


def test_photos_open_for_the_scope_and_are_logged(hall: County, desk: Client, client: Client, now: datetime) -> None:
    report_as_resident(hall, Client(), photo=picture())
    request, found = ServiceRequest.objects.get(), Photo.objects.get()
    address = f"/requests/{request.pk}/photos/{found.file_id}/"
    shown = desk.get(address)
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/jpeg")
    assert b"Secret Camera" not in b"".join(shown.streaming_content)
    assert AccessLog.objects.unscoped().filter(action="PHOTO").count() == 1
    assert client.get(address).status_code == 302
    linked = client.get(photo_link(found.file_id))
    assert b"".join(linked.streaming_content).startswith(b"\xff\xd8")
    assert client.get(photo_link(found.file_id)[:-5] + "/").status_code == 404


OUTSIDE = ["", "contact/{report}/", "receipt/{report}/", "photos/1/"]


@pytest.mark.parametrize("page", OUTSIDE)
def test_what_lies_outside_the_scope_reads_as_not_found(hall: County, phone: Client, now: datetime, page: str) -> None:
    """I6: a grid worker of one village and a request of the next."""
    done = taken(hall, now, area_id=hall.other_village)
    address = f"/requests/{done.request_id}/{page.format(report=done.report_id)}"
    answer = phone.post(address, {"reason": "想看看"}) if "contact" in page else phone.get(address)
    assert answer.status_code == 404
    assert "西塘" not in text(phone, "/requests/")
    assert "没有符合条件的诉求" in text(phone, f"/requests/?q={done.number}")


@pytest.mark.parametrize("page", ["/requests/", "/requests/new/", "/requests/new/nearby/", "/requests/import/", "/requests/posters/", "/requests/1/", "/field-report/"])
def test_nobody_is_sent_to_sign_in(hall: County, client: Client, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 302
    assert "sign-in" in answer["Location"]


def test_a_poster_for_one_place_or_for_all_below_it(hall: County, desk: Client, settings: Any) -> None:
    settings.SHOUWANG_ADDRESS = "https://example.test"
    assert "这一张" in text(desk, "/requests/posters/")
    one = text(desk, "/requests/posters/?place=东塘村")
    assert f"https://example.test/report/{hall.village}/" in one
    below = text(desk, "/requests/posters/?place=柳河镇&below=1")
    assert below.count("data:image/svg+xml") == 2
    assert "没有找到" in text(desk, "/requests/posters/?place=无此地", 422)
    text(desk, "/requests/posters/?place=东塘村&below=1", 404)


def book(*rows: tuple[str, ...]) -> SimpleUploadedFile:
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.append([names[0] for names in HEADINGS.values()])
    for row in rows:
        sheet.append(list(row))
    kept = io.BytesIO()
    made.save(kept)
    return SimpleUploadedFile("hotline.xlsx", kept.getvalue())


GOOD = (*EXAMPLE[:3], "柳河镇 东塘村", *EXAMPLE[4:])


def test_a_hotline_list_comes_in_by_way_of_template_and_preview_once_only(hall: County, desk: Client, now: datetime) -> None:
    sheet = load_workbook(io.BytesIO(desk.get("/requests/import/template.xlsx").content)).active
    assert sheet is not None
    assert [cell.value for cell in sheet[1]][:2] == ["工单编号*", "反映时间"]
    rows = (GOOD, ("RX-0002", "", "", "无此村", "", "灯不亮", "", ""), ("RX-0003", "", "", "西塘村", "", "下水道堵了", "", "12"))
    upload = desk.post("/requests/import/", {"file": book(*rows)})
    preview = text(desk, upload["Location"])
    assert "可以导入 1 件" in preview
    assert "没有找到" in preview
    assert "5 至 15 位" in preview
    assert "示例甲" not in preview
    assert "10000000001" not in preview
    assert not ServiceRequest.objects.exists()
    bad = load_workbook(io.BytesIO(desk.get(f"{upload['Location']}bad.xlsx").content)).active
    assert bad is not None
    assert [row[0] for row in bad.iter_rows(values_only=True)] == ["行号", "3", "4"]
    taking = desk.post(f"{upload['Location']}decide/", {"do": "take"})["Location"]
    desk.post(taking)
    done = text(desk, taking)
    assert "新导入 1 件" in done
    assert "未导入 2 行" in done
    request = ServiceRequest.objects.get()
    assert (request.channel, request.service_code, request.requested_at) == ("HOTLINE_XLSX", "LIGHT", datetime.fromisoformat("2026-01-15T01:30:00+00:00"))
    again = desk.post("/requests/import/", {"file": book(GOOD)})
    assert "其中 1 件以前导入过" in text(desk, again["Location"])
    desk.post(f"{again['Location']}taking/")
    assert "以前导入过 1 件" in text(desk, f"{again['Location']}taking/")
    assert ServiceRequest.objects.count() == 1
    assert Report.objects.get().person_id is not None


@pytest.mark.parametrize(("data", "says"), [(b"no workbook", "不是 .xlsx"), (b"", "没有选择文件")])
def test_an_unreadable_list_says_why(hall: County, desk: Client, data: bytes, says: str) -> None:
    answer = desk.post("/requests/import/", {"file": SimpleUploadedFile("x.xlsx", data)})
    assert answer.status_code == 422
    assert says in answer.content.decode()


def test_a_dropped_list_is_gone_and_another_account_never_sees_it(hall: County, desk: Client, now: datetime) -> None:
    address = desk.post("/requests/import/", {"file": book(GOOD)})["Location"]
    desk.post(f"{address}decide/", {"do": "drop"})
    text(desk, address, 404)


def test_every_page_speaks_english_too(hall: County, desk: Client, client: Client, now: datetime) -> None:
    done = taken(hall, now)
    for reader_ in (desk, client):
        reader_.cookies["sw_language"] = "en"
    assert "Take a call" in text(desk, "/requests/")
    assert "Telephone" in text(desk, f"/requests/{done.request_id}/")
    assert "Your report was received" in text(client, follow_link(done.report_id))
    assert "Where exactly" in text(client, f"/report/{hall.village}/")
    for page in ("/requests/new/", "/requests/import/", "/requests/posters/", "/field-report/"):
        assert not re.search(r"<h1>[^<]*[\u4e00-\u9fff]", text(desk, page)), page


def test_whoever_has_the_task_reads_what_was_said_and_may_call_the_reporter(hall: County, client: Client, now: datetime) -> None:
    report_as_resident(hall, Client(), photo=picture())
    task = Task.objects.get()
    address = task_link(task.pk, hall.worker)
    before = text(client, address)
    assert "路灯三天不亮" in before
    assert "村委会门前" in before
    assert "10000001234" not in before, "the contact shows once the task is accepted"
    link = re.search(r'href="(/requests/photo/[^"]+)"', before)
    assert link is not None
    assert b"".join(client.get(link.group(1)).streaming_content).startswith(b"\xff\xd8")
    client.post(address, {"do": "accept"})
    assert 'href="tel:10000001234"' in text(client, address)
    client.post(address, {"do": "complete", "result": "SOLVED", "e_how": "ON_SITE", "idempotency_key": "k"})
    hear()
    actions.answer(Report.objects.get().pk, solved=False, round_=1, why="还是黑的", now=now)
    above = Task.objects.order_by("-pk")[0]
    assert "反映人说没有解决：还是黑的" in text(client, task_link(above.pk, hall.township_officer))


def test_a_supervisor_sees_on_the_case_why_it_was_reopened_and_what_was_said(hall: County, desk: Client, now: datetime) -> None:
    done = taken(hall, now)
    complete(done.request_id, now)
    actions.answer(done.report_id, solved=False, round_=1, why="还是黑的", now=now)
    page = text(desk, f"/cases/{Case.objects.get().pk}/")
    assert "反映人说没有解决，重新打开" in page
    assert "反映人说没有解决：还是黑的" in page
    assert f'href="/requests/{done.request_id}/"' in page


def test_the_promise_bears_the_name_that_the_nearest_area_gives_it(hall: County, client: Client, now: datetime) -> None:
    follow = report_as_resident(hall, client)["Location"]
    assert "<strong>" not in text(client, follow).partition("承诺办结")[0].rpartition("<p>")[2]
    city, county, *_ = (int(each) for each in hall.path.strip("/").split("/"))
    for area, name in ((city, "闻令而动"), (county, "接诉即办")):
        set_setting(area, "requests.promise_name", name, now=now)
    assert "<strong>接诉即办</strong> 承诺办结" in text(client, follow)
    set_setting(county, "requests.promise_name", None, now=now)
    assert "<strong>闻令而动</strong> 承诺办结" in text(client, follow)
