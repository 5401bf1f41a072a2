"""The office sets its own ladder: for one area and below, the nearest one wins, and each page says where its text is from."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client

from shouwang.cases.queries import current_procedure, versions
from shouwang.kernel.moments import local
from shouwang.people.actions import NewDuty, assign_duties
from shouwang.people.rules import SYSTEM
from tests.journeys.conftest import County
from tests.web.test_pages import as_holder, as_person, one_case

pytestmark = pytest.mark.django_db
CODE = "WELFARE_CHECK"
ADDRESS = f"/setup/procedures/{CODE}/"


@pytest.fixture
def office(county: County, now: datetime) -> Client:
    """Return the browser of the county's administrator."""
    county_id = int(county.path.split("/")[2])
    assign_duties(SYSTEM, [NewDuty(county.county_officer, "ADMINISTRATOR", county_id, local(now).date() - timedelta(days=2))], now=now)
    return as_holder(county.county_officer, now)


def township(county: County) -> int:
    return int(county.path.split("/")[3])


def test_a_township_gets_its_own_ladder_and_follows_again(county: County, office: Client) -> None:
    listed = office.get("/setup/procedures/").content.decode()
    assert "独居老人上门核实" in listed
    assert "随软件" in listed
    page = office.get(f"{ADDRESS}?area={township(county)}").content.decode()
    assert 'name="visit.rung.2"' in page
    sent = office.post(ADDRESS, {"area": township(county), "visit.rung.2": "12", "visit.limit": "50"}, follow=True).content.decode()
    assert "柳河镇" in sent
    assert "本地区自有" in sent
    procedure = current_procedure(CODE, county.path)[1]
    assert (procedure.steps[0].rungs[2].accept_minutes, procedure.steps[0].limit.amount) == (12, 50)
    assert current_procedure(CODE, "/1/2/")[1].steps[0].rungs[2].accept_minutes == 30
    office.post(f"{ADDRESS}follow/", {"area": township(county)})
    assert current_procedure(CODE, county.path)[1].steps[0].rungs[2].accept_minutes == 30
    assert len(versions(CODE)) == 3


def test_a_wrong_minute_is_said_and_nothing_is_published(county: County, office: Client) -> None:
    answer = office.post(ADDRESS, {"area": township(county), "visit.rung.2": "0"})
    assert answer.status_code == 422
    assert "rung.2" in answer.content.decode()
    assert len(versions(CODE)) == 1


def test_only_the_own_areas_and_only_an_administrator(county: County, office: Client) -> None:
    assert office.get(f"{ADDRESS}?area=1").status_code == 404
    assert office.post(ADDRESS, {"area": 1, "visit.rung.2": "12"}).status_code == 404
    assert office.get(f"{ADDRESS}?area=x").status_code == 200
    assert as_person("worker").get("/setup/procedures/").status_code == 403
    assert office.get("/setup/procedures/NOTHING/").status_code == 404
    assert county.village


def test_a_case_says_which_text_it_keeps_to_and_where_it_is_from(county: County, office: Client, now: datetime) -> None:
    before = one_case(county, now)
    office.post(ADDRESS, {"area": township(county), "visit.limit": "50"})
    after = one_case(county, now)
    worker = as_person("worker")
    assert "第 1 版办理，来自：随软件" in worker.get(f"/cases/{before}/").content.decode()
    said = worker.get(f"/cases/{after}/").content.decode()
    assert "第 2 版办理，来自：示范县 柳河镇" in said
    assert f"{ADDRESS}?area=" not in said
