"""The figures are a fold of the journal (I7): as they go, made anew, and as a page shows them; exercises stay out (I10)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client

from shouwang.cases import actions
from shouwang.cases.actions import NewCase, open_case
from shouwang.cases.models import Case, Task
from shouwang.indicators.actions import KINDS, LISTENER, fold, rebuild
from shouwang.indicators.models import CaseLine
from shouwang.indicators.queries import figures, figures_by_area, rows_behind
from shouwang.journal.actions import listen
from shouwang.journal.clock import clock
from shouwang.journal.queries import events_after
from shouwang.people.rules import Scope
from shouwang.places.actions import move_area
from shouwang.places.queries import area
from tests.journeys.conftest import County, county

__all__ = ["county"]
pytestmark = pytest.mark.django_db


def heard() -> None:
    while listen(LISTENER, fold, lambda seq: events_after(seq, kinds=KINDS)).count:
        pass


def opened(county: County, *, at: datetime, village: int | None = None, exercise: int | None = None) -> int:
    place = village or county.village
    return open_case(NewCase(
        "WELFARE_CHECK", "living_alone", 3, place, area(place).path, "household", county.household, "WATER_LOW_USE_24H",
        {"household": county.household}, None, exercise,
    ), now=at)


def task_of(case_id: int) -> int:
    return Task.objects.filter(case_id=case_id).latest("id").pk


def sees(path: str) -> Scope:
    return Scope(1, (path,), frozenset({"case.read"}))


def numbers(scope: Scope, since: datetime) -> dict[str, float | None]:
    return {each.definition.code: each.value.number for each in figures(scope, since=since)}


@pytest.fixture
def busy(county: County, now: datetime) -> County:
    """Return the county after a morning: one done in ten minutes, one accepted, one false alarm, one exercise, one elsewhere."""
    done, taken, wrong = (opened(county, at=now) for _ in range(3))
    opened(county, at=now, exercise=1)
    opened(county, at=now, village=county.other_village)
    actions.accept(task_of(done), person_id=county.worker, now=now + timedelta(minutes=2))
    actions.accept(task_of(taken), person_id=county.worker, now=now + timedelta(minutes=6))
    actions.false_alarm(wrong, reason="DEVICE", by=county.county_officer, now=now + timedelta(minutes=3))
    actions.withdraw(done, reason="MOVED", by=county.county_officer, now=now + timedelta(minutes=10))
    heard()
    return county


def test_the_figures_count_what_was_done_and_no_exercise(busy: County, now: datetime) -> None:
    found = numbers(sees(busy.path.rsplit("/", 3)[0] + "/"), now)
    assert found == {"opened": 4, "open": 2, "late": 0, "completed_share": 25, "accept_minutes": 4, "complete_minutes": 3}


def test_matters_settled_at_activities_are_no_cases_of_the_desk(busy: County, now: datetime) -> None:
    scope = sees(busy.path)
    before = numbers(scope, now)
    matter = NewCase("WELFARE_CHECK", "activities", 1, busy.village, area(busy.village).path, "area", busy.village, "WATER_LOW_USE_24H", {})
    case_id = open_case(matter, now=now)
    actions.withdraw(case_id, reason="MOVED", by=busy.county_officer, now=now)
    heard()
    assert numbers(scope, now) == before
    assert [line.case_id for line in rows_behind(scope, "opened", since=now, kind="activities")] == [case_id]
    assert case_id not in {line.case_id for line in rows_behind(scope, "opened", since=now)}


def test_the_open_lines_are_the_open_cases(busy: County) -> None:
    lines = set(CaseLine.objects.filter(state="OPEN").values_list("case_id", flat=True))
    assert lines == set(Case.objects.filter(state="OPEN").values_list("pk", flat=True))


def test_made_anew_they_are_the_same(busy: County) -> None:
    kept = list(CaseLine.objects.order_by("pk").values())
    assert rebuild(batch=3) == len([event for event in events_after(0, limit=10_000) if event.kind in KINDS])
    assert list(CaseLine.objects.order_by("pk").values()) == kept
    # A line written by hand does not outlive it.
    CaseLine.objects.filter(pk=kept[0]["case_id"]).update(late=True)
    rebuild()
    assert list(CaseLine.objects.order_by("pk").values()) == kept


def test_an_officer_counts_the_own_areas_only(busy: County, now: datetime) -> None:
    scope = sees(busy.path)
    assert numbers(scope, now)["opened"] == 3
    assert {line.case_id for line in rows_behind(scope, "opened", since=now)} == {
        case.pk for case in Case.objects.filter(area_id=busy.village, exercise_id=None)
    }
    assert numbers(Scope(None, (), frozenset()), now)["opened"] == 0


def test_each_area_has_its_own_and_they_add_up(busy: County, now: datetime) -> None:
    scope = sees(busy.path[: busy.path.index("/", 1) + 1])
    depth = len([part for part in busy.path.split("/") if part]) - 1
    found = {area_id: each[0].value.number for area_id, each in figures_by_area(scope, since=now, depth=depth).items()}
    assert found == {busy.village: 3, busy.other_village: 1}


def test_a_moved_area_takes_its_lines_along(busy: County, now: datetime) -> None:
    parents = [part for part in busy.path.split("/") if part]
    from shouwang.places.actions import add_area  # noqa: PLC0415 - only this test makes a place

    township = add_area(parent_id=int(parents[1]), name="新河镇", now=now)
    move_area(busy.village, parent_id=township, now=now)
    heard()
    assert set(CaseLine.objects.filter(area_id=busy.village).values_list("path", flat=True)) == {area(busy.village).path}


def test_the_page_shows_the_figures_and_leads_to_their_cases(county: County, client: Client) -> None:
    from django.contrib.auth import get_user_model  # noqa: PLC0415

    now = clock().now()
    case_id = opened(county, at=now)
    heard()
    client.force_login(get_user_model().objects.unscoped().get(username="county"))
    page = client.get("/figures/?period=week")
    assert page.status_code == 200
    assert 'href="/figures/opened/?period=week"' in page.content.decode()
    rows = client.get("/figures/opened/?period=week").content.decode()
    assert f'href="/cases/{case_id}/"' in rows
    assert client.get("/figures/nothing/").status_code == 404
    assert client.get("/figures/areas/999999/").status_code == 404
    assert client.get(f"/figures/areas/{county.other_village}/?period=week").status_code == 200
    assert f'href="/cases/{case_id}/"' not in client.get(f"/figures/opened/areas/{county.other_village}/").content.decode()
    assert client.get("/figures/?format=xlsx").status_code == 200
