"""The figures of activities: an activity's line is made of its events; made anew they are the same (I7); exercises stay out (I10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from shouwang.activities import actions
from shouwang.activities.actions import NewMatter
from shouwang.activities.models import Activity
from shouwang.activities.rules.plans import Plan
from shouwang.indicators import queries
from shouwang.indicators.actions import ACTIVITIES, ACTIVITY_KINDS, fold_activities, rebuild
from shouwang.indicators.models import ActivityRow
from shouwang.indicators.queries import definition_of, definitions
from shouwang.indicators.rules import figures as rules
from shouwang.indicators.rules.doings import HANDED_ON, ActivityLine, folded, planned
from shouwang.indicators.rules.figures import DefinitionInvalid, Value
from shouwang.journal.actions import listen
from shouwang.journal.clock import clock
from shouwang.journal.queries import events_after
from shouwang.kernel.errors import NotFound
from shouwang.people.models import Account
from shouwang.people.queries import scope_of_account
from shouwang.people.rules import Scope
from shouwang.places.actions import add_area, move_area
from shouwang.places.queries import area
from tests.journeys.conftest import County, county

__all__ = ["county"]
START = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
LINE = planned(7, {"area": 3, "kind": "HELP_DAY"}, exercise_id=None)
RUNNING = replace(LINE, state="RUNNING", started_at=START)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


@pytest.mark.parametrize(("events", "expected"), [
    ([("activity.opened", {}, 1)], {"state": "OPEN"}),
    ([("activity.opened", {}, 1), ("activity.started", {}, 2)], {"state": "RUNNING", "started_at": at(2)}),
    # It began once, however often it is opened again; one that was cancelled begins anew.
    ([("activity.started", {}, 2), ("activity.ended", {}, 5), ("activity.reopened", {"state": "RUNNING"}, 6), ("activity.ended", {}, 8)],
     {"state": "ENDED", "started_at": at(2), "ended_at": at(8)}),
    ([("activity.started", {}, 2), ("activity.cancelled", {"reason": "WEATHER"}, 3)], {"state": "CANCELLED", "started_at": at(2)}),
    ([("activity.started", {}, 2), ("activity.cancelled", {}, 3), ("activity.reopened", {"state": "PLANNED"}, 4)], {}),
    ([("activity.changed", {"area": 9}, 1)], {"area_id": 9}),
    ([("activity.matter_recorded", {"handled": "SETTLED"}, 1), ("activity.matter_recorded", {"handled": HANDED_ON}, 2), ("activity.matter_recorded", {"handled": "ANSWERED"}, 3)],
     {"matters": 3, "on_the_spot": 2}),
    ([("activity.number_done", {"number": 1}, 1), ("activity.number_done", {"number": 2}, 1)], {"numbers_done": 2}),
    # The attendance is what was counted last, not a sum of counts.
    ([("activity.attendance_counted", {"count": 5}, 1), ("activity.attendance_counted", {"count": 4}, 2)], {"attended": 4}),
    ([("activity.rated", {"score": 5}, 1), ("activity.unheard_of", {}, 2)], {}),
])
def test_a_line_is_what_its_events_say(events: list[tuple[str, dict[str, Any], float]], expected: dict[str, Any]) -> None:
    line = LINE
    for kind, payload, minutes in events:
        line = folded(line, kind, payload, at=at(minutes))
    assert line == replace(LINE, **expected)


@pytest.mark.parametrize(("line", "people"), [(LINE, 0), (replace(LINE, numbers_done=4), 4), (replace(LINE, numbers_done=4, attended=0), 0), (replace(LINE, attended=9), 9)])
def test_people_are_as_counted_else_the_numbers_served(line: ActivityLine, people: int) -> None:
    assert line.people == people


def lines() -> list[ActivityLine]:
    return [
        replace(RUNNING, activity_id=1, matters=3, numbers_done=5), replace(RUNNING, activity_id=2, state="ENDED", matters=2, numbers_done=9, attended=40),
        # Not begun, cancelled, and begun the day before: none of them counts.
        replace(LINE, activity_id=3, state="OPEN", matters=9), replace(RUNNING, activity_id=4, state="CANCELLED", matters=9, attended=9),
        replace(RUNNING, activity_id=5, started_at=at(-1), matters=9, attended=9),
    ]


@pytest.mark.parametrize(("code", "number"), [("activities_held", 2.0), ("matters_handled", 5.0), ("persons_served", 45.0)])
def test_the_shipped_figures(code: str, number: float) -> None:
    definition = definition_of(code)
    assert rules.value(definition, lines(), since=START) == Value(number, 2)
    assert {line.activity_id for line in rules.rows(definition, lines(), since=START)} == {1, 2}
    assert rules.nothing(definition).value == Value(0.0, 0) == rules.value(definition, list[ActivityLine](), since=START)


def test_one_changed_line_moves_every_figure() -> None:
    changed = [*lines(), replace(RUNNING, activity_id=6, matters=1, attended=1)]
    for definition in definitions("ACTIVITY"):
        assert rules.value(definition, lines(), since=START) != rules.value(definition, changed, since=START)


def test_over_no_cases_nothing_is_as_a_value_over_none() -> None:
    for figure in queries.nothing("CASE"):
        assert figure.value == rules.value(figure.definition, [], since=START)


BASE = '[[figure]]\ncode = "a"\ntitle_zh = "甲"\ntitle_en = "A"\nmeans_zh = "。"\nmeans_en = "."\n'


@pytest.mark.parametrize(("rest", "said"), [
    ('subject = "ACTIVITY"\nover = "HELD"\nmeasure = "SUM"', "of"), ('subject = "ACTIVITY"\nover = "OPEN"\nmeasure = "COUNT"', "OPEN"),
    ('over = "HELD"\nmeasure = "COUNT"', "HELD"), ('over = "OPEN"\nmeasure = "SUM"\nof = "people"', "SUM"),
    ('subject = "ACTIVITY"\nover = "HELD"\nmeasure = "SHARE"\npart = "COMPLETED"', "SHARE"), ('over = "OPEN"\nmeasure = "COUNT"\nof = "people"', "of"),
])
def test_a_definition_that_cannot_be_computed_is_refused(rest: str, said: str) -> None:
    with pytest.raises(DefinitionInvalid, match=said):
        rules.definitions(BASE + rest)


def heard() -> None:
    while listen(ACTIVITIES, fold_activities, lambda seq: events_after(seq, kinds=ACTIVITY_KINDS)).count:
        pass


def held(scope: Scope, area_id: int, *, people: int, now: datetime, exercise: int | None = None) -> int:
    """Hold a help day with two matters and so many people, and return its id."""
    number = Activity.objects.count()
    plan = Plan("HELP_DAY", f"示例{number}", area_id, "广场", now, now + timedelta(hours=2), "WALK_IN", organiser_id=scope.person_id)
    activity = actions.plan(scope, plan, key=f"plan-key-{number}", exercise_id=exercise, now=now)
    actions.move(scope, activity, "OPEN", now=now)
    actions.move(scope, activity, "START", now=now)
    for n, handled in enumerate(("SETTLED", "HANDED_ON")):
        actions.record_matter(scope, activity, NewMatter("POLICY", handled, f"matter-{n:04d}"), now=now)  # type: ignore[arg-type]
    actions.count_attendance(scope, activity, change=people, key="count-0001", now=now)
    return activity


@pytest.fixture
def officer(county: County, now: datetime) -> Scope:
    """Return what the county officer may do."""
    return scope_of_account(Account.objects.unscoped().get(username="county"), now)


def numbers(scope: Scope, since: datetime, **more: Any) -> dict[str, float | None]:
    return {figure.definition.code: figure.value.number for figure in queries.activity_figures(scope, since=since, **more)}


@pytest.mark.django_db
def test_the_figures_count_what_was_held_and_no_exercise_and_made_anew_they_are_the_same(county: County, officer: Scope, now: datetime) -> None:
    here, there = held(officer, county.village, people=12, now=now), held(officer, county.other_village, people=30, now=now)
    held(officer, county.village, people=500, now=now, exercise=1)
    gone = held(officer, county.village, people=700, now=now)
    actions.move(officer, gone, "CANCEL", reason_code="WEATHER", now=now)
    actions.move(officer, there, "END", now=now)
    heard()
    assert numbers(officer, now) == {"activities_held": 2, "matters_handled": 4, "persons_served": 42}
    assert numbers(officer, now + timedelta(days=1)) == {"activities_held": 0, "matters_handled": 0, "persons_served": 0}
    assert numbers(officer, now, path=county.path)["persons_served"] == 12
    assert [line.activity_id for line in queries.activities_behind(officer, "persons_served", since=now)] == [there, here]
    kept = list(ActivityRow.objects.order_by("pk").values())
    assert len(kept) == 4
    for batch in (3, 2_000):
        rebuild(batch=batch)
        assert list(ActivityRow.objects.order_by("pk").values()) == kept
    ActivityRow.objects.filter(pk=here).update(matters=99)  # a line written by hand does not outlive it
    rebuild()
    assert list(ActivityRow.objects.order_by("pk").values()) == kept


@pytest.mark.django_db
def test_an_officer_counts_the_own_areas_only_and_areas_add_up(county: County, officer: Scope, now: datetime) -> None:
    held(officer, county.village, people=12, now=now)
    held(officer, county.other_village, people=30, now=now)
    heard()
    village = Scope(1, (county.path,), frozenset({"case.read"}))
    assert numbers(village, now)["persons_served"] == 12
    assert [line.area_id for line in queries.activities_behind(village, "activities_held", since=now)] == [county.village]
    assert numbers(Scope(None, (), frozenset()), now)["activities_held"] == 0
    depth = len([part for part in county.path.split("/") if part]) - 1
    found = queries.activity_figures_by_area(officer, since=now, depth=depth)
    assert {area_id: figures[2].value.number for area_id, figures in found.items()} == {county.village: 12, county.other_village: 30}
    with pytest.raises(NotFound):
        queries.activities_behind(officer, "nothing", since=now)


@pytest.mark.django_db
def test_a_moved_area_takes_its_activities_along(county: County, officer: Scope, now: datetime) -> None:
    activity = held(officer, county.village, people=12, now=now)
    heard()
    township = add_area(parent_id=int(county.path.split("/")[2]), name="新河镇", now=now)
    move_area(county.village, parent_id=township, now=now)
    heard()
    assert ActivityRow.objects.get(pk=activity).path == area(county.village).path
    rebuild()
    assert ActivityRow.objects.get(pk=activity).path == area(county.village).path


@pytest.mark.django_db
def test_the_page_shows_the_figures_and_leads_to_their_activities(county: County, client: Client, officer: Scope) -> None:
    activity = held(officer, county.village, people=12, now=clock().now())
    heard()
    client.force_login(Account.objects.unscoped().get(username="county"))
    page = client.get("/figures/?period=week").content.decode()
    for said in ("活动场次", "受理事项", "服务人次", 'href="/figures/persons_served/?period=week"', "12<small>人次</small>"):
        assert said in page, said
    behind = client.get("/figures/persons_served/?period=week").content.decode()
    assert f'href="/activities/{activity}/">示例0</a>' in behind
    assert "集中帮办日" in behind
    assert f'href="/activities/{activity}/"' not in client.get(f"/figures/persons_served/areas/{county.other_village}/").content.decode()
    assert client.get("/figures/persons_served/?format=xlsx").status_code == 200
