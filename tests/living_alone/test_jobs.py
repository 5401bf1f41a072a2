"""What no detector sees: a meter that never sent anything, and a home that stays silent after an absence."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from shouwang.alerts.models import Alert
from shouwang.cases.models import Case, Task
from shouwang.cases.queries import procedure_of_case
from shouwang.detectors.contract import Columns
from shouwang.journal.queries import events_of
from shouwang.kernel.moments import to_us
from shouwang.systems.living_alone.actions import announce_absence
from shouwang.systems.living_alone.jobs import check_meters, look_again
from shouwang.systems.living_alone.models import Enrolment
from shouwang.telemetry.actions import ingest
from tests.journeys.conftest import County

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def read(county: County, at: datetime, litres: float) -> None:
    columns = Columns(np.array([county.datastream]), np.array([to_us(at)]), np.array([litres]))
    ingest(columns, now=at, source="test")


def test_a_meter_that_never_reported_becomes_a_meter_check_and_no_visit(county: County, now: datetime) -> None:
    assert check_meters(now + timedelta(hours=23)) == 0
    assert check_meters(now + DAY) == 1
    case = Case.objects.get()
    assert (procedure_of_case(case.pk).code, case.reason, case.severity) == ("METER_CHECK", "METER_SILENT_OPEN", 1)
    assert Task.objects.get().assignee_id == county.township_officer
    assert check_meters(now + DAY + timedelta(hours=1)) == 0
    assert Alert.objects.get().merged == 0


def test_a_meter_that_stays_silent_is_told_again_and_one_that_sends_ends_it(county: County, now: datetime) -> None:
    check_meters(now + DAY)
    assert check_meters(now + 4 * DAY) == 1
    read(county, now + 4 * DAY, 100)
    assert check_meters(now + 4 * DAY + timedelta(hours=1)) == 0
    assert Enrolment.objects.get().silence_told_at is None
    assert "alert.signal_over" in [event.kind for event in events_of(Case.objects.get().pk)]
    read(county, now + 4 * DAY + timedelta(hours=1), 110)
    assert check_meters(now + 5 * DAY) == 0
    assert check_meters(now + 6 * DAY) == 1  # silent once more


def test_a_home_that_is_away_is_asked_later(county: County, now: datetime) -> None:
    announce_absence(county.household, until=now + 3 * DAY, by=None, now=now)
    assert check_meters(now + 2 * DAY) == 0
    assert check_meters(now + 4 * DAY) == 1


def test_silence_after_the_return_sends_somebody(county: County, now: datetime) -> None:
    back = now + 2 * DAY
    announce_absence(county.household, until=back, by=None, now=now)
    for hour in range(13):
        read(county, back + timedelta(hours=hour), 500)
    assert look_again(back + timedelta(hours=11)) == 0
    assert look_again(back + timedelta(hours=12)) == 1
    case = Case.objects.get()
    assert (procedure_of_case(case.pk).code, case.reason) == ("WELFARE_CHECK", "BACK_UNUSED_OPEN")
    assert look_again(back + timedelta(hours=13)) == 0


@pytest.mark.parametrize("litres", [[500, 540], [500], [], [500, 20]])
def test_water_used_or_nothing_known_sends_nobody(county: County, now: datetime, litres: list[float]) -> None:
    announce_absence(county.household, until=None, by=None, now=now)
    for hour, value in enumerate(litres):
        read(county, now + timedelta(hours=hour), value)
    assert look_again(now + timedelta(hours=12)) == 0
    assert Case.objects.count() == 0
