"""Two registered meters, and the scopes that write and import their readings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from shouwang.people.rules import Scope
from shouwang.telemetry import queries
from shouwang.telemetry.actions import add_things
from shouwang.telemetry.rules import NewThing


@pytest.fixture(autouse=True)
def _no_catalogue() -> Iterator[None]:
    queries.forget()
    yield
    queries.forget()


@pytest.fixture
def meters(db: None, now: datetime) -> dict[str, int]:
    """Register two meters and return their datastream ids by external id."""
    del db
    added = add_things(
        [NewThing(f"M{number}", "WATER_METER", f"水表 {number}", (("register_l", "L"),), path=f"/1/{number}/") for number in (1, 2)],
        now=now,
    )
    queries.forget()
    return {each.external_id: each.datastreams["register_l"] for each in added}


@pytest.fixture
def device() -> Scope:
    """Return what the token of meter M1 allows."""
    return Scope(None, (), frozenset({"telemetry.write"}), "DEVICE", ("thing", 1), subject="M1")


@pytest.fixture
def platform() -> Scope:
    """Return what the token of an integration for the whole city allows."""
    return Scope(None, ("/1/",), frozenset({"telemetry.write"}), "INTEGRATION", subject="waterworks")


@pytest.fixture
def officer() -> Scope:
    """Return what an officer of area 1 may do, who imports files."""
    return Scope(7, ("/1/",), frozenset({"case.read", "telemetry.import"}))
