"""The small county of the journeys, with somebody who enrols homes there, at a stopped moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from shouwang.kernel.clock import ManualClock
from shouwang.kernel.moments import local
from shouwang.people.actions import add_account, add_person, assign_duty
from shouwang.people.models import Account
from shouwang.people.queries import scope_of_account
from shouwang.people.rules import SYSTEM, Scope
from shouwang.places import queries as places
from tests.journeys.conftest import County, county  # noqa: F401 - a fixture

MODULES = ("people.middleware", "systems.living_alone.pages.homes", "systems.living_alone.pages.care", "systems.living_alone.pages.importing", "systems.living_alone.pages.programme", "systems.living_alone.pages.trials", "watch.pages")


@pytest.fixture(autouse=True)
def _stopped(monkeypatch: pytest.MonkeyPatch, settings: Any, now: datetime, tmp_path: Path) -> None:
    """Stop the clock of the pages at the moment of the tests, and keep files in a folder of their own."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    settings.SHOUWANG_DATA_DIR = tmp_path
    for module in MODULES:
        monkeypatch.setattr(f"shouwang.{module}.clock", lambda: ManualClock(now))


@pytest.fixture
def officer_account(county: County, now: datetime) -> Account:  # noqa: F811
    """Return the account of a civil affairs officer of the township."""
    township = places.ancestors_of(county.path)[2].id
    person = add_person(SYSTEM, name="民政辛", area_id=township, now=now)
    since = local(now).date() - timedelta(days=1)
    assign_duty(SYSTEM, person_id=person, code="CIVIL_AFFAIRS", area_id=township, from_date=since, now=now)
    return add_account(SYSTEM, username="civil", person_id=person, now=now)


@pytest.fixture
def officer(officer_account: Account, now: datetime) -> Scope:
    """Return what that officer may do."""
    return scope_of_account(officer_account, now)


@pytest.fixture
def desk(officer_account: Account) -> Client:
    """Return a client that is signed in as that officer."""
    client = Client()
    client.force_login(officer_account)
    return client


@pytest.fixture
def phone(county: County) -> Client:  # noqa: F811
    """Return a client that is signed in as the grid worker of the village."""
    client = Client()
    client.force_login(Account.objects.unscoped().get(username="worker"))
    return client
