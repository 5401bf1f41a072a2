"""The office sets thresholds: for one area and below, and each number says where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.test import Client

from shouwang.kernel.moments import local
from shouwang.people.actions import NewDuty, assign_duties
from shouwang.people.rules import SYSTEM
from shouwang.places.queries import areas
from shouwang.telemetry.queries import forget
from shouwang.watch.actions import set_watch
from shouwang.watch.queries import family_rows
from tests.journeys.conftest import County
from tests.web.test_pages import as_holder

pytestmark = pytest.mark.django_db
PAGE = "/settings/thresholds/"
CHANGE = f"{PAGE}water/"


@pytest.fixture(autouse=True)
def _no_catalogue() -> Iterator[None]:
    forget()
    yield
    forget()


@pytest.fixture
def office(county: County, now: datetime) -> Client:
    """Return the browser of the county's administrator, with a watch of meters."""
    set_watch("water", detector="low_high_24h", now=now, thing_kind="WATER_METER", observed="register_l")
    county_id = int(county.path.split("/")[2])
    assign_duties(SYSTEM, [NewDuty(county.county_officer, "ADMINISTRATOR", county_id, local(now).date() - timedelta(days=2))], now=now)
    return as_holder(county.county_officer, now)


def test_a_county_sets_its_own_litres_after_it_saw_how_many_meters_change(county: County, office: Client) -> None:
    _, _, county_id, township_id, *_ = county.path.split("/")
    assert "随软件" in office.get(PAGE).content.decode()
    asked = office.post(CHANGE, {"area": county_id, "low_l": "8", "high_l": ""}).content.decode()
    assert "将改变 1 只水表的判断" in asked
    assert [""] == [row.path for row in family_rows()]
    saved = office.post(CHANGE, {"area": county_id, "low_l": "8", "sure": "1"}, follow=True).content.decode()
    assert 'value="8"' in saved
    assert "修改记录" in saved
    assert [10, 8] == [row.params["low_l"] for row in family_rows()]
    below = office.get(f"{PAGE}?area={township_id}").content.decode()
    name = areas([int(county_id)])[int(county_id)].name
    assert f"现为 8，来自：{name}" in below
    office.post(CHANGE, {"area": county_id, "follow": "1", "sure": "1"})
    assert [10, 10] == [row.params["low_l"] for row in family_rows()]


def test_what_is_no_number_is_shown_again_with_the_reason(county: County, office: Client) -> None:
    answer = office.post(CHANGE, {"area": county.path.split("/")[2], "low_l": "2000", "sure": "1"})
    assert 422 == answer.status_code
    assert "用水少于" in answer.content.decode()
    assert 'value="2000"' in answer.content.decode()
    assert [""] == [row.path for row in family_rows()]


def test_nobody_sets_what_holds_outside_the_own_area(county: County, office: Client, now: datetime) -> None:
    city = county.path.split("/")[1]
    assert 404 == office.get(f"{PAGE}?area={city}").status_code
    assert 404 == office.post(CHANGE, {"area": city, "low_l": "8", "sure": "1"}).status_code
    assert 404 == office.post(f"{PAGE}none/", {"low_l": "8", "sure": "1"}).status_code
    assert 403 == as_holder(county.worker, now).get(PAGE).status_code
    assert [""] == [row.path for row in family_rows()]


def test_without_a_watch_the_page_says_what_to_do(county: County, now: datetime) -> None:
    assign_duties(SYSTEM, [NewDuty(county.county_officer, "ADMINISTRATOR", int(county.path.split("/")[2]), local(now).date())], now=now)
    assert "还没有监测" in as_holder(county.county_officer, now).get(PAGE).content.decode()
