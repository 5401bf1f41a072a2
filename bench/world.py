"""The world of the benches: Liaocheng's areas, an officer for each duty, and the kind of alert that the benches raise."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from shouwang.kernel.moments import local

TOWNSHIPS = 135
KIND, PROCEDURE, SUBJECT = "BENCH", "bench_storm", "bench"


def migrate() -> dict[str, Any]:
    """Make the tables."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return {}


def database_settings() -> dict[str, str]:
    """Return the settings of this database that decide how durable a commit is."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            names = ("server_version", "fsync", "synchronous_commit", "full_page_writes")
            ask = "SHOW {}"
        else:
            names = ("journal_mode", "synchronous")
            ask = "PRAGMA {}"
        found = {}
        for name in names:
            cursor.execute(ask.format(name))
            found[name] = str(cursor.fetchone()[0])
    return found


def seed() -> dict[str, Any]:
    """Load Liaocheng and put an invented officer on every duty the benches ask."""
    from shouwang.people.actions import NewDuty, NewPerson, add_persons, assign_duties
    from shouwang.people.rules import SYSTEM
    from shouwang.places.actions import load_liaocheng
    from shouwang.places.models import Area

    now = datetime.now(UTC)
    load_liaocheng(now=now)
    wanted: list[tuple[int, str, str]] = []
    for area_id, level in Area.objects.order_by("id").values_list("id", "level"):
        if level == "PREFECTURE":
            wanted += [(area_id, "CITY_DUTY", "PRIMARY"), (area_id, "CIVIL_AFFAIRS", "PRIMARY")]
        elif level == "COUNTY":
            wanted += [(area_id, duty, rank) for duty in ("COUNTY_DUTY", "CIVIL_AFFAIRS") for rank in ("PRIMARY", "DEPUTY")]
    for area_id, _ in townships():
        wanted += [(area_id, "TOWNSHIP_DUTY", "PRIMARY"), (area_id, "CIVIL_AFFAIRS", "PRIMARY")]
    people = add_persons(SYSTEM, [NewPerson(f"值班员{n}", area) for n, (area, _, _) in enumerate(wanted)], now=now)
    since = local(now).date() - timedelta(days=9)
    assign_duties(
        SYSTEM,
        [NewDuty(person, duty, area, since, rank) for person, (area, duty, rank) in zip(people, wanted, strict=True)], now=now,
    )
    return database_settings()


def townships() -> list[tuple[int, str]]:
    """Return the id and path of the 135 townships of the benches."""
    from shouwang.places.models import Area

    rows = list(Area.objects.filter(level="TOWNSHIP").order_by("id").values_list("id", "path")[:TOWNSHIPS])
    if len(rows) != TOWNSHIPS:
        raise ValueError(f"{len(rows)} townships, {TOWNSHIPS} are needed")
    return rows


def register() -> None:
    """Register the kind BENCH, whose subject number n lies in township n modulo 135."""
    from shouwang.alerts.registry import register_kind, register_resolver
    from shouwang.alerts.rules import AlertKind, Subject

    places = townships()

    def resolve(ids: list[int]) -> Mapping[int, Subject]:
        return {n: Subject("bench", n, *places[n % TOWNSHIPS], {"subject": n}) for n in ids}

    register_resolver(SUBJECT, resolve)
    register_kind(AlertKind(KIND, "bench", PROCEDURE, "压力测试", "Bench"))


def publish_storm() -> None:
    """Publish the procedure of a storm's cases: the township's duty officer first, then county and city."""
    from shouwang.cases.actions import publish_procedure
    from shouwang.cases.rules.procedures import Limit, Phrase, Procedure, Result, Rung, Step

    rungs = (Rung("TOWNSHIP_DUTY", "TOWNSHIP", 30), Rung("COUNTY_DUTY", "COUNTY", 30), Rung("CITY_DUTY", "PREFECTURE", 30))
    step = Step("visit", Phrase("入户查看", "Visit"), rungs, (Result("WELL", Phrase("正常", "Well")),), Limit(60))
    publish_procedure(Procedure(PROCEDURE, Phrase("压力测试", "Bench"), (step,)), shipped=True, now=datetime.now(UTC))
