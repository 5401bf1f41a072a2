"""Fixtures every room's tests share. Which database they run on is said in `tests/environment.py`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import settings

settings.register_profile("shouwang", deadline=None)
settings.load_profile("shouwang")

NOW = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that reaches a database, by whichever fixture, so that the PostgreSQL run takes them all."""
    for item in items:
        if {"db", "transactional_db"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.django_db(transaction="transactional_db" in item.fixturenames))  # type: ignore[attr-defined]


@pytest.fixture
def now() -> datetime:
    """Return the moment tests happen at: a Thursday, 10:00 in Liaocheng."""
    return NOW


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """Forget what this process keeps of procedures, duties, tokens, calendars, catalogues: other tests' rows are gone."""
    from shouwang.cases import queries as cases  # noqa: PLC0415
    from shouwang.notify import queries as notify  # noqa: PLC0415
    from shouwang.people.queries import roster, scopes  # noqa: PLC0415 - settings must be chosen first
    from shouwang.places import queries as places  # noqa: PLC0415
    from shouwang.telemetry import queries as telemetry  # noqa: PLC0415

    cases.forget()
    notify.forget()
    roster.forget()
    scopes.forget_tokens()
    places.forget()
    telemetry.forget()
