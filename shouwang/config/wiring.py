"""The composition root: which room hears which news, and what the worker does in turn."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import Error as DatabaseFailure

from shouwang.alerts import jobs as alerts
from shouwang.cases import jobs as cases
from shouwang.cases.actions import unreached
from shouwang.cases.jobs import run_due_timers
from shouwang.files import jobs as files
from shouwang.indicators import actions as figures
from shouwang.journal.actions import listen, take_lease
from shouwang.journal.clock import clock
from shouwang.journal.holders import holder
from shouwang.journal.queries import events_after
from shouwang.journal.rules import Event, Lease, LeaseLost
from shouwang.journal.wake import Bell
from shouwang.notify.events import MESSAGE_FAILED, REPLY_RECEIVED
from shouwang.notify.jobs import send_due
from shouwang.people import jobs as people
from shouwang.places.events import AREA_MOVED
from shouwang.requests import jobs as requests
from shouwang.systems.living_alone import jobs as living_alone
from shouwang.telemetry import jobs as telemetry
from shouwang.watch import jobs as watch
from shouwang.watch.queries import read_upto
from shouwang.watch.review import review

Hear = Callable[[Sequence[Event]], None]
LISTENERS: tuple[tuple[str, Sequence[str], Hear], ...] = (
    (alerts.LISTENER, alerts.KINDS, alerts.on_case_ended),
    (cases.REPLIES, [REPLY_RECEIVED], cases.on_replies),
    (unreached.LISTENER, [MESSAGE_FAILED], unreached.on_failures),
    ("people.area_moved", [AREA_MOVED], people.follow_moves),
    (cases.MOVES, [AREA_MOVED], cases.on_moves),
    ("alerts.area_moved", [AREA_MOVED], alerts.on_moves),
    (figures.LISTENER, figures.KINDS, figures.fold),
    (requests.LISTENER, requests.KINDS, requests.on_cases),
    (requests.MOVES, [AREA_MOVED], requests.on_moves),
    ("living_alone.area_moved", [AREA_MOVED], living_alone.on_moves),
)


@dataclass(frozen=True)
class Job:
    """What the worker does every so often; it must end within a second or two, and may be done twice."""

    name: str
    every: timedelta
    do: Callable[[datetime], object]


def tidy_readings(now: datetime) -> None:
    """Let telemetry drop what its limits say, but no batch that a watch has still to read."""
    telemetry.tidy(now, read_upto=read_upto(), keep_readings=timedelta(days=settings.SHOUWANG_KEEP_READINGS_DAYS))


HOUR = timedelta(hours=1)
JOBS = (
    Job("living_alone.look_again", timedelta(minutes=10), living_alone.look_again),
    Job("living_alone.check_meters", HOUR, living_alone.check_meters),
    Job("watch.review", timedelta(minutes=1), review),
    Job("files.tidy", HOUR, files.tidy),
    Job("telemetry.tidy", timedelta(minutes=1), tidy_readings),
    Job("watch.tidy", HOUR, lambda _: watch.tidy()),
    Job("people.tidy", timedelta(days=1), people.tidy),
    Job("requests.tidy", HOUR, requests.tidy),
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


@dataclass
class Schedule:
    """When each job is next due; a new worker does each once, soon."""

    jobs: Sequence[Job] = JOBS
    due_at: dict[str, datetime] = field(default_factory=dict)

    def run(self, now: datetime) -> str:
        """Do the first job that is due and return its name, empty for none: one at a time, so that alarms wait for none.

        A job that fails is logged and done again at its next time.
        """
        for job in self.jobs:
            if self.due_at.get(job.name, now) <= now:
                self.due_at[job.name] = now + job.every
                try:
                    job.do(now)
                except Exception as error:  # noqa: BLE001 - whatever a job meets, alarms must go on
                    log.error("the job %s met %s and is done again later", job.name, type(error).__name__)  # noqa: TRY400 - the text may hold data
                return job.name
        return ""


def run_worker(stop: Callable[[], bool] = lambda: False) -> None:
    """Work until told to stop; only the holder of the lease works."""
    owner = holder("worker")
    schedule = Schedule()
    with closing(Bell("work")) as bell:
        while not stop():
            done = 0
            try:
                lease = take_lease("worker", owner, now=datetime.now(UTC), ttl=LEASE_TTL)
                owner = owner if lease else holder("worker")
                now = clock().now()
                done = work_once(lease, now=now) if lease else 0
                if lease:
                    schedule.run(now)
            except LeaseLost:
                log.warning("the worker's lease was taken over")
            except DatabaseFailure as error:
                # A full disk or a lost connection: nothing was acknowledged; try again until it works.
                log.error("the worker met %s and tries again", type(error).__name__)  # noqa: TRY400 - the text may hold data
                time.sleep(1.0)
            if not done:
                bell.wait(IDLE_S)
