"""How the installation is, for machines and for the administrator."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError
from django.test import Client

from shouwang.kernel.moments import local
from shouwang.people.actions import NewDuty, assign_duties
from shouwang.people.rules import SYSTEM
from shouwang.web.doctor import examine
from tests.journeys.conftest import County
from tests.web.test_pages import as_holder, as_person

pytestmark = pytest.mark.django_db


def test_a_supervisor_hears_one_word(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Client().get("/healthz").content == b"shouwang: ok\n"

    def away() -> int:
        raise DatabaseError

    monkeypatch.setattr("shouwang.web.pages.health.last_seq", away)
    assert Client().get("/healthz").status_code == 503


def test_the_doctors_page_says_what_the_command_says(county: County, now: datetime) -> None:
    assign_duties(SYSTEM, [NewDuty(county.city_officer, "ADMINISTRATOR", int(county.path.split("/")[1]), local(now).date() - timedelta(days=2))], now=now)
    page = as_holder(county.city_officer, now).get("/setup/doctor/").content.decode()
    missing = [check.zh for check in examine() if check.zh.replace("'", "&#x27;") not in page and not check.zh.startswith(("时钟", "数据文件夹"))]
    assert missing == []
    assert as_person("county").get("/setup/doctor/").status_code == 403
