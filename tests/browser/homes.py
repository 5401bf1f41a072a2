"""Real homes in the demo's database: recorded readings moved to now, so that their last hours are the last hours before now.

The readings come from `$SHOUWANG_DATA/water/daiad_hourly.parquet` and stay there; names and numbers are invented. Imported by `tests.browser.steps`,
which has set Django up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.db import transaction

from shouwang.cases.actions import publish_procedure
from shouwang.cases.models import Case, Task
from shouwang.cases.queries import case_row
from shouwang.kernel.moments import local
from shouwang.notify.actions import save_setting
from shouwang.people.actions import issue_credential
from shouwang.people.models import Account, Person
from shouwang.people.queries import scope_of_token
from shouwang.places import queries as places
from shouwang.simulator.world import everything
from shouwang.systems.living_alone.actions import enrol_home
from shouwang.systems.living_alone.actions.enrolling import METER, REGISTER
from shouwang.systems.living_alone.jobs import end_consents
from shouwang.systems.living_alone.rules import WELFARE_CHECK
from shouwang.systems.living_alone.rules.lines import Contact, NewHome
from shouwang.telemetry.actions import add_things
from shouwang.telemetry.queries import things_named
from shouwang.telemetry.rules import NewThing
from shouwang.telemetry.sources.http import receive
from shouwang.watch.actions import set_watch

RECORDED = Path(os.environ.get("SHOUWANG_DATA", "")) / "water/daiad_hourly.parquet"
MADRID = ZoneInfo("Europe/Madrid")
A_MONDAY = datetime(2017, 4, 24, tzinfo=MADRID)
HISTORY = timedelta(days=28)
HOUR = timedelta(hours=1)
METERS = ("daiad016", "daiad079", "daiad013", "daiad057", "daiad060", "daiad024")
BATCH = 500
SECRET = "whsec_dGhpcyBpcyBhbiBpbnZlbnRlZCBzZWNyZXQh"
Points = list[tuple[datetime, float]]


def telephone(now: datetime, port: int) -> None:
    """Let the demo call by a gateway on this machine, and let its grid worker's village send a check without asking the desk first."""
    address = f"http://127.0.0.1:{port}"
    settings = {"url": f"{address}/call", "status_url": f"{address}/status", "token": "", "callback_secret": SECRET}
    save_setting("voice", settings, enabled=True, by=None, now=now)
    publish_procedure(WELFARE_CHECK, shipped=False, path=_village().path, now=now)


def silent(now: datetime, number: int, hours: int) -> dict[str, Any]:
    """Enrol a home that lived as a recorded one did until water stopped at least so many hours ago."""
    points = _until(_recorded(number, now), now - hours * HOUR)
    last_use, last = max(n for n in range(1, len(points)) if points[n][1] > points[n - 1][1]), points[-1]
    points += [(last[0] + n * HOUR, last[1]) for n in range(1, 24 * 7) if last[0] + n * HOUR < now]
    return {**_enrol(now, number, points), "last_use": local(points[last_use][0]).isoformat()}


def offline(now: datetime, number: int, hours: int) -> dict[str, Any]:
    """Enrol a home whose meter has not been heard for so many hours."""
    return _enrol(now, number, _until(_recorded(number, now), now - hours * HOUR))


def lapsed(now: datetime, number: int, hours: int) -> dict[str, Any]:
    """Enrol a home whose consent was given until yesterday, let the hourly look end it, and then let its water stop."""
    _home(now, number, consent_until=local(now).date() - timedelta(days=1))
    end_consents(now)
    points = _until(_recorded(number, now), now - hours * HOUR)
    _send(now, number, points + [(points[-1][0] + n * HOUR, points[-1][1]) for n in range(1, hours + 1) if points[-1][0] + n * HOUR < now])
    return {"household": things_named([_meter(number)])[_meter(number)].household_id}


def known(now: datetime, number: int) -> dict[str, Any]:
    """Enrol a home whose meter has sent for weeks before anybody enrolled it; the watch has heard none of it."""
    village = _village()
    add_things([NewThing(_meter(number), METER, _meter(number), ((REGISTER, "L"),), village.id, village.path)], now=now)
    points = _recorded(number, now)
    _post(now, number, points)
    return {"household": _home(now, number), "days": (now - points[0][0]).days}


def about(now: datetime, household: int) -> list[dict[str, Any]]:
    """Return the cases about a home, newest first, each with its last task, when that is due, and when this was seen."""
    found = []
    for case in Case.objects.filter(subject_kind="household", subject_id=household).order_by("-pk"):
        task = Task.objects.filter(case_id=case.pk).order_by("pk").last()
        assert task is not None
        found.append({
            "id": case.pk, "number": case_row(case.pk).number, "state": case.state, "result": case.result, "reason": case.reason, "severity": case.severity,
            "procedure": case.procedure.code, "rung": task.rung, "task": task.state,
            "due": task.due_at.timestamp(), "opened": case.opened_at.timestamp(), "seen": now.timestamp(),
        })
    return found


def _enrol(now: datetime, number: int, points: Points) -> dict[str, Any]:
    household = _home(now, number)
    _send(now, number, points)
    return {"household": household}


def _home(now: datetime, number: int, **more: Any) -> int:
    new = NewHome(
        f"示例{'甲乙丙丁戊己'[number]}", _village().id, f"{number + 1}组1号", _meter(number), phone=f"1000000{4200 + number}",
        relative=Contact(f"示例亲{number}", f"1000000{4300 + number}", "女儿"), consent=True, **more,
    )
    return enrol_home(everything(), new, source="x", now=now).household_id


def _meter(number: int) -> str:
    return f"REAL{number}"


def _village() -> places.AreaRow:
    person = Account.objects.unscoped().get(username="demo-grid").person_id
    return places.area(Person.objects.unscoped().get(pk=person).area_id)


def _recorded(number: int, now: datetime) -> Points:
    """Return a recorded meter's last weeks, moved so that the hour of the week stays what it was where it was recorded."""
    import polars as pl  # noqa: PLC0415 - only these steps need it

    here = local(now)
    then = (A_MONDAY + timedelta(days=here.weekday())).replace(hour=here.hour, minute=here.minute, second=here.second).astimezone(UTC)
    rows = pl.scan_parquet(RECORDED).filter(
        (pl.col("meter_id") == METERS[number]) & (pl.col("ts") > then - HISTORY) & (pl.col("ts") < then),
    ).sort("ts").collect()
    return [(at + (now - then), float(register)) for at, register in zip(rows["ts"].to_list(), rows["register_l"].to_list(), strict=True)]


def _until(points: Points, end: datetime) -> Points:
    """Return the points up to the last use before a moment."""
    used = [n for n in range(1, len(points)) if points[n][1] > points[n - 1][1] and points[n][0] <= end]
    return points[: used[-1] + 1]


def _send(now: datetime, number: int, points: Sequence[tuple[datetime, float]]) -> None:
    """Send readings as an integration does, together with watches that begin an hour ago: what is older is their history."""
    with transaction.atomic():  # a watch that judged in between would take the readings for late ones
        for detector in ("silence", "no_data"):
            set_watch(f"{detector}-{number}", detector=detector, now=now - HOUR, thing_kind=METER, observed=REGISTER, lateness_s=2)
        _post(now, number, points)


def _post(now: datetime, number: int, points: Sequence[tuple[datetime, float]]) -> None:
    scope = scope_of_token(issue_credential("INTEGRATION", subject=f"real-{number}", paths=everything().paths, now=now), "INTEGRATION", now)
    for start in range(0, len(points), BATCH):
        readings = [
            {"device": _meter(number), "datastream": REGISTER, "phenomenon_time": at.isoformat(), "result": register}
            for at, register in points[start : start + BATCH]
        ]
        answer = receive(msgspec.json.encode({"readings": readings}), scope, now=now)
        assert answer.status == 200, answer.body


STEPS: dict[str, Callable[..., Any]] = {
    "telephone": telephone, "silent": silent, "offline": offline, "lapsed": lapsed, "known": known, "about": about,
}
