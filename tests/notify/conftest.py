"""A worker's lease, a small town's people, and a channel that does as it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from django.db import transaction

from shouwang.journal.actions import take_lease
from shouwang.journal.rules import Lease
from shouwang.kernel.texts import Text
from shouwang.notify import actions, jobs, queries
from shouwang.notify.contract import Manifest, Missing, Outcome, Outgoing, Sent, Traits

PHONE = "10000000001"
KEYED = Traits(honours_key=True, gives_receipt=False, can_query=False)
GATEWAY = Traits(honours_key=False, gives_receipt=True, can_query=True)


@dataclass
class Scripted:
    """A channel whose provider answers what the test has laid down, then Sent; it keeps what it took."""

    answers: list[Outcome] = field(default_factory=list)
    known: list[Outcome] = field(default_factory=list)
    taken: list[Outgoing] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def send(self, outgoing: Outgoing, *, http: httpx.Client) -> Outcome:
        self.taken.append(outgoing)
        return self.answers.pop(0) if self.answers else Sent("r-1")

    def query(self, key: str, *, http: httpx.Client) -> Outcome:
        self.asked.append(key)
        return self.known.pop(0) if self.known else Missing()

    def problems(self) -> list[Text]:
        return []


def served(channel: Scripted, traits: Traits, *, needs_address: bool = False) -> jobs.Served:
    return jobs.Served(Manifest("x", Text("试", "x"), traits, needs_address, 200, ()), channel)


@pytest.fixture
def lease(db: None, now: datetime) -> Lease:
    """Return the worker's lease."""
    taken = take_lease("worker", "a", now=now, ttl=timedelta(days=1))
    assert taken is not None
    return taken


@pytest.fixture
def senders() -> Iterator[jobs.InlineSenders]:
    with httpx.Client() as http:
        yield jobs.InlineSenders(http)


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch) -> dict[int, queries.Contact]:
    """Return the address book; people not written down in it are reached at the same invented number."""
    known: dict[int, queries.Contact] = {}

    def contacts(person_ids: Any, channel: str) -> dict[int, queries.Contact]:
        return {person: known.get(person, queries.Contact(PHONE, "zh")) for person in person_ids}

    monkeypatch.setattr(queries, "contacts", contacts)
    monkeypatch.setattr(queries.reaching, "contacts", contacts)
    return known


Queue = Callable[..., list[str]]


@pytest.fixture
def put_in(db: None, now: datetime) -> Queue:
    """Return what queues `count` messages and returns their keys."""
    made = 0

    def put_in(person: int = 1, channel: str = "inbox", *, count: int = 1, severity: int = 2, at: datetime = now, **more: Any) -> list[str]:
        nonlocal made
        keys = [f"{n}:0:0" for n in range(made + 1, made + count + 1)]
        made += count
        messages = [
            actions.NewMessage(
                person, channel, "TASK_OFFERED", key, severity, {"reason": "TOO_LITTLE"}, task_id=int(key.split(":")[0]), case_id=9, **more,
            )
            for key in keys
        ]
        with transaction.atomic():
            actions.queue(messages, now=at)
        return keys

    return put_in
