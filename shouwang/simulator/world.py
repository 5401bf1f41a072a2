"""Seeds the demo: Liaocheng's areas, invented officers and grid workers, homes of people who live alone, meters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import numpy as np

from shouwang.detectors.contract import Columns
from shouwang.kernel.moments import local, to_us
from shouwang.people.actions import (
    NewDuty,
    NewPerson,
    add_account,
    add_member,
    add_persons,
    assign_duties,
    enrol_household,
    issue_credential,
    issue_entry_link,
)
from shouwang.people.rules import RIGHTS, Scope
from shouwang.places import queries as places
from shouwang.places.actions import load_liaocheng, set_setting
from shouwang.simulator.meters import HISTORY_H, earlier, make_meters
from shouwang.simulator.names import name, phone
from shouwang.systems.drowning.actions import publish_shipped as publish_drowning
from shouwang.systems.living_alone.actions import enrol, publish_shipped, watch_meters
from shouwang.systems.living_alone.rules.hospital import HOSPITAL
from shouwang.telemetry.actions import add_things, ingest
from shouwang.telemetry.queries import things_named
from shouwang.telemetry.rules import NewThing

Report = Callable[[str, int, int], None]
HOMES = 60
SILENT = 6
DUTIES_SINCE = timedelta(days=400)
HOMES_SINCE = timedelta(days=100)
READ_DAYS = 42
"""How many days of readings there are before the two that the meters post themselves: what a home's page shows."""
_DUTY_OF_LEVEL = {"PREFECTURE": "CITY_DUTY", "COUNTY": "COUNTY_DUTY", "TOWNSHIP": "TOWNSHIP_DUTY", "VILLAGE": "GRID_WORKER"}
ROLES = (
    ("duty", "值班员", "Duty officer", "COUNTY"), ("grid", "网格员", "Grid worker", "VILLAGE"), ("township", "乡镇", "Township", "TOWNSHIP"),
    ("county", "县区", "County", "COUNTY"), ("city", "市级", "City", "PREFECTURE"), ("admin", "管理员", "Administrator", "PREFECTURE"),
)


@dataclass(frozen=True)
class World:
    """What the demo needs to know of the world it has made."""

    meters: Sequence[str]
    token: str
    links: dict[str, str]
    officers: Mapping[int, int]
    """Who has the first duty of each area."""
    township: places.AreaRow
    """Where the roles of the demo are at home."""


def everything() -> Scope:
    """Return the scope of whoever sets the installation up."""
    return Scope(None, tuple(root.path for root in places.roots()), RIGHTS)


def seed(*, now: datetime, chance: Random, report: Report = lambda *_: None) -> World:
    """Make the demo's world in an empty database and return what to play on it."""
    report("areas", 0, 4)
    load_liaocheng(now=now)
    report("people", 1, 4)
    officers = _officers(now, chance)
    report("homes", 2, 4)
    publish_shipped(now=now)
    publish_drowning(now=now)
    villages = _home_villages()
    _hospitals(now)
    meters = _homes(villages, now, chance)
    report("watches", 3, 4)
    _earlier_readings(meters, now, chance)
    started = now - timedelta(hours=HISTORY_H + 1)
    watch_meters(now=started, lateness_s=2)
    token = issue_credential("INTEGRATION", subject="demo-meters", paths=everything().paths, now=now)
    links = _links(officers, villages, now)
    report("done", 4, 4)
    return World(meters, token, links, officers, places.ancestors_of(villages[0].path)[-2])


def _officers(now: datetime, chance: Random) -> dict[int, int]:
    """Give every area an officer and a deputy; return the officer of each area."""
    scope = everything()
    areas = [area for root in places.roots() for area in places.below(root.path, levels=tuple(_DUTY_OF_LEVEL))]
    holders = areas + areas
    persons = add_persons(scope, [NewPerson(name(chance), area.id, phone(n)) for n, area in enumerate(holders)], now=now)
    since = local(now).date() - DUTIES_SINCE
    duties = [
        NewDuty(person, _DUTY_OF_LEVEL[area.level], area.id, since, "PRIMARY" if n < len(areas) else "DEPUTY")
        for n, (person, area) in enumerate(zip(persons, holders, strict=True))
    ]
    for start in range(0, len(duties), 500):
        assign_duties(scope, duties[start : start + 500], now=now)
    return {area.id: person for person, area in zip(persons[: len(areas)], areas, strict=True)}


def _home_villages() -> list[places.AreaRow]:
    """Return the villages the homes stand in: one township densely, then one village in each county."""
    root = places.roots()[0]
    county = next(area for area in places.children(root.id) if area.name == "莘县")
    township = next(area for area in places.children(county.id) if places.children(area.id))
    dense = places.children(township.id)[:10]
    others = []
    for other in places.children(root.id):
        below = places.below(other.path, levels=("VILLAGE",))
        others.extend(below[:4])
    return [*dense, *others]


def _hospitals(now: datetime) -> None:
    """Name an invented hospital in each county."""
    for number, county in enumerate(places.children(places.roots()[0].id)):
        set_setting(county.id, HOSPITAL.key, f"{county.name}示范医院 {phone(98_000 + number)}", now=now)


def _homes(villages: Sequence[places.AreaRow], now: datetime, chance: Random) -> list[str]:
    scope = everything()
    meters = []
    for number in range(HOMES):
        area = villages[number % len(villages)]
        resident, relative, neighbour = add_persons(scope, [
            NewPerson(name(chance), area.id, phone(90_000 + number), birth_date=None),
            NewPerson(name(chance), area.id, phone(91_000 + number)),
            NewPerson(name(chance), area.id, phone(92_000 + number)),
        ], now=now)
        household = enrol_household(
            scope, name=f"{area.name}{number + 1}户", address=f"{area.name}{chance.randint(1, 12)}组{chance.randint(1, 60)}号",
            area_id=area.id, residents=[resident], now=now,
        )
        add_member(scope, household, person_id=relative, role="RELATIVE", relation="子女", now=now)
        add_member(scope, household, person_id=neighbour, role="KEY_HOLDER", relation="邻居", now=now)
        meter = f"WM{number + 1:05d}"
        (thing,) = add_things([NewThing(meter, "WATER_METER", meter, (("register_l", "L"),), area.id, area.path, household)], now=now)
        enrol(
            household_id=household, datastream_id=thing.datastreams["register_l"], area_id=area.id, path=area.path,
            now=now - HOMES_SINCE,
        )
        meters.append(meter)
    return meters


def _earlier_readings(meters: Sequence[str], now: datetime, chance: Random) -> None:
    """Store weeks of readings before any watch begins: pages show them, nobody is alarmed by them."""
    made = earlier(make_meters(meters, silent=0, now=now), days=READ_DAYS, now=now, chance=chance)
    streams = {meter: spot.datastreams["register_l"] for meter, spot in things_named(meters).items()}
    ingest(Columns(
        np.array([streams[meter] for meter, _, _ in made], np.int64), np.array([to_us(at) for _, at, _ in made], np.int64),
        np.array([register for _, _, register in made], np.float64),
    ), now=now, source="file")


def _links(officers: dict[int, int], villages: Sequence[places.AreaRow], now: datetime) -> dict[str, str]:
    """Make one account for each role and return the address that enters it."""
    scope = everything()
    village = villages[0]
    line = {area.level: area for area in places.ancestors_of(village.path)}
    found = {}
    for code, _, _, level in ROLES:
        person = officers[line[level].id]
        if code in {"admin", "county"}:
            (person,) = add_persons(scope, [NewPerson("管理员甲" if code == "admin" else "县区负责人", line[level].id, phone(99_000))], now=now)
            duty = "ADMINISTRATOR" if code == "admin" else "COUNTY_DUTY"
            rank = "PRIMARY" if code == "admin" else "DEPUTY"
            assign_duties(scope, [NewDuty(person, duty, line[level].id, local(now).date() - timedelta(days=30), rank)], now=now)
        account = add_account(scope, username=f"demo-{code}", person_id=person, now=now)
        found[code] = f"/enter/{issue_entry_link(account, now=now)}/"
    return found
