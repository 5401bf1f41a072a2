"""The wall board: how things stand for a whole hall to see, without a name or an address."""

from __future__ import annotations

from datetime import datetime

import pytest

from shouwang.indicators.actions import KINDS, LISTENER, fold
from shouwang.journal.actions import listen
from shouwang.journal.queries import events_after
from tests.journeys.conftest import County
from tests.web.test_pages import as_person, one_case

pytestmark = pytest.mark.django_db


def test_the_board_shows_places_and_figures_and_no_person(county: County, now: datetime) -> None:
    one_case(county, now, severity=4)
    while listen(LISTENER, fold, lambda seq: events_after(seq, kinds=KINDS)).count:
        pass
    page = as_person("county").get("/board/")
    said = page.content.decode()
    assert page.status_code == 200
    assert 'data-theme="dark"' in said
    assert "独居老人用水异常 · 示范县 柳河镇" in said
    assert [name for name in ("网格甲", "住户己", "己家", "东塘村1组2号", "10000000001", "<form") if name in said] == []
    part = as_person("county").get("/board/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "wall-figures" in part


def test_without_a_case_the_board_says_so_and_draws_an_empty_day(county: County) -> None:
    del county
    said = as_person("county").get("/board/").content.decode()
    assert "目前没有待处置预警" in said
    assert "没有未办结的事件" in said
