"""The pages in a test client: waters, a water, a camera with its zones, pictures, figures, the phone; and who may not."""

from __future__ import annotations

import io
import json
from datetime import date, datetime

import pytest
from django.test import Client
from openpyxl import load_workbook
from PIL import Image

from shouwang.cases.models import Task
from shouwang.journal.clock import clock
from shouwang.people.actions import NewDuty, add_account, assign_duties
from shouwang.people.models import AccessLog
from shouwang.people.rules import SYSTEM
from shouwang.places import queries as places
from shouwang.systems.drowning import queries
from shouwang.systems.drowning.models import Known, Water, Zone
from shouwang.telemetry.rules import Snapshot
from tests.drowning.conftest import Pond

FORM = {"name": "西河道", "kind": "RIVER", "area": "示例镇 东村", "owner": "东村村委会", "lon": "115.99", "lat": "36.46", "note": ""}


def jpeg(colour: str = "#336699") -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (640, 360), colour).save(kept, "JPEG")
    return kept.getvalue()


def signed(person: int, name: str) -> Client:
    client = Client()
    client.force_login(add_account(SYSTEM, username=name, person_id=person, now=clock().now()))
    return client


@pytest.fixture
def admin(drawn: Pond, now: datetime) -> Client:
    root = places.ancestors_of(drawn.path)[0]
    assign_duties(SYSTEM, [NewDuty(drawn.township, "ADMINISTRATOR", root.id, date(2026, 1, 1), "PRIMARY")], now=now)
    return signed(drawn.township, "admin")


@pytest.fixture
def cadre(drawn: Pond) -> Client:
    return signed(drawn.cadre, "cadre")


def text(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, (address, answer.status_code)
    return str(answer.content.decode())


def test_a_water_is_registered_by_form_and_listed(admin: Client) -> None:
    answer = admin.post("/waters/new/", FORM)
    assert answer.status_code == 302
    assert "西河道" in text(admin, answer["Location"])
    page = text(admin, "/waters/")
    assert "东坑塘" in page
    assert "没有在线的摄像机" in page
    assert "东坑塘" not in text(admin, "/waters/?q=西河道")
    sheet = load_workbook(io.BytesIO(admin.get("/waters/?format=xlsx").content)).active
    assert sheet is not None
    assert sheet.max_row == 3


@pytest.mark.parametrize("change", [{"name": ""}, {"area": "无此村"}, {"lat": ""}, {"kind": "SEA"}, {"lon": "200"}])
def test_a_wrong_water_is_refused(admin: Client, change: dict[str, str]) -> None:
    assert admin.post("/waters/new/", {**FORM, **change}).status_code == 422
    assert Water.objects.count() == 1


def test_zones_are_drawn_and_a_wrong_one_changes_nothing(admin: Client, drawn: Pond) -> None:
    camera = drawn.cameras[0]
    zone = {"code": "steps", "band": "SHORE", "polygon": [[0, 0.4], [1, 0.4], [1, 0.9]], "stay_s": 5}
    admin.post(f"/waters/camera/{camera}/zones/", {"zones": json.dumps([zone])})
    assert list(Zone.objects.filter(dropped_at__isnull=True).values_list("code", "stay_s")) == [("steps", 5)]
    for wrong in ("", "[1]", json.dumps([{**zone, "polygon": [[0, 0]]}]), json.dumps([{**zone, "more": 1}])):
        assert admin.post(f"/waters/camera/{camera}/zones/", {"zones": wrong}).status_code == 302
    assert Zone.objects.filter(dropped_at__isnull=True).count() == 1
    assert "steps" in text(admin, f"/waters/camera/{camera}/")


def test_the_cadre_sees_pictures_without_faces_and_says_false_alarm_in_one_tap(cadre: Client, drawn: Pond, now: datetime) -> None:
    drawn.tell(now, snapshots=tuple(Snapshot(jpeg(colour)) for colour in ("#111111", "#222222", "#333333")))
    task = Task.objects.get()
    from shouwang.cases.links import task_link  # noqa: PLC0415

    address = task_link(task.pk, drawn.cadre)
    page = text(Client(), address)
    assert "进入时" in page
    assert "误报" in page
    links = [part.split('"')[0] for part in page.split('src="') if part.startswith("/waters/picture/")]
    assert len(links) == 3
    answer = Client().get(links[1])
    assert answer["Content-Type"] == "image/jpeg"
    assert Image.open(io.BytesIO(b"".join(answer.streaming_content))).size == (640, 360)  # type: ignore[attr-defined]
    assert Client().get("/waters/picture/abc/").status_code == 404
    Client().post(address, {"do": "complete", "result": "FALSE_ALARM", "idempotency_key": "f1"})
    assert Task.objects.get().state == "DONE"


def test_known_persons_are_noted_and_ended_on_the_page(cadre: Client, drawn: Pond) -> None:
    cadre.post(f"/waters/{drawn.water}/known/", {"reason": "村民钓鱼", "persons": "2", "hours": "2"})
    (known,) = Known.objects.all()
    assert "村民钓鱼" in text(cadre, f"/waters/{drawn.water}/")
    cadre.post(f"/waters/known/{known.pk}/end/")
    assert Known.objects.get().ended_at is not None
    cadre.post(f"/waters/{drawn.water}/known/", {"reason": "", "persons": "x", "hours": "99"})
    assert Known.objects.count() == 1


def test_every_viewing_of_the_pictures_is_logged(drawn: Pond, now: datetime) -> None:
    officer = signed(drawn.township, "officer")
    drawn.tell(now, snapshots=(Snapshot(jpeg()),))
    page = text(officer, "/waters/live/")
    assert "1 号机" in page
    assert AccessLog.objects.unscoped().filter(action="WATCH", object_kind="camera").count() == 2
    assert "pictures" in text(officer, "/waters/live/pictures/")


def test_figures_and_the_case_page_show_what_happened(drawn: Pond) -> None:
    officer = signed(drawn.township, "officer")
    drawn.tell(clock().now())
    page = text(officer, "/waters/figures/")
    assert "东坑塘" in page
    case = Task.objects.get().case_id
    assert "东坑塘" in text(officer, f"/cases/{case}/")


def test_who_may_not_change_may_not(cadre: Client, drawn: Pond) -> None:
    assert cadre.post("/waters/new/", FORM).status_code == 403
    assert cadre.post(f"/waters/camera/{drawn.cameras[0]}/zones/", {"zones": "[]"}).status_code == 403
    assert cadre.get("/waters/live/").status_code == 403
    assert cadre.post(f"/waters/{drawn.water}/watch/", {"do": "off"}).status_code == 403


def test_a_water_outside_ones_area_is_not_there(drawn: Pond, now: datetime) -> None:
    from shouwang.people.actions import NewPerson, add_persons  # noqa: PLC0415
    from shouwang.places.actions import add_area  # noqa: PLC0415

    other = add_area(name="远镇", level="TOWNSHIP", parent_id=places.ancestors_of(drawn.path)[1].id, now=now)
    (person,) = add_persons(SYSTEM, [NewPerson("丁", other, "10000000009")], now=now)
    assign_duties(SYSTEM, [NewDuty(person, "TOWNSHIP_DUTY", other, date(2026, 1, 1), "PRIMARY")], now=now)
    stranger = signed(person, "stranger")
    assert "东坑塘" not in text(stranger, "/waters/")
    for address in (f"/waters/{drawn.water}/", f"/waters/camera/{drawn.cameras[0]}/"):
        assert stranger.get(address).status_code == 404
    assert stranger.post(f"/waters/{drawn.water}/known/", {"reason": "x", "persons": "1", "hours": "1"}).status_code == 404
    assert queries.water_in(SYSTEM, drawn.water).name == "东坑塘"
