"""The search: what is found by which words, in whose scope, and that nothing typed is written down."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

import pytest
from django.test import Client

from shouwang.cases.actions import NewCase, open_case
from shouwang.kernel.texts import Text
from shouwang.people.actions import NewDuty, NewPerson, add_account, add_persons, assign_duties
from shouwang.people.models import Account
from shouwang.people.rules import SYSTEM
from shouwang.places.actions import add_area
from shouwang.places.models import Area
from shouwang.places.queries import area
from shouwang.web.search import cleaned, is_named
from tests.journeys.conftest import County

pytestmark = pytest.mark.django_db


def one_case(county: County, now: datetime, *, village: int | None = None) -> int:
    place = village or county.village
    params = {"household": county.household, "datastream": county.datastream, "used_l": 3.0, "window_h": 24, "limit_l": 10}
    return open_case(NewCase(
        "WELFARE_CHECK", "living_alone", 3, place, area(place).path, "household", county.household, "WATER_LOW_USE_OPEN", params,
    ), now=now)


def as_person(name: str) -> Client:
    client = Client()
    client.force_login(Account.objects.unscoped().get(username=name))
    return client


def found(client: Client, text: str) -> str:
    answer = client.post("/search/", {"q": text})
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("text", "title", "named"),
    [
        ("用水", Text("独居老人用水异常", "Unusual water use"), True),
        ("ys", Text("独居老人用水异常", "Unusual water use"), True),  # two initials within
        ("y", Text("独居老人用水异常", "x"), False),  # a single initial would name nearly everything
        ("duju", Text("独居老人用水异常", "x"), True),
        ("WATER use", Text("独居老人用水异常", "Unusual water use"), True),
        ("zbt", Text("值班台", "Duty desk"), True),
        ("路灯", Text("值班台", "Duty desk"), False),
    ],
)
def test_a_title_is_named_by_words_pinyin_and_initials(text: str, title: Text, named: bool) -> None:
    assert named is is_named(text, title)


def test_what_cannot_be_seen_is_cut_off() -> None:
    assert cleaned("  a\x00\nb ") == "ab"
    assert len(cleaned("长" * 100)) == 40


@pytest.mark.parametrize("text", ["东塘", "dtc", "dongtang", "用水", "ysyc"])
def test_a_case_is_found_by_place_and_service(county: County, now: datetime, text: str) -> None:
    case_id = one_case(county, now)
    assert f'href="/cases/{case_id}/"' in found(as_person("county"), text)


def test_a_case_is_found_by_its_number_whole_or_the_end_alone(county: County, now: datetime) -> None:
    case_id = one_case(county, now)
    for text in (str(case_id), f"20260101-{case_id:05d}"):
        assert f'href="/cases/{case_id}/"' in found(as_person("county"), text)
    for text in ("²", "9" * 30, "0-", "--", "'; --", "%", "_"):
        assert "/cases/" not in found(as_person("county"), text)


def test_areas_open_the_desk_things_and_pages_their_lists(county: County, now: datetime) -> None:
    officer = as_person("county")
    assert f'href="/desk/?area={county.village}"' in found(officer, "东塘")
    assert 'href="/things/?q=WM1"' in found(officer, "wm1")
    assert 'href="/desk/"' in found(officer, "zbt")
    assert 'href="/desk/"' not in found(as_person("worker"), "zbt")  # not in the worker's navigation
    assert "/things/" not in found(as_person("worker"), "wm1")


def test_a_person_is_found_masked_by_whoever_may_read_persons(county: County, now: datetime) -> None:
    html = found(as_person("county"), "网格甲")
    assert f'href="/people/{county.worker}/"' in html
    assert "网**" in html or "网*甲" in html or "网格*" in html or "网*" in html


def test_nothing_of_another_county_is_found(county: County, now: datetime) -> None:
    root = Area.objects.get(parent_id=None).pk
    other = add_area(parent_id=root, name="邻县", now=now)
    village = add_area(parent_id=add_area(parent_id=other, name="邻镇", now=now), name="邻村", now=now)
    case_id = one_case(county, now, village=village)
    (officer,) = add_persons(SYSTEM, [NewPerson("邻班庚", other)], now=now)
    assign_duties(SYSTEM, [NewDuty(officer, "COUNTY_DUTY", other, now.date())], now=now)
    add_account(SYSTEM, username="neighbour", person_id=officer, now=now)
    for text in ("邻村", "lc", str(case_id), "邻班庚", "用水"):
        assert f"/cases/{case_id}/" not in found(as_person("county"), text)
        assert "邻" not in found(as_person("county"), text).replace(f"“{text}”", "")
    own = one_case(county, now)
    for text in ("东塘", "WM1", "网格甲", str(own)):
        assert "href" not in found(as_person("neighbour"), text)


def test_the_search_is_a_page_without_javascript_too(county: County, now: datetime) -> None:
    case_id = one_case(county, now)
    assert Client().get("/search/")["Location"].startswith("/sign-in/?next=")
    html = as_person("county").get("/search/", {"q": "东塘"}).content.decode()
    assert f'href="/cases/{case_id}/"' in html
    assert 'value="东塘"' in html
    assert "data-search-open" in html
    assert "没有找到“<b>”" not in as_person("county").get("/search/", {"q": "<b>"}).content.decode()


def test_what_was_typed_stands_in_no_log(county: County, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        as_person("county").post("/search/", {"q": "某人的名字"})
        as_person("county").get("/search/", {"q": "某人的名字"})
    said: Sequence[str] = [record.getMessage() for record in caplog.records if record.name != "django.db.backends"]
    assert not any("某人的名字" in line or "%E6%9F%90" in line for line in said)


def test_the_phone_pages_lead_to_the_search(county: County) -> None:
    head = as_person("worker").get("/tasks/").content.decode().partition("<header")[2].partition("</header>")[0]
    assert 'href="/search/"' in head
