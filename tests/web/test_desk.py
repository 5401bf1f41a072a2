"""The desk narrowed and as a saved view, the red cases it must be told of, and the pace at which it is renewed."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest
from django.test import Client

from shouwang.cases.actions import NewCase, open_case
from shouwang.people.models import Account, SavedView
from shouwang.people.rules.errors import ViewNameWrong, ViewQueryLong
from shouwang.people.rules.views import VIEWS_MOST, view_name, view_query
from shouwang.places.actions import add_area
from shouwang.places.models import Area
from shouwang.places.queries import area
from tests.journeys.conftest import County

pytestmark = pytest.mark.django_db
TEMPLATES = Path(__file__).parents[2] / "shouwang"


def one_case(county: County, now: datetime, *, severity: int = 3, kind: str = "living_alone", village: int | None = None) -> int:
    place = village or county.village
    return open_case(NewCase(
        "WELFARE_CHECK", kind, severity, place, area(place).path, "household", county.household, "WATER_LOW_USE_OPEN", {},
    ), now=now)


def as_person(name: str) -> Client:
    client = Client()
    client.force_login(Account.objects.unscoped().get(username=name))
    return client


def rows(html: str) -> set[int]:
    return {int(number) for number in re.findall(r'<li id="case-(\d+)"', html)}


def test_the_desk_is_narrowed_by_kind_severity_and_area(county: County, now: datetime) -> None:
    water = one_case(county, now)
    other_kind = one_case(county, now, kind="requests")
    red = one_case(county, now, severity=4)
    elsewhere = one_case(county, now, village=county.other_village)
    officer = as_person("county")
    for query, shown in (
        ("", {water, other_kind, red, elsewhere}), ("kind=living_alone", {water, red, elsewhere}), ("severity=4", {red}),
        (f"area={county.village}", {water, other_kind, red}), (f"kind=requests&area={county.other_village}", set()),
        ("kind=x&severity=9&area=x", {water, other_kind, red, elsewhere}),
    ):
        for page in ("/desk/", "/desk/queue/"):
            assert shown == rows(officer.get(f"{page}?{query}").content.decode()), (page, query)


def test_a_narrowed_desk_renews_and_fills_itself_narrowed(county: County, now: datetime) -> None:
    first = one_case(county, now)
    officer = as_person("county")
    assert 'hx-get="/desk/queue/?kind=living_alone"' in officer.get("/desk/?kind=living_alone").content.decode()
    one_case(county, now, kind="requests")
    assert "条新预警" not in officer.get("/desk/queue/", {"kind": "living_alone", "seen": first}).content.decode()
    one_case(county, now)
    held = officer.get("/desk/queue/", {"kind": "living_alone", "seen": first}).content.decode()
    assert "1 条新预警" in held
    assert f'hx-get="/desk/queue/?after={first}&amp;kind=living_alone"' in held


def test_an_area_out_of_sight_is_not_found(county: County, now: datetime) -> None:
    other = add_area(parent_id=Area.objects.get(parent_id=None).pk, name="邻县", now=now)
    answer = as_person("county").get("/desk/", {"area": other})
    assert answer.status_code == 404
    assert "邻县" not in answer.content.decode()


def test_a_view_is_saved_opened_renamed_deleted_and_taken_back(county: County, now: datetime) -> None:
    one_case(county, now)
    officer = as_person("county")
    saved = officer.post("/desk/views/save/", {"name": " 只看 用水 ", "query": "kind=living_alone&seen=5&x=y"})
    assert saved["Location"] == "/desk/?kind=living_alone"
    html = officer.get(saved["Location"]).content.decode()
    assert '<a href="/desk/?kind=living_alone" aria-current="page">只看 用水</a>' in html
    (view,) = SavedView.objects.unscoped()
    officer.post(f"/desk/views/{view.pk}/rename/", {"name": "用水"})
    assert ">用水</a>" in officer.get("/desk/").content.decode()
    dropped = officer.post(f"/desk/views/{view.pk}/drop/")["Location"]
    assert "已删除“用水”" in officer.get(dropped).content.decode()
    assert ">用水</a>" not in officer.get("/desk/").content.decode()
    officer.post(f"/desk/views/{view.pk}/restore/")
    assert ">用水</a>" in officer.get("/desk/").content.decode()


def test_what_a_view_cannot_be_is_said(county: County, now: datetime) -> None:
    officer = as_person("county")
    for name in ("", "  ", "长" * 17):
        assert officer.post("/desk/views/save/", {"name": name, "query": ""}).status_code == 422
    for number in range(VIEWS_MOST):
        assert officer.post("/desk/views/save/", {"name": f"视图{number}", "query": "severity=4"}).status_code == 302
    full = officer.post("/desk/views/save/", {"name": "多一个", "query": "severity=4"})
    assert full.status_code == 409
    assert f"您已保存 {VIEWS_MOST} 个视图" in full.content.decode()
    first = SavedView.objects.unscoped().order_by("pk")[0]
    assert "您已有名为“视图1”的视图" in officer.post(f"/desk/views/{first.pk}/rename/", {"name": "视图1"}).content.decode()
    officer.post(f"/desk/views/{first.pk}/drop/")
    assert officer.post("/desk/views/save/", {"name": "视图1", "query": ""}).status_code == 409
    assert officer.post("/desk/views/save/", {"name": "多一个", "query": "severity=4"}).status_code == 302
    assert officer.post(f"/desk/views/{first.pk}/restore/").status_code == 404  # gone for good


def test_a_view_is_its_accounts_alone(county: County) -> None:
    officer, worker = as_person("county"), as_person("worker")
    officer.post("/desk/views/save/", {"name": "只看用水", "query": "kind=living_alone"})
    (view,) = SavedView.objects.unscoped()
    for what in ("rename", "drop", "restore", "x"):
        assert worker.post(f"/desk/views/{view.pk}/{what}/", {"name": "我的"}).status_code == 404
    assert "只看用水" not in worker.get("/desk/views/").content.decode()
    view.refresh_from_db()
    assert ("只看用水", None) == (view.name, view.dropped_at)
    officer.post(f"/desk/views/{view.pk}/drop/")
    assert "只看用水" not in worker.get("/desk/views/", {"dropped": view.pk}).content.decode()
    assert worker.post(f"/desk/views/{view.pk}/restore/").status_code == 404


def test_the_length_of_a_view_is_limited() -> None:
    assert view_name(" 只看\u3000 用水 ") == "只看 用水"
    for wrong in ("", "长" * 17, "a\x00b"):
        with pytest.raises(ViewNameWrong):
            view_name(wrong)
    with pytest.raises(ViewQueryLong):
        view_query("x" * 201)


def test_every_open_red_case_is_told_of_though_the_desk_is_narrowed_and_the_queue_holds_it_back(county: County, now: datetime) -> None:
    first = one_case(county, now)
    red = one_case(county, now, severity=4)
    for query in (f"seen={first}", "kind=requests", "severity=1"):
        html = as_person("county").get(f"/desk/queue/?{query}").content.decode()
        assert [str(red)] == re.findall(r'data-red="(\d+)"', html)
        assert red not in rows(html)
    assert "data-red=" not in as_person("county").get("/desk/queue/").content.decode().replace(f'data-red="{red}"', "")


def test_no_part_of_a_page_waits_until_events_stop() -> None:
    """`delay` begins anew with each event: ten a second would never let it end. `throttle` renews at once and at that pace."""
    for template in TEMPLATES.rglob("templates/**/*.html"):
        for trigger in re.findall(r'hx-trigger="([^"]*)"', template.read_text("utf-8")):
            for part in trigger.split(","):
                assert not ("shouwang:" in part and "delay:" in part), f"{template.name}: {trigger}"
