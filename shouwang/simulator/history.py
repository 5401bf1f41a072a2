"""The demo's past months: meter alerts that were handled, help days and service days with their matters, cameras at waters.

All of it goes through the rooms' own actions at moments of the past, so the log tells it and the figures fold from it. It is
over: nothing of it is open, due or unread today, but for a help day that is going on and a service day to come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import partial
from itertools import accumulate, count, pairwise
from random import Random

from django.db import transaction

from shouwang.activities.actions import (
    NewMatter,
    call_next,
    count_attendance,
    give_number,
    move,
    plan,
    publish_shipped,
    record_matters,
)
from shouwang.activities.queries import kind_of
from shouwang.activities.rules.plans import Plan
from shouwang.alerts.actions import close_for_case, take_findings
from shouwang.alerts.rules import FoundFinding
from shouwang.cases.actions import accept, arrive, complete
from shouwang.cases.queries import Filters, list_cases, tasks_of
from shouwang.cases.rules.evidence import Given
from shouwang.journal.actions import take_lease
from shouwang.journal.rules import Lease, LeaseLost
from shouwang.kernel.moments import LOCAL_ZONE, local, to_us
from shouwang.notify.actions import Result, mark_read
from shouwang.notify.jobs import Work, make_pass
from shouwang.notify.queries import newest
from shouwang.people.actions import NewDuty, NewPerson, add_persons, assign_duties
from shouwang.people.rules import RIGHTS, Scope
from shouwang.places import queries as places
from shouwang.simulator.names import name as person_name
from shouwang.simulator.names import phone
from shouwang.simulator.world import Report, World, everything
from shouwang.systems.drowning.actions import add_camera, add_water
from shouwang.systems.drowning.rules.waters import NewWater
from shouwang.telemetry.actions import add_things
from shouwang.telemetry.queries import ThingSpot, things_named
from shouwang.telemetry.rules import NewThing

DAYS = 90
ALERTS = 264
CAMERAS = 33
HELP_DAYS, HELP_MATTERS, HELP_PERSONS = 40, 1_046, 3_128
SERVICE_DAYS, CIVIC_MATTERS, RESIDENTS = 152, 176, 12_060
SITTINGS = 3
"""In how many sheets the matters of a day were entered."""
AT_ONCE = 3
"""How many homes the watch found at one moment."""
TOGETHER = 32
"""How many doings are written in one transaction."""
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
WATERS = (("坑塘", "POND"), ("河道", "RIVER"), ("水库", "RESERVOIR"), ("沟渠", "CANAL"))
NEAR_CAMERAS = 3
CADRES = ("VILLAGE_CADRE", "GRID_LEADER")
CADRE_PHONES = 90_000


@dataclass(frozen=True)
class Doing:
    """Something that happened, to be told in its turn."""

    at: datetime
    tell: Callable[[], None]


@dataclass
class Past:
    """What every doing of the past needs: the world, chance, the lease of whoever delivered the messages, and fresh keys."""

    world: World
    now: datetime
    chance: Random
    lease: Lease
    _numbers: Iterator[int] = field(default_factory=count)

    def key(self) -> str:
        """Return the key of one submission."""
        return f"demo-past-{next(self._numbers):06d}"

    def officer(self, area: places.AreaRow) -> Scope:
        """Return the scope of whoever answers for an area."""
        return Scope(self.world.officers[area.id], everything().paths, RIGHTS)

    def minutes(self, least: int, most: int) -> timedelta:
        """Return a span of so many minutes by chance."""
        return self.chance.randint(least, most) * MINUTE


class NoSenders:
    """Sends nothing: in the demo's past people were told in their inboxes only."""

    def free(self, channel: str) -> int:  # noqa: ARG002 - the same for every channel
        """Return that nothing more is taken."""
        return 0

    def begin_by(self, now: datetime) -> float:  # noqa: ARG002 - nothing is leased
        """Return no end: nothing is leased."""
        return float("inf")

    def start(self, works: Sequence[Work], until: float) -> None:
        """Begin nothing."""

    def finished(self) -> list[Result]:
        """Return that nothing has come back."""
        return []


def seed_past(world: World, *, now: datetime, chance: Random, report: Report = lambda *_: None) -> None:
    """Make the past months of a seeded world, day by day; the figures follow once its events are folded."""
    publish_shipped(now=now)
    lease = take_lease("demo.past", "demo.past", now=now, ttl=DAY)
    if lease is None:
        raise LeaseLost(name="demo.past", fence=0)
    past = Past(world, now, chance, lease)
    _cameras(past)
    doings = sorted([*_alerts(past), *_help_days(past), *_service_days(past)], key=lambda doing: doing.at)
    for start in range(0, len(doings), TOGETHER):
        report("past", start, len(doings))
        with transaction.atomic():
            for doing in doings[start : start + TOGETHER]:
                doing.tell()
    with transaction.atomic():
        _going_on(past)
        _to_come(past)
    report("past", len(doings), len(doings))


def shares(total: int, parts: int, *, chance: Random) -> list[int]:
    """Return `parts` whole numbers of at least one that make `total`, each within about a third of the others."""
    ends = [0.0, *accumulate(chance.uniform(0.75, 1.25) for _ in range(parts))]
    rounded = [round((total - parts) * end / ends[-1]) for end in ends]
    return [1 + above - below for below, above in pairwise(rounded)]


def camera_code(n: int) -> str:
    """Return the code of the demo's camera number `n`, from 1."""
    return f"CAM{n:03d}"


def _cameras(past: Past) -> None:
    """Register a camera at a water of each of some villages: the first at home with the roles of the demo, the others all over the city."""
    villages = [village for root in places.roots() for village in places.below(root.path, levels=("VILLAGE",))]
    step = max(1, len(villages) // CAMERAS)
    near = places.children(past.world.township.id)[:NEAR_CAMERAS]
    chosen = [*near, *(villages[n * step % len(villages)] for n in range(len(near), CAMERAS))]
    since = past.now - DAYS * DAY
    names = [f"{village.name}{WATERS[n % len(WATERS)][0]}" for n, village in enumerate(chosen, start=1)]
    add_things([
        NewThing(camera_code(n), "CAMERA", name, (), village.id, village.path) for n, (village, name) in enumerate(zip(chosen, names, strict=True), start=1)
    ], now=since)
    scope = everything()
    _cadres(past, near, since)
    for n, (village, name) in enumerate(zip(chosen, names, strict=True), start=1):
        new = NewWater(name, WATERS[n % len(WATERS)][1], village.id, village.lon, village.lat, f"{village.name}村委会")
        add_camera(scope, add_water(scope, new, now=since), external_id=camera_code(n), now=since)


def _cadres(past: Past, villages: Sequence[places.AreaRow], since: datetime) -> None:
    """Give these villages a cadre and a grid leader, whom the waters' cameras ask first."""
    places_of = [village.id for village in villages for _ in CADRES]
    persons = add_persons(everything(), [NewPerson(person_name(past.chance), place, phone(CADRE_PHONES + n)) for n, place in enumerate(places_of)], now=since)
    duties = CADRES * len(villages)
    assign_duties(everything(), [
        NewDuty(person, duty, place, local(since).date(), "PRIMARY") for person, duty, place in zip(persons, duties, places_of, strict=True)
    ], now=since)


def _alerts(past: Past) -> Iterator[Doing]:
    """Yield the meter alerts, some homes at a time and all in turn, from DAYS ago until two days ago."""
    homes = list(things_named(past.world.meters).values())
    past.chance.shuffle(homes)
    moments = -(-ALERTS // AT_ONCE)
    apart = (DAYS - 2) * DAY / moments
    for n in range(moments):
        at = past.now - DAYS * DAY + (n + past.chance.random()) * apart
        found = [homes[each % len(homes)] for each in range(n * AT_ONCE, min((n + 1) * AT_ONCE, ALERTS))]
        yield Doing(at, partial(_tell_alerts, past, found, at))


def _tell_alerts(past: Past, homes: Sequence[ThingSpot], at: datetime) -> None:
    """Raise an alert for each of some homes and bring it to its end, as its grid worker did."""
    alerts = take_findings([_finding(past, home.datastreams["register_l"], at) for home in homes], now=at)
    opened = {case.subject_id: case.id for case in list_cases(everything(), Filters(states=("OPEN",)))}
    for home, alert_id in zip(homes, alerts, strict=True):
        close_for_case(alert_id, now=_handle(past, opened[home.household_id or 0], at + past.minutes(2, 14)))


def _handle(past: Past, case_id: int, seen_at: datetime) -> datetime:
    """Visit the home, and again after a rescue; return when the case was over."""
    result, evidence = _outcome(past.chance)
    over_at = _visit(past, case_id, result, evidence, seen_at=seen_at)
    if result == "NEEDED_HELP":
        over_at = _visit(past, case_id, "VISITED", (), seen_at=over_at + past.minutes(300, 1_200))
    return over_at


def _finding(past: Past, stream: int, at: datetime) -> FoundFinding:
    is_low = past.chance.random() < 0.7
    kind, severity, limit_l = ("WATER_LOW_USE", 3, 10.0) if is_low else ("WATER_HIGH_USE", 2, 1_000.0)
    used_l = round(past.chance.uniform(0, 9) if is_low else past.chance.uniform(1_010, 1_900), 1)
    params = {"used_l": used_l, "limit_l": limit_l, "window_h": 24}
    return FoundFinding(kind, "datastream", stream, to_us(at - DAY), "OPEN", severity, to_us(at), f"{kind}_OPEN", params, "low_high_24h", "1")


def _outcome(chance: Random) -> tuple[str, tuple[Given, ...]]:
    """Return how a visit ended, and its evidence: mostly well, seldom a rescue."""
    share = chance.random()
    if share < 0.04:
        return "NEEDED_HELP", (Given("called", "120"), Given("handed_to", "急救人员"))
    if share < 0.16:
        return "AWAY", (Given("told_by", chance.choice(("SELF", "FAMILY", "NEIGHBOUR"))),)
    if share < 0.3:
        return "METER_OR_LEAK", (Given("what", chance.choice(("METER", "LEAK", "TAP"))),)
    return "WELL", (Given("how", chance.choice(("MET", "SPOKE"))),)


def _visit(past: Past, case_id: int, result: str, evidence: Sequence[Given], *, seen_at: datetime) -> datetime:
    """Let the holder of a case's last task read of it, accept, arrive and complete it; return when it was complete."""
    task = tasks_of([case_id])[-1]
    person = task.assignee_id or 0
    make_pass(seen_at, channels={}, senders=NoSenders(), lease=past.lease)
    mark_read(person, [entry.id for entry in newest(person) if entry.read_at is None], now=seen_at)
    accept(task.id, person_id=person, now=seen_at + MINUTE)
    arrived_at = seen_at + past.minutes(5, 20)
    arrive(task.id, person_id=person, now=arrived_at)
    over_at = arrived_at + past.minutes(3, 25)
    complete(task.id, person_id=person, result=result, evidence=evidence, key=past.key(), now=over_at)
    return over_at


def _help_days(past: Past) -> Iterator[Doing]:
    """Yield the help days, each in another township."""
    townships = [area for root in places.roots() for area in places.below(root.path, levels=("TOWNSHIP",))]
    matters, persons = shares(HELP_MATTERS, HELP_DAYS, chance=past.chance), shares(HELP_PERSONS, HELP_DAYS, chance=past.chance)
    for n, (brought, came) in enumerate(zip(matters, persons, strict=True)):
        area = townships[n * 7 % len(townships)]
        new = _planned("HELP_DAY", area, _morning(past, days_ago=2 + n * (DAYS - 2) // HELP_DAYS))
        yield _doing(past, new, area, matters=brought, persons=came)


def _service_days(past: Past) -> Iterator[Doing]:
    """Yield the service days, each in another village."""
    villages = [area for root in places.roots() for area in places.below(root.path, levels=("VILLAGE",))]
    matters, persons = shares(CIVIC_MATTERS, SERVICE_DAYS, chance=past.chance), shares(RESIDENTS, SERVICE_DAYS, chance=past.chance)
    for n, (brought, came) in enumerate(zip(matters, persons, strict=True)):
        area = villages[n * 13 % len(villages)]
        new = _planned("SERVICE_DAY", area, _morning(past, days_ago=1 + n * (DAYS - 2) // SERVICE_DAYS))
        yield _doing(past, new, area, matters=brought, persons=came)


def _morning(past: Past, *, days_ago: int) -> datetime:
    """Return nine o'clock, or a little earlier or later, of a day."""
    return datetime.combine(local(past.now).date() - days_ago * DAY, time(8, 30), LOCAL_ZONE) + past.chance.randint(0, 3) * 15 * MINUTE


def _planned(kind: str, area: places.AreaRow, starts_at: datetime) -> Plan:
    """Return what was planned: two and a half hours, organised by the duty of the place."""
    duty, hall = ("TOWNSHIP_DUTY", "便民服务中心") if area.level == "TOWNSHIP" else ("GRID_WORKER", "党群服务中心")
    entry = "WALK_IN" if kind == "HELP_DAY" else "BOTH"
    title = f"{area.name}{kind_of(kind).zh}"
    return Plan(kind, title, area.id, f"{area.name}{hall}", starts_at, starts_at + 150 * MINUTE, entry, None, 3, None, duty)


def _doing(past: Past, new: Plan, area: places.AreaRow, *, matters: int, persons: int) -> Doing:
    return Doing(new.starts_at, partial(_hold, past, new, past.officer(area), matters=matters, persons=persons))


def _hold(past: Past, new: Plan, by: Scope, *, matters: int, persons: int) -> None:
    """Plan, open, hold and end one activity, as whoever answers for the place did."""
    activity_id = _begun(past, new, by)
    for n, brought in enumerate(shares(matters, min(matters, SITTINGS), chance=past.chance), start=1):
        at = new.starts_at + n * (new.ends_at - new.starts_at) / SITTINGS
        record_matters(by, activity_id, [_matter(past, new.kind) for _ in range(brought)], now=at)
    count_attendance(by, activity_id, change=persons, key=past.key(), now=new.ends_at)
    move(by, activity_id, "END", now=new.ends_at)


def _begun(past: Past, new: Plan, by: Scope) -> int:
    activity_id = plan(by, new, key=past.key(), now=new.starts_at - 7 * DAY)
    move(by, activity_id, "OPEN", now=new.starts_at - 5 * DAY)
    move(by, activity_id, "START", now=new.starts_at)
    return activity_id


def _matter(past: Past, kind: str) -> NewMatter:
    """Return a matter that was settled or answered on the spot."""
    handled = past.chance.choice(("SETTLED", "SETTLED", "ANSWERED"))
    return NewMatter(past.chance.choice(kind_of(kind).matters), handled, past.key())  # type: ignore[arg-type] # two of its words


def _going_on(past: Past, *, given: int = 16, called: int = 12) -> None:
    """Let a help day be going on in the roles' own township: some are served, three are at the windows, some wait.

    Its matters are still to be entered: as cases of today they would blur what the desk says of today's alerts.
    """
    area = past.world.township
    new, by = _planned("HELP_DAY", area, past.now - 50 * MINUTE), past.officer(area)
    activity_id = _begun(past, new, by)
    for n in range(given):
        give_number(by, activity_id, key=past.key(), now=new.starts_at + n * MINUTE)
    for n in range(called):
        window, having = n % new.windows + 1, n - new.windows + 1
        call_next(by, activity_id, window=window, key=past.key(), having=having, now=new.starts_at + (16 + 2 * n) * MINUTE)


def _to_come(past: Past) -> None:
    """Announce a service day of tomorrow in the first village of that township."""
    area = places.children(past.world.township.id)[0]
    by = past.officer(area)
    activity_id = plan(by, _planned("SERVICE_DAY", area, _morning(past, days_ago=-1)), key=past.key(), now=past.now - 3 * DAY)
    move(by, activity_id, "OPEN", now=past.now - 2 * DAY)
