"""What is shipped: the procedures, and the watch of the meters."""

from __future__ import annotations

from datetime import datetime

from shouwang.cases.actions import publish_procedure
from shouwang.systems.living_alone.rules import PROCEDURES
from shouwang.watch.actions import set_watch
from shouwang.watch.queries import watches

WATCH = "low_high_24h"


def publish_shipped(*, now: datetime) -> None:
    """Publish the shipped procedures; an office's own version is never replaced."""
    for procedure in PROCEDURES:
        publish_procedure(procedure, shipped=True, now=now)


def watch_meters(*, now: datetime) -> None:
    """Set the shipped watch of water meters where the office has set none at all: without one no alert would ever come."""
    if not watches():
        set_watch(WATCH, detector="low_high_24h", now=now, thing_kind="WATER_METER", observed="register_l")
