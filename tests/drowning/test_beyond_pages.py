"""The pages of hazards, patrols, the five parties and joint meetings in a test client; and who may not."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook

from shouwang.cases.links import task_link
from shouwang.cases.models import Task
from shouwang.journal.clock import clock
from shouwang.kernel.moments import local
from shouwang.people.models import AccessLog
from shouwang.systems.drowning.actions import patrols
from shouwang.systems.drowning.models import Hazard, JointItem, PartyItem, Patrol
from tests.drowning.conftest import Pond
from tests.drowning.test_beyond import hear, jpeg
from tests.drowning.test_pages import signed, text


@pytest.fixture
def today() -> date:
    return local(clock().now()).date()


@pytest.fixture
def cadre(pond: Pond) -> Client:
    return signed(pond.cadre, "cadre")


@pytest.fixture
def officer(pond: Pond) -> Client:
    return signed(pond.township, "officer")


def shown(client: Client, address: str) -> str:
    """Return the type of a picture that can be read."""
    answer = client.get(address)
    assert b"".join(answer.streaming_content).startswith(b"\xff\xd8")  # type: ignore[attr-defined]
    return str(answer["Content-Type"])


def form(today: date, **more: object) -> dict[str, object]:
    return {
        "kind": "FENCE", "what": "东岸护栏断了", "unit": "东村村委会", "until": (today + timedelta(days=7)).isoformat(), "idempotency_key": "k1", **more,
    }


def test_a_hazard_is_found_on_the_phone_and_mended_with_a_photo(cadre: Client, officer: Client, pond: Pond, today: date) -> None:
    assert "东村村委会" in text(cadre, f"/waters/{pond.water}/hazard/"), "whoever answers for the water is offered"
    photo = SimpleUploadedFile("a.jpg", jpeg(), "image/jpeg")
    assert cadre.post(f"/waters/{pond.water}/hazard/", form(today, photo=photo)).status_code == 302
    row = Hazard.objects.get()
    page = text(cadre, f"/waters/{pond.water}/")
    assert "护栏破损" in page and "整改中" in page
    assert shown(cadre, f"/waters/hazards/{row.pk}/photo/0/") == "image/jpeg"
    assert AccessLog.objects.unscoped().filter(action="PHOTO", object_kind="hazard", object_id=row.pk).count() == 1
    assert cadre.get(f"/waters/hazards/{row.pk}/photo/1/").status_code == 404
    address = task_link(Task.objects.get().pk, pond.township)
    phone = text(Client(), address)
    assert "东坑塘" in phone and "东岸护栏断了" in phone
    assert 'name="e_photo"' not in phone, "a photo is a file, no text"
    mended = SimpleUploadedFile("b.jpg", jpeg(), "image/jpeg")
    Client().post(address, {"do": "complete", "result": "MENDED", "e_done": "换了新护栏", "photo": mended, "idempotency_key": "c1"})
    hear()
    page = text(officer, f"/waters/hazards/{row.pk}/")
    assert "已整改，待核查" in page and "换了新护栏" in page
    assert shown(officer, f"/waters/hazards/{row.pk}/photo/1/") == "image/jpeg"


@pytest.mark.parametrize("change", [{"kind": "SEA"}, {"what": ""}, {"until": "2020-01-01"}, {"until": "x"}, {"idempotency_key": ""}])
def test_a_wrong_hazard_is_told_and_not_kept(cadre: Client, pond: Pond, today: date, change: dict[str, str]) -> None:
    answer = cadre.post(f"/waters/{pond.water}/hazard/", form(today, **change))
    assert (422, 0) == (answer.status_code, Hazard.objects.count())


def test_hazards_are_filtered_searched_and_exported(officer: Client, pond: Pond, today: date) -> None:
    for key, kind in (("a", "FENCE"), ("b", "SIGN")):
        officer.post(f"/waters/{pond.water}/hazard/", form(today, kind=kind, what=f"隐患{key}", idempotency_key=key))
    Hazard.objects.filter(key="a").update(until=today - timedelta(days=1))
    assert "隐患a" in text(officer, "/waters/hazards/?state=OVERDUE")
    assert "隐患b" not in text(officer, "/waters/hazards/?state=OVERDUE")
    assert "隐患b" in text(officer, "/waters/hazards/?state=OPEN&kind=SIGN&sort=-water")
    assert "隐患a" not in text(officer, "/waters/hazards/?q=隐患b")
    sheet = load_workbook(io.BytesIO(officer.get("/waters/hazards/?format=xlsx").content)).active
    assert sheet is not None
    assert sheet.max_row == 3


def test_a_proposal_is_taken_or_dropped_by_the_township_alone(cadre: Client, officer: Client, pond: Pond, now: datetime, today: date) -> None:
    rows = [
        Hazard.objects.create(water_id=pond.water, path=pond.path, kind="OTHER", what="", found_at=now, until=today, state="PROPOSED", from_case_id=n)
        for n in (1, 2)
    ]
    assert "确认并派单" in text(officer, f"/waters/hazards/{rows[0].pk}/")
    assert "确认并派单" not in text(cadre, f"/waters/hazards/{rows[0].pk}/")
    assert cadre.post(f"/waters/hazards/{rows[0].pk}/take/", form(today)).status_code == 403
    assert officer.post(f"/waters/hazards/{rows[0].pk}/take/", form(today, what="", do="take")).status_code == 422
    officer.post(f"/waters/hazards/{rows[0].pk}/take/", form(today, do="take"))
    officer.post(f"/waters/hazards/{rows[1].pk}/take/", {"do": "drop", "why": "游泳时抽筋"})
    officer.post(f"/waters/hazards/{rows[1].pk}/take/", {"do": "drop", "why": "再来"})
    assert list(Hazard.objects.order_by("pk").values_list("state", flat=True)) == ["OPEN", "DROPPED"]


def test_a_patrol_is_told_done_in_one_tap_of_its_list(cadre: Client, pond: Pond, today: date) -> None:
    patrols.plan_patrols(clock().now())
    due = Patrol.objects.order_by("due_from")[0]
    page = text(cadre, "/waters/patrols/")
    assert page.count(f'action="/waters/patrols/{due.pk}/done/" data-offline=') == 1
    assert f"/waters/{pond.water}/hazard/?patrol={due.pk}" in page
    cadre.post(f"/waters/patrols/{due.pk}/done/")
    due.refresh_from_db()
    assert due.done_at is not None
    assert "已巡查" in text(cadre, "/waters/patrols/calendar/")
    assert "已巡查" in text(cadre, "/waters/patrols/?state=DONE")
    ahead = Patrol.objects.filter(done_at=None).order_by("-due_from").first()
    if ahead is not None and ahead.due_from > clock().now():
        cadre.post(f"/waters/patrols/{ahead.pk}/done/")
        assert "才可登记" in text(cadre, "/waters/patrols/")


def test_a_hazard_from_a_patrol_ends_the_patrol(cadre: Client, pond: Pond, today: date) -> None:
    patrols.plan_patrols(clock().now())
    due = Patrol.objects.order_by("due_from")[0]
    assert f'name="patrol" value="{due.pk}"' in text(cadre, f"/waters/{pond.water}/hazard/?patrol={due.pk}")
    cadre.post(f"/waters/{pond.water}/hazard/", form(today, patrol=str(due.pk)))
    due.refresh_from_db()
    assert due.hazard_id == Hazard.objects.get().pk


def test_the_five_parties_list_is_made_shown_and_ticked(officer: Client, cadre: Client, pond: Pond, today: date) -> None:
    for year in ("", "?year=0", "?year=123456", "?year=x&area=y"):
        assert "还没有清单" in text(officer, f"/waters/parties/{year}")
    officer.post("/waters/parties/make/", {"area": "无此村", "year": str(today.year)})
    assert not PartyItem.objects.exists()
    officer.post("/waters/parties/make/", {"area": "示例镇 东村", "year": str(today.year)})
    officer.post("/waters/parties/make/", {"area": "示例镇 东村", "year": "1999"})
    page = text(officer, "/waters/parties/")
    for party in ("政府", "部门", "学校", "家庭", "社会"):
        assert party in page
    item = PartyItem.objects.order_by("pk")[0]
    cadre.post(f"/waters/parties/{item.pk}/done/", {"day": today.isoformat(), "note": "已开会", "year": str(today.year)})
    assert "已开会" in text(officer, f"/waters/parties/?year={today.year}&area={pond.area}")
    for wrong in ("x", (today + timedelta(days=9)).isoformat()):
        assert cadre.post(f"/waters/parties/{item.pk}/done/", {"day": wrong}).status_code == 302
    item.refresh_from_db()
    assert item.done_on == today
    assert cadre.post("/waters/parties/make/", {"area": "东村"}).status_code == 403


def test_what_a_meeting_agreed_is_kept_listed_and_exported(officer: Client, cadre: Client, pond: Pond, today: date) -> None:
    given = {"title": "补齐救生圈", "area": "示例镇", "unit": "镇政府", "until": (today + timedelta(days=30)).isoformat(), "idempotency_key": "j1"}
    assert officer.post("/waters/joint/new/", {**given, "area": "无此镇"}).status_code == 422
    assert officer.post("/waters/joint/new/", {**given, "until": "2020-01-01"}).status_code == 422
    assert officer.post("/waters/joint/new/", given).status_code == 302
    assert "补齐救生圈" in text(officer, "/waters/joint/?q=救生圈&state=OPEN")
    JointItem.objects.update(until=today - timedelta(days=1))
    assert "补齐救生圈" in text(officer, "/waters/joint/?state=OVERDUE")
    assert officer.get("/waters/joint/?format=xlsx").status_code == 200
    assert "补齐救生圈" in text(Client(), task_link(Task.objects.get().pk, pond.township))
    assert cadre.get("/waters/joint/new/").status_code == 403


def test_the_waters_page_leads_to_everything_beyond_the_camera(officer: Client) -> None:
    page = text(officer, "/waters/")
    for address in ("/waters/hazards/", "/waters/patrols/", "/waters/parties/", "/waters/joint/", "/activities/?kind=WATER_LESSON"):
        assert f'href="{address}"' in page
        assert officer.get(address).status_code == 200
