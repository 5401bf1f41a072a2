"""The live stream: what happened to cases and what reached inboxes, as server-sent events, each reader hearing the own only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db import connection

from shouwang.cases.queries import CaseRow, case_rows
from shouwang.journal.queries import events_after, last_seq
from shouwang.journal.rules import Event
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.moments import to_us
from shouwang.notify.queries import Entry, last_push_seq, pushes_after
from shouwang.people.queries import paths_of as paths_of_persons
from shouwang.places.queries import AreaRow, areas

BATCH = 500
LONGEST_NUMBER = 18
_encode = msgspec.json.Encoder().encode


class PositionUnreadable(ShouwangError):
    """A Last-Event-ID is not one that this stream has given."""

    zh = "Last-Event-ID“{found}”无法识别；应为本消息流给出的编号，如 1024-77；去掉它则从现在开始接收。"
    en = "The Last-Event-ID {found} is unknown; it must be one this stream has given, like 1024-77; leave it out to hear from now on."
    status = 400


@dataclass(frozen=True, slots=True)
class Position:
    """How far a reader has heard both logs: the number of the last event, and of the last push."""

    seq: int
    push_seq: int

    @classmethod
    def parse(cls, text: str) -> Position:
        """Return the position that `text` names. Raises PositionUnreadable."""
        parts = text.strip().split("-")
        if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) <= LONGEST_NUMBER for part in parts):
            raise PositionUnreadable(found=text[:40])
        return cls(int(parts[0]), int(parts[1]))

    def __str__(self) -> str:
        return f"{self.seq}-{self.push_seq}"

    def reaches(self, other: Position) -> bool:
        """Return whether everything up to `other` lies behind this position."""
        return self.seq >= other.seq and self.push_seq >= other.push_seq

    def further(self, other: Position) -> Position:
        """Return the position behind which everything behind either lies."""
        return Position(max(self.seq, other.seq), max(self.push_seq, other.push_seq))

    def not_beyond(self, end: Position) -> Position:
        """Return this position, or `end` in a log that is shorter: a backup was restored since it was given."""
        return Position(min(self.seq, end.seq), min(self.push_seq, end.push_seq))


@dataclass(frozen=True, slots=True)
class Audience:
    """What one listener hears: cases below `paths`, the own inbox, and inboxes of people below `push_paths`. Empty hears nothing.

    Of cases below `read_paths` it hears how they stand, of others only that something happened.
    """

    paths: tuple[str, ...] = ()
    person_id: int | None = None
    push_paths: tuple[str, ...] = ()
    read_paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseItem:
    """Something that happened to a case at `path`; `whole` says besides how the case stands."""

    seq: int
    path: str
    data: str
    whole: str = ""

    def is_news(self, position: Position) -> bool:
        """Return whether a reader at `position` has not passed it."""
        return self.seq > position.seq

    def is_for(self, audience: Audience) -> bool:
        """Return whether `audience` hears it."""
        return self.path.startswith(audience.paths)

    def said_to(self, audience: Audience) -> str:
        """Return what `audience` hears of it."""
        return self.whole if self.whole and self.path.startswith(audience.read_paths) else self.data

    def passed(self, position: Position, end: Position) -> Position:  # noqa: ARG002 - pushes come after the cases of a reading
        """Return where a reader at `position` stands after it."""
        return Position(self.seq, position.push_seq)


@dataclass(frozen=True, slots=True)
class PushItem:
    """Something that reached the inbox of a person whose area is `path`."""

    push_seq: int
    person_id: int
    path: str
    data: str

    def is_news(self, position: Position) -> bool:
        """Return whether a reader at `position` has not passed it."""
        return self.push_seq > position.push_seq

    def is_for(self, audience: Audience) -> bool:
        """Return whether `audience` hears it."""
        return self.person_id == audience.person_id or self.path.startswith(audience.push_paths)

    def said_to(self, audience: Audience) -> str:  # noqa: ARG002 - the same to everybody
        """Return what `audience` hears of it."""
        return self.data

    def passed(self, position: Position, end: Position) -> Position:
        """Return where a reader at `position` stands after it: all cases of the same reading came before."""
        return Position(max(position.seq, end.seq), self.push_seq)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of both logs after one position, up to `end`: cases first, then pushes. `is_full`: there may be more."""

    items: Sequence[CaseItem | PushItem]
    end: Position
    is_full: bool


def end_of_logs() -> Position:
    """Return the position at which nothing is left to hear; two queries."""
    return Position(last_seq(), last_push_seq())


def read_after(position: Position) -> Reading:
    """Return at most BATCH events and BATCH pushes after `position`; at most six queries."""
    try:
        events = events_after(position.seq, limit=BATCH)
        pushes = pushes_after(position.push_seq, limit=BATCH)
        items: list[CaseItem | PushItem] = [*_case_items(events), *_push_items(pushes)]
    except Exception:
        connection.close()  # whatever is wrong with it, the next reading begins with a new one
        raise
    end = Position(events[-1].seq if events else position.seq, pushes[-1].push_seq if pushes else position.push_seq)
    return Reading(items, end, len(events) == BATCH or len(pushes) == BATCH)


def _case_items(events: Sequence[Event]) -> list[CaseItem]:
    """Return events of cases as items, each with the case as it stands now: enough to paint its line without asking again."""
    told = [(event, event.subject_id) for event in events if event.kind.startswith("case.") and event.subject_id is not None]
    cases = case_rows([case_id for _, case_id in told]) if told else {}
    known = areas(sorted({int(part) for case in cases.values() for part in case.path.split("/") if part})) if cases else {}
    return [_case_item(event, cases[case_id], known) for event, case_id in told if case_id in cases]


def _case_item(event: Event, case: CaseRow, known: Mapping[int, AreaRow]) -> CaseItem:
    bare = {"topic": "case", "id": case.id, "kind": event.kind, "at": event.at.isoformat()}
    return CaseItem(event.seq, case.path, _data(bare), _data({**bare, "case": _line(case, known)}))


def _line(case: CaseRow, known: Mapping[int, AreaRow]) -> dict[str, object]:
    """Return what a case's line and marker show, in codes and the names of areas: nothing about persons or homes."""
    area = known.get(case.area_id)
    task = case.task if case.state == "OPEN" else None
    due_at = task.due_at if task else case.due_at
    parts = [int(part) for part in case.path.split("/") if part]
    return {
        "number": case.number, "matter": case.kind, "severity": case.severity, "state": case.state, "task": task.state if task else "",
        "due_at": due_at.isoformat() if due_at else None, "path": case.path, "exercise": case.exercise_id,
        "place": " ".join(known[part].name for part in parts[1:] if part in known),
        "lon": area.lon if area else None, "lat": area.lat if area else None,
    }


def _push_items(pushes: Sequence[Entry]) -> list[PushItem]:
    """Return pushes as items of ids and codes only: whoever may, reads the words in the inbox."""
    paths = paths_of_persons({push.person_id for push in pushes}) if pushes else {}
    return [
        PushItem(push.push_seq, push.person_id, paths.get(push.person_id, ""), _data({
            "topic": "push", "id": push.id, "person": push.person_id, "template": push.template, "severity": push.severity,
            "count": push.count, "task": push.task_id, "case": push.case_id, "exercise": push.exercise_id,
            "at": push.queued_at.isoformat(),
        }))
        for push in pushes
    ]


def _data(values: dict[str, object]) -> str:
    return _encode(values).decode()


def told(reading: Reading, audience: Audience, *, after: Position) -> str:
    """Return what `audience` hears of a reading after a position, as text/event-stream; each item's id resumes right behind it."""
    position, lines = after, []
    for item in reading.items:
        if item.is_news(position) and item.is_for(audience):
            position = item.passed(position, reading.end)
            lines.append(f"id: {position}\ndata: {item.said_to(audience)}\n\n")
    return "".join(lines)


def beat(now: datetime, position: Position, *, listeners: int = 1) -> str:
    """Return the sign of life, with the page's clock in milliseconds and how many listen; its id resumes where the reader stands."""
    return f'id: {position}\ndata: {{"topic":"beat","now":{to_us(now) // 1000},"listeners":{listeners}}}\n\n'
