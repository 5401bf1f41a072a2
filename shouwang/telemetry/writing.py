"""One thread that writes what many connections receive: decoded, placed and committed in groups, then answered.

For listeners that keep connections open. What is answered as stored is committed (I1); what is not stored is answered as
refused, and its connection closed, so that the device sends it again.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import close_old_connections, connection

from shouwang.kernel.errors import ShouwangError, StorageAway, StorageFull
from shouwang.people.queries import scope_of_token
from shouwang.people.rules import Scope
from shouwang.telemetry.placing import Reading
from shouwang.telemetry.receiving import RIGHT, Message, store
from shouwang.telemetry.rules import MAX_ROWS_PER_TRANSACTION, UNREADABLE, NewQuarantine, Unmapped, unmapped
from shouwang.telemetry.sources import SourceSettingsInvalid
from shouwang.ui.outage import outage_of

GAP_S = 0.005
AWAY_S = 1.0
_log = logging.getLogger(__name__)
Decode = Callable[[bytes], Sequence[Reading]]


@dataclass(frozen=True, slots=True)
class Key:
    """The token a connection was opened with, and its kind; asked again with every group, so that a revoked one ends."""

    token: str
    kind: str

    def scope(self, at: datetime) -> Scope | None:
        """Return what the token allows at a moment, None when it may not write (any more)."""
        scope = scope_of_token(self.token, self.kind, at)
        return scope if scope is not None and RIGHT in scope.rights else None


class Incoming(NamedTuple):
    """One message as it came: `decode` makes readings of `payload`; `ticket` is whatever its listener knows it by."""

    payload: bytes
    decode: Decode
    key: Key
    device: str | None
    ticket: Any
    topic: str = ""


@dataclass(frozen=True)
class Written:
    """What became of a group, in the order in which it came."""

    stored: Sequence[Incoming]
    refused: Sequence[Incoming]


class Writer:
    """Writes messages in the order in which they come; `answered` is called in its thread after each commit."""

    def __init__(self, *, source: str, now: Callable[[], datetime], answered: Callable[[Written], object], gap_s: float = GAP_S) -> None:
        self._source = source
        self._now = now
        self._answered = answered
        self._gap_s = gap_s
        self._waiting: queue.SimpleQueue[Sequence[Incoming] | None] = queue.SimpleQueue()
        self._left: list[Incoming] = []
        self._ends = False
        self._thread = threading.Thread(target=self._run, name=f"{source}-writer")
        self._thread.start()

    def put(self, messages: Sequence[Incoming]) -> None:
        """Give messages to be written; returns at once."""
        self._waiting.put(messages)

    def end(self) -> None:
        """Write what was given and end; returns when that is done."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            while group := self._next():
                began_s = time.monotonic()
                self._answered(self._written(group))
                # Groups begin at least this far apart: many small commits cost more time than the wait.
                time.sleep(max(0.0, self._gap_s - (time.monotonic() - began_s)))
        finally:
            connection.close()

    def _next(self) -> list[Incoming]:
        """Return the oldest messages that wait, at most as many as fit into a transaction; none when there is an end to it."""
        found = self._left
        while len(found) < MAX_ROWS_PER_TRANSACTION and not self._ends:
            if found and self._waiting.empty():  # this thread alone takes from it
                break
            more = self._waiting.get()
            self._ends = more is None
            found += more or ()
        self._left = found[MAX_ROWS_PER_TRANSACTION:]
        return found[:MAX_ROWS_PER_TRANSACTION]

    def _written(self, group: Sequence[Incoming]) -> Written:
        try:
            return self._stored(group, now=self._now())
        except Exception as error:  # noqa: BLE001 - whatever it is, the others must be stored and this one refused
            close_old_connections()
            if isinstance(error, StorageAway | StorageFull) or outage_of(error):
                # Whatever waits is refused at once; the pause keeps devices that come back from wearing the disk.
                _log.error("%d messages were not stored: %s", len(group), error)
                time.sleep(AWAY_S)
                return Written([], [*group, *self._all_that_waits()])
            if len(group) == 1:
                _log.exception("a message could not be stored")
                return Written([], group)
            parts = [self._written([each]) for each in group]
            return Written([each for part in parts for each in part.stored], [each for part in parts for each in part.refused])

    def _all_that_waits(self) -> list[Incoming]:
        found, self._left = self._left, []
        while not self._ends and not self._waiting.empty():
            more = self._waiting.get()
            self._ends = more is None
            found += more or ()
        return found

    def _stored(self, group: Sequence[Incoming], *, now: datetime) -> Written:
        scopes = {key: key.scope(now) for key in {each.key for each in group}}
        messages, unreadable, stored, refused = [], [], [], []
        for each in group:
            scope = scopes[each.key]
            if scope is None:
                refused.append(each)
                continue
            stored.append(each)
            try:
                messages.append(Message(each.decode(each.payload), scope, each.device))
            except Unmapped as error:
                unreadable.append(unmapped(error, each.payload))
            except SourceSettingsInvalid as error:
                _log.error("a message was not stored: %s", error)
                refused.append(stored.pop())
            except ShouwangError:
                unreadable.append(_unreadable(each, scope))
        if stored:
            store(messages, now=now, source=self._source, quarantined=unreadable)
        return Written(stored, refused)


def _unreadable(message: Incoming, scope: Scope) -> NewQuarantine:
    """Return what quarantine keeps of a message that no device would ever send better: with its topic, as text that any database takes."""
    text = message.payload.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
    return NewQuarantine(UNREADABLE, message.device or scope.subject, f"{message.topic} {text}".strip(), 1)

