"""The tour: the first page of a demo for whoever is not signed in, and no page at all of an installation that is none."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from shouwang.kernel.clock import ManualClock
from shouwang.people.actions import issue_entry_link
from shouwang.people.models import Account
from shouwang.web import demo
from shouwang.web.demo import MARKER, Role
from tests.journeys.conftest import County
from tests.web.test_pages import as_person

pytestmark = pytest.mark.django_db
DEMO_PAGE = "/tour/"


@pytest.fixture
def running(county: County, now: datetime, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a demo in which the county officer stands for every role."""
    monkeypatch.setattr("shouwang.people.pages.entry.clock", lambda: ManualClock(now))
    settings.SHOUWANG_DEMO, settings.SHOUWANG_DATA_DIR = True, tmp_path
    (tmp_path / MARKER).write_text(json.dumps({"database": demo.database_name()}))
    link = issue_entry_link(Account.objects.unscoped().get(username="county"), now=now)
    demo.keep_roles(tmp_path, [Role(code, "角色", "Role", f"/enter/{link}/") for code in ("duty", "township", "county", "city")])
    return tmp_path


def test_whoever_is_not_signed_in_is_shown_the_tour_of_a_demo(running: Path) -> None:
    assert running.joinpath(MARKER).stat().st_mode & 0o077 == 0
    client = Client()
    assert client.get("/")["Location"] == DEMO_PAGE
    said = client.get(DEMO_PAGE).content.decode()
    assert said.count("data-practice=") == 8
    assert said.count("data-figure=") == 7
    assert said.count("data-opens") == 4
    assert said.count(">尚未建成</span>") == 4
    english = Client()
    english.cookies["sw_language"] = "en"
    assert english.get(DEMO_PAGE).content.decode().count(">Not built yet</span>") == 4


def test_the_tour_names_no_person_and_no_home(running: Path) -> None:
    del running
    said = Client().get(DEMO_PAGE).content.decode()
    assert [name for name in ("网格甲", "副手乙", "住户己", "己家", "东塘村", "10000000001", "WM1") if name in said] == []


def test_every_link_of_the_tour_enters_and_leads_on(running: Path) -> None:
    del running
    page = Client().get(DEMO_PAGE)
    cards = [*page.context["running"], *page.context["waiting"]]
    links = [card.opens for card in page.context["running"]] + [shown.rows for card in cards for shown in card.figures]
    assert len(links) == 11
    for link in links:
        answer = Client().get(link, follow=True)
        assert answer.status_code == 200, link
        assert not answer.redirect_chain[-1][0].startswith(("/sign-in/", "/enter/", "/tour/")), link


def test_the_signed_in_find_it_in_the_navigation_and_go_to_their_work(running: Path) -> None:
    del running
    client = as_person("county")
    assert client.get("/")["Location"] == "/desk/"
    assert f'href="{DEMO_PAGE}"' in client.get("/cases/").content.decode()
    assert client.get(DEMO_PAGE).status_code == 200


@pytest.mark.parametrize("made", ["no setting", "no file", "another database", "no roles", "a broken file"])
def test_an_installation_that_is_no_demo_has_no_tour(running: Path, settings: Any, made: str) -> None:
    marker = running / MARKER
    kept = json.loads(marker.read_text())
    if made == "no setting":
        settings.SHOUWANG_DEMO = False
    elif made == "no file":
        marker.unlink()
    else:
        broken = {"another database": kept | {"database": "another"}, "no roles": {"database": kept["database"]}}
        marker.write_text(json.dumps(broken[made]) if made in broken else "{")
    client = Client()
    assert client.get(DEMO_PAGE).status_code == 404
    assert client.get("/")["Location"] == "/sign-in/?next=/"
    assert as_person("county").get(DEMO_PAGE).status_code == 404
    assert DEMO_PAGE not in as_person("county").get("/cases/").content.decode()


def test_roles_are_not_kept_beside_a_database_that_is_no_demo(tmp_path: Path) -> None:
    demo.keep_roles(tmp_path, [Role("city", "市级", "City", "/enter/x/")])
    assert not (tmp_path / MARKER).exists()
