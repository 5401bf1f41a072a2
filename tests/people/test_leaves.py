"""Leave on the page of a person: who may note it, and who answers meanwhile."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from shouwang.kernel.errors import NotFound, Refused
from shouwang.people import actions, queries
from shouwang.people.models import Leave
from shouwang.people.queries import Who
from shouwang.people.rules import SYSTEM
from tests.people.conftest import Officer, Town
from tests.people.test_pages import _real_moment, signed_in

__all__ = ["_real_moment"]
TODAY = date(2026, 1, 15)


def test_a_leave_is_noted_shown_and_ended_and_the_deputy_answers_meanwhile(town: Town, officer: Officer, now: datetime) -> None:
    _, _, planner = officer("TOWNSHIP_DUTY", town.north)
    worker, _, _ = officer("GRID_WORKER", town.village)
    deputy, _, _ = officer("GRID_WORKER", town.village, rank="DEPUTY")
    asked = [Who(town.path(town.village), "GRID_WORKER", "VILLAGE")]
    assert queries.answerable(asked, at=now) == [worker]
    client = signed_in(planner)
    wrong = client.post(f"/people/{worker}/leave/", {"from_date": "2026-01-15", "until_date": "2026-01-15"})
    assert (wrong.status_code, "请假" in wrong.content.decode()) == (422, True)
    assert client.post(f"/people/{worker}/leave/", {"from_date": "2026-01-15", "until_date": "2026-01-18"}).status_code == 302
    assert queries.answerable(asked, at=now) == [deputy]
    assert queries.answerable(asked, at=now + timedelta(days=3)) == [worker]
    assert "当天回岗" in client.get(f"/people/{worker}/").content.decode()
    assert "本周请假" in client.get("/people/roster/").content.decode()
    leave = Leave.objects.unscoped().get()
    assert client.post(f"/people/leaves/{leave.pk}/end/").status_code == 302
    assert queries.answerable(asked, at=now) == [worker]
    assert not Leave.objects.unscoped().exists()
    assert "本周请假" not in client.get("/people/roster/").content.decode()


def test_a_leave_that_has_begun_ends_today(town: Town, officer: Officer, now: datetime) -> None:
    worker, _, _ = officer("GRID_WORKER", town.village)
    leave = actions.note_leave(SYSTEM, worker, from_date=TODAY - timedelta(2), until_date=TODAY + timedelta(2), now=now)
    actions.end_leave(SYSTEM, leave, now=now)
    assert Leave.objects.unscoped().get().until_date == TODAY
    actions.end_leave(SYSTEM, leave, now=now)


def test_only_who_plans_there_notes_and_ends_a_leave(town: Town, officer: Officer, now: datetime) -> None:
    worker, own, _ = officer("GRID_WORKER", town.village)
    _, south, _ = officer("TOWNSHIP_DUTY", town.south)
    leave = actions.note_leave(SYSTEM, worker, from_date=TODAY, until_date=TODAY + timedelta(1), now=now)
    with pytest.raises(Refused):
        actions.note_leave(own, worker, from_date=TODAY, until_date=TODAY + timedelta(1), now=now)
    with pytest.raises(NotFound):
        actions.note_leave(south, worker, from_date=TODAY, until_date=TODAY + timedelta(1), now=now)
    with pytest.raises(NotFound):
        actions.end_leave(south, leave, now=now)
