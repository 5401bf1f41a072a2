"""What somebody has an alert of already, so that a review of late readings does not tell it again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shouwang.alerts.actions import take_findings
from shouwang.alerts.models import Alert
from shouwang.alerts.queries import last_told, seen_already
from shouwang.alerts.rules import FoundFinding
from shouwang.kernel.moments import to_us
from tests.journeys.conftest import County, county  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db


def test_an_alert_of_the_same_family_that_ended_later_has_been_seen(county: County, now: datetime) -> None:  # noqa: F811
    finding = FoundFinding("WATER_HARD_STOP", "datastream", county.datastream, 1, "OPEN", 4, to_us(now), "WATER_HARD_STOP_OPEN", {"last_use_us": 0})
    assert seen_already([finding]) == set()
    take_findings([finding], now=now)
    lighter = replace(finding, kind="WATER_SILENCE", severity=3, at_us=to_us(now - timedelta(hours=9)))
    other = replace(finding, kind="WATER_LEAK")
    assert seen_already([finding, lighter, other]) == {finding.key, lighter.key}
    Alert.objects.update(state="ENDED", ended_at=now)
    later = replace(finding, at_us=to_us(now + timedelta(hours=1)))
    assert seen_already([lighter]) == {lighter.key}
    assert seen_already([later]) == set()
    assert last_told("WATER_HARD_STOP", "datastream", [county.datastream]) == {county.datastream: now}
