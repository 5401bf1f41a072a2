"""The small county of the journeys, at a stopped moment."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from shouwang.kernel.clock import ManualClock
from tests.journeys.conftest import county  # noqa: F401 - a fixture

MODULES = (
    "people.middleware", "web.pages.first_run", "web.pages.board", "web.pages.desk", "web.pages.handover", "web.pages.phone", "web.pages.procedures",
    "web.pages.setup", "web.pages.views",
)


@pytest.fixture(autouse=True)
def _stopped(monkeypatch: pytest.MonkeyPatch, settings: Any, now: datetime) -> None:
    """Stop the clock of the pages at the moment of the tests."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    for module in MODULES:
        monkeypatch.setattr(f"shouwang.{module}.clock", lambda: ManualClock(now))
