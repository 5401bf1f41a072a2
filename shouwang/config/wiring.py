"""The composition root: which room hears which news, and what the worker does in turn."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from django.db import DatabaseError

from shouwang.alerts import jobs as alerts
from shouwang.cases import jobs as cases
from shouwang.cases.jobs import run_due_timers
from shouwang.journal.actions import listen, take_lease
from shouwang.journal.clock import clock
from shouwang.journal.holders import holder
from shouwang.journal.queries import events_after
from shouwang.journal.rules import Event, Lease, LeaseLost
from shouwang.journal.wake import Bell
from shouwang.notify.events import REPLY_RECEIVED
from shouwang.notify.jobs import send_due
from shouwang.people import jobs as people
from shouwang.places.events import AREA_MOVED
from shouwang.systems.living_alone import jobs as living_alone

Hear = Callable[[Sequence[Event]], None]
LISTENERS: tuple[tuple[str, Sequence[str], Hear], ...] = (
    (alerts.LISTENER, alerts.KINDS, alerts.on_case_ended),
    (cases.REPLIES, [REPLY_RECEIVED], cases.on_replies),
    ("people.area_moved", [AREA_MOVED], people.follow_moves),
    (cases.MOVES, [AREA_MOVED], cases.on_moves),
    ("alerts.area_moved", [AREA_MOVED], alerts.on_moves),
    ("living_alone.area_moved", [AREA_MOVED], living_alone.on_moves),
)
LEASE_TTL = timedelta(seconds=10)
IDLE_S = 0.1
log = logging.getLogger("shouwang.worker")


def work_once(lease: Lease, *, now: datetime) -> int:
    """Do what is due once: timers, listeners, messages; return how much there was."""
    done = run_due_timers(now)
    for name, kinds, hear in LISTENERS:
        done += listen(name, hear, partial(events_after, kinds=kinds))
    return done + send_due(now, lease=lease)


def run_worker(stop: Callable[[], bool] = lambda: False) -> None:
    """Work until told to stop; only the holder of the lease works."""
    owner = holder("worker")
    bell = Bell("work")
    while not stop():
        done = 0
        try:
            lease = take_lease("worker", owner, now=datetime.now(UTC), ttl=LEASE_TTL)
            owner = owner if lease else holder("worker")
            done = work_once(lease, now=clock().now()) if lease else 0
        except LeaseLost:
            log.warning("the worker's lease was taken over")
        except DatabaseError as error:
            # A full disk or a lost connection: nothing was acknowledged; try again until it works.
            log.error("the worker met %s and tries again", type(error).__name__)  # noqa: TRY400 - the text may hold data
            time.sleep(1.0)
        if not done:
            bell.wait(IDLE_S)
