"""Reads of the outbox and the inbox. An inbox is a person's own: whoever asks for one has shown to be that person."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
from django.db.models import Count, Max, Min, Q, QuerySet

from shouwang.notify.models import ALIVE, FRESH, POSTPONED, TAKEN, LastSent, Message
from shouwang.notify.rules import State, Waiting, render
from shouwang.notify.rules.bundling import APART, URGENT

URGENT_PER_PASS = 1_000


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


def pushes_after(push_seq: int, *, limit: int = 500) -> list[Entry]:
    """Return what was delivered to any inbox after number `push_seq`, oldest first: for the live stream, which tells each only the own."""
    return _entries(Message.objects.filter(push_seq__gt=push_seq).order_by("push_seq")[:limit])


def last_push_seq() -> int:
    """Return the number of the last push, 0 before the first."""
    return Message.objects.filter(push_seq__isnull=False).order_by("-push_seq").values_list("push_seq", flat=True).first() or 0


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


def waiting(now: datetime) -> list[Waiting]:
    """Return what waits: per person, channel and exercise together, and each urgent message alone.

    One pass over the index of what is fresh, in its order: a worker asks this at each of its passes, in a storm too.
    """
    groups = (
        visible(now).values_list("person_id", "channel", "exercise_id", "severity")
        .annotate(Count("id"), Min("id"), Min("queued_at"), Max("queued_at"))
    )
    calm: dict[tuple[int, str, int | None], Waiting] = {}
    urgent_people: set[int] = set()
    for person, channel, exercise, severity, count, first_id, first_at, last_at in groups:
        if severity >= URGENT:
            urgent_people.add(person)
            continue
        found = Waiting(person, channel, count, first_id, first_at, last_at, exercise_id=exercise)
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
    rows = visible(now).filter(severity__gte=URGENT, person_id__in=sorted(people)[:URGENT_PER_PASS]).order_by("id")
    return [
        Waiting(person, channel, 1, pk, at, at, urgent=True, exercise_id=exercise)
        for pk, person, channel, exercise, at in rows.values_list("pk", "person_id", "channel", "exercise_id", "queued_at")[:URGENT_PER_PASS]
    ]


def last_sent(now: datetime) -> dict[tuple[int, str, int | None], datetime]:
    """Return when persons were last sent something, where that still holds something back at `now`."""
    rows = LastSent.objects.filter(at__gt=now - APART).values_list("person_id", "channel", "exercise_id", "at")
    return {(person, channel, exercise or None): at for person, channel, exercise, at in rows}


def has_lapsed(now: datetime, *, channels: Collection[str] = (), but: Collection[str] = ()) -> bool:
    """Return whether a lease or wait has run out on one of `channels`, or on one that is not among `but`."""
    lapsed = Message.objects.filter(TAKEN, lease_until__lte=now)
    return (lapsed.filter(channel__in=channels) if channels else lapsed.exclude(channel__in=but)).exists()


def next_alarm_at(now: datetime) -> datetime | None:
    """Return when after `now` the next taken or postponed message must be looked at."""
    taken = Message.objects.filter(TAKEN, lease_until__gt=now).aggregate(at=Min("lease_until"))["at"]
    postponed = Message.objects.filter(POSTPONED, not_before__gt=now).aggregate(at=Min("not_before"))["at"]
    return min((at for at in (taken, postponed) if at is not None), default=None)


def _entries(rows: QuerySet[Message]) -> list[Entry]:
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
    return dict(Message.objects.filter(leader_id__in=leader_ids).values_list("leader_id").annotate(Count("id")))


def _sendings(rows: QuerySet[Message]) -> list[Sending]:
    return [
        Sending(
            row.pk, row.person_id, row.channel, row.template, State(row.state), row.reason, row.queued_at, row.done_at, row.read_at,
        )
        for row in rows
    ]
