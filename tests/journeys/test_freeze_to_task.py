"""From the water company's file, which every county has, to a task: hourly freezes and daily ones of the meter's own register."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from shouwang.cases.models import Case, Task
from shouwang.kernel.moments import local
from shouwang.people.rules import Scope
from shouwang.telemetry.models import Observation
from shouwang.telemetry.sources.file import import_file
from shouwang.watch.actions import set_watch
from shouwang.watch.jobs import Runner
from shouwang.watch.review import review
from tests.journeys.conftest import County

pytestmark = pytest.mark.django_db
FREEZES = [
    # step in hours, rows, the gap that is no failure yet; the home uses water until a day and a half ago
    (1, 96, 6),
    (24, 5, 30),
]


def freeze(step_h: int, count: int, *, now: datetime) -> str:
    """Return the file: the register at each step, 8 L an hour up to 36 hours ago and none since."""
    last = local(now).replace(hour=0 if step_h == 24 else local(now).hour, minute=0, second=0, microsecond=0)
    lines = ["表号,抄表时间,读数"]
    for n in range(count - 1, -1, -1):
        at = last - timedelta(hours=step_h * n)
        used_h = max(0.0, (now - timedelta(hours=36) - (last - timedelta(hours=step_h * (count - 1)))).total_seconds() / 3600)
        lines.append(f"WM1,{at:%Y/%m/%d %H:%M},{36_000 + round(8 * min(step_h * (count - 1 - n), used_h))}")
    return "\n".join(lines)


@pytest.mark.parametrize(("step_h", "count", "max_gap_h"), FREEZES)
def test_a_freeze_of_a_silent_home_becomes_a_task(
    county: County, now: datetime, tmp_path: Path, step_h: int, count: int, max_gap_h: int,
) -> None:
    path = tmp_path / "freeze.csv"
    path.write_text(freeze(step_h, count, now=now), "gb18030")
    params = {"max_gap_h": max_gap_h}
    set_watch("w", detector="low_high_24h", now=now - timedelta(hours=90), params=params, thing_kind="WATER_METER", observed="register_l", lateness_s=60)
    clerk = Scope(county.county_officer, ("/",), frozenset({"telemetry.import"}))
    done = import_file(path, scope=clerk, now=now)
    assert (done.rows, done.stored.accepted, done.bad_count) == (count, count, 0)
    assert import_file(path, scope=clerk, now=now).stored.accepted == 0
    assert count == Observation.objects.filter(datastream_id=county.datastream).count()
    Runner("test").tick(now, real_now=now)
    review(now + timedelta(minutes=15))
    assert county.worker == Task.objects.get().assignee_id
    assert Case.objects.count() == 1
