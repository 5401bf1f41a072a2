"""How a home has lived: the band of its curve, its calendar of days, and the list of those who care for homes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from django.test import Client

from shouwang.detectors.contract import Columns
from shouwang.kernel.moments import HOUR_US, local, to_us
from shouwang.systems.living_alone.actions import announce_absence, watch_meters
from shouwang.systems.living_alone.jobs import learn_again
from shouwang.systems.living_alone.models import Enrolment, Label
from shouwang.systems.living_alone.rules.curve import usual_band
from shouwang.systems.living_alone.rules.days import weeks_of
from shouwang.systems.living_alone.rules.learning import KNOWN, LEARNING, LOOKING, NOTHING, YOUNG, known_by
from shouwang.telemetry.actions import ingest
from shouwang.watch.actions import set_watch
from shouwang.watch.jobs import Runner
from shouwang.watch.learning import learn
from shouwang.watch.queries import learning_of
from tests.journeys.conftest import County
from tests.journeys.test_meter_to_closed import open_one
from tests.living_alone.test_ladder import silent

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2026, 1, 11, 16, tzinfo=UTC)  # midnight in Shanghai


def test_the_band_is_that_of_the_same_hour_of_the_same_kind_of_day() -> None:
    before: dict[datetime, float | None] = {MONDAY - n * DAY + 7 * HOUR: (40.0 if (MONDAY - n * DAY).weekday() in {4, 5} else float(n % 3)) for n in range(1, 43)}
    band = usual_band(before, [MONDAY + 7 * HOUR, MONDAY + 5 * DAY + 7 * HOUR])
    assert band == [(0.0, 2.0), (40.0, 40.0)]


def test_a_band_is_not_drawn_before_five_days_are_known_and_unknown_hours_do_not_count() -> None:
    assert usual_band({MONDAY - n * DAY: 1.0 for n in range(1, 5)}, [MONDAY]) is None
    assert usual_band({MONDAY - n * DAY: None for n in range(1, 40)}, [MONDAY]) is None
    assert usual_band({MONDAY - n * DAY: 1.0 for n in range(1, 6)}, [MONDAY]) == [(1.0, 1.0)]  # five days of either kind


@pytest.mark.parametrize(("hours", "litres", "state"), [
    (24, 100.0, "USUAL"), (24, 49.0, "LESS"), (24, 201.0, "MORE"), (24, 0.0, "NONE"),
    (19, 0.0, "UNKNOWN"),  # what was drawn in the other five nobody knows
    (19, 60.0, "USUAL"), (3, 300.0, "MORE"), (0, 0.0, "UNKNOWN"),
])
def test_a_day_is_called_dry_only_where_it_was_read(hours: int, litres: float, state: str) -> None:
    used: dict[datetime, float | None] = {MONDAY - 7 * DAY + n * HOUR: 100 / 24 for n in range(7 * 24)}
    used |= {MONDAY + n * HOUR: litres / hours for n in range(hours)}
    (week,) = weeks_of(used, first=date(2026, 1, 12), last=date(2026, 1, 14), labels={date(2026, 1, 12): "AWAY"})
    assert week[0] is not None
    assert (week[0].state, week[0].label) == (state, "AWAY")
    assert week[3:] == [None] * 4


def test_weeks_begin_on_monday() -> None:
    weeks = weeks_of({}, first=date(2026, 1, 14), last=date(2026, 1, 19), labels={})
    assert [[day.date.day if day else 0 for day in week] for week in weeks] == [[0, 0, 14, 15, 16, 17, 18], [19, 0, 0, 0, 0, 0, 0]]


@pytest.mark.django_db
def test_the_page_of_a_home_shows_its_curve_days_and_what_its_alarms_were(county: County, phone: Client, now: datetime) -> None:
    silent(county, 9, until=now)
    Label.objects.create(
        case_id=7, household_id=county.household, path=county.path, alert_kind="WATER_SILENCE", label="VISITOR", opened_at=now - 3 * DAY,
        contact_at=now - 3 * DAY + 12 * timedelta(minutes=1), closed_at=now,
    )
    page = phone.get(f"/living-alone/{county.household}/").content.decode()
    assert 'data-source="home-curve"' in page
    assert '<span class="day-label">有人来访</span>' in page
    assert '<td class="number" data-label="首次联系（分）">12</td>' in page
    assert "久未用水" in page


@pytest.mark.django_db
def test_the_list_of_homes_to_care_for_shows_state_and_last_use_masked(county: County, phone: Client, now: datetime) -> None:
    silent(county, 9, until=now)
    page = phone.get("/living-alone/care/").content.decode()
    assert "读数显示已 9 小时没有用" in page
    assert 'data-offline="今晚不在家 东塘村1组2号"' in page
    assert "未办结" not in page
    case_id = open_one(county, now).case_id
    page = phone.get("/living-alone/care/").content.decode()
    assert '<article class="task orange">' in page
    assert f'<a href="/cases/{case_id}/">20260115-{case_id:05d}</a>' in page
    assert "近 24 小时只用水 3 升" in page
    announce_absence(county.household, until=now + DAY, by=None, now=now)
    page = phone.get("/living-alone/care/").content.decode()
    assert 'value="tonight"' not in page
    assert 'value="back"' in page, "one tap undoes it"
    assert f"{local(now + DAY):%Y-%m-%d}" in page


@pytest.mark.django_db
def test_an_absence_tapped_on_the_list_leads_back_to_it_and_a_night_that_is_over_is_refused(county: County, phone: Client, now: datetime) -> None:
    address, back = f"/living-alone/{county.household}/absence/", "/living-alone/care/"
    late = (now - timedelta(hours=14)).isoformat()  # at eight in the evening; it is ten in the morning now
    assert phone.post(address, {"absence": "tonight", "tapped_at": late, "next": back})["Location"] == back
    assert "请改正日期" in phone.get(back).content.decode()
    phone.post(address, {"absence": "tonight", "tapped_at": now.isoformat(), "next": back})
    assert "人已在家" in phone.get(back).content.decode()
    assert phone.post(address, {"absence": "back", "next": "https://example.org/"})["Location"] == "/"


@pytest.mark.django_db
def test_the_lists_worker_comes_from_below_it_and_only_to_readers(county: County, phone: Client, desk: Client) -> None:
    answer = phone.get("/living-alone/care/worker.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert b"shouwang-care" in answer.content
    assert Client().get("/living-alone/care/worker.js").status_code == 302
    assert "care.js" in phone.get("/living-alone/care/").content.decode()
    assert "care.js" not in desk.get("/living-alone/care/").content.decode(), "a desk has its network"


HABITS = [
    ((None, False, False), (LOOKING, 0)), ((None, True, True), (NOTHING, 0)), ((42.5, True, False), (LEARNING, 42)), ((42.5, False, False), (LEARNING, 42)),
    ((13.9, True, True), (YOUNG, 13)), ((14.0, True, True), (KNOWN, 14)),
]


@pytest.mark.parametrize(("given", "said"), HABITS)
def test_how_well_a_home_is_known_is_said_in_days(given: tuple[float | None, bool, bool], said: tuple[object, int]) -> None:
    days, is_learnt, is_taken = given
    first_at = None if days is None else MONDAY - days * DAY
    assert known_by(first_at, is_learnt=is_learnt, is_taken=is_taken, now=MONDAY) == said


@pytest.mark.django_db
def test_a_home_whose_meter_has_sent_for_weeks_is_known_soon_after_it_was_enrolled(county: County, desk: Client, now: datetime) -> None:
    set_watch("silence", detector="silence", now=now, thing_kind="WATER_METER", observed="register_l", lateness_s=0)
    at_us = to_us(now) - HOUR_US * np.arange(20 * 24 - 1, 0, -1)
    ingest(Columns(np.full(len(at_us), county.datastream), at_us, 100.0 + 3 * np.arange(len(at_us))), now=now, source="file")
    Enrolment.objects.all().delete()
    form = {"name": "住户己", "area": "柳河镇 东塘村", "address": "东塘村1组2号", "meter": "WM1"}
    address = desk.post("/living-alone/new/", form)["Location"]
    assert "正在查看水表已有的读数" in desk.get(address).content.decode()
    learn(now, most_s=1e9)
    assert "正在从 19 天的读数学习" in desk.get(address).content.decode()
    Runner("test").tick(now, real_now=now)
    assert "已从 19 天的读数学到这户的习惯" in desk.get(address).content.decode()
    assert learn_again(now) == 1, "older ones may come still"
    assert learn_again(now) == 0


@pytest.mark.django_db
def test_the_shipped_watches_learn_from_the_homes_that_were_enrolled_before_them(county: County, now: datetime) -> None:
    assert learning_of(county.datastream) is None
    watch_meters(now=now)
    row = learning_of(county.datastream)
    assert row is not None
    assert (row.is_learnt, row.is_taken) == (False, False)
    assert learn(now, most_s=1e9) == 2
