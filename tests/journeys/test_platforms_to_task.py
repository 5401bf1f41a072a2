"""From a platform's pushes to a task: a silent home behind each shape of JSON that is pushed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from shouwang.cases.models import Case, Task
from shouwang.people.actions import issue_credential
from shouwang.people.rules.codes import INTEGRATION
from shouwang.telemetry.models import Observation
from shouwang.telemetry.sources import PUSH, sources_found
from shouwang.watch.actions import set_watch
from shouwang.watch.jobs import Runner
from shouwang.watch.review import review
from tests.journeys.conftest import County
from tests.telemetry.sources.contract import Read, line_of

pytestmark = pytest.mark.django_db
HOURS, SILENT_H = 60, 30


@pytest.mark.parametrize("name", sorted(name for name, each in sources_found().items() if each.direction == PUSH))
def test_a_silent_home_becomes_a_task(county: County, now: datetime, name: str) -> None:
    set_watch("w", detector="low_high_24h", now=now - timedelta(hours=HOURS - 1), thing_kind="WATER_METER", observed="register_l", lateness_s=60)
    line, token = line_of(name), issue_credential(INTEGRATION, subject="platform", paths=[county.path], now=now)
    reads = [Read("WM1", now - timedelta(hours=ago), 36_000.0 + 10 * (HOURS - max(ago, SILENT_H))) for ago in range(HOURS, -1, -1)]
    assert line.deliver([line.message(each) for each in reads], device="platform", token=token) == len(reads)
    assert len(reads) == Observation.objects.filter(datastream_id=county.datastream).count()
    Runner("test").tick(now, real_now=now)
    review(now + timedelta(minutes=15))
    assert county.worker == Task.objects.get().assignee_id
    assert Case.objects.count() == 1
