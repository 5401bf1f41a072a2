"""What is shipped: the procedures, and the watches of the meters."""

from __future__ import annotations

from datetime import datetime

from shouwang.cases.actions import publish_procedure
from shouwang.systems.living_alone.actions.enrolling import METER, REGISTER
from shouwang.systems.living_alone.models import Enrolment
from shouwang.systems.living_alone.rules import PROCEDURES
from shouwang.watch.actions import LATENESS_S, ask_learning, set_watch
from shouwang.watch.queries import watches

BY_HABIT = ("silence", "high_use", "no_data")
IN_SERVICE = ("low_high_24h", "low_12h", "fixed_hours", "sakaki_8h")
"""Rules that are in service in Liaocheng, Shanghai, Zhuhai and Sakaki: kept to compare with, switched on by the office."""


def publish_shipped(*, now: datetime) -> None:
    """Publish the shipped procedures; an office's own version is never replaced."""
    for procedure in PROCEDURES:
        publish_procedure(procedure, shipped=True, now=now)


def watch_meters(*, now: datetime, lateness_s: int = LATENESS_S) -> None:
    """Set the shipped watches of water meters where the office has set none at all: without one no alert would ever come.

    They learn what the meters of the enrolled homes have sent already. Those by a home's own habits watch; the rules in service stand beside, switched off.
    """
    if watches():
        return
    for code in (*BY_HABIT, *IN_SERVICE):
        set_watch(code, detector=code, now=now, thing_kind=METER, observed=REGISTER, lateness_s=lateness_s, enabled=code in BY_HABIT)
    ask_learning(list(Enrolment.objects.filter(active=True).order_by("pk").values_list("datastream_id", flat=True)), now=now)
