"""The trial from the programme page to the thresholds of the watch: asked for, worked off, shown, accepted; and who may not."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

import numpy as np
import pytest
from django.test import Client

from shouwang.detectors import silence
from shouwang.kernel.moments import to_us
from shouwang.people.actions import add_account, add_person, assign_duty, enrol_household
from shouwang.people.queries import scope_of_account
from shouwang.people.rules import SYSTEM
from shouwang.systems.living_alone.actions import enrol, go_on_with_trials, watch_meters
from shouwang.systems.living_alone.actions import trials as actions
from shouwang.systems.living_alone.models import Trial
from shouwang.systems.living_alone.rules import trials as rules
from shouwang.telemetry.actions import add_things, ingest
from shouwang.telemetry.rules import NewThing
from shouwang.watch.queries import watch_at
from tests.journeys.conftest import County
from tests.living_alone.test_trials import homes

pytestmark = pytest.mark.django_db
seconds = count()
PAGE, ASK = "/living-alone/programme/", "/living-alone/programme/trial/ask/"


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a trial look at eight days and two prices."""
    actions._readings.clear()
    actions._runs.clear()
    for name, value in {
        "LEARNT": timedelta(days=4), "JUDGED": timedelta(days=4), "LEAST_READINGS": 150, "PRICES_H": (400.0, 100_000.0), "STOPS_A_HOME": 2,
    }.items():
        monkeypatch.setattr(rules, name, value)
    monkeypatch.setattr(actions, "SPAN", timedelta(days=8))


@pytest.fixture
def county_chief(county: County, now: datetime) -> Client:
    """Return a client that is signed in as an administrator of the county."""
    area = int(county.path.strip("/").split("/")[1])
    person = add_person(SYSTEM, name="县管理庚", area_id=area, now=now)
    assign_duty(SYSTEM, person_id=person, code="ADMINISTRATOR", area_id=area, from_date=now.date() - timedelta(days=2), now=now)
    client = Client()
    client.force_login(add_account(SYSTEM, username="chief", person_id=person, now=now))
    return client


@pytest.fixture
def lived_in(county: County, now: datetime) -> str:
    """Watch eight homes of the village that have been read for weeks; return the county's path."""
    since, streams = now - timedelta(days=30), []
    for number in range(8):
        home = enrol_household(SYSTEM, name=f"试{number}", address=f"{number}号", area_id=county.village, residents=[county.worker], now=since)
        (thing,) = add_things([NewThing(f"T{number}", "WATER_METER", f"T{number}", (("register_l", "L"),), county.village, county.path, home)], now=since)
        streams.append(thing.datastreams["register_l"])
        enrol(household_id=home, datastream_id=streams[-1], area_id=county.village, path=county.path, now=since)
    read = homes(now, seed=2)
    read = read.where(read.at_us >= to_us(now - timedelta(days=8)))
    ingest(type(read)(np.array(streams)[read.stream - 1], read.at_us, read.value), now=now, source="file")
    watch_meters(now=now)
    return "/".join(county.path.split("/")[:3]) + "/"


def shown(client: Client) -> str:
    return str(client.get(PAGE).content.decode())


def test_an_officer_tries_other_alarm_hours_and_accepts_them(lived_in: str, county_chief: Client, now: datetime) -> None:
    assert "用本地区近" in shown(county_chief)
    assert county_chief.post(ASK, {"call": "8", "visit": "2"}).status_code == 302
    county_chief.post(ASK, {"call": "9", "visit": "2"})
    trial = Trial.objects.get()
    assert (trial.path, trial.homes, trial.call_target) == (lived_in, 0, 8.0), "what goes on is not asked for again, and nothing is read yet"
    assert "正在读取近" in shown(county_chief)
    clocks = iter((0.0, 0.0, 0.0, 2.0))
    assert go_on_with_trials(now, monotonic=lambda: next(clocks)) == 1
    assert "正在读取近" in shown(county_chief), "three homes of eight"
    clocks = iter([0.0] * 9 + [2.0] * 9)
    assert go_on_with_trials(now, monotonic=lambda: next(clocks)) == 1
    trial.refresh_from_db()
    assert (trial.homes, trial.stops) == (8, 16)
    for step in range(3):
        assert f"第 {step} 步，共 3 步" in shown(county_chief)
        assert go_on_with_trials(now, most_s=60.0) == 1
    assert go_on_with_trials(now) == 0
    page = shown(county_chief)
    assert "采用建议" in page
    assert "模拟 16 次" in page
    before = watch_at("silence", lived_in)
    assert before is not None
    assert before.path == ""
    assert county_chief.post(f"/living-alone/programme/trial/{trial.pk}/accept/").status_code == 302
    after = watch_at("silence", lived_in)
    assert after is not None
    assert after.path == lived_in
    assert 400 <= after.params["visit_price_h"] <= 100_000
    assert {name: value for name, value in after.params.items() if "price" not in name} == {name: value for name, value in before.params.items() if "price" not in name}
    assert "已采用" in shown(county_chief)


def test_a_trial_takes_little_of_the_workers_time_and_goes_on_where_it_was(lived_in: str, county_chief: Client, now: datetime) -> None:
    county_chief.post(ASK, {"call": "8", "visit": "2"})
    calls = 0
    while go_on_with_trials(now, most_s=1.0, monotonic=lambda: 0.6 * next(seconds)):
        calls += 1
    assert calls > 3 * 4, "a day or two at a time"
    found = Trial.objects.get()
    past = actions._past(found, until_s=1.0, monotonic=lambda: 0.0)
    assert past is not None
    watch = watch_at("silence", lived_in)
    assert watch is not None
    at_once = rules.effects(past, silence.judge, params=watch.params)
    assert rules.from_json(found.points[0]) == at_once


def test_accepted_prices_outlast_thresholds_written_later(lived_in: str, county_chief: Client, now: datetime) -> None:
    county_chief.post(ASK, {"call": "8", "visit": "2"})
    while go_on_with_trials(now):
        pass
    county_chief.post(f"/living-alone/programme/trial/{Trial.objects.get().pk}/accept/")
    accepted = watch_at("silence", lived_in)
    assert accepted is not None
    county_chief.post("/settings/thresholds/silence/", {"area": lived_in.strip("/").rpartition("/")[2], "hard_stop_h": "20", "sure": "1"})
    later = watch_at("silence", lived_in)
    assert later is not None
    assert later.own == {**accepted.own, "hard_stop_h": 20}
    assert "报警时刻按试算调整" in county_chief.get("/settings/thresholds/").content.decode()


@pytest.mark.parametrize("target", ["", "0", "x", "51", "nan"])
def test_a_target_that_makes_no_sense_is_refused(lived_in: str, county_chief: Client, target: str) -> None:
    answer = county_chief.post(ASK, {"call": target, "visit": "2"}, follow=True)
    assert "0.2 到 50" in answer.content.decode()
    assert not Trial.objects.exists()


def test_a_trial_of_few_homes_says_what_is_lacking(county: County, county_chief: Client, now: datetime) -> None:
    watch_meters(now=now)
    county_chief.post(ASK, {"call": "8", "visit": "2"})
    assert go_on_with_trials(now) == 1
    assert go_on_with_trials(now) == 0, "it has ended"
    page = shown(county_chief)
    assert "只有 0 户" in page
    assert "采用建议" not in page
    assert county_chief.post(f"/living-alone/programme/trial/{Trial.objects.get().pk}/accept/").status_code == 404


def test_nobody_else_tries_or_accepts(lived_in: str, county: County, county_chief: Client, desk: Client, phone: Client, now: datetime) -> None:
    county_chief.post(ASK, {"call": "8", "visit": "2"})
    while go_on_with_trials(now):
        pass
    number = Trial.objects.get().pk
    for client in (desk, phone):
        assert "试算" not in shown(client)
        assert client.post(ASK, {"call": "8", "visit": "2"}).status_code == 403
        assert client.post(f"/living-alone/programme/trial/{number}/accept/").status_code == 403
    area = int(lived_in.strip("/").split("/")[0])
    person = add_person(SYSTEM, name="外县辛", area_id=area, now=now)
    assign_duty(SYSTEM, person_id=person, code="ADMINISTRATOR", area_id=county.other_village, from_date=now.date() - timedelta(days=2), now=now)
    other = Client()
    account = add_account(SYSTEM, username="other", person_id=person, now=now)
    other.force_login(account)
    assert scope_of_account(account, now).paths
    assert other.post(f"/living-alone/programme/trial/{number}/accept/").status_code == 404
    assert Trial.objects.get().accepted_at is None
