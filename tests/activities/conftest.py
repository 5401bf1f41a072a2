"""The small county of the journeys, its township officer, and activities of every kind at a stopped moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from shouwang.activities import actions
from shouwang.activities.models import Activity
from shouwang.activities.queries import kind_of
from shouwang.activities.rules.plans import Plan
from shouwang.kernel.clock import ManualClock
from shouwang.people.actions import add_account
from shouwang.people.models import Account
from shouwang.people.queries import scope_of_account
from shouwang.people.rules import SYSTEM, Scope
from shouwang.places import queries as places
from tests.journeys.conftest import County, county  # noqa: F401 - a fixture

MODULES = ("people.middleware", *(f"activities.pages.{name}" for name in ("desk", "entries", "paper", "photos", "public", "windows")))


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    """Keep files and keys in a folder of their own."""
    settings.SHOUWANG_DATA_DIR = tmp_path


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch, settings: Any, now: datetime) -> None:
    """Stop the clock of the pages at the moment of the tests."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    for module in MODULES:
        monkeypatch.setattr(f"shouwang.{module}.clock", lambda: ManualClock(now))


@dataclass
class Hall:
    """A township with its officer, and a way to make activities there."""

    township: int
    path: str
    village: int
    officer: Scope
    now: datetime

    def plan(self, kind: str = "HELP_DAY", *, key: str = "", area: int | None = None, **changes: Any) -> int:
        """Plan an activity of a kind that begins in an hour."""
        known = kind_of(kind)
        values: dict[str, Any] = {
            "kind": kind, "title": f"示例{known.zh}", "area_id": area or self.township, "place": "文化广场",
            "starts_at": self.now + timedelta(hours=1), "ends_at": self.now + timedelta(hours=4), "entry": known.entries[0], "windows": 2,
            "organiser_id": self.officer.person_id, **changes,
        }
        number = Activity.objects.count()
        return actions.plan(self.officer, Plan(**values), key=key or f"plan-key-{number}", now=self.now)

    def open(self, kind: str = "HELP_DAY", **changes: Any) -> int:
        """Plan an activity and open it."""
        activity_id = self.plan(kind, **changes)
        actions.move(self.officer, activity_id, "OPEN", now=self.now)
        return activity_id

    def run(self, kind: str = "HELP_DAY", **changes: Any) -> int:
        """Plan an activity, open it and start it."""
        activity_id = self.open(kind, **changes)
        actions.move(self.officer, activity_id, "START", now=self.now)
        return activity_id


def account_of(person_id: int, username: str, now: datetime) -> Account:
    """Return an account for a person."""
    return add_account(SYSTEM, username=username, person_id=person_id, now=now)


@pytest.fixture
def hall(county: County, now: datetime) -> Hall:  # noqa: F811
    """Return the township's hall."""
    township = places.ancestors_of(county.path)[2]
    officer = scope_of_account(account_of(county.township_officer, "town", now), now)
    return Hall(township.id, township.path, county.village, officer, now)


@pytest.fixture
def desk(hall: Hall, stopped: None) -> Client:
    """Return a client that is signed in as the township officer."""
    return signed_in("town")


def signed_in(username: str) -> Client:
    """Return a client that is signed in."""
    client = Client()
    client.force_login(Account.objects.unscoped().get(username=username))
    return client
