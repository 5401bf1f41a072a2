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

from shouwang.activities import jobs as activities
from shouwang.alerts import jobs as alerts
from shouwang.cases import jobs as cases
from shouwang.cases.actions import unreached
from shouwang.cases.events import ANSWERED, CLOSED
from shouwang.cases.jobs import run_due_timers
from shouwang.files import jobs as files
from shouwang.indicators import actions as figures
from shouwang.journal import actions as journal
from shouwang.journal.apart import Apart
from shouwang.journal.clock import clock
from shouwang.journal.holders import holder
from shouwang.journal.queries import events_after, last_of_kinds, last_seq, next_timer_at
from shouwang.journal.rules import Lease, LeaseLost
from shouwang.journal.wake import Bell, wait_any
from shouwang.notify import jobs as notify
from shouwang.notify.events import MESSAGE_FAILED, REPLY_RECEIVED
from shouwang.notify.jobs import next_pass_at, send_due
from shouwang.people import jobs as people
from shouwang.people.events import CONSENT_WITHDRAWN
from shouwang.places.events import AREA_MOVED
from shouwang.requests import jobs as requests
from shouwang.systems.drowning import jobs as drowning
from shouwang.systems.drowning.actions.beyond import tell_late
from shouwang.systems.drowning.actions.patrols import plan_patrols
from shouwang.systems.living_alone import jobs as living_alone
from shouwang.systems.living_alone.actions import go_on_with_trials, learn_uploads
from shouwang.telemetry import jobs as telemetry
from shouwang.watch import jobs as watch
from shouwang.watch.learning import learn
from shouwang.watch.queries import read_upto
from shouwang.watch.review import review

Hear = Callable[..., None]
Listener = tuple[str, Sequence[str], Hear]
LISTENERS: tuple[Listener, ...] = (
    (alerts.LISTENER, alerts.KINDS, alerts.on_case_ended),
    (cases.REPLIES, [REPLY_RECEIVED], cases.on_replies),
    (unreached.LISTENER, [MESSAGE_FAILED], unreached.on_failures),
    ("people.area_moved", [AREA_MOVED], people.follow_moves),
    (cases.MOVES, [AREA_MOVED], cases.on_moves),
    ("alerts.area_moved", [AREA_MOVED], alerts.on_moves),
    (figures.LISTENER, figures.KINDS, figures.fold),
    (figures.ACTIVITIES, figures.ACTIVITY_KINDS, figures.fold_activities),
    (requests.LISTENER, requests.KINDS, requests.on_cases),
    (requests.MOVES, [AREA_MOVED], requests.on_moves),
    (activities.MOVES, [AREA_MOVED], activities.on_moves),
    (telemetry.MOVES, [AREA_MOVED], telemetry.on_moves),
    (notify.MOVES, [AREA_MOVED], notify.on_moves),
    (watch.MOVES, [AREA_MOVED], watch.on_moves),
    ("drowning.area_moved", [AREA_MOVED], drowning.on_moves),
    (drowning.LABELS, [CLOSED], drowning.on_closed),
    (drowning.BEYOND, drowning.BEYOND_KINDS, drowning.on_beyond),
    (drowning.SPEAKERS, drowning.SPEAKER_KINDS, drowning.on_speakers),
    ("living_alone.area_moved", [AREA_MOVED], living_alone.on_moves),
    (living_alone.ANSWERS, [ANSWERED], living_alone.on_answers),
    (living_alone.LABELS, [CLOSED], living_alone.on_closed),
    (living_alone.WITHDRAWALS, [CONSENT_WITHDRAWN], living_alone.on_withdrawals),
)

GIVE_TIME = frozenset({unreached.LISTENER})
"""The listeners that give somebody time from now on, and so need to know the moment at which they hear."""


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
    Job("drowning.look_for_empty", timedelta(seconds=10), drowning.look_for_empty),
    Job("drowning.check_cameras", timedelta(minutes=1), drowning.check_cameras),
    Job("drowning.judge_again", timedelta(minutes=1), drowning.judge_again),
    Job("drowning.plan_patrols", timedelta(hours=6), plan_patrols),
    Job("drowning.tell_late", HOUR, tell_late),
    Job("drowning.tidy", timedelta(days=1), drowning.tidy),
    Job("living_alone.look_again", timedelta(minutes=10), living_alone.look_again),
    Job("living_alone.look_at_stop", timedelta(minutes=5), living_alone.look_at_stop),
    Job("living_alone.end_consents", HOUR, living_alone.end_consents),
    Job("living_alone.check_meters", HOUR, living_alone.check_meters),
    Job("living_alone.check_gateways", timedelta(minutes=10), living_alone.check_gateways),
    Job("living_alone.learn_again", timedelta(days=1), living_alone.learn_again),
    Job("living_alone.learn_uploads", timedelta(minutes=1), learn_uploads),
    Job("living_alone.trials", timedelta(seconds=1), go_on_with_trials),
    Job("watch.learn", timedelta(seconds=2), learn),
    Job("watch.review", timedelta(minutes=1), review),
    Job("files.tidy", HOUR, files.tidy),
    Job("telemetry.tidy", timedelta(minutes=1), tidy_readings),
    Job("watch.tidy", HOUR, lambda _: watch.tidy()),
    Job("notify.tidy", timedelta(days=1), notify.tidy_sounds),
    Job("people.tidy", timedelta(days=1), people.tidy),
    Job("requests.tidy", HOUR, requests.tidy),
    Job("activities.tidy", timedelta(days=1), activities.tidy),
)
LEASE_TTL = timedelta(seconds=10)
RENEW_S = 2.5
GAP_S = 0.05
POLL_S = 0.5
log = logging.getLogger("shouwang.worker")


@dataclass
class News:
    """What the log holds for the listeners. It is read once for all: most of them wait for kinds that come once a year.

    `heard_upto` is the event up to which a listener has certainly heard everything, of those that have been asked;
    `asked_upto` is the same when it was last asked itself, and so near to where its cursor stands. `listeners` are those of the
    worker where none are given.
    """

    listeners: Sequence[Listener] = ()
    heard_upto: dict[str, int] = field(default_factory=dict)
    asked_upto: dict[str, int] = field(default_factory=dict)

    def tell(self, now: datetime | None = None) -> int:
        """Give listeners the next events of their kinds and return how many there were; nothing new costs one query.

        Without `now` it is for every listener the moment of its news.
        """
        end = last_seq()
        since = min(self.heard_upto.values(), default=end)
        last = last_of_kinds(since) if since < end else {}
        done, apart = 0, Apart()
        for name, kinds, hear in self.listeners or LISTENERS:
            upto = self.heard_upto.get(name)
            is_news = upto is None or any(last.get(kind, 0) > upto for kind in kinds)
            if not is_news and end - self.asked_upto[name] < journal.FOLLOW_AFTER:
                self.heard_upto[name] = end
                continue
            heard = partial(hear, now=now) if name in GIVE_TIME else hear
            with apart.piece(f"the listener {name}"):
                told = journal.listen(name, heard, partial(events_after, kinds=kinds), head=end)
                self.heard_upto[name] = self.asked_upto[name] = told.upto
                done += told.count
        apart.end()
        return done


def work_once(lease: Lease, *, now: datetime, news: News | None = None) -> int:
    """Do what is due once: timers, listeners, messages; return how much there was.

    What fails of it holds up nothing else; the first error is raised at the end.
    """
    done, apart = 0, Apart()
    with apart.piece("the timers"):
        done += run_due_timers(now)
    with apart.piece("the news"):
        done += (news or News()).tell(now)
    with apart.piece("the messages"):
        done += send_due(now, lease=lease)
    apart.end()
    return done


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
    """Work until told to stop; only the holder of the lease works.

    Passes begin at least GAP_S apart, so that a burst of small changes is one pass; an idle worker waits for a bell, for
    the next thing due, or POLL_S.
    """
    schedule, news, owning = Schedule(), News(), Owning()
    with closing(Bell("work")) as work, closing(Bell("events")) as events:
        while not stop():
            began_s = time.monotonic()
            wait_any((work, events), _pass(owning, schedule, news))
            time.sleep(max(0.0, began_s + GAP_S - time.monotonic()))


def _pass(owning: Owning, schedule: Schedule, news: News) -> float:
    """Make one pass and return how many seconds the worker may then wait for a bell."""
    try:
        lease = owning.lease()
        if lease is None:
            return POLL_S
        now = clock().now()
        done = work_once(lease, now=now, news=news)
        schedule.run(now)
        return 0.0 if done else idle_until(next_due_at())
    except LeaseLost:
        owning.lost()
        log.warning("the worker's lease was taken over")
    except Exception as error:  # noqa: BLE001 - whatever it was, the next pass must come
        # A full disk or a lost connection: nothing was acknowledged; try again until it works.
        log.error("the worker met %s and tries again", type(error).__name__)  # noqa: TRY400 - the text may hold data
        time.sleep(1.0)
    return 0.0


@dataclass
class Owning:
    """The worker's lease, renewed long before it ends rather than at each pass."""

    owner: str = field(default_factory=lambda: holder("worker"))
    _held: Lease | None = None
    _renew_s: float = 0.0

    def lease(self) -> Lease | None:
        """Return the lease, None while another worker holds it."""
        if self._held is None or time.monotonic() >= self._renew_s:
            self._renew_s = time.monotonic() + RENEW_S
            self._held = journal.take_lease("worker", self.owner, now=datetime.now(UTC), ttl=LEASE_TTL)
            if self._held is None:
                self.owner = holder("worker")
        return self._held

    def lost(self) -> None:
        """Ask again before anything else is done."""
        self._held = None


def next_due_at() -> datetime | None:
    """Return when the next timer or message is due."""
    return min((at for at in (next_timer_at(), next_pass_at()) if at is not None), default=None)


def idle_until(at: datetime | None) -> float:
    """Return how many real seconds the worker may wait for something due at `at`."""
    return POLL_S if at is None else max(0.0, min(POLL_S, clock().real_seconds(at - clock().now())))
