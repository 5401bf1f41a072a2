"""Which rules watch the meters: switched on the programme page by whoever settles things everywhere, and by nobody else."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client

from shouwang.detectors.contract import load
from shouwang.journal.queries import last_seq
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import local, to_us
from shouwang.people.actions import add_account, add_person, assign_duty
from shouwang.people.rules import SYSTEM
from shouwang.places import queries as places
from shouwang.systems.living_alone.actions import watch_meters
from shouwang.systems.living_alone.rules.labels import YEAR, Labelled, figures
from shouwang.watch import queries
from shouwang.watch.actions import switch_watch
from tests.journeys.conftest import County

pytestmark = pytest.mark.django_db
ADDRESS = "/living-alone/programme/rule/"


@pytest.fixture
def watched(now: datetime) -> None:
    watch_meters(now=now - timedelta(days=30))


@pytest.fixture
def administrator(county: County, now: datetime) -> Client:
    root = places.roots()[0].id
    person = add_person(SYSTEM, name="管理癸", area_id=root, now=now)
    assign_duty(SYSTEM, person_id=person, code="ADMINISTRATOR", area_id=root, from_date=local(now).date() - timedelta(days=1), now=now)
    client = Client()
    client.force_login(add_account(SYSTEM, username="admin", person_id=person, now=now))
    return client


def enabled() -> set[str]:
    return {row.code for row in queries.watches(enabled_only=True)}


def test_the_rules_are_listed_and_switched_by_an_administrator(watched: None, administrator: Client, now: datetime) -> None:
    page = administrator.get("/living-alone/programme/").content.decode()
    assert "聊城在用" in page
    assert page.index("按各户习惯：久未用水") < page.index("聊城在用")
    before = last_seq()
    assert administrator.post(ADDRESS, {"code": "low_high_24h", "do": "on"}).status_code == 302
    assert enabled() == {"silence", "high_use", "no_data", "low_high_24h"}
    administrator.post(ADDRESS, {"code": "silence", "do": "off"})
    assert "silence" not in enabled()
    assert last_seq() == before + 2
    assert administrator.post(ADDRESS, {"code": "nothing", "do": "on"}).status_code == 404


def test_nobody_else_may_switch(watched: None, county: County, desk: Client, phone: Client) -> None:
    before = enabled()
    for client in (desk, phone):
        assert client.post(ADDRESS, {"code": "silence", "do": "off"}).status_code in {403, 404}
        assert 'name="do" value="off"' not in client.get("/living-alone/programme/").content.decode()
    assert enabled() == before


def test_a_rule_that_is_switched_on_judges_from_now_on_and_twice_changes_nothing(watched: None, now: datetime) -> None:
    assert switch_watch("low_12h", enabled=True, now=now)
    row = next(each for each in queries.watches() if each.code == "low_12h")
    assert row.since == now
    assert {int(load(state.state)["judged_us"][0]) for state in queries.states(row.id)} == {to_us(now)}
    assert not switch_watch("low_12h", enabled=True, now=now + timedelta(days=1))
    assert next(each for each in queries.watches() if each.code == "low_12h").since == now
    with pytest.raises(NotFound):
        switch_watch("nothing", enabled=True, now=now)


def test_the_spread_counts_homes_by_their_false_alarms(now: datetime) -> None:
    found = [Labelled(1, "WELL", now, None)] * 9 + [Labelled(2, "AWAY", now, None), Labelled(2, "NEEDED_HELP", now, None)]
    assert figures(found, {1: YEAR, 2: YEAR, 3: YEAR}).spread == (1, 1, 0, 0, 0, 1)


def test_a_rate_over_a_few_days_is_not_shown(now: datetime) -> None:
    assert figures([Labelled(1, "WELL", now, None)], {1: YEAR / 100}).false_per_home_year is None
