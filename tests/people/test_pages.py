"""Pages of people in a test client: entry, scope, masking, roster, import. Each role walks every page."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook

from shouwang.people import actions, queries
from shouwang.people.models import AccessLog, Account, Duty
from shouwang.people.rules import SYSTEM
from tests.people.conftest import DAY, Officer, Town
from tests.people.test_actions import book

PASSWORD = "golden-sparrow-9"
PAGES = (
    "/people/", "/people/?q=%E9%87%91", "/people/?format=xlsx", "/people/?format=print", "/people/duties/",
    "/people/duties/?format=xlsx", "/people/roster/", "/people/import/", "/people/new/", "/people/access/",
    "/account/password/",
)


@pytest.fixture(autouse=True)
def _real_moment(monkeypatch: pytest.MonkeyPatch, settings: Any, now: datetime) -> None:
    """Stop the installation's clock at the moment of the tests."""
    from shouwang.kernel.clock import ManualClock  # noqa: PLC0415

    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    for module in ("middleware", "pages.accounts", "pages.entry", "pages.leaves", "pages.persons", "pages.duties", "pages.importing"):
        monkeypatch.setattr(f"shouwang.people.{module}.clock", lambda: ManualClock(now))


def signed_in(account: Account) -> Client:
    client = Client()
    client.force_login(account)
    return client


def text_of(response: Any) -> str:
    if "spreadsheet" in response.headers["Content-Type"]:
        sheet = load_workbook(BytesIO(response.content)).active
        assert sheet is not None
        return " ".join(str(cell) for row in sheet.iter_rows(values_only=True) for cell in row)
    return str(response.content.decode())


def test_nobody_is_sent_to_sign_in_and_back(town: Town, officer: Officer, now: datetime) -> None:
    _, _, account = officer("COUNTY_DUTY", town.county)
    actions.change_account(SYSTEM, account.pk, password=PASSWORD, now=now)
    client = Client()
    asked = client.get("/people/duties/")
    assert (asked.status_code, asked["Location"]) == (302, "/sign-in/?next=/people/duties/")
    wrong = client.post("/sign-in/", {"username": account.username, "password": "no", "next": "/people/duties/"})
    assert wrong.status_code == 422
    right = client.post("/sign-in/", {"username": account.username, "password": PASSWORD, "next": "/people/duties/"})
    assert (right.status_code, right["Location"]) == (302, "/people/duties/")
    assert client.get("/people/duties/").status_code == 200
    client.post("/sign-out/")
    assert client.get("/people/duties/").status_code == 302
    assert list(AccessLog.objects.unscoped().order_by("pk").values_list("action", flat=True)) == ["SIGN_IN_FAILED", "SIGN_IN", "SIGN_OUT"]


def test_sign_in_leads_nowhere_else(town: Town, officer: Officer, now: datetime) -> None:
    _, _, account = officer("COUNTY_DUTY", town.county)
    actions.change_account(SYSTEM, account.pk, password=PASSWORD, now=now)
    response = Client().post("/sign-in/", {"username": account.username, "password": PASSWORD, "next": "//evil.example"})
    assert response["Location"] == "/"


def test_an_entry_link_acts_on_a_press_and_serves_once(town: Town, officer: Officer, now: datetime, settings: Any) -> None:
    settings.SHOUWANG_DEMO = False
    _, _, account = officer("COUNTY_DUTY", town.county)
    token = actions.issue_entry_link(account, now=now)
    client = Client()
    assert client.get(f"/enter/{token}/").status_code == 200
    assert client.get("/people/").status_code == 302  # opening the link did nothing
    assert client.post(f"/enter/{token}/").status_code == 302
    assert client.get("/people/").status_code == 200
    assert Client().post(f"/enter/{token}/").status_code == 404
    assert queries.scope_of_token(token, "LINK", now) is None


def test_in_a_demo_an_entry_link_enters_at_once_and_again(town: Town, officer: Officer, now: datetime, settings: Any) -> None:
    settings.SHOUWANG_DEMO = True
    _, _, account = officer("COUNTY_DUTY", town.county)
    token = actions.issue_entry_link(account, now=now)
    for _ in range(2):
        client = Client()
        assert client.get(f"/enter/{token}/")["Location"] == "/"
        assert client.get("/people/").status_code == 200
    late = actions.issue_entry_link(account, now=now - timedelta(days=2))
    assert Client().get(f"/enter/{late}/").status_code == 404


def test_a_session_left_idle_ends(town: Town, officer: Officer, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, account = officer("COUNTY_DUTY", town.county)
    client = signed_in(account)
    real = 1_800_000_000.0
    for waited_s, status in ((0, 200), (7_000, 200), (7_199, 200), (7_201, 302)):
        real += waited_s
        monkeypatch.setattr("shouwang.people.middleware.time.time", lambda at=real: at)
        assert client.get("/people/").status_code == status


@pytest.mark.parametrize("code", ["GRID_WORKER", "TOWNSHIP_DUTY", "CIVIL_AFFAIRS", "ADMINISTRATOR"])
def test_no_page_shows_anybody_outside_the_scope(town: Town, officer: Officer, code: str, now: datetime) -> None:
    """The canary: a person, a duty, a shift and a household outside, and every page of every role inside."""
    _, _, account = officer(code, town.north)
    outsider, _, _ = officer("GRID_WORKER", town.other_village, name="金丝雀")
    actions.enrol_household(SYSTEM, name="金丝雀户", address="金丝雀路", area_id=town.other_village, residents=[outsider], now=now)
    actions.plan_shift(
        SYSTEM, area_id=town.other_village, code="GRID_WORKER", start_at=now, until_at=now + timedelta(hours=1), person_id=outsider, now=now,
    )
    duty = Duty.objects.unscoped().get(person_id=outsider).pk
    client = signed_in(account)
    for page in (*PAGES, f"/people/{outsider}/", "/people/roster/?area=%E6%9F%B3%E6%B2%B3%E9%95%87&duty=GRID_WORKER"):
        response = client.get(page)
        assert response.status_code in {200, 403, 404}, page
        assert "金丝雀" not in text_of(response), page
        assert "柳河镇 黄庙村" not in text_of(response), page
    assert client.get(f"/people/{outsider}/").status_code == 404
    assert client.post(f"/people/{outsider}/reveal/", {"reason": "核对"}).status_code in {403, 404}
    assert client.post(f"/people/duties/{duty}/end/").status_code in {403, 404}


def test_a_person_is_masked_until_a_reason_is_given(town: Town, officer: Officer, now: datetime) -> None:
    _, _, account = officer("GRID_WORKER", town.village)
    resident = actions.add_person(SYSTEM, name="张桂兰", area_id=town.village, phone="10000000077", now=now)
    actions.enrol_household(SYSTEM, name="张桂兰户", address="一组3号", area_id=town.village, residents=[resident], now=now)
    actions.record_fact(SYSTEM, resident, kind="HEALTH", value="高血压", source="村医", from_date=DAY, now=now)
    client = signed_in(account)
    for page in ("/people/", "/people/?format=xlsx", f"/people/{resident}/"):
        shown = text_of(client.get(page))
        assert "张**" in shown
        assert "张桂兰" not in shown
        assert "10000000077" not in shown
        assert "高血压" not in shown
        assert "村医" not in shown
    assert client.post(f"/people/{resident}/reveal/", {"reason": ""}).status_code == 422
    shown = text_of(client.post(f"/people/{resident}/reveal/", {"reason": "入户核查"}))
    assert "张桂兰" in shown
    assert "10000000077" in shown
    assert "高血压" in shown
    assert list(AccessLog.objects.unscoped().values_list("action", flat=True)) == ["EXPORT", "REVEAL"]


def test_pages_speak_english_when_asked(town: Town, officer: Officer) -> None:
    _, _, account = officer("ADMINISTRATOR", town.county)
    client = signed_in(account)
    client.cookies["language"] = "en"
    for page in PAGES:
        if "format" not in page:
            visible = re.sub(r"李兰英|莘县|中文|官|\S*\.xlsx", "", text_of(client.get(page)))
            assert 'lang="en"' in visible, page


def test_a_duty_is_assigned_and_ended_on_the_page(town: Town, officer: Officer, now: datetime) -> None:
    _, _, account = officer("ADMINISTRATOR", town.county)
    person = actions.add_person(SYSTEM, name="赵明", area_id=town.village, now=now)
    client = signed_in(account)
    wanted = {"code": "GRID_WORKER", "rank": "PRIMARY", "area": "黄庙村", "from_date": "2026-01-01"}
    assert client.post(f"/people/{person}/duties/", wanted).status_code == 422  # two villages of that name
    assert client.post(f"/people/{person}/duties/", {**wanted, "area": "张寨镇 黄庙村"}).status_code == 302
    duty = Duty.objects.unscoped().get(person_id=person)
    assert duty.area_id == town.village
    assert client.post(f"/people/duties/{duty.pk}/end/", {"person": person}).status_code == 302
    duty.refresh_from_db()
    assert str(duty.until_date) == "2026-01-15"


def test_a_shift_is_planned_and_cancelled_on_the_page(town: Town, officer: Officer, now: datetime) -> None:
    person, _, account = officer("TOWNSHIP_DUTY", town.north)
    client = signed_in(account)
    asked = {"week": "2026-01-12", "area": "张寨镇", "duty": "TOWNSHIP_DUTY"}
    assert "李兰英 · 主岗" in text_of(client.get("/people/roster/", asked))
    wanted = {**asked, "person": person, "deputy": "", "start_at": "2026-01-16T20:00", "until_at": "2026-01-17T08:00"}
    assert client.post("/people/roster/", wanted).status_code == 302
    assert client.post("/people/roster/", wanted).status_code == 422  # it overlaps the first
    page = text_of(client.get("/people/roster/", asked))
    assert "20:00–24:00" in page
    assert "00:00–08:00" in page
    found = re.search(r"/people/shifts/(\d+)/cancel/", page)
    assert found is not None
    assert client.post(found.group(), {"week": "2026-01-12"}).status_code == 302
    assert "20:00–24:00" not in text_of(client.get("/people/roster/", asked))


def test_a_person_is_added_on_the_page(town: Town, officer: Officer) -> None:
    _, scope, account = officer("CIVIL_AFFAIRS", town.county)
    client = signed_in(account)
    wanted = {"name": "赵明", "area": "张寨镇", "phone": "1000000 0041", "tongue": "zh"}
    assert client.post("/people/new/", {**wanted, "phone": "x"}).status_code == 422
    assert client.post("/people/new/", {**wanted, "area": "无此镇"}).status_code == 422
    assert client.post("/people/new/", wanted).status_code == 302
    assert queries.list_persons(scope, text="10000000041")[1] == 1


def test_a_list_is_uploaded_previewed_and_imported(town: Town, officer: Officer) -> None:
    _, scope, account = officer("ADMINISTRATOR", town.county)
    client = signed_in(account)
    assert client.post("/people/import/", {}).status_code == 422
    assert client.post("/people/import/", {"file": SimpleUploadedFile("x.xlsx", b"nonsense")}).status_code == 422
    data = book(("赵明", "10000000041", "张寨镇", "网格员", None), ("", "1", "张寨镇", "", None))
    preview = client.post("/people/import/", {"file": SimpleUploadedFile("名单.xlsx", data)})["Location"]
    shown = text_of(client.get(preview))
    assert "可以导入 1 行，有问题 1 行" in shown
    assert "缺少姓名" in text_of(client.get(f"{preview}bad.xlsx"))
    assert client.post(f"{preview}confirm/", {"do": "add"}).status_code == 302
    assert client.get(preview).status_code == 404
    assert queries.list_persons(scope, text="赵明")[1] == 1


def test_the_own_password_is_changed_by_who_knows_it(town: Town, officer: Officer, now: datetime) -> None:
    _, _, account = officer("GRID_WORKER", town.village)
    actions.change_account(SYSTEM, account.pk, password=PASSWORD, now=now)
    account.refresh_from_db()
    client = signed_in(account)
    other = signed_in(account)
    assert client.post("/account/password/", {"old": "no", "new": "silver-heron-77"}).status_code == 422
    assert client.post("/account/password/", {"old": PASSWORD, "new": "short"}).status_code == 422
    assert client.post("/account/password/", {"old": PASSWORD, "new": "silver-heron-77"}).status_code == 302
    assert client.get("/people/").status_code == 200
    assert other.get("/people/").status_code == 302
