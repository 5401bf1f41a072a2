"""The first run: who may make the first administrator, and that nobody else ever can."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from shouwang.cases.queries import is_published
from shouwang.people import actions, queries
from shouwang.people.models import AccessLog, Account, Person
from shouwang.people.rules import SYSTEM
from shouwang.people.rules.errors import FirstRunOver, FirstRunTokenDead, PasswordWeak, RootUnknown
from shouwang.places import actions as places
from shouwang.places.queries import roots
from shouwang.watch.actions import set_watch
from shouwang.watch.queries import watches
from shouwang.web.shipped import load_shipped
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
PASSWORD = "麦子黄了我们就开镰"
FIRST = actions.FirstAdministrator("管一凡", "guan", PASSWORD, actions.NewRoot("试验市", "PREFECTURE"))
FORM = {
    "area": "试验县", "level": "COUNTY", "code": "", "name": "管一凡", "phone": "100 0000 0001", "username": "guan",
    "password": PASSWORD, "again": PASSWORD,
}


def address() -> str:
    return f"/first-run/{actions.first_run_token(now=NOW)}/"


def counted() -> tuple[int, int, int]:
    return len(roots()), Person.objects.unscoped().count(), Account.objects.unscoped().count()


def test_the_first_administrator_has_the_root_the_duty_and_an_account_and_is_noted(now: datetime) -> None:
    account = actions.make_first_administrator(actions.first_run_token(now=now), FIRST, now=now)
    scope = queries.scope_of_account(account, now)
    assert [root.path for root in roots()] == list(scope.paths)
    assert {"places.edit", "people.edit", "duties.edit", "settings.edit"} <= scope.rights
    assert "people.reveal" not in scope.rights
    assert account.check_password(PASSWORD)
    assert list(AccessLog.objects.unscoped().values_list("action", flat=True)) == ["SIGN_IN"]


def test_it_is_made_once_only(now: datetime) -> None:
    token = actions.first_run_token(now=now)
    actions.make_first_administrator(token, FIRST, now=now)
    for username in ("guan", "another"):
        with pytest.raises(FirstRunOver):
            actions.make_first_administrator(token, replace(FIRST, username=username), now=now)
    assert counted() == (1, 1, 1)


def test_a_device_that_can_come_in_ends_the_first_run(now: datetime) -> None:
    actions.issue_credential("DEVICE", subject="WM1", paths=["/1/"], now=now)
    assert not queries.nobody_yet()
    with pytest.raises(FirstRunOver):
        actions.make_first_administrator(actions.first_run_token(now=now), FIRST, now=now)


@pytest.mark.parametrize("of", ["", "x", "1768443600000000", "1768443600000000.AAAA"])
def test_what_this_installation_has_not_signed_makes_nobody(now: datetime, of: str) -> None:
    with pytest.raises(FirstRunTokenDead):
        actions.make_first_administrator(of, FIRST, now=now)
    assert counted() == (0, 0, 0)


def test_a_token_serves_for_a_day_and_with_this_installations_key_only(now: datetime, settings: Any) -> None:
    token = actions.first_run_token(now=now)
    assert actions.is_first_run_token(token, now=now + timedelta(hours=23, minutes=59))
    assert not actions.is_first_run_token(token, now=now + timedelta(days=1))
    assert not actions.is_first_run_token(token, now=now - timedelta(seconds=1))
    settings.SECRET_KEY = "another installation's"
    assert not actions.is_first_run_token(token, now=now)


def test_a_weak_password_leaves_nothing_behind(now: datetime) -> None:
    with pytest.raises(PasswordWeak):
        actions.make_first_administrator(actions.first_run_token(now=now), replace(FIRST, password="12345678"), now=now)
    assert counted() == (0, 0, 0)


def test_where_there_is_a_tree_the_administrator_gets_its_root_and_no_other(now: datetime) -> None:
    root = places.add_area(parent_id=None, name="有树市", now=now)
    below = places.add_area(parent_id=root, name="有树县", now=now)
    token = actions.first_run_token(now=now)
    for wrong in (below, actions.NewRoot("另一市", "PREFECTURE")):
        with pytest.raises(RootUnknown):
            actions.make_first_administrator(token, replace(FIRST, root=wrong), now=now)
    account = actions.make_first_administrator(token, replace(FIRST, root=root), now=now)
    assert queries.scope_of_account(account, now).paths == (f"/{root}/",)


def test_an_empty_installation_leads_everybody_to_its_first_page() -> None:
    client = Client()
    assert client.get("/")["Location"] == "/first-run/"
    assert client.get("/sign-in/")["Location"] == "/first-run/"
    page = client.get("/first-run/")
    said = page.content.decode()
    assert "shouwang demo" in said
    assert "shouwang first-run" in said
    assert "password" not in said
    assert page["Cache-Control"].find("no-store") >= 0


def test_without_the_consoles_address_nobody_is_made() -> None:
    client = Client()
    for path, form in (("/first-run/", FORM), ("/first-run/x/", FORM), ("/first-run/", {**FORM, "token": "x"})):
        answer = client.post(path, form)
        assert "管理员" in answer.content.decode()
        assert counted() == (0, 0, 0)
    assert client.get("/first-run/x/").status_code == 404


def test_the_form_makes_the_administrator_signs_in_and_leads_to_setting_up() -> None:
    client = Client()
    said = client.get(address()).content.decode()
    assert 'autocomplete="new-password"' in said
    token = re.findall(r'name="token" value="([^"]+)"', said)
    answer = client.post("/first-run/", {**FORM, "token": token[0]})
    assert answer["Location"] == "/setup/"
    assert client.get("/setup/").status_code == 200
    person = Person.objects.unscoped().get()
    assert (person.name, person.phone, roots()[0].level) == ("管一凡", "10000000001", "COUNTY")
    other = Client()
    assert other.get(address())["Location"] == "/"
    assert other.post(address(), {**FORM, "username": "thief"})["Location"] == "/"
    assert counted() == (1, 1, 1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"again": "something else"}, "两次输入的密码不一样"),
        ({"password": "12345678", "again": "12345678"}, "太常见"),
        ({"area": ""}, "请填写"),
        ({"code": "37x"}, "区划代码"),
        ({"level": "GRID"}, "请核对"),
        ({"phone": "abc"}, "电话应为"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(wrong: dict[str, str], said: str) -> None:
    answer = Client().post(address(), {**FORM, **wrong})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert PASSWORD not in answer.content.decode()
    assert counted() == (0, 0, 0)


def test_where_somebody_can_come_in_the_sign_in_page_is_the_usual_one(now: datetime) -> None:
    area = places.add_area(parent_id=None, name="某市", now=now)
    person = actions.add_person(SYSTEM, name="甲", area_id=area, now=now)
    actions.add_account(SYSTEM, username="a", person_id=person, now=now)
    assert Client().get("/sign-in/").status_code == 200
    assert Client().get("/first-run/")["Location"] == "/"


def test_what_is_shipped_is_there_after_the_first_run() -> None:
    """Without a procedure and a watch an installation would take readings and never raise an alert."""
    client = Client()
    client.post(address(), FORM)
    assert all(is_published(code) for code in ("WELFARE_CHECK", "RESIDENT_REQUEST"))
    assert {watch.thing_kind for watch in watches()} == {"WATER_METER"}
    assert [watch.detector for watch in watches(enabled_only=True)] == ["high_use", "no_data", "silence"]
    assert [watch.detector for watch in watches() if not watch.enabled] == ["fixed_hours", "low_12h", "low_high_24h", "sakaki_8h"]
    assert "独居老人上门核实" in client.get("/setup/procedures/").content.decode()


def test_the_offices_own_watch_stays(now: datetime) -> None:
    set_watch("own", detector="low_12h", now=now, thing_kind="WATER_METER", observed="register_l")
    load_shipped(now=now)
    load_shipped(now=now)
    assert [watch.code for watch in watches()] == ["own"]
