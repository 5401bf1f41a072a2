"""A small county for journeys: four levels, an officer at each, a grid worker and a deputy, one home with its meter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from shouwang.kernel.moments import local
from shouwang.people.actions import NewDuty, NewPerson, add_account, add_member, add_persons, assign_duties, enrol_household
from shouwang.people.rules import SYSTEM
from shouwang.places import queries as places
from shouwang.places.actions import add_area
from shouwang.systems.living_alone.actions import enrol, publish_shipped
from shouwang.telemetry.actions import add_things
from shouwang.telemetry.rules import NewThing


@dataclass(frozen=True)
class County:
    """The ids of the small county."""

    village: int
    path: str
    worker: int
    deputy: int
    township_officer: int
    county_officer: int
    city_officer: int
    household: int
    datastream: int
    other_village: int


@pytest.fixture
def county(db: None, now: datetime) -> County:
    """Return a county with everybody on duty."""
    root = add_area(parent_id=None, name="示范市", level="PREFECTURE", now=now)
    county_id = add_area(parent_id=root, name="示范县", now=now)
    township = add_area(parent_id=county_id, name="柳河镇", now=now)
    village = add_area(parent_id=township, name="东塘村", now=now)
    other = add_area(parent_id=township, name="西塘村", now=now)
    people = add_persons(SYSTEM, [
        NewPerson("网格甲", village, "10000000001"), NewPerson("副手乙", village), NewPerson("镇班丙", township),
        NewPerson("县班丁", county_id), NewPerson("市班戊", root), NewPerson("住户己", village), NewPerson("子女庚", village, "10000000007"),
    ], now=now)
    worker, deputy, town, county_officer, city, resident, relative = people
    since = local(now).date() - timedelta(days=9)
    assign_duties(SYSTEM, [
        NewDuty(worker, "GRID_WORKER", village, since), NewDuty(deputy, "GRID_WORKER", village, since, "DEPUTY"),
        NewDuty(town, "TOWNSHIP_DUTY", township, since), NewDuty(county_officer, "COUNTY_DUTY", county_id, since),
        NewDuty(city, "CITY_DUTY", root, since),
    ], now=now)
    path = places.area(village).path
    household = enrol_household(SYSTEM, name="己家", address="东塘村1组2号", area_id=village, residents=[resident], now=now)
    add_member(SYSTEM, household, person_id=relative, role="RELATIVE", relation="子女", now=now)
    (thing,) = add_things([NewThing("WM1", "WATER_METER", "WM1", (("register_l", "L"),), village, path, household)], now=now)
    datastream = thing.datastreams["register_l"]
    publish_shipped(now=now)
    enrol(household_id=household, datastream_id=datastream, area_id=village, path=path, now=now)
    add_account(SYSTEM, username="county", person_id=county_officer, now=now)
    add_account(SYSTEM, username="worker", person_id=worker, now=now)
    return County(village, path, worker, deputy, town, county_officer, city, household, datastream, other)
