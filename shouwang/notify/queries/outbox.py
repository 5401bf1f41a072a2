"""Reads of the outbox and the inbox. An inbox is a person's own: whoever asks for one has shown to be that person."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
from django.db.models import Count, Q, QuerySet

from shouwang.journal.prepared import Prepared
from shouwang.journal.sql import rows_for, run
from shouwang.kernel.moments import from_us, to_us
from shouwang.notify.models import ALIVE, FRESH, Message
from shouwang.notify.rules import State, Waiting, render
from shouwang.notify.rules.bundling import APART, URGENT

URGENT_PER_PASS = 1_000
PUSHES_MOST = 500
_FRESH = "done_at IS NULL AND leader_id IS NULL AND lease_until IS NULL"
_TAKEN = "done_at IS NULL AND lease_until IS NOT NULL"
# What an idle worker asks ten times a second does not go through the ORM, which costs ten times as much.
_WAITING = (
    "SELECT person_id, channel, exercise_id, severity, count(*), min(id), min(queued_at), max(queued_at) FROM notify_message "  # noqa: S608
    f"WHERE {_FRESH} AND (not_before IS NULL OR not_before <= %s) GROUP BY person_id, channel, exercise_id, severity"
)
_LAST_SENT = "SELECT person_id, channel, exercise_id, at FROM notify_last_sent WHERE at > %s AND at <= %s"
_LAPSED = f"SELECT DISTINCT channel FROM notify_message WHERE {_TAKEN} AND lease_until <= %s"  # noqa: S608
_NEXT_ALARMS = (
    f"SELECT (SELECT min(lease_until) FROM notify_message WHERE {_TAKEN} AND lease_until > %s), "  # noqa: S608
    f"(SELECT min(not_before) FROM notify_message WHERE {_FRESH} AND not_before IS NOT NULL AND not_before > %s)"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What an inbox shows as one: a message, or a bundle of `count` whose gravest message it is."""

    id: int
    push_seq: int
    person_id: int
    template: str
    params: Mapping[str, Any]
    severity: int
    task_id: int | None
    case_id: int | None
    exercise_id: int | None
    queued_at: datetime
    read_at: datetime | None
    count: int = 1

    def text(self, language: str) -> str:
        """Return the sentence in `language`."""
        return render(
            self.template, self.params, language=language, count=self.count, is_exercise=self.exercise_id is not None,
        )


@dataclass(frozen=True, slots=True)
class Sending:
    """How one message stands, for the page of a case."""

    id: int
    person_id: int
    channel: str
    template: str
    state: State
    reason: str
    queued_at: datetime
    done_at: datetime | None
    read_at: datetime | None


def inbox(person_id: int, *, after_push_seq: int = 0, limit: int = 50) -> list[Entry]:
    """Return what a person's inbox shows after number `after_push_seq`, oldest first."""
    rows = Message.objects.filter(person_id=person_id, push_seq__gt=after_push_seq).order_by("push_seq")
    return _entries(rows[:limit])


def newest(person_id: int, *, limit: int = 50) -> list[Entry]:
    """Return the newest that a person's inbox shows, newest first."""
    return _entries(Message.objects.filter(person_id=person_id, push_seq__isnull=False).order_by("-push_seq")[:limit])


def pushes_after(push_seq: int, *, limit: int = PUSHES_MOST) -> list[Entry]:
    """Return what was delivered to any inbox after number `push_seq`, oldest first: for the live stream, which tells each only the own."""
    return _entries(_PUSHED.objects(push_seq)[:limit])


def last_push_seq() -> int:
    """Return the number of the last push, 0 before the first."""
    row = run("SELECT max(push_seq) FROM notify_message WHERE push_seq IS NOT NULL").fetchone()
    return row[0] or 0


def members(person_id: int, leader_id: int, *, limit: int = 500) -> list[Sending]:
    """Return the messages of a bundle in a person's inbox beside its leader, oldest first."""
    return _sendings(Message.objects.filter(leader_id=leader_id, person_id=person_id).order_by("id")[:limit])


def unread_count(person_id: int) -> int:
    """Return how many entries of a person's inbox are unread; a bundle counts as one."""
    return Message.objects.filter(person_id=person_id, push_seq__isnull=False, read_at__isnull=True).count()


def messages_of_tasks(task_ids: Collection[int]) -> list[Sending]:
    """Return how the messages about these tasks stand, in the order of their keys; keys begin with the task's number."""
    wanted = Q(pk__in=())
    for task_id in task_ids:
        wanted |= Q(key__gte=f"{task_id}:", key__lt=f"{task_id};")
    return _sendings(Message.objects.filter(wanted).order_by("id"))


def states_of_key(key: str) -> dict[str, tuple[State, bool]]:
    """Return how the messages of one key stand by channel, and whether each has ended."""
    rows = Message.objects.filter(key=key).values_list("channel", "state", "done_at")
    return {channel: (State(state), done_at is not None) for channel, state, done_at in rows}


def counts_by_state(*, only_alive: bool = False) -> dict[State, int]:
    """Return how many messages stand in each state, the members of bundles too; `only_alive` leaves out those that have ended."""
    rows = Message.objects.filter(ALIVE) if only_alive else Message.objects.all()
    return {State(state): count for state, count in rows.values_list("state").annotate(Count("id"))}


def alive_count() -> int:
    """Return how many messages have not ended."""
    return Message.objects.filter(ALIVE).count()


def visible(now: datetime) -> QuerySet[Message]:
    """Return the messages that nobody has taken up and that may go from `now` on."""
    return Message.objects.filter(FRESH).filter(Q(not_before__isnull=True) | Q(not_before__lte=now))


_URGENT = Prepared(
    lambda now, people: Message.objects.filter(FRESH, Q(not_before__isnull=True) | Q(not_before__lte=now), severity__gte=URGENT, person_id__in=people)
    .order_by("id").values_list("pk", "person_id", "channel", "exercise_id", "queued_at")[:URGENT_PER_PASS],
)
_PUSHED = Prepared(lambda push_seq: Message.objects.filter(push_seq__gt=push_seq).order_by("push_seq")[:PUSHES_MOST])


def waiting(now: datetime) -> list[Waiting]:
    """Return what waits: per person, channel and exercise together, and each urgent message alone.

    One pass over the index of what is fresh, in its order: a worker asks this at each of its passes, in a storm too.
    """
    calm: dict[tuple[int, str, int | None], Waiting] = {}
    urgent_people: set[int] = set()
    for person, channel, exercise, severity, count, first_id, first_us, last_us in run(_WAITING, (to_us(now),)).fetchall():
        if severity >= URGENT:
            urgent_people.add(person)
            continue
        found = Waiting(person, channel, count, first_id, from_us(first_us), from_us(last_us), exercise_id=exercise)
        before = calm.get((person, channel, exercise))
        calm[person, channel, exercise] = found if before is None else _merged(before, found)
    return _urgent(now, urgent_people) + list(calm.values())


def _merged(one: Waiting, other: Waiting) -> Waiting:
    return replace(
        one, count=one.count + other.count, first_id=min(one.first_id, other.first_id),
        first_at=min(one.first_at, other.first_at), last_at=max(one.last_at, other.last_at),
    )


def _urgent(now: datetime, people: Collection[int]) -> list[Waiting]:
    if not people:
        return []
    rows = _URGENT.rows(now, sorted(people)[:URGENT_PER_PASS])
    return [Waiting(person, channel, 1, pk, at, at, urgent=True, exercise_id=exercise) for pk, person, channel, exercise, at in rows]


def last_sent(now: datetime) -> dict[tuple[int, str, int | None], datetime]:
    """Return when persons were last sent something, where that still holds something back at `now`.

    What is later than `now` was sent by a clock that was ahead, and holds nothing back.
    """
    rows = run(_LAST_SENT, (to_us(now - APART), to_us(now))).fetchall()
    return {(person, channel, exercise or None): from_us(at_us) for person, channel, exercise, at_us in rows}


def lapsed_channels(now: datetime) -> set[str]:
    """Return the channels on which a lease or wait has run out."""
    return {channel for (channel,) in run(_LAPSED, (to_us(now),)).fetchall()}


def next_alarm_at(now: datetime) -> datetime | None:
    """Return when after `now` the next taken or postponed message must be looked at."""
    found = run(_NEXT_ALARMS, (to_us(now), to_us(now))).fetchone()
    return min((from_us(at_us) for at_us in found if at_us is not None), default=None)


def _entries(rows: Iterable[Message]) -> list[Entry]:
    found = [
        Entry(
            row.pk, row.push_seq or 0, row.person_id, row.template, msgspec.json.decode(row.params), row.severity, row.task_id,
            row.case_id, row.exercise_id, row.queued_at, row.read_at,
        )
        for row in rows
    ]
    counts = member_counts([entry.id for entry in found])
    return [replace(entry, count=1 + counts[entry.id]) if entry.id in counts else entry for entry in found]


def unreached_since(since: datetime, *, limit: int = 200) -> list[tuple[int, int, str, State]]:
    """Return (case, person, channel, state) of messages about cases that failed or whose fate is unknown, newest first."""
    rows = Message.objects.filter(state__in=(State.FAILED, State.UNKNOWN), done_at__gte=since, case_id__isnull=False).order_by("-done_at")
    found = rows.values_list("case_id", "person_id", "channel", "state")[:limit]
    return [(case_id, person_id, channel, State(state)) for case_id, person_id, channel, state in found if case_id is not None]


def member_counts(leader_ids: Sequence[int]) -> dict[int, int]:
    """Return how many members each bundle has beside its leader; a message that leads none is left out."""
    if not leader_ids:
        return {}
    return dict(rows_for("SELECT leader_id, count(*) FROM notify_message WHERE leader_id IN {ids} GROUP BY leader_id", leader_ids))


def _sendings(rows: QuerySet[Message]) -> list[Sending]:
    return [
        Sending(
            row.pk, row.person_id, row.channel, row.template, State(row.state), row.reason, row.queued_at, row.done_at, row.read_at,
        )
        for row in rows
    ]
