"""What stands beside a case: cases nearby and of the same home, merging into one of them, handing over; each in the reader's scope."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client

from shouwang.cases.actions import NewCase, false_alarm, open_case
from shouwang.cases.models import Case, Task
from shouwang.cases.queries import case_row
from shouwang.people.actions import NewDuty, NewPerson, add_account, add_persons, assign_duties
from shouwang.people.models import Account
from shouwang.people.rules import SYSTEM, Scope
from shouwang.places.actions import add_area
from shouwang.places.models import Area
from shouwang.places.queries import area, areas_near
from shouwang.web.related import may_merge, nearby
from tests.journeys.conftest import County

pytestmark = pytest.mark.django_db
READS = frozenset({"case.read"})
LON, LAT = 115.6, 36.2


def one_case(
    county: County, now: datetime, *, village: int | None = None, kind: str = "living_alone", subject: int = 0, exercise: int | None = None,
) -> int:
    place = village or county.village
    return open_case(NewCase(
        "WELFARE_CHECK", kind, 3, place, area(place).path, "household", subject or county.household, "WATER_LOW_USE_OPEN", {"used_l": 3, "window_h": 24, "limit_l": 10},
        exercise_id=exercise,
    ), now=now)


def as_person(name: str) -> Client:
    client = Client()
    client.force_login(Account.objects.unscoped().get(username=name))
    return client


def put_at(area_id: int, lon: float, lat: float) -> None:
    Area.objects.filter(pk=area_id).update(lon=lon, lat=lat)


def near(county: County, case_id: int, now: datetime, *, path: str = "/") -> list[int]:
    found = nearby(Scope(1, (path,), READS), case_row(case_id), now=now, language="zh")
    return [each.row.id for each in found]


def test_areas_near_a_point_and_how_far_they_are(county: County) -> None:
    put_at(county.village, LON, LAT)
    put_at(county.other_village, LON + 0.02, LAT)  # 1.8 km
    found = areas_near(LON, LAT, within_m=5_000)
    assert {county.village, county.other_village} == set(found)
    assert found[county.village] == 0
    assert 1_700 < found[county.other_village] < 1_900
    assert {county.village} == set(areas_near(LON, LAT, within_m=1_000))


def test_the_same_kind_comes_first_then_the_nearest(county: County, now: datetime) -> None:
    put_at(county.village, LON, LAT)
    put_at(county.other_village, LON + 0.02, LAT)
    case_id = one_case(county, now)
    other_kind = one_case(county, now, kind="requests")
    there = one_case(county, now, village=county.other_village)
    here = one_case(county, now)
    assert [here, there, other_kind] == near(county, case_id, now)
    put_at(county.other_village, LON + 0.2, LAT)  # 18 km
    assert [here, other_kind] == near(county, case_id, now)


def test_an_ended_case_stays_near_for_seven_days(county: County, now: datetime) -> None:
    case_id, other = one_case(county, now), one_case(county, now - timedelta(days=6))
    false_alarm(other, reason="TEST", by=county.county_officer, now=now)
    assert [other] == near(county, case_id, now)
    assert near(county, case_id, now + timedelta(days=2)) == []


def test_a_case_out_of_sight_or_of_an_exercise_is_not_near(county: County, now: datetime) -> None:
    put_at(county.village, LON, LAT)
    stranger = add_area(parent_id=add_area(parent_id=Area.objects.get(parent_id=None).pk, name="邻县", now=now), name="邻镇", now=now)
    put_at(stranger, LON + 0.001, LAT)
    case_id = one_case(county, now)
    one_case(county, now, exercise=1)
    beyond = one_case(county, now, village=stranger)
    assert [beyond] == near(county, case_id, now)  # for the city
    assert near(county, case_id, now, path=area(county.village).path) == []
    assert "邻镇" not in as_person("county").get(f"/cases/{case_id}/").content.decode()


def test_a_case_page_lists_what_was_about_the_same_home_with_its_end(county: County, now: datetime) -> None:
    before, elsewhere = one_case(county, now), one_case(county, now, subject=999)
    false_alarm(before, reason="DEVICE", by=county.county_officer, now=now)
    html = as_person("county").get(f"/cases/{one_case(county, now)}/").content.decode()
    about = html.partition("before-title")[2]
    assert f'href="/cases/{before}/"' in about
    assert "设备误报" in about
    assert f'href="/cases/{elsewhere}/"' not in about


def test_a_case_is_merged_into_one_nearby_and_both_say_so(county: County, now: datetime) -> None:
    first, second = one_case(county, now), one_case(county, now)
    officer = as_person("county")
    assert f'name="into" value="{first}"' in officer.get(f"/cases/{second}/").content.decode()
    officer.post(f"/cases/{second}/merge/", {"into": first})
    merged = Case.objects.get(pk=second)
    assert ("CLOSED", "MERGED", first) == (merged.state, merged.result, merged.merged_into)
    assert f"并入事件 {first}" in officer.get(f"/cases/{second}/").content.decode()
    about = officer.get(f"/cases/{first}/").content.decode()
    assert "并入其他事件" in about
    assert f"事件 {second} 并入本事件" in about
    officer.post(f"/cases/{second}/reopen/")
    assert (Case.objects.get(pk=second).state, Case.objects.get(pk=second).merged_into) == ("OPEN", None)


def test_what_cannot_be_merged_is_refused(county: County, now: datetime) -> None:
    case_id = one_case(county, now)
    matter, neighbour = one_case(county, now, kind="activities"), one_case(county, now, subject=999)
    stranger = add_area(parent_id=Area.objects.get(parent_id=None).pk, name="邻县", now=now)
    beyond = one_case(county, now, village=stranger)
    for of, into in ((case_id, beyond), (case_id, case_id), (case_id, matter), (case_id, neighbour), (case_id, 10**9), (case_id, "x")):
        answer = as_person("county").post(f"/cases/{of}/merge/", {"into": into}, headers={"HX-Request": "true"})
        assert answer.status_code == 409
    assert f'name="into" value="{neighbour}"' not in as_person("county").get(f"/cases/{case_id}/").content.decode()
    assert {"OPEN"} == set(Case.objects.values_list("state", flat=True))
    assert as_person("worker").post(f"/cases/{case_id}/merge/", {"into": case_id}).status_code == 403


def test_two_requests_of_different_numbers_may_be_one_thing(county: County, now: datetime) -> None:
    one, other = (one_case(county, now, kind="requests", subject=number) for number in (1, 2))
    assert may_merge(case_row(one), case_row(other))
    assert not may_merge(case_row(one), case_row(one))


def test_a_task_is_handed_over_to_somebody_on_its_ladder_only(county: County, now: datetime) -> None:
    case_id = one_case(county, now)
    task = Task.objects.get(case_id=case_id)
    officer = as_person("county")
    html = officer.get(f"/cases/{case_id}/").content.decode().partition('name="to"')[2].partition("</select>")[0]
    offered = {int(number) for number in re.findall(r'value="(\d+)"', html)}
    assert county.deputy in offered
    assert task.assignee_id not in offered
    (stranger,) = add_persons(SYSTEM, [NewPerson("外人辛", county.other_village)], now=now)
    for to, reason in ((stranger, "ABSENT"), ("x", "ABSENT"), (county.deputy, "x")):
        officer.post(f"/cases/{case_id}/hand_over/", {"task": task.pk, "to": to, "reason": reason})
        assert Task.objects.get(pk=task.pk).assignee_id == task.assignee_id
    officer.post(f"/cases/{case_id}/hand_over/", {"task": task.pk, "to": county.deputy, "reason": "ABSENT"})
    assert Task.objects.get(pk=task.pk).assignee_id == county.deputy
    assert "转办给副手乙" in officer.get(f"/cases/{case_id}/").content.decode()


def test_merging_needs_the_right_at_both_places(county: County, now: datetime) -> None:
    """An officer of the township and grid worker elsewhere may read there, but not dispatch."""
    root = Area.objects.get(parent_id=None).pk
    village = add_area(parent_id=add_area(parent_id=add_area(parent_id=root, name="邻县", now=now), name="邻镇", now=now), name="邻村", now=now)
    township = int(area(county.village).path.split("/")[3])
    (both,) = add_persons(SYSTEM, [NewPerson("两处壬", township)], now=now)
    since = now.date() - timedelta(days=3)
    assign_duties(SYSTEM, [NewDuty(both, "TOWNSHIP_DUTY", township, since, "DEPUTY"), NewDuty(both, "GRID_WORKER", village, since)], now=now)
    add_account(SYSTEM, username="both", person_id=both, now=now)
    own, other = one_case(county, now), one_case(county, now, village=village)
    assert as_person("both").get(f"/cases/{other}/").status_code == 200
    assert as_person("both").post(f"/cases/{own}/merge/", {"into": other}, headers={"HX-Request": "true"}).status_code == 409
    assert Case.objects.get(pk=own).state == "OPEN"


def test_what_was_merged_wrongly_is_split_off_on_the_page_of_the_other(county: County, now: datetime) -> None:
    first, second = one_case(county, now), one_case(county, now)
    officer = as_person("county")
    assert "分出来单独办理" not in officer.get(f"/cases/{first}/").content.decode()
    officer.post(f"/cases/{second}/merge/", {"into": first})
    assert f'name="taken" value="{second}"' in officer.get(f"/cases/{first}/").content.decode()
    officer.post(f"/cases/{first}/split/", {"taken": second, "reason": "no such"})
    assert "CLOSED" == Case.objects.get(pk=second).state
    officer.post(f"/cases/{first}/split/", {"taken": second, "reason": "OTHER_MATTER"})
    assert ("OPEN", first) == (Case.objects.get(pk=second).state, Case.objects.get(pk=second).split_from)
    assert f"分出事件 {second}：不是同一件事" in officer.get(f"/cases/{first}/").content.decode()
    assert f"从事件 {first} 中分出：不是同一件事" in officer.get(f"/cases/{second}/").content.decode()
    answer = officer.post(f"/cases/{first}/split/", {"taken": second, "reason": "MISTAKE"}, headers={"HX-Request": "true"})
    assert 409 == answer.status_code
    assert "现在没有并入" in answer.content.decode()


def test_only_whoever_may_merge_may_split_off(county: County, now: datetime) -> None:
    first, second = one_case(county, now), one_case(county, now)
    as_person("county").post(f"/cases/{second}/merge/", {"into": first})
    assert 403 == as_person("worker").post(f"/cases/{first}/split/", {"taken": second, "reason": "MISTAKE"}).status_code
    for taken in (10**9, "x"):
        answer = as_person("county").post(f"/cases/{first}/split/", {"taken": taken, "reason": "MISTAKE"}, headers={"HX-Request": "true"})
        assert 409 == answer.status_code
    assert "CLOSED" == Case.objects.get(pk=second).state
