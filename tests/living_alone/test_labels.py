"""What cases turned out to be, and the programme's figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from shouwang.cases.actions import accept, complete
from shouwang.cases.models import Task
from shouwang.cases.rules.evidence import Given
from shouwang.config.wiring import News
from shouwang.systems.living_alone.models import Enrolment, Label
from shouwang.systems.living_alone.rules.labels import YEAR, Labelled, figures, label_of
from tests.journeys.conftest import County
from tests.journeys.test_meter_to_closed import open_one

AT = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("results", "what", "label"),
    [
        (["WELL"], "", "WELL"), (["NEEDED_HELP", "VISITED"], "", "NEEDED_HELP"), (["AWAY"], "", "AWAY"), (["VISITOR"], "", "VISITOR"),
        (["METER_OR_LEAK"], "LEAK", "LEAK"), (["METER_OR_LEAK"], "METER", "METER_FAULT"), (["METER_OR_LEAK"], "TAP", "TAP"),
        (["REPAIRED"], "", "METER_FAULT"), ([], "", "OTHER"), (["SOMETHING_NEW"], "", "OTHER"),
    ],
)
def test_what_a_case_turned_out_to_be(results: list[str], what: str, label: str) -> None:
    assert label_of(results, what) == label


def test_figures_are_counted_over_the_time_each_home_was_watched() -> None:
    found = [
        Labelled(1, "WELL", AT, AT + 10 * MINUTE), Labelled(1, "AWAY", AT, AT + 30 * MINUTE), Labelled(2, "NEEDED_HELP", AT, AT + 20 * MINUTE),
        Labelled(2, "METER_FAULT", AT, None),
    ]
    got = figures(found, {1: YEAR, 2: YEAR / 2, 3: YEAR / 2})
    assert (got.home_years, got.cases, got.false_per_home_year, got.contact_median_min) == (2.0, 4, 1.0, 20.0)
    assert (got.homes_without, got.home_most) == (2, 2)


def test_nothing_counted_is_nothing_and_not_zero() -> None:
    got = figures([], {})
    assert (got.false_per_home_year, got.contact_median_min, got.contact_p90_min, got.home_p90) == (None, None, None, None)


@pytest.mark.django_db
def test_a_closed_case_leaves_its_label_and_the_programme_counts_it(county: County, desk: Client, now: datetime) -> None:
    Enrolment.objects.update(enrolled_at=now - YEAR / 2)
    task = open_one(county, now - timedelta(hours=1))
    accept(task.pk, person_id=county.worker, now=now - timedelta(minutes=40))
    complete(task.pk, person_id=county.worker, result="WELL", evidence=[Given("how", "MET")], now=now)
    for _ in range(2):
        News().tell()
    row = Label.objects.get()
    assert (row.label, row.alert_kind, row.household_id, row.contact_at) == ("WELL", "WATER_LOW_USE", county.household, now - timedelta(minutes=40))
    page = desk.get("/living-alone/programme/").content.decode()
    assert "2.0 <span" in page  # one false alarm in half a home-year
    assert "中位 20 分钟" in page
    assert "己" not in page.partition("<main")[2]


@pytest.mark.django_db
def test_a_case_that_needed_help_is_labelled_when_the_visit_after_it_is_done(county: County, now: datetime) -> None:
    task = open_one(county, now)
    given = [Given("called", "120"), Given("handed_to", "县医院")]
    complete(task.pk, person_id=county.worker, result="NEEDED_HELP", evidence=given, now=now)
    News().tell()
    assert not Label.objects.exists()
    again = Task.objects.latest("pk")
    assert (again.step, again.limit_us) == ("revisit", 7 * 24 * 3600 * 1_000_000)
    complete(again.pk, person_id=county.township_officer, result="REFERRED", evidence=[Given("agreed", "YES")], may_take=True, now=now)
    News().tell()
    assert Label.objects.get().label == "NEEDED_HELP"
