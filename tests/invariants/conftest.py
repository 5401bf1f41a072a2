"""The small county of the journeys, the outbox's fixtures, and finding helpers that several invariants share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from shouwang.alerts.actions import take_findings
from shouwang.alerts.rules import FoundFinding
from shouwang.cases.models import Task
from tests.journeys.conftest import County, county
from tests.notify.conftest import book, lease, put_in, senders

__all__ = ["book", "county", "lease", "put_in", "senders"]


def finding(place: County, *, episode: int = 1, severity: int = 3, **more: Any) -> FoundFinding:
    """Return that a meter of the county counts too little."""
    params = {"used_l": 3.0, "window_h": 24, "limit_l": 10}
    return FoundFinding(
        "WATER_LOW_USE", "datastream", place.datastream, episode, "OPEN", severity, episode, "WATER_LOW_USE_OPEN", params, **more,
    )


@pytest.fixture
def task(county: County, now: datetime) -> Task:
    """Return the task of one alert."""
    take_findings([finding(county)], now=now)
    return Task.objects.get()
