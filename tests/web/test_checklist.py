"""The list of first steps: in order, with what is there, until all is done or not needed."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.test import Client

from shouwang.kernel.texts import Text
from shouwang.notify.models import ChannelSetting
from shouwang.notify.queries import forget
from shouwang.people import actions
from shouwang.people.queries import scope_of_account
from shouwang.people.rules import SYSTEM
from shouwang.people.rules.scope import Scope
from shouwang.places import actions as places
from shouwang.places.queries import roots
from shouwang.web.checklist import Step, checklist, choose, with_states
from tests.journeys.conftest import County
from tests.web.test_pages import as_holder

pytestmark = pytest.mark.django_db


def step(code: str, *, is_done: bool, may_skip: bool = False) -> Step:
    nothing = Text("", "")
    return Step(code, nothing, nothing, "/", nothing, nothing, is_done, may_skip)


@pytest.mark.parametrize(
    ("steps", "skipped", "expected"),
    [
        ([("A", False, False), ("B", False, False)], "", "NEXT TODO"),
        ([("A", True, False), ("B", False, False), ("C", False, True)], "C", "DONE NEXT SKIPPED"),
        ([("A", False, True), ("B", True, True), ("C", False, True)], "A", "SKIPPED DONE NEXT"),
        ([("A", False, False)], "A", "NEXT"),  # what an office cannot do without is never skipped
        ([("A", True, True)], "A", "DONE"),
    ],
)
def test_the_first_open_step_is_the_next(steps: list[tuple[str, bool, bool]], skipped: str, expected: str) -> None:
    made = [step(code, is_done=is_done, may_skip=may_skip) for code, is_done, may_skip in steps]
    assert expected.split() == [each.state for each in with_states(made, set(skipped))]


@pytest.fixture
def administrator(now: datetime) -> Scope:
    """Return the scope of the first administrator of an empty installation."""
    first = actions.FirstAdministrator("管一凡", "guan", "麦子黄了我们就开镰", actions.NewRoot("试验县", "COUNTY"))
    return scope_of_account(actions.make_first_administrator(actions.first_run_token(now=now), first, now=now), now)


def states(scope: Scope, now: datetime) -> str:
    return " ".join(f"{each.step.code[0]}{each.state[0]}" for each in checklist(scope, now=now))


def test_each_step_is_done_when_the_office_has_done_it(administrator: Scope, now: datetime) -> None:
    assert states(administrator, now) == "AN PT DT AT RT CT ST TT"
    village = places.add_area(parent_id=roots()[0].id, name="试验村", level="VILLAGE", now=now)
    assert states(administrator, now) == "AD PN DT AT RT CT ST TT"
    worker = actions.add_person(SYSTEM, name="网一格", area_id=village, now=now)
    assert states(administrator, now) == "AD PD DN AT RT CT ST TT"
    actions.assign_duty(SYSTEM, person_id=worker, code="GRID_WORKER", area_id=village, from_date=date(2026, 1, 1), now=now)
    actions.add_account(SYSTEM, username="w", person_id=worker, now=now)
    assert states(administrator, now) == "AD PD DD AD RN CT ST TT"
    actions.plan_shift(SYSTEM, area_id=village, code="GRID_WORKER", start_at=now, until_at=now + timedelta(hours=8), person_id=worker, now=now)
    ChannelSetting.objects.create(channel="sms", settings="{}", enabled=True)
    forget()
    assert states(administrator, now) == "AD PD DD AD RD CD SN TT"
    choose(administrator, "SYSTEMS", needed=False, now=now)
    assert states(administrator, now).endswith("SS TN")
    actions.issue_token(administrator, "INTEGRATION", subject="抄表平台", path=roots()[0].path, now=now)
    assert checklist(administrator, now=now) == []
    choose(administrator, "SYSTEMS", needed=True, now=now)
    assert states(administrator, now).endswith("SN TD")


def test_the_page_shows_the_list_and_takes_what_is_not_needed(now: datetime) -> None:
    client = Client()
    address = f"/first-run/{actions.first_run_token(now=now)}/"
    form = {"area": "试验县", "level": "COUNTY", "name": "管一凡", "username": "guan", "password": "麦子黄了我们就开镰", "again": "麦子黄了我们就开镰"}
    page = client.post(address, form, follow=True).content.decode()
    assert "首次设置" in page
    assert 'aria-current="step"' in page
    assert 'href="/places/import/"' in page
    assert client.post("/setup/steps/ROSTER/").status_code == 302
    assert "还是要用" in client.get("/setup/").content.decode()
    assert client.post("/setup/steps/AREAS/").status_code == 404
    client.post("/setup/steps/ROSTER/", {"needed": "1"})
    assert "还是要用" not in client.get("/setup/").content.decode()


def test_the_list_counts_the_own_area_only(county: County, now: datetime) -> None:
    assert county.village
    other = places.add_area(parent_id=None, name="另一县", level="COUNTY", now=now)
    person = actions.add_person(SYSTEM, name="管二凡", area_id=other, now=now)
    actions.assign_duty(SYSTEM, person_id=person, code="ADMINISTRATOR", area_id=other, from_date=date(2026, 1, 1), now=now)
    page = as_holder(person, now).get("/setup/").content.decode()
    assert all(said in page for said in ("0 个下级地区", "0 人（不含您）", "还没有", "0 个账号（不含您）", "0 个班次", "0 户"))
