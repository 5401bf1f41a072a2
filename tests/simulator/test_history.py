"""The demo's past: what it makes is over, stands in the log, and folds to the figures."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Any

import pytest

from shouwang.alerts.models import Alert
from shouwang.cases.models import Case, CoverageGap
from shouwang.config.wiring import News
from shouwang.indicators import queries
from shouwang.indicators.actions import rebuild
from shouwang.journal.models import EventRow, Timer
from shouwang.journal.queries import verify
from shouwang.kernel.moments import local
from shouwang.notify.models import Message
from shouwang.people.rules import SYSTEM
from shouwang.places.actions import add_area
from shouwang.simulator import history, world

NUMBERS = {
    "ALERTS": 40, "CAMERAS": 5, "HELP_DAYS": 3, "HELP_MATTERS": 9, "HELP_PERSONS": 30, "SERVICE_DAYS": 6, "CIVIC_MATTERS": 7, "RESIDENTS": 90,
}
EXPECTED = {
    "meter_alerts_handled": 40, "cameras_at_waters": 5, "help_day_matters": 9, "help_day_persons": 30 + 9, "civic_matters": 7,
    "service_days": 6, "residents_served": 90,
}


@pytest.fixture
def past(db: None, monkeypatch: pytest.MonkeyPatch, now: datetime) -> datetime:
    """Seed a small city with a small past, heard by every listener; return the moment of today."""

    def load(*, now: datetime) -> None:
        root = add_area(parent_id=None, name="示范市", level="PREFECTURE", now=now)
        township = add_area(parent_id=add_area(parent_id=root, name="莘县", now=now), name="柳河镇", now=now)
        for name in ("东塘村", "西塘村"):
            add_area(parent_id=township, name=name, now=now)

    monkeypatch.setattr(world, "load_liaocheng", load)
    monkeypatch.setattr(world, "HOMES", 8)
    for name, number in NUMBERS.items():
        monkeypatch.setattr(history, name, number)
    chance = Random(7)
    history.seed_past(world.seed(now=now, chance=chance), now=now, chance=chance)
    news = News()
    while news.tell():
        pass
    return now


def figures() -> dict[str, int]:
    return {code: queries.published_value(SYSTEM, figure) for code, figure in queries.practices().figures.items()}


def test_the_past_folds_to_the_figures_and_made_anew_to_the_same(past: datetime) -> None:
    del past
    assert figures() == EXPECTED
    rebuild()
    assert figures() == EXPECTED
    assert verify() == EventRow.objects.count()


def test_nothing_of_the_past_is_open_due_or_unsent(past: datetime) -> None:
    assert set(Case.objects.values_list("state", flat=True)) == {"CLOSED"}
    assert set(Alert.objects.values_list("state", flat=True)) == {"ENDED"}
    assert list(Timer.objects.all()) == []
    assert list(CoverageGap.objects.all()) == []
    assert list(Message.objects.filter(done_at=None)) == []
    assert list(Message.objects.filter(read_at=None, leader_id=None)) == []
    assert Message.objects.filter(queued_at__gt=past).count() == 0


def test_todays_figures_know_nothing_of_the_past(past: datetime) -> None:
    today = local(past).replace(hour=0, minute=0, second=0, microsecond=0)
    found: dict[str, Any] = {each.definition.code: each.value.number for each in queries.figures(SYSTEM, since=today)}
    assert found["opened"] == found["open"] == found["late"] == 0
    assert found["accept_minutes"] is None
    # The help day that is going on is of today, and nothing else.
    assert {each.definition.code: each.value.number for each in queries.activity_figures(SYSTEM, since=today)}["activities_held"] == 1


@pytest.mark.parametrize(("total", "parts"), [(176, 152), (12_060, 152), (5, 5), (1_046, 40), (3, 1)])
def test_shares_are_about_equal_and_make_the_whole(total: int, parts: int) -> None:
    found = history.shares(total, parts, chance=Random(1))
    assert (sum(found), len(found)) == (total, parts)
    assert 1 <= min(found)
    assert max(found) <= 2 * total / parts + 1
