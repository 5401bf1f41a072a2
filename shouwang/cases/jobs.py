"""What cases do when a timer rings."""

from __future__ import annotations

from datetime import datetime

from shouwang.cases.actions.clocks import clock_due
from shouwang.cases.actions.ladder import task_due
from shouwang.journal.queries import due_timers


def run_due_timers(now: datetime, *, limit: int = 200) -> int:
    """Do what is due, each timer in its own transaction; return how many rang."""
    rung = 0
    for timer in due_timers(now, limit=limit):
        if timer.kind == "task":
            rung += task_due(timer, now=now)
        elif timer.kind == "clock":
            rung += clock_due(timer, now=now)
    return rung
