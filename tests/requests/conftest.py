"""The small county of the journeys with the procedures of requests, an officer at the township's desk, at a stopped moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from shouwang.kernel.clock import ManualClock
from shouwang.notify.actions import save_setting
from shouwang.people.actions import add_account
from shouwang.people.models import Account
from shouwang.people.queries import scope_of_account
from shouwang.people.rules import SYSTEM, Scope
from shouwang.requests.actions import publish_shipped
from shouwang.requests.rules.intake import NewReport
from tests.journeys.conftest import County, county  # noqa: F401 - a fixture

MODULES = ("people.middleware", "web.pages.desk", "web.pages.phone")
_keys = count(1)


@pytest.fixture(autouse=True)
def _stopped(monkeypatch: pytest.MonkeyPatch, settings: Any, now: datetime, tmp_path: Path) -> None:
    """Stop the clock of the pages at the moment of the tests, and keep files in a folder of their own."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    settings.SHOUWANG_DATA_DIR = tmp_path
    for module in MODULES:
        monkeypatch.setattr(f"shouwang.{module}.clock", lambda: ManualClock(now))


@pytest.fixture
def hall(county: County, now: datetime) -> County:  # noqa: F811
    """Return the county once the procedures of requests are published."""
    publish_shipped(now=now)
    return county


@pytest.fixture
def sms(db: None, now: datetime) -> None:
    """Switch the short messages on."""
    save_setting("sms", {}, enabled=True, by=None, now=now)


@pytest.fixture
def town_account(hall: County, now: datetime) -> Account:
    """Return the account of the township's duty officer."""
    return add_account(SYSTEM, username="town", person_id=hall.township_officer, now=now)


@pytest.fixture
def town(town_account: Account, now: datetime) -> Scope:
    """Return what the township's duty officer may do."""
    return scope_of_account(town_account, now)


@pytest.fixture
def worker(hall: County, now: datetime) -> Scope:
    """Return what the village's grid worker may do."""
    return scope_of_account(Account.objects.unscoped().get(username="worker"), now)


@pytest.fixture
def desk(town_account: Account) -> Iterator[Client]:
    """Yield a client that is signed in as the township's duty officer."""
    client = Client()
    client.force_login(town_account)
    yield client


@pytest.fixture
def phone(hall: County) -> Client:
    """Return a client that is signed in as the grid worker of the village."""
    client = Client()
    client.force_login(Account.objects.unscoped().get(username="worker"))
    return client


def report(place: County, **changes: Any) -> NewReport:
    """Return a resident's report from the village, with `changes`."""
    values: dict[str, Any] = {
        "service": "LIGHT", "channel": "TELEPHONE", "area_id": place.village, "description": "路灯不亮", "key": f"test-key-{next(_keys)}",
        "address": "村委会门前", "phone": "10000001234", "name": "来电甲",
    }
    return NewReport(**{**values, **changes})
