"""The world of the faults: real kinds of alerts, real procedures, invented officers who are reached on three channels.

Each alert the client posts has a meter and a home of its own, so that everything told can be traced to one alert. Meters
come in three ranges: those that other systems report about, those that fall silent, and ordinary ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shouwang.kernel.moments import local

REPORTED, SILENT, ORDINARY = "reported", "silent", "ordinary"
CHANNELS = ("webhook", "sms")
CHUNK = 2_000
SECRET = "whsec_ZmF1bHRzLWZhdWx0cy1mYXVsdHMtZmF1bHRz"
CALLBACK_TOKEN = "faults-callback"
LADDER_MINUTES = 1


def seed(*, gateway_port: int, reported: int, silent: int, ordinary: int) -> dict[str, Any]:
    """Make the world in an empty database and write `world.json` beside it: who must be told about which meter."""
    from django.conf import settings

    from bench import world

    now = datetime.now(UTC)
    found = world.seed()
    posts = _posts(now)
    _reach(sorted({person for _, *people in posts.values() for person in people}), gateway_port=gateway_port, now=now)
    _publish(now)
    meters: dict[str, list[list[Any]]] = {}
    for name, count in ((REPORTED, reported), (SILENT, silent), (ORDINARY, ordinary)):
        meters[name] = list(_meters(name, count, posts, now))
    text = json.dumps({"token": _token(now), "callback_token": CALLBACK_TOKEN, "meters": meters})
    (settings.SHOUWANG_DATA_DIR / "world.json").write_text(text, "utf-8")
    return found


def _posts(now: datetime) -> dict[int, tuple[str, int, int, int]]:
    """Give a village of each township a grid worker; return per village its path and whom its alerts climb to."""
    from bench import world
    from shouwang.people.actions import NewDuty, NewPerson, add_persons, assign_duties
    from shouwang.people.models import Duty
    from shouwang.people.rules import SYSTEM
    from shouwang.places.queries import below

    holders = Duty.objects.unscoped().filter(rank="PRIMARY")
    township = dict(holders.filter(code="TOWNSHIP_DUTY").values_list("area_id", "person_id"))
    county = dict(holders.filter(code="COUNTY_DUTY").values_list("path", "person_id"))
    villages = [(area_id, below(path, levels=("VILLAGE",))[0]) for area_id, path in world.townships()]
    people = add_persons(SYSTEM, [NewPerson(f"网格员{n}", village.id) for n, (_, village) in enumerate(villages)], now=now)
    since = local(now).date() - timedelta(days=9)
    duties = [NewDuty(person, "GRID_WORKER", village.id, since) for person, (_, village) in zip(people, villages, strict=True)]
    assign_duties(SYSTEM, duties, now=now)
    return {
        village.id: (village.path, person, township[area_id], next(who for path, who in county.items() if village.path.startswith(path)))
        for person, (area_id, village) in zip(people, villages, strict=True)
    }


def _reach(people: Sequence[int], *, gateway_port: int, now: datetime) -> None:
    """Switch both channels on and give each person an address there that names the person."""
    from shouwang.notify.actions import save_setting
    from shouwang.people.actions import set_contact
    from shouwang.people.rules import SYSTEM

    at = f"http://127.0.0.1:{gateway_port}"
    settings = {
        "webhook": {"url": f"{at}/keyed/0", "secret": SECRET},
        "sms": {"url": f"{at}/sms", "status_url": f"{at}/sms/status", "callback_token": CALLBACK_TOKEN},
    }
    for channel in CHANNELS:
        save_setting(channel, settings[channel], enabled=True, by=None, now=now)
    for person in people:
        set_contact(SYSTEM, person, channel="webhook", address=f"{at}/keyed/{person}")
        set_contact(SYSTEM, person, channel="sms", address=f"person-{person}")


def _publish(now: datetime) -> None:
    """Publish the shipped procedures, the repair of meters with a ladder whose first rung lasts a minute, and the watch."""
    from msgspec.structs import replace

    from shouwang.cases.actions import publish_procedure
    from shouwang.cases.rules.procedures import Rung
    from shouwang.systems.living_alone.actions import publish_shipped
    from shouwang.systems.living_alone.rules import METER_CHECK
    from shouwang.watch.actions import set_watch

    publish_shipped(now=now)
    rungs = (Rung("TOWNSHIP_DUTY", "TOWNSHIP", LADDER_MINUTES), Rung("COUNTY_DUTY", "COUNTY", 240))
    steps = tuple(replace(step, rungs=rungs) for step in METER_CHECK.steps)
    publish_procedure(replace(METER_CHECK, steps=steps), shipped=False, now=now)
    set_watch(
        "low_high_24h", detector="low_high_24h", thing_kind="WATER_METER", observed="register_l", lateness_s=1, now=now,
        params={"grid_min": 0.02, "max_gap_h": 48, "low_severity": 4},
    )


def _meters(name: str, count: int, posts: dict[int, tuple[str, int, int, int]], now: datetime) -> Iterator[list[Any]]:
    """Add `count` homes with a meter; yield each meter's id outside, its datastream, and whom its alerts climb to."""
    from shouwang.people.models import Household
    from shouwang.systems.living_alone.models import Enrolment
    from shouwang.telemetry.actions import add_things
    from shouwang.telemetry.rules import NewThing

    villages = list(posts.items())
    for begin in range(0, count, CHUNK):
        numbers = range(begin, min(begin + CHUNK, count))
        areas = [(village, path) for village, (path, *_) in (villages[n % len(villages)] for n in numbers)]
        homes = Household.objects.unscoped().bulk_create([
            Household(name=f"{name}{n}", address=f"{name}{n}", area_id=area, path=path, enrolled_at=now)
            for n, (area, path) in zip(numbers, areas, strict=True)
        ])
        things = add_things([
            NewThing(f"{name}-{n}", "WATER_METER", f"{name}-{n}", (("register_l", "L"),), area, path, home.pk)
            for n, (area, path), home in zip(numbers, areas, homes, strict=True)
        ], now=now)
        streams = [thing.datastreams["register_l"] for thing in things]
        Enrolment.objects.bulk_create([
            Enrolment(household_id=home.pk, datastream_id=stream, area_id=area, path=path, enrolled_at=now)
            for home, stream, (area, path) in zip(homes, streams, areas, strict=True)
        ])
        for n, stream, (area, _) in zip(numbers, streams, areas, strict=True):
            yield [f"{name}-{n}", stream, *posts[area][1:]]


def _token(now: datetime) -> str:
    from shouwang.people.actions import issue_credential
    from shouwang.places.queries import roots

    return issue_credential("INTEGRATION", subject="faults", paths=[root.path for root in roots()], now=now)
