"""The composition root: which room hears which news, and what the worker and the watch do in turn."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError

from shouwang.alerts.jobs import KINDS, LISTENER, on_case_ended
from shouwang.cases.jobs import run_due_timers
from shouwang.journal.actions import listen, take_lease
from shouwang.journal.clock import clock
from shouwang.journal.queries import events_after
from shouwang.journal.rules import Lease, LeaseLost
from shouwang.journal.wake import Bell
from shouwang.notify.jobs import send_due
from shouwang.watch.jobs import tick

LEASE_TTL = timedelta(seconds=10)
IDLE_S = 0.25
log = logging.getLogger("shouwang.worker")


def work_once(lease: Lease, *, now: datetime) -> int:
    """Do what is due once: timers, listeners, messages; return how much there was."""
    done = run_due_timers(now)
    done += listen(LISTENER, on_case_ended, lambda seq: events_after(seq, kinds=KINDS))
    done += send_due(now, lease=lease)
    return done


def watch_once(lease: Lease, *, now: datetime) -> int:
    """Let every detector judge what has come since it last looked."""
    return tick(now, lease=lease)


def run_worker(stop: Callable[[], bool] = lambda: False) -> None:
    """Work until told to stop; only the holder of the lease works."""
    _run("worker", "work", work_once, stop)


def run_watch(stop: Callable[[], bool] = lambda: False) -> None:
    """Watch until told to stop; only the holder of the lease watches."""
    _run("watch", "ingest", watch_once, stop)


def _run(name: str, topic: str, once: Callable[..., int], stop: Callable[[], bool]) -> None:
    owner = f"{name}-{os.getpid()}"
    bell = Bell(topic)
    while not stop():
        try:
            lease = take_lease(name, owner, now=datetime.now(UTC), ttl=LEASE_TTL)
            done = once(lease, now=clock().now()) if lease else 0
        except LeaseLost:
            done = 0
        except DatabaseError as error:
            # A full disk or a lost connection: nothing was acknowledged; try again until it works.
            log.error("%s: %s; trying again", name, type(error).__name__)
            done = 0
            time.sleep(1.0)
        if not done:
            bell.wait(IDLE_S)
