"""The phone page about a home: whom to call, an absence in one tap, photos that nobody has to take."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from shouwang.cases import actions
from shouwang.cases.links import task_link
from shouwang.cases.models import Case, Evidence, Offer, Task
from shouwang.files.models import File
from shouwang.people.models import AccessLog
from shouwang.people.queries import members_of
from shouwang.places.actions import set_setting
from shouwang.systems.living_alone.models import Enrolment
from tests.journeys.conftest import County
from tests.web.test_pages import as_person, one_case, task_of

pytestmark = pytest.mark.django_db
TONIGHT = {"do": "absence", "absence": "tonight"}
WELL = {"do": "complete", "result": "WELL", "e_how": "MET", "idempotency_key": "k1"}


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    from shouwang.kernel.clock import ManualClock  # noqa: PLC0415

    settings.SHOUWANG_DATA_DIR = tmp_path
    monkeypatch.setattr("shouwang.web.pages.photos.clock", lambda: ManualClock(now))


@pytest.fixture
def task(county: County, now: datetime) -> Task:
    set_setting(county.village, "living_alone.hospital", "示例镇卫生院 10000000121", now=now)
    return task_of(one_case(county, now))


def photo(name: str = "a.jpg", *, size: tuple[int, int] = (40, 30)) -> SimpleUploadedFile:
    kept = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "CanaryPhone"
    Image.new("RGB", size, "red").save(kept, "JPEG", exif=exif)
    return SimpleUploadedFile(name, kept.getvalue(), "image/jpeg")


def test_the_hospital_stands_beside_120_once_the_task_is_accepted(county: County, task: Task, now: datetime, client: Client) -> None:
    link = task_link(task.pk, county.worker)
    assert "10000000121" not in client.get(link).content.decode()
    actions.accept(task.pk, person_id=county.worker, now=now)
    page = client.get(link).content.decode()
    assert page.index("tel:120") < page.index("tel:10000000121") < page.index("tel:10000000007")
    assert "医院 示例镇卫生院" in page
    assert "tel:10000000121" not in client.get(task_link(task.pk, county.deputy)).content.decode()


def test_an_absence_is_noted_and_undone_by_whoever_has_the_task(county: County, task: Task, now: datetime, client: Client) -> None:
    link = task_link(task.pk, county.worker)
    assert "今晚不在家" not in client.get(link).content.decode()
    assert client.post(link, TONIGHT).status_code == 409  # not accepted yet
    actions.accept(task.pk, person_id=county.worker, now=now)
    assert "今晚不在家" in client.get(link).content.decode()
    assert client.post(link, TONIGHT).status_code == 302
    assert Enrolment.objects.get().away_until == datetime.fromisoformat("2026-01-16T09:00+08:00")
    assert "撤销：人已在家" in client.get(link).content.decode()
    client.post(link, {"do": "absence", "absence": "back"})
    assert Enrolment.objects.get().away_until is None
    client.post(link, {"do": "absence", "absence": "until", "until": "2026-01-20"})
    assert Enrolment.objects.get().away_until == datetime.fromisoformat("2026-01-21T00:00+08:00")
    wrong = client.post(link, {"do": "absence", "absence": "until", "until": ""})
    assert (wrong.status_code, "请改正日期" in wrong.content.decode()) == (409, True)


def asked_as_relative(county: County, task: Task, now: datetime) -> str:
    """Offer the task to the relative as the ladder does, then to the grid worker, and return the relative's link."""
    relative = next(each.person_id for each in members_of([county.household])[county.household] if each.role == "RELATIVE")
    Offer.objects.create(task_id=task.pk, person_id=relative, rung=1, at=now)
    return task_link(task.pk, relative)


def test_a_relative_says_in_one_tap_that_the_home_is_away(county: County, task: Task, now: datetime, client: Client) -> None:
    link = asked_as_relative(county, task, now)
    page = client.get(link).content.decode()
    assert ("今晚不在家" in page, "我去处置" in page, "10000000007" in page, "网格甲" in page) == (True, False, False, False)
    assert client.post(link, TONIGHT).status_code == 302
    assert Enrolment.objects.get().away_until == datetime.fromisoformat("2026-01-16T09:00+08:00")
    assert Case.objects.get().result == "AWAY"
    assert "已经结束" in client.get(link).content.decode()


@pytest.mark.parametrize("post", [{"do": "accept"}, {"do": "complete", "result": "WELL", "e_how": "MET"}, {"do": "answer", "code": "SAID_WELL"}])
def test_a_relative_can_do_nothing_but_answer(county: County, task: Task, now: datetime, client: Client, post: dict[str, str]) -> None:
    link = asked_as_relative(county, task, now)
    assert client.post(link, post).status_code in {404, 409}
    task.refresh_from_db()
    assert (task.state, task.assignee_id) == ("OFFERED", county.worker)


def test_whom_to_ask_before_a_door_is_forced_stands_on_the_task(county: County, task: Task, now: datetime, client: Client) -> None:
    set_setting(county.village, "living_alone.forced_entry", "村委会到场后开锁 10000000122", now=now)
    link = task_link(task.pk, county.worker)
    assert "10000000122" not in client.get(link).content.decode()
    actions.accept(task.pk, person_id=county.worker, now=now)
    assert "村委会到场后开锁" in client.get(link).content.decode()


def test_another_to_whom_the_task_was_offered_cannot_speak_for_the_home(county: County, task: Task, now: datetime, client: Client) -> None:
    actions.accept(task.pk, person_id=county.worker, now=now)
    assert client.post(task_link(task.pk, county.deputy), TONIGHT).status_code == 409
    assert Enrolment.objects.get().away_until is None


def test_photos_come_with_a_result_and_are_shown_as_clean_copies(county: County, task: Task, now: datetime, client: Client) -> None:
    link = task_link(task.pk, county.worker)
    assert client.post(link, {**WELL, "photo": [photo(), photo("b.jpg", size=(60, 30))]}).status_code == 302
    shown = list(Evidence.objects.filter(code="photo").values_list("file_id", flat=True))
    copies = File.objects.filter(pk__in=shown)
    assert {(row.sensitivity, row.media_type) for row in copies} == {("PERSONAL", "image/jpeg")}
    originals = File.objects.filter(pk__in=copies.values("derived_from_id"))
    assert {row.sensitivity for row in originals} == {"SEALED"}
    until = {row.retain_until_us for row in (*copies, *originals)}
    assert min(each or 0 for each in until) > (now + timedelta(days=1_000)).timestamp() * 1_000_000
    officer = as_person("county")
    listed = officer.get(f"/cases/{task.case_id}/photos/").content.decode()
    assert listed.count("现场照片") == 2
    answer = officer.get(f"/cases/{task.case_id}/photos/{shown[0]}/")
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert (answer["Content-Type"], b"CanaryPhone" in content, "no-store" in answer["Cache-Control"]) == ("image/jpeg", False, True)
    assert AccessLog.objects.unscoped().filter(action="PHOTO", object_id=task.case_id).count() == 1


def test_a_photo_is_seen_in_scope_only_and_the_original_never(county: County, task: Task, client: Client) -> None:
    client.post(task_link(task.pk, county.worker), {**WELL, "photo": photo()})
    copy = File.objects.exclude(derived_from_id=None).get()
    officer = as_person("county")
    assert officer.get(f"/cases/{task.case_id}/photos/{copy.derived_from_id}/").status_code == 404
    assert officer.get(f"/cases/{task.case_id + 1}/photos/{copy.pk}/").status_code == 404
    assert Client().get(f"/cases/{task.case_id}/photos/{copy.pk}/").status_code == 302


def test_a_result_needs_no_photo_and_an_empty_one_counts_as_none(county: County, task: Task, client: Client) -> None:
    parts = [f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in WELL.items()]
    parts.append('--B\r\nContent-Disposition: form-data; name="photo"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n\r\n')
    body = ("".join(parts) + "--B--\r\n").encode()  # as a browser sends an empty field
    answer = client.generic("POST", task_link(task.pk, county.worker), body, "multipart/form-data; boundary=B")
    assert answer.status_code == 302
    assert Evidence.objects.filter(code="photo").count() == 0


WRONG = [
    ([SimpleUploadedFile("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml")], "照片无法读取"),
    ([SimpleUploadedFile("a.jpg", b"no picture", "image/jpeg")], "照片无法读取"),
    ([photo(f"{n}.jpg") for n in range(4)], "最多 3 张"),
]


@pytest.mark.parametrize(("files", "says"), WRONG)
def test_a_photo_that_will_not_do_says_so_and_closes_nothing(county: County, task: Task, client: Client, files: list[Any], says: str) -> None:
    for each in files:
        each.seek(0)
    answer = client.post(task_link(task.pk, county.worker), {**WELL, "photo": files})
    assert (answer.status_code, says in answer.content.decode()) == (409, True)
    assert Task.objects.get(pk=task.pk).state == "OFFERED"
    assert File.objects.count() == 0


def test_the_same_form_sent_again_stores_nothing_more(county: County, task: Task, client: Client) -> None:
    link = task_link(task.pk, county.worker)
    for _ in range(2):
        assert client.post(link, {**WELL, "photo": photo()}).status_code == 302
    assert (File.objects.count(), Evidence.objects.filter(code="photo").count()) == (2, 1)
