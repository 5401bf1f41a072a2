"""A person's name and phone are changed after adding: by whom it may be, written down, and nothing masked is shown for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from shouwang.journal.queries import events_after
from shouwang.kernel.errors import NotFound, Refused
from shouwang.people import actions
from shouwang.people.models import AccessLog, Person
from shouwang.people.rules import SYSTEM
from tests.people.conftest import Officer, Town
from tests.people.test_pages import signed_in

pytestmark = pytest.mark.django_db


def resident(town: Town, now: datetime, area_id: int | None = None) -> int:
    return actions.add_person(SYSTEM, name="王秀兰", area_id=area_id or town.village, phone="10000000021", now=now)


def row(person_id: int) -> tuple[str, str, str]:
    person = Person.objects.unscoped().get(pk=person_id)
    return person.name, person.phone, person.initials


def test_what_changed_is_kept_found_and_written_down(town: Town, officer: Officer, now: datetime) -> None:
    editor, scope, _ = officer("CIVIL_AFFAIRS", town.north)
    person = resident(town, now)
    assert actions.change_person(scope, person, name=" 张秀兰 ", phone="10000000022", now=now) == ["name", "phone"]
    assert row(person) == ("张秀兰", "10000000022", "zxl")
    from shouwang.people.queries import list_persons  # noqa: PLC0415 - only here

    assert [[each.id for each in list_persons(scope, text=text)[0]] for text in ("10000000022", "zxl", "10000000021")] == [[person], [person], []]
    logged = AccessLog.objects.unscoped().filter(action="CHANGE").values_list("actor_id", "object_id", "reason", "path")
    assert list(logged) == [(editor, person, "name phone", town.path(town.village))]
    (event,) = [each for each in events_after(0, limit=1000) if each.kind == "person.changed"]
    assert event.payload == {"by": editor, "fields": ["name", "phone"]}


def test_what_is_left_out_stays_and_nothing_new_is_no_change(town: Town, now: datetime) -> None:
    person = resident(town, now)
    assert actions.change_person(SYSTEM, person, name="王秀兰", now=now) == []
    assert actions.change_person(SYSTEM, person, phone="", now=now) == ["phone"]
    assert row(person)[:2] == ("王秀兰", "")
    assert AccessLog.objects.unscoped().filter(action="CHANGE").count() == 1


def test_only_where_one_edits_and_who_holds_a_duty_only_by_who_appoints(town: Town, officer: Officer, now: datetime) -> None:
    _, clerk, _ = officer("CIVIL_AFFAIRS", town.north)
    _, admin, _ = officer("ADMINISTRATOR", town.north)
    with pytest.raises(NotFound):
        actions.change_person(clerk, resident(town, now, town.other_village), name="x", now=now)
    worker, _, _ = officer("GRID_WORKER", town.village)
    with pytest.raises(Refused):
        actions.change_person(clerk, worker, phone="10000000023", now=now)
    assert actions.change_person(admin, worker, phone="10000000023", now=now) == ["phone"]
    above = resident(town, now)
    actions.assign_duty(SYSTEM, person_id=above, code="COUNTY_DUTY", area_id=town.county, from_date=now.date(), now=now)
    with pytest.raises(Refused):
        actions.change_person(admin, above, phone="10000000024", now=now)


@pytest.mark.parametrize(("form", "said", "kept"), [
    ({"phone": "100 0000-0022"}, "已修改", ("王秀兰", "10000000022")),
    ({"name": "张秀兰"}, "已修改", ("张秀兰", "10000000021")),
    ({"drop_phone": "on"}, "已修改", ("王秀兰", "")),
    ({}, "没有改动", ("王秀兰", "10000000021")),
    ({"phone": "12"}, "电话应为 5 至 15 位数字", ("王秀兰", "10000000021")),
    ({"phone": "10000000022", "drop_phone": "on"}, "就不要再勾选", ("王秀兰", "10000000021")),
])
def test_the_page_changes_without_showing_what_is_masked(
    town: Town, officer: Officer, now: datetime, settings: Any, form: dict[str, str], said: str, kept: tuple[str, str],
) -> None:
    _, _, account = officer("CIVIL_AFFAIRS", town.north)
    person = resident(town, now)
    answer = signed_in(account).post(f"/people/{person}/change/", form, follow=True)
    page = answer.content.decode()
    assert said in page
    assert row(person)[:2] == kept
    assert "10000000021" not in page
    assert "秀兰" not in page


def test_who_may_not_edit_is_offered_nothing(town: Town, officer: Officer, now: datetime) -> None:
    _, _, account = officer("TOWNSHIP_DUTY", town.north)
    client, person = signed_in(account), resident(town, now)
    assert f"/people/{person}/change/" not in client.get(f"/people/{person}/").content.decode()
    assert client.post(f"/people/{person}/change/", {"name": "x"}).status_code == 403
