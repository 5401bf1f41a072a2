"""The list of what late readings changed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from shouwang.people.actions import add_account, add_person, assign_duty
from shouwang.people.rules import SYSTEM
from shouwang.watch import queries
from shouwang.watch.actions import set_watch
from shouwang.watch.models import ReviewFinding
from tests.journeys.conftest import County
from tests.web.test_pages import as_person

pytestmark = pytest.mark.django_db


def found(county: County, now: datetime, *, phase: str = "OPEN", told: bool) -> None:
    set_watch("w", detector="low_high_24h", now=now, thing_kind="WATER_METER", observed="register_l")
    ReviewFinding.objects.create(
        watch_id=queries.watches()[0].id, stream=county.datastream, kind="WATER_LOW_USE", phase=phase, episode_us=int(told), at=now,
        severity=3, reason="WATER_LOW_USE_OPEN_LATE", params={"used_l": 3, "window_h": 24, "limit_l": 10},
        reviewed_at=now + timedelta(hours=1), told=told,
    )


def test_what_late_readings_changed_is_listed_in_the_readers_area(county: County, now: datetime) -> None:
    officer = as_person("county")
    assert "没有因迟到读数改变的判断" in officer.get("/late/").content.decode()
    found(county, now, told=True)
    found(county, now, told=False)
    found(county, now, told=True, phase="END")
    page = officer.get("/late/").content.decode()
    assert "只用水 3 升（低于 10 升）（由迟到的读数得知）" in page
    for words in ("已派人处置", "已过去，仅记录", "已告知：信号结束", ">WM1<"):
        assert words in page
    person = add_person(SYSTEM, name="镇班癸", area_id=county.other_village, now=now)
    assign_duty(SYSTEM, person_id=person, code="TOWNSHIP_DUTY", area_id=county.other_village, from_date=now.date(), now=now)
    add_account(SYSTEM, username="outside", person_id=person, now=now)
    assert ">WM1<" not in as_person("outside").get("/late/").content.decode()  # a random token may hold the letters
    assert as_person("worker").get("/late/").status_code == 403
