"""How often a meter sends: told from its readings, proposed on the home's page, and what counts before it is called silent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.test import Client

from shouwang.alerts.rules import FoundFinding
from shouwang.detectors.contract import Columns
from shouwang.kernel.moments import to_us
from shouwang.systems.living_alone.actions import learn_uploads
from shouwang.systems.living_alone.jobs import check_meters
from shouwang.systems.living_alone.models import Enrolment
from shouwang.systems.living_alone.queries import resolve_datastreams
from shouwang.systems.living_alone.rules.uploads import upload_interval
from shouwang.telemetry.actions import ingest
from tests.journeys.conftest import County

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def arrived(*, every_h: float, upload_h: int, hours: int = 14 * 24, all_late: bool = False) -> list[tuple[datetime, bool]]:
    """Return readings every so many hours that are sent every so many: those of the last hour before an upload are on time."""
    count = int(hours / every_h)
    at_h = [number * every_h for number in range(count)]
    sent_h = [-(-(at + every_h) // upload_h) * upload_h - every_h for at in at_h]
    return [(BEGIN + at * HOUR, all_late or sent - at > 1) for at, sent in zip(at_h, sent_h, strict=True)]


UPLOADS = [
    (arrived(every_h=1, upload_h=1), 1),
    (arrived(every_h=0.25, upload_h=1), 1),  # four readings in one upload
    (arrived(every_h=1, upload_h=6), 6),
    (arrived(every_h=1, upload_h=24), 24),
    (arrived(every_h=24, upload_h=24), 24),
    (arrived(every_h=24, upload_h=24, all_late=True), 24),  # a list of daily freezes, brought in the next morning
    (arrived(every_h=6, upload_h=6, all_late=True), 6),
    (arrived(every_h=1, upload_h=24, all_late=True), None),  # in one upload or in many
    (arrived(every_h=1, upload_h=1, all_late=True) + [(BEGIN + 20 * DAY + hour * HOUR, False) for hour in range(9)], 1),  # a past, then live
    (arrived(every_h=72, upload_h=72, hours=40 * 24), None),
    (arrived(every_h=1, upload_h=1, hours=4), None),  # three gaps tell nothing
    ([], None),
]


@pytest.mark.parametrize(("readings", "hours"), UPLOADS)
def test_an_interval_is_told_from_readings_that_came_on_time(readings: list[tuple[datetime, bool]], hours: int | None) -> None:
    assert upload_interval(readings) == hours


def test_lost_uploads_do_not_make_a_meter_slower() -> None:
    assert upload_interval([row for number, row in enumerate(arrived(every_h=1, upload_h=1)) if number % 5]) == 1


def send(county: County, *, every_h: int, until: datetime, days: int = 8) -> None:
    """Let the meter send hourly readings in uploads so many hours apart, the last at `until`."""
    for back in range(days * 24 // every_h - 1, -1, -1):
        at = until - back * every_h * HOUR
        at_us = to_us(at) - 3_600_000_000 * np.arange(every_h - 1, -1, -1)
        ingest(Columns(np.full(every_h, county.datastream), at_us, at_us / 1e9), now=at, source="x")


@pytest.mark.django_db
def test_what_was_learnt_is_proposed_and_entered_in_one_tap(county: County, desk: Client, phone: Client, now: datetime) -> None:
    send(county, every_h=24, until=now)
    address = f"/living-alone/{county.household}/"
    assert "按读数登记" not in desk.get(address).content.decode()
    assert learn_uploads(now) == 1
    assert learn_uploads(now) == 0, "once a day"
    page = desk.get(address).content.decode()
    assert "近两周的读数是" in page
    assert '<input type="hidden" name="hours" value="24">' in page
    assert "按读数登记" not in phone.get(address).content.decode()
    assert desk.post(f"{address}upload/", {"hours": "7"}).status_code == 404
    assert phone.post(f"{address}upload/", {"hours": "24"}).status_code == 403
    desk.post(f"{address}upload/", {"hours": "24"})
    assert Enrolment.objects.get().upload_h == 24
    assert "与读数相符" in desk.get(address).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(("every_h", "entered_h", "explained", "after_h"), [(24, 1, True, 36), (1, 24, False, 24), (6, 1, True, 24)])
def test_a_meter_is_silent_by_what_its_readings_show(
    county: County, now: datetime, every_h: int, entered_h: int, explained: bool, after_h: int,
) -> None:
    Enrolment.objects.update(upload_h=entered_h, enrolled_at=now - 9 * DAY)
    send(county, every_h=every_h, until=now)
    learn_uploads(now)
    subject = resolve_datastreams([county.datastream])[county.datastream]
    assert subject.explains is not None
    finding = FoundFinding("WATER_NO_DATA", "datastream", county.datastream, 1, "OPEN", 1, 1, "WATER_NO_DATA_OPEN", {"max_gap_h": 6})
    assert subject.explains(finding, now) == explained
    assert check_meters(now + (after_h - 1) * HOUR) == 0
    assert check_meters(now + after_h * HOUR) == 1


@pytest.mark.django_db
def test_what_readings_do_not_tell_leaves_what_was_learnt(county: County, now: datetime) -> None:
    send(county, every_h=6, until=now)
    learn_uploads(now)
    assert Enrolment.objects.get().upload_learnt_h == 6
    assert learn_uploads(now + 30 * DAY) == 1
    assert Enrolment.objects.get().upload_learnt_h == 6
