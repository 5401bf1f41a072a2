"""Mutants: the product with one promise taken out, to see whether the simulator would notice.

Each replaces a function of this process; nothing of them is in the product. A mutant that no invariant catches within a
few seeds means that the invariant is not watched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from unittest.mock import patch

from django.db import transaction

from bench.simulate.faults import Crash
from shouwang.cases.actions import changes, control, handling, ladder
from shouwang.cases.models import Case, Task
from shouwang.journal import actions as journal
from shouwang.journal.models import LeaseRow, ListenerCursor
from shouwang.journal.rules import Lease, NewTimer
from shouwang.notify import jobs as notify
from shouwang.notify import queries
from shouwang.notify.actions import claiming, leading
from shouwang.notify.models import Message
from shouwang.notify.rules import State
from shouwang.telemetry.rules import IngestResult

Patches = Mapping[str, Callable[..., Any]]


@dataclass(frozen=True)
class Mutant:
    """One promise taken out: what is replaced, and what that means."""

    name: str
    means: str
    patches: Callable[[], Patches]


@contextmanager
def applied(name: str) -> Iterator[None]:
    """Run the product of this process with the mutant `name`, as long as the context lasts."""
    mutant = next(each for each in MUTANTS if each.name == name)
    with ExitStack() as stack:
        for target, function in mutant.patches().items():
            stack.enter_context(patch(target, function))
        yield


def _lease_ignored() -> Patches:
    def take_lease(name: str, owner: str, *, now: datetime, ttl: timedelta) -> Lease:
        del now, ttl
        LeaseRow.objects.get_or_create(name=name, defaults={"owner": owner, "fence": 1, "expires_at": datetime.fromisoformat("2000-01-01T00:00Z")})
        return Lease(name, owner, LeaseRow.objects.values_list("fence", flat=True).get(name=name))

    return {"shouwang.journal.actions.take_lease": take_lease, "shouwang.watch.jobs.take_lease": take_lease}


def _message_lease_ignored() -> Patches:
    claim_again, lapsed_channels, early = claiming._claim_again, queries.lapsed_channels, timedelta(minutes=1)
    return {
        "shouwang.notify.actions.claiming._claim_again": lambda *args, now, **rest: claim_again(*args, now=now + early, **rest),
        "shouwang.notify.queries.lapsed_channels": lambda now: lapsed_channels(now + early),
    }


def _fence_ignored() -> Patches:
    return {f"shouwang.{where}.check_fence": lambda _: None for where in ("notify.actions.claiming", "notify.actions.sending", "watch.actions")}


def _timer_lost() -> Patches:
    original, number = journal.set_timers, count(1)

    def set_timers(timers: Sequence[NewTimer]) -> None:
        original([timer for timer in timers if next(number) % 40])

    return {"shouwang.cases.actions.changes.set_timers": set_timers}


def _key_unstable() -> Patches:
    original = notify._work

    def work(together: Sequence[Any], *args: Any) -> notify.Work:
        made = original(together, *args)
        return replace(made, outgoing=replace(made.outgoing, key=f"{made.outgoing.key}.{together[0].attempts}"))

    return {"shouwang.notify.jobs._work": work}


def _gate_open() -> Patches:
    return {"shouwang.cases.actions.handling.require": lambda step, result, _: step.result(result) or step.results[0]}


def _local_time() -> Patches:
    from shouwang.cases import jobs

    original = jobs.due_timers
    return {"shouwang.cases.jobs.due_timers": lambda now, **rest: original(now + timedelta(hours=8), **rest)}


def _rung_skipped() -> Patches:
    original = ladder.climb

    def climb(asked: Sequence[tuple[Any, Any, int]], *, at: datetime) -> Any:
        return original([(case, step, min(rung + 1, len(step.rungs) - 1)) for case, step, rung in asked], at=at)

    return {"shouwang.cases.actions.ladder.climb": climb}


def _suspension_loses_time() -> Patches:
    original = control._stop_task

    def stop_task(task: Task, **rest: Any) -> None:
        original(task, **rest)
        Task.objects.filter(pk=task.pk).update(remaining_us=0)

    return {"shouwang.cases.actions.control._stop_task": stop_task}


def _bundle_drops_a_member() -> Patches:
    original = leading.lead

    def lead(bundle: Any, *, now: datetime, **columns: Any) -> tuple[int, int]:
        leader, others = original(bundle, now=now, **columns)
        dropped = Message.objects.filter(leader_id=leader).order_by("pk").values_list("pk", flat=True).last()
        Message.objects.filter(pk=dropped).update(leader_id=None, state=State.DELIVERED, done_at=now)
        return leader, others

    return {f"shouwang.notify.actions.{where}.lead": lead for where in ("claiming", "sending")}


def _cursor_first() -> Patches:
    def listen(name: str, handle: Callable[..., None], read: Callable[[int], list[Any]], *, head: int) -> journal.Told:
        cursor, _ = ListenerCursor.objects.get_or_create(name=name, defaults={"seq": 0})
        events = read(cursor.seq)
        if events:
            with transaction.atomic():
                ListenerCursor.objects.filter(name=name).update(seq=events[-1].seq)
            with transaction.atomic():
                handle(events)
        return journal.Told(len(events), events[-1].seq if events else head)

    return {"shouwang.journal.actions.listen": listen}


def _answer_twice_refused() -> Patches:
    original = handling.load_task
    return {"shouwang.cases.actions.handling.load_task": lambda number: replace(original(number), done_key="-")}


def _anybody_may_accept() -> Patches:
    return {"shouwang.cases.actions.handling._require_takeable": lambda *_, **__: None}


def _exercise_mixed() -> Patches:
    original = changes.queue

    def queue(messages: Sequence[Any], *, now: datetime) -> None:
        original([replace(message, exercise_id=None) for message in messages], now=now)

    return {"shouwang.cases.actions.changes.queue": queue}


def _everybody_sees_all() -> Patches:
    from shouwang.cases.queries import lists

    return {f"{lists.__name__}.within": lambda _: Case.objects.all(), "shouwang.people.rules.scope.Scope.may": lambda *_: True}


def _acknowledged_early() -> Patches:
    from shouwang.telemetry import actions as telemetry

    original = telemetry.ingest

    def ingest(columns: Any, **rest: Any) -> IngestResult:
        try:
            return original(columns, **rest)
        except Crash:
            return IngestResult(len(columns))

    return {"shouwang.telemetry.actions.ingest": ingest}


def _told_before_the_lease() -> Patches:
    """Messages are marked as sent before they are sent: whoever dies in between tells nobody."""
    original = claiming.lease_bundles

    def lease_bundles(*args: Any, now: datetime, **rest: Any) -> list[Any]:
        leased = original(*args, now=now, **rest)
        for key in ("pk__in", "leader_id__in"):
            Message.objects.filter(**{key: [each.id for each in leased]}).update(state=State.SENT, done_at=now, lease_until=None)
        return leased

    return {"shouwang.notify.actions.lease_bundles": lease_bundles}


MUTANTS = (
    Mutant("lease_ignored", "every worker gets the lease", _lease_ignored),
    Mutant("message_lease_ignored", "a message that is being sent is taken up by another", _message_lease_ignored),
    Mutant("fence_ignored", "a worker that was taken for dead goes on writing", _fence_ignored),
    Mutant("timer_lost", "one timer in forty is not set", _timer_lost),
    Mutant("key_unstable", "a message has another key at each attempt", _key_unstable),
    Mutant("gate_open", "a task ends without the evidence of its result", _gate_open),
    Mutant("local_time", "due is compared with Liaocheng's clock as if it were UTC", _local_time),
    Mutant("rung_skipped", "escalation passes a rung that is held", _rung_skipped),
    Mutant("suspension_loses_time", "what remained of a task is forgotten", _suspension_loses_time),
    Mutant("bundle_drops_a_member", "one message of a bundle is not told", _bundle_drops_a_member),
    Mutant("cursor_first", "a listener's cursor is committed before its work", _cursor_first),
    Mutant("sent_before_sending", "messages are marked as sent, then sent", _told_before_the_lease),
    Mutant("answer_twice_refused", "the same answer from a phone that was offline is refused", _answer_twice_refused),
    Mutant("anybody_may_accept", "a task is accepted by whoever asks", _anybody_may_accept),
    Mutant("exercise_mixed", "messages of an exercise look real", _exercise_mixed),
    Mutant("everybody_sees_all", "lists do not ask for the scope", _everybody_sees_all),
    Mutant("acknowledged_early", "readings are acknowledged before the commit", _acknowledged_early),
)
