"""The county of the play: 8 townships with their villages, officers, deputies, rosters with hours and holes, homes, meters.

Made by the product's own actions. There are a few such counties; a seed plays in the one its number falls to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from bench.simulate import OUTSIDE, procedures
from bench.simulate.roster import HeldDuty, HeldShift, Oracle
from shouwang.kernel.moments import LOCAL_ZONE
from shouwang.notify.actions import save_setting
from shouwang.people.actions import (
    NewDuty,
    NewPerson,
    NewShift,
    add_account,
    add_persons,
    assign_duties,
    enrol_household,
    issue_credential,
    plan_shifts,
    set_contact,
)
from shouwang.people.rules import SYSTEM
from shouwang.places.actions import add_area
from shouwang.places.queries import area as area_of
from shouwang.systems.living_alone.actions import enrol, publish_shipped
from shouwang.telemetry.actions import add_things
from shouwang.telemetry.rules import NewThing
from shouwang.watch.actions import set_watch

TOWNSHIPS = 8
VILLAGES = 5
METERS = 40
FIRST_DAYS = (date(2026, 2, 1), date(2025, 9, 20), date(2026, 4, 20), date(2024, 12, 20))
SMS = {"url": f"http://{OUTSIDE}/sms/send", "status_url": f"http://{OUTSIDE}/sms/status", "token": "t", "callback_token": "c"}
WEBHOOK = {"url": f"http://{OUTSIDE}/hook/0", "secret": "whsec_c2ltdWxhdG9yLXNlY3JldC1zaW11bGF0b3I="}


@dataclass(frozen=True)
class Home:
    """A home with its meter."""

    household: int
    meter: str
    datastream: int
    path: str


@dataclass
class County:
    """What the players know of their county."""

    start: datetime
    paths: dict[int, str] = field(default_factory=dict)
    levels: dict[int, str] = field(default_factory=dict)
    villages: list[int] = field(default_factory=list)
    townships: list[int] = field(default_factory=list)
    county: int = 0
    root: int = 0
    homes: list[Home] = field(default_factory=list)
    phones: dict[str, int] = field(default_factory=dict)
    by_sms: set[int] = field(default_factory=set)
    accounts: dict[int, str] = field(default_factory=dict)
    token: str = ""
    oracle: Oracle = field(default_factory=lambda: Oracle({}))

    @property
    def persons(self) -> list[int]:
        """Return everybody who holds a duty or a shift, in order."""
        duties = {each.person for each in self.oracle.duties}
        return sorted(duties | {person for each in self.oracle.shifts for person in (each.person, each.deputy) if person is not None})


def first_moment(variant: int) -> datetime:
    """Return local midnight of the first day of a county."""
    return datetime.combine(FIRST_DAYS[variant], time(), tzinfo=LOCAL_ZONE)


def make(variant: int, *, days: int) -> County:
    """Make the county number `variant` in an empty database."""
    chance = Random(f"county/{variant}")
    county = County(first_moment(variant))
    now = county.start - timedelta(days=1)
    _areas(county, now)
    county.oracle = Oracle(county.levels)
    _people(county, chance, now=now, days=days)
    publish_shipped(now=now)
    procedures.publish(now)
    _homes(county, county.start)
    for code in ("low_high_24h", "low_12h"):
        set_watch(
            code, detector=code, now=county.start, thing_kind="WATER_METER", observed="register_l", lateness_s=10 * 3600,
            enabled=code == "low_high_24h",
        )
    county.token = issue_credential("INTEGRATION", subject="meters", paths=[county.paths[county.root]], now=now)
    save_setting("sms", SMS, enabled=True, by=None, now=now)
    save_setting("webhook", WEBHOOK, enabled=True, by=None, now=now)
    return county


def _areas(county: County, now: datetime) -> None:
    county.root = _area(county, None, "示范市", now, level="PREFECTURE")
    county.county = _area(county, county.root, "示范县", now)
    for town in range(TOWNSHIPS):
        township = _area(county, county.county, f"第{town + 1}镇", now)
        county.townships.append(township)
        county.villages += [_area(county, township, f"{town + 1}镇{n + 1}村", now) for n in range(VILLAGES)]


def _area(county: County, parent: int | None, name: str, now: datetime, level: str = "") -> int:
    made = add_area(parent_id=parent, name=name, now=now, level=level)
    row = area_of(made)
    county.paths[made], county.levels[made] = row.path, row.level
    return made


def _people(county: County, chance: Random, *, now: datetime, days: int) -> None:
    """Give every duty its holders: some with deputies, some by shifts with holes, some left empty for a while."""
    since = now.astimezone(LOCAL_ZONE).date() - timedelta(days=9)
    for n, village in enumerate(county.villages):
        worker, deputy = _persons(county, village, 2, now)
        leaves = None if n % 9 else since + timedelta(days=9 + chance.randint(3, 20))
        _hold(county, worker, "GRID_WORKER", village, since, until=leaves)
        if n % 5:
            _hold(county, deputy, "GRID_WORKER", village, since, rank="DEPUTY")
    for n, township in enumerate(county.townships):
        day, night, care = _persons(county, township, 3, now)
        if n % 2:
            _shifts(county, township, "TOWNSHIP_DUTY", (day, night), chance, days=days)
        else:
            _hold(county, day, "TOWNSHIP_DUTY", township, since)
            _hold(county, night, "TOWNSHIP_DUTY", township, since, rank="DEPUTY")
        if n % 4:
            _hold(county, care, "CIVIL_AFFAIRS", township, since)
    day, night, fallback, care = _persons(county, county.county, 4, now)
    _shifts(county, county.county, "COUNTY_DUTY", (day, night), chance, days=days, deputy=fallback)
    _hold(county, fallback, "COUNTY_DUTY", county.county, since)
    _hold(county, care, "CIVIL_AFFAIRS", county.county, since)
    (city,) = _persons(county, county.root, 1, now)
    _hold(county, city, "CITY_DUTY", county.root, since)
    _assign(county, now)
    _accounts(county, now)


def _persons(county: County, area: int, count: int, now: datetime) -> list[int]:
    first = len(county.phones) + 1
    phones = [f"100{first + n:08d}" for n in range(count)]
    people = add_persons(SYSTEM, [
        NewPerson(f"人员{first + n}", area, phone, language="en" if (first + n) % 7 == 0 else "zh") for n, phone in enumerate(phones)
    ], now=now)
    for person, phone in zip(people, phones, strict=True):
        county.phones[phone] = person
        if person % 4 == 0:
            set_contact(SYSTEM, person, channel="webhook", address=f"http://{OUTSIDE}/hook/{person}")
        elif person % 4 == 1:
            set_contact(SYSTEM, person, channel="sms")
            county.by_sms.add(person)
    return people


def _hold(
    county: County, person: int, code: str, area: int, since: date, *, rank: str = "PRIMARY", until: date | None = None,
) -> None:
    county.oracle.duties.append(HeldDuty(area, code, rank, person, since, until))


def _shifts(
    county: County, area: int, code: str, people: tuple[int, int], chance: Random, *, days: int, deputy: int | None = None,
) -> None:
    """Plan a day and a night shift for each day, one in sixteen left open."""
    for day in range(-1, days + 3):
        for half in (0, 1):
            start = county.start + timedelta(days=day, hours=8 + 12 * half)
            if chance.random() > 1 / 16:
                second = deputy if chance.random() < 0.5 else None
                county.oracle.shifts.append(HeldShift(area, code, start, start + timedelta(hours=12), people[half], second))


def _assign(county: County, now: datetime) -> None:
    duties = county.oracle.duties
    ids = assign_duties(SYSTEM, [
        NewDuty(each.person, each.code, each.area, each.from_date, each.rank, each.until_date) for each in duties
    ], now=now)
    for duty, number in zip(duties, ids, strict=True):
        duty.id = number
    shifts = county.oracle.shifts
    ids = plan_shifts(SYSTEM, [
        NewShift(each.area, each.code, each.start_at, each.until_at, each.person, each.deputy) for each in shifts
    ], now=now)
    for shift, number in zip(shifts, ids, strict=True):
        shift.id = number


def _accounts(county: County, now: datetime) -> None:
    """Give an account to whoever holds an area's first duty, for the check of what each sees."""
    chosen = [county.root, county.county, *county.townships[:4], *county.villages[:4]]
    for area in chosen:
        person = next((each.person for each in county.oracle.duties if each.area == area), None)
        if person is not None and person not in county.accounts:
            county.accounts[person] = f"person-{person}"
            add_account(SYSTEM, username=county.accounts[person], person_id=person, now=now)


def _homes(county: County, now: datetime) -> None:
    for n in range(METERS):
        village = county.villages[n % TOWNSHIPS * VILLAGES]  # one village of each township: the watch keeps a state for each area
        path = county.paths[village]
        (resident,) = add_persons(SYSTEM, [NewPerson(f"住户{n + 1}", village)], now=now)
        household = enrol_household(SYSTEM, name=f"{n + 1}户", address=f"{n + 1}号", area_id=village, residents=[resident], now=now)
        meter = f"WM{n + 1:03d}"
        (thing,) = add_things([NewThing(meter, "WATER_METER", meter, (("register_l", "L"),), village, path, household)], now=now)
        datastream = thing.datastreams["register_l"]
        enrol(household_id=household, datastream_id=datastream, area_id=village, path=path, now=now)
        county.homes.append(Home(household, meter, datastream, path))
