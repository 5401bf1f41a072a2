"""What is shipped: the procedures."""

from __future__ import annotations

from datetime import datetime

from shouwang.cases.actions import publish_procedure
from shouwang.systems.drowning.rules import PROCEDURES
from shouwang.systems.drowning.rules.mending import PROCEDURES as BEYOND


def publish_shipped(*, now: datetime) -> None:
    """Publish the shipped procedures; an office's own version is never replaced."""
    for procedure in (*PROCEDURES, *BEYOND):
        publish_procedure(procedure, shipped=True, now=now)
