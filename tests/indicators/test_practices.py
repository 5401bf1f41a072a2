"""The published figures: their data, what each counts and what not, in whose areas; made anew from the log they are the same (I7)."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib.resources import files

import pytest
from django.test import Client

from shouwang.activities import actions as activities
from shouwang.activities.actions import NewMatter
from shouwang.activities.rules.plans import Plan
from shouwang.cases import actions as cases
from shouwang.cases.actions import NewCase, open_case
from shouwang.cases.models import Task
from shouwang.cases.rules.evidence import Given
from shouwang.indicators import queries
from shouwang.indicators.actions import ACTIVITIES, ACTIVITY_KINDS, KINDS, LISTENER, fold, fold_activities, rebuild
from shouwang.indicators.rules.figures import DefinitionInvalid
from shouwang.indicators.rules.practices import practices
from shouwang.journal.actions import listen
from shouwang.journal.queries import events_after
from shouwang.kernel.errors import NotFound
from shouwang.people.models import Account
from shouwang.people.rules import SYSTEM, Scope
from shouwang.places.queries import area
from shouwang.telemetry.actions import add_things
from shouwang.telemetry.models import Thing
from shouwang.telemetry.rules import NewThing
from tests.journeys.conftest import County, county

__all__ = ["county"]
TEXT = files("shouwang.indicators").joinpath("data/practices.toml").read_text("utf-8")
SYSTEMS = {"living_alone", "drowning", "assistance", "reservoir", "projects", "approvals", "community", "indicators"}


def test_every_practice_of_the_city_has_its_card_and_each_figure_a_practice() -> None:
    known = practices(TEXT)
    assert {practice.code for practice in known.all} == SYSTEMS
    assert sum(len(known.figures_of(practice.code)) for practice in known.all) == len(known.figures) == 7


def test_what_is_not_built_leads_nowhere_and_says_so() -> None:
    assert {practice.code for practice in practices(TEXT).all if not practice.opens} == {"drowning", "reservoir", "projects", "approvals"}
    assert all((practice.built == "NOT_YET") != bool(practice.opens) for practice in practices(TEXT).all)


@pytest.mark.parametrize(("old", "new", "said"), [
    ('practice = "drowning"', 'practice = "weather"', "no such practice"),
    ('code = "drowning"', 'code = "living_alone"', "twice"),
    ('built = "RUNNING"\n', 'built = "NOT_YET"\n', "has none"),
    ('role = "duty"\n', "", "go together"),
    ('lacks_en = "Matching', 'lacks_zh_ = "Matching', "lacks_zh_"),
    ('counted = "THINGS"', 'counted = "THINKS"', "THINKS"),
    ('lacks_zh = "政策匹配和一户一策尚未建成。"', "", "what it lacks"),
])
def test_a_practice_that_cannot_be_shown_is_refused(old: str, new: str, said: str) -> None:
    assert TEXT.count(old) >= 1
    with pytest.raises(DefinitionInvalid, match=said):
        practices(TEXT.replace(old, new, 1))


def heard() -> None:
    while listen(LISTENER, fold, lambda seq: events_after(seq, kinds=KINDS)).count:
        pass
    while listen(ACTIVITIES, fold_activities, lambda seq: events_after(seq, kinds=ACTIVITY_KINDS)).count:
        pass


def value(code: str, scope: Scope = SYSTEM) -> int:
    return queries.published_value(scope, queries.published_figure(code))


def visited(county: County, now: datetime, *, village: int | None = None, exercise: int | None = None) -> int:
    place = village or county.village
    case_id = open_case(NewCase(
        "WELFARE_CHECK", "living_alone", 3, place, area(place).path, "household", county.household, "WATER_LOW_USE_OPEN",
        {"household": county.household}, None, exercise,
    ), now=now)
    task = Task.objects.get(case_id=case_id)
    cases.complete(
        task.pk, person_id=county.worker, result="WELL", evidence=[Given("how", "MET")], may_take=True, now=now + timedelta(minutes=9),
    )
    return case_id


def held(county: County, now: datetime, kind: str, *, matters: int = 0, persons: int | None = None, exercise: int | None = None) -> int:
    new = Plan(kind, "活动", county.village, "广场", now, now + timedelta(hours=2), "WALK_IN", None, 1, None, "GRID_WORKER")
    activity = activities.plan(SYSTEM, new, key=f"key-{kind}-{matters}-{exercise}", exercise_id=exercise, now=now)
    activities.move(SYSTEM, activity, "OPEN", now=now)
    activities.move(SYSTEM, activity, "START", now=now)
    for n in range(matters):
        activities.record_matter(SYSTEM, activity, NewMatter("POLICY", "ANSWERED", f"matter-{n:04d}"), now=now)
    if persons is not None:
        activities.count_attendance(SYSTEM, activity, change=persons, key="headcount", now=now)
    return activity


@pytest.mark.django_db
def test_only_a_real_alert_brought_to_its_end_counts_as_handled(county: County, now: datetime) -> None:
    first = visited(county, now)
    visited(county, now, village=county.other_village)
    visited(county, now, exercise=1)
    wrong, taken_back, _still_open = (open_case(NewCase(
        "WELFARE_CHECK", "living_alone", 3, county.village, county.path, "household", county.household, "WATER_LOW_USE_OPEN",
    ), now=now) for _ in range(3))
    cases.false_alarm(wrong, reason="DEVICE", by=county.county_officer, now=now)
    cases.withdraw(taken_back, reason="MOVED", by=county.county_officer, now=now)
    heard()
    assert value("meter_alerts_handled") == 2
    assert value("meter_alerts_handled", Scope(1, (county.path,), frozenset({"case.read"}))) == 1
    assert value("meter_alerts_handled", Scope(1, (county.path,), frozenset())) == 0
    cases.reopen(first, reason="DESK", by=county.county_officer, now=now)
    heard()
    assert value("meter_alerts_handled") == 1


@pytest.mark.django_db
def test_what_was_held_counts_by_its_kind_and_made_anew_it_is_the_same(county: County, now: datetime) -> None:
    held(county, now, "HELP_DAY", matters=3, persons=11)
    held(county, now, "SERVICE_DAY", matters=1, persons=40)
    cancelled = held(county, now, "SERVICE_DAY", matters=2)
    activities.move(SYSTEM, cancelled, "CANCEL", reason_code="WEATHER", now=now)
    held(county, now, "HELP_DAY", matters=1, persons=5, exercise=1)
    heard()
    expected = {"help_day_matters": 3, "help_day_persons": 11, "civic_matters": 1, "service_days": 1, "residents_served": 40}
    assert {code: value(code) for code in expected} == expected
    rebuild()
    assert {code: value(code) for code in expected} == expected


@pytest.mark.django_db
def test_where_nobody_counted_the_numbers_served_are_the_persons(county: County, now: datetime) -> None:
    activity = held(county, now, "HELP_DAY")
    for n in range(3):
        activities.give_number(SYSTEM, activity, key=f"number-{n:04d}", now=now)
        activities.call_next(SYSTEM, activity, window=1, key=f"call-{n:06d}", having=n, now=now)
    heard()
    assert value("help_day_persons") == 2


@pytest.mark.django_db
def test_cameras_in_use_are_counted(county: County, now: datetime) -> None:
    add_things([NewThing(f"CAM{n}", "CAMERA", "坑塘", (), county.village, county.path) for n in range(3)], now=now)
    assert value("cameras_at_waters") == 3
    Thing.objects.filter(external_id="CAM0").update(retired_at=now)
    assert value("cameras_at_waters") == 2
    assert value("cameras_at_waters", Scope(1, ("/9/",), frozenset({"case.read"}))) == 0


@pytest.mark.django_db
def test_an_unknown_figure_is_not_found(county: County) -> None:
    del county
    with pytest.raises(NotFound):
        queries.published_figure("weather")


@pytest.mark.django_db
def test_each_figure_leads_to_its_rows(county: County, now: datetime) -> None:
    visited(county, now)
    held(county, now, "HELP_DAY", matters=2, persons=7)
    heard()
    client = Client()
    client.force_login(Account.objects.unscoped().get(username="county"))
    alerts, days = (client.get(f"/figures/published/{code}/") for code in ("meter_alerts_handled", "help_day_matters"))
    assert [answer.status_code for answer in (alerts, days)] == [200, 200]
    assert [len(answer.context["page"].rows) for answer in (alerts, days)] == [1, 1]
    assert "东塘村" in alerts.content.decode()
    assert client.get("/figures/published/cameras_at_waters/")["Location"] == "/things/?kind=CAMERA"
    assert client.get("/figures/published/help_day_persons/?format=xlsx").content.startswith(b"PK")
    assert client.get("/figures/published/weather/").status_code == 404
