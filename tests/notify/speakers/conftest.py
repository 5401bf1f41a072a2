"""Loudspeakers of an invented county: devices that do as they are told, and what queues sounds on them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from django.db import transaction

from shouwang.kernel.texts import Text
from shouwang.notify import actions
from shouwang.notify.actions import NewSound
from shouwang.notify.contract import Delivered, Outcome, Sent
from shouwang.notify.jobs import InlinePlayers
from shouwang.notify.models import Speaker
from shouwang.notify.speaking import registry
from shouwang.notify.speaking.contract import Clip
from shouwang.places.actions import add_area

S = timedelta(seconds=1)


@dataclass
class Told:
    """A device that answers what the test has laid down, then well; it keeps what it took. `held` keeps it busy until it is set."""

    answers: list[Outcome] = field(default_factory=list)
    checks: list[Outcome] = field(default_factory=list)
    taken: list[Clip] = field(default_factory=list)
    checked: int = 0
    held: threading.Event | None = None
    begun: threading.Event = field(default_factory=threading.Event)

    def play(self, clip: Clip, *, http: httpx.Client) -> Outcome:
        self.taken.append(clip)
        self.begun.set()
        if self.held is not None:
            self.held.wait(10)
        return self.answers.pop(0) if self.answers else Sent()

    def check(self, *, http: httpx.Client) -> Outcome:
        self.checked += 1
        return self.checks.pop(0) if self.checks else Delivered()

    def problems(self) -> list[Text]:
        return []


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> dict[str, Told]:
    """Return the devices by their address; one that nobody has laid down is made when it is called."""
    known: dict[str, Told] = {}
    monkeypatch.setattr(registry, "make", lambda code, settings, *, secret, allowed: known.setdefault(settings["url"], Told()))
    return known


@pytest.fixture
def area(db: None, now: datetime) -> int:
    return add_area(parent_id=None, name="示范县", level="PREFECTURE", now=now)


Install = Callable[..., int]


@pytest.fixture
def install(area: int, now: datetime) -> Install:
    """Return what installs a loudspeaker at an address and returns its id; no check of it is due."""

    def install(url: str = "http://a", *, kind: str = "isapi", checked: bool = True, **more: Any) -> int:
        settings = {"url": url, **more.pop("settings", {})}
        code = f"SP-{Speaker.objects.count() + 1}"
        given = {"code": code, "kind": kind, "name": "示范水库东岸", "area_id": area, "settings": settings, "now": now, **more}
        speaker_id = actions.save_speaker(None, **given)
        if checked:
            Speaker.objects.filter(pk=speaker_id).update(check_at=now + timedelta(days=1))
        return speaker_id

    return install


Queue = Callable[..., str]


@pytest.fixture
def queue(now: datetime) -> Queue:
    """Return what queues a sound due in `in_s` seconds, for `until_s` more, and returns its key."""

    def queue(speaker_id: int, key: str = "7:0", *, in_s: float = 0, until_s: float = 5, at: datetime = now, **more: Any) -> str:
        due_at = at + in_s * S
        given = {"ladder": "7", "prompt": "WATER_EDGE", "severity": 3, **more}
        with transaction.atomic():
            actions.queue_sounds([NewSound(speaker_id, key, due_at=due_at, not_after=due_at + until_s * S, **given)], now=at)
        return key

    return queue


@pytest.fixture
def players() -> Iterator[InlinePlayers]:
    with httpx.Client() as http:
        yield InlinePlayers(http)
