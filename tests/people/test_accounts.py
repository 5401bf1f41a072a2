"""Accounts on the page of a person: opened and reset by a link that serves once, never beyond the administrator's own area."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from typing import Any

import pytest
from django.test import Client

from shouwang.people import actions, queries
from shouwang.people.models import Account
from shouwang.people.rules import SYSTEM
from tests.people.conftest import DAY, Officer, Town
from tests.people.test_pages import PASSWORD, _real_moment, signed_in

__all__ = ["_real_moment"]
NEW = "麦子黄了我们就开镰"


def link_in(answer: Any) -> str:
    """Return the path of the entry link a page shows."""
    found = re.findall(r'value="https?://[^/"]+(/enter/[^"]+)"', answer.content.decode())
    assert len(found) == 1
    return unescape(found[0])


@pytest.fixture
def administrator(town: Town, officer: Officer) -> Client:
    _, _, account = officer("ADMINISTRATOR", town.county, name="管一凡")
    return signed_in(account)


@pytest.fixture
def worker(town: Town, now: datetime) -> int:
    person = actions.add_person(SYSTEM, name="李二", area_id=town.village, now=now)
    actions.assign_duty(SYSTEM, person_id=person, code="GRID_WORKER", area_id=town.village, from_date=DAY, now=now)
    return person


def test_an_account_is_opened_and_its_person_sets_the_password(administrator: Client, worker: int) -> None:
    assert "开通账号" in administrator.get(f"/people/{worker}/").content.decode()
    shown = administrator.post(f"/people/{worker}/account/", {"username": "lier"})
    link = link_in(shown)
    assert "no-store" in shown["Cache-Control"]
    assert "/enter/" not in administrator.get(f"/people/{worker}/").content.decode()
    person = Client()
    assert person.get(link).status_code == 200
    entered = person.post(link.split("?")[0], {"next": "/account/password/"})
    assert entered["Location"] == "/account/password/"
    assert "现在的密码" not in person.get("/account/password/").content.decode()
    assert person.post("/account/password/", {"new": NEW}).status_code == 302
    assert "现在的密码" in person.get("/account/password/").content.decode()
    assert Client().post("/sign-in/", {"username": "lier", "password": NEW}).status_code == 302
    assert Client().get(link).status_code == 404
    assert "已启用" in administrator.get(f"/people/{worker}/").content.decode()


def test_a_reset_ends_the_password_the_sessions_and_the_earlier_link(administrator: Client, worker: int, now: datetime) -> None:
    account = actions.add_account(SYSTEM, username="lier", person_id=worker, password=PASSWORD, now=now)
    inside = signed_in(account)
    first = link_in(administrator.post(f"/people/accounts/{account.pk}/reset/"))
    second = link_in(administrator.post(f"/people/accounts/{account.pk}/reset/"))
    assert inside.get("/account/password/").status_code == 302
    assert Client().post("/sign-in/", {"username": "lier", "password": PASSWORD}).status_code == 422
    assert Client().get(first).status_code == 404
    assert Client().get(second).status_code == 200


def test_an_account_is_switched_off_and_on(administrator: Client, worker: int, now: datetime) -> None:
    account = actions.add_account(SYSTEM, username="lier", person_id=worker, password=PASSWORD, now=now)
    assert administrator.post(f"/people/accounts/{account.pk}/off/").status_code == 302
    assert Client().post("/sign-in/", {"username": "lier", "password": PASSWORD}).status_code == 422
    assert "已停用" in administrator.get(f"/people/{worker}/").content.decode()
    assert administrator.post(f"/people/accounts/{account.pk}/reset/").status_code == 409
    administrator.post(f"/people/accounts/{account.pk}/on/")
    assert Client().post("/sign-in/", {"username": "lier", "password": PASSWORD}).status_code == 302
    assert administrator.post(f"/people/accounts/{account.pk}/burn/").status_code == 404


def test_nobody_reaches_an_account_beyond_the_own_area(town: Town, officer: Officer, worker: int, now: datetime) -> None:
    _, _, account = officer("ADMINISTRATOR", town.south, name="南管")
    south = signed_in(account)
    _, _, of_city = officer("CITY_DUTY", town.city)
    other = actions.add_account(SYSTEM, username="lier", person_id=worker, password=PASSWORD, now=now)
    for pk in (other.pk, of_city.pk):
        assert south.post(f"/people/accounts/{pk}/reset/").status_code == 404
        assert south.post(f"/people/accounts/{pk}/off/").status_code == 404
    assert south.post(f"/people/{worker}/account/", {"username": "x"}).status_code == 404
    assert Account.objects.unscoped().get(pk=other.pk).check_password(PASSWORD)


def test_a_neighbour_with_rights_elsewhere_is_not_reset(town: Town, officer: Officer, now: datetime) -> None:
    """A person who lives in the administrator's township but is on duty for the whole city."""
    _, _, account = officer("ADMINISTRATOR", town.north, name="北管")
    person, _, _ = officer("GRID_WORKER", town.village)
    actions.assign_duty(SYSTEM, person_id=person, code="CITY_DUTY", area_id=town.city, from_date=DAY, now=now)
    found = Account.objects.unscoped().get(person_id=person)
    assert signed_in(account).post(f"/people/accounts/{found.pk}/reset/").status_code == 403


def test_the_own_account_and_other_roles_have_no_such_buttons(administrator: Client, town: Town, officer: Officer, worker: int) -> None:
    own = Account.objects.unscoped().get(username="officer1")
    assert "作废密码" not in administrator.get(f"/people/{own.person_id}/").content.decode()
    assert administrator.post(f"/people/accounts/{own.pk}/off/").status_code == 404
    _, _, duty = officer("COUNTY_DUTY", town.county)
    page = signed_in(duty).get(f"/people/{worker}/").content.decode()
    assert "开通账号" not in page
    assert signed_in(duty).post(f"/people/{worker}/account/", {"username": "x"}).status_code == 403


def test_a_taken_user_name_is_said_beside_the_field(administrator: Client, worker: int) -> None:
    answer = administrator.post(f"/people/{worker}/account/", {"username": "officer1"})
    assert (answer.status_code, "已被使用" in answer.content.decode()) == (422, True)
    assert queries.accounts_of(SYSTEM, worker) == []
