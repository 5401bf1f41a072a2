"""A dead gateway hides its meters: one ticket for it, none for them, and no silence; a meter that is dead alone has its own."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from django.test import Client

from shouwang.alerts.actions import take_findings
from shouwang.alerts.models import Alert, Inhibited
from shouwang.alerts.rules import FoundFinding
from shouwang.cases.models import Case
from shouwang.cases.queries import procedure_of_case
from shouwang.detectors.contract import Columns
from shouwang.journal.queries import events_of
from shouwang.kernel.moments import to_us
from shouwang.people.rules import Scope
from shouwang.systems.living_alone.actions import enrol_home
from shouwang.systems.living_alone.jobs import check_gateways, check_meters
from shouwang.systems.living_alone.models import Enrolment, Gateway
from shouwang.systems.living_alone.rules.lines import NewHome
from shouwang.telemetry.actions import ingest
from tests.journeys.conftest import County

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def streams(county: County, officer: Scope, now: datetime) -> list[int]:
    """Enrol four homes behind one gateway and return their meters' streams."""
    for number in range(4):
        home = NewHome(f"试住{number}", county.village, f"{number}号", f"G{number}", phone=f"1000000300{number}", gateway="JZQ-7")
        enrol_home(officer, home, source="form", now=now)
    return list(Enrolment.objects.filter(gateway__code="JZQ-7").order_by("pk").values_list("datastream_id", flat=True))


def read(streams: list[int], at: datetime) -> None:
    ingest(Columns(np.array(streams), np.full(len(streams), to_us(at)), np.full(len(streams), 100.0)), now=at, source="test")


def not_heard(stream: int, *, last: datetime, now: datetime) -> None:
    """Tell what the detector tells of a meter six hours after its last reading."""
    take_findings([FoundFinding(
        "WATER_NO_DATA", "datastream", stream, to_us(now), "OPEN", 1, to_us(now), "WATER_NO_DATA_OPEN",
        {"last_at_us": to_us(last), "max_gap_h": 6}, "no_data", "1",
    )], now=now)


def test_a_dead_gateway_has_one_ticket_and_its_meters_none(streams: list[int], county: County, now: datetime) -> None:
    read(streams, now)
    for stream in streams:
        not_heard(stream, last=now, now=now + 6 * HOUR)
    assert not Case.objects.exists()
    assert Inhibited.objects.count() == 4
    assert check_gateways(now + 5 * HOUR) == 0
    assert check_gateways(now + 6 * HOUR) == 1
    case = Case.objects.get()
    assert (procedure_of_case(case.pk).code, case.reason, case.subject_kind, case.area_id) == ("METER_CHECK", "GATEWAY_NO_DATA_OPEN", "area", county.village)
    assert "JZQ-7" in case.params
    assert check_gateways(now + 7 * HOUR) == 0
    assert check_meters(now + 30 * HOUR) == 1, "the meter that sends through no gateway, and never did"


def test_one_that_carries_readings_again_ends_it_and_what_stays_silent_is_told_again(streams: list[int], now: datetime) -> None:
    read(streams, now)
    check_gateways(now + 6 * HOUR)
    assert check_gateways(now + 77 * HOUR) == 0
    assert check_gateways(now + 78 * HOUR) == 1
    read(streams[:1], now + 79 * HOUR)
    assert check_gateways(now + 80 * HOUR) == 0
    assert Gateway.objects.get().told_at is None
    assert "alert.signal_over" in [event.kind for event in events_of(Case.objects.get().pk)]


def test_a_meter_that_is_dead_alone_has_its_own_ticket(streams: list[int], now: datetime) -> None:
    read(streams, now)
    read(streams[1:], now + 2 * HOUR)
    not_heard(streams[0], last=now, now=now + 6 * HOUR)
    assert [alert.kind for alert in Alert.objects.all()] == ["WATER_NO_DATA"]
    assert check_gateways(now + 6 * HOUR) == 0


def test_of_two_meters_nobody_can_tell(streams: list[int], now: datetime) -> None:
    Enrolment.objects.filter(datastream_id__in=streams[2:]).update(active=False)
    read(streams, now)
    not_heard(streams[0], last=now, now=now + 6 * HOUR)
    assert Alert.objects.count() == 1
    assert check_gateways(now + 12 * HOUR) == 0


def test_the_page_of_a_home_names_its_gateway(streams: list[int], desk: Client) -> None:
    home = Enrolment.objects.get(datastream_id=streams[0]).household_id
    assert "JZQ-7" in desk.get(f"/living-alone/{home}/").content.decode()


def test_a_silent_gateway_stands_on_the_programme_and_on_its_homes_pages(
    streams: list[int], county: County, desk: Client, phone: Client, now: datetime,
) -> None:
    home = Enrolment.objects.filter(datastream_id=streams[0]).values_list("household_id", flat=True).get()
    assert "失联的集中器" not in desk.get("/living-alone/programme/").content.decode()
    assert "失联，自" not in desk.get(f"/living-alone/{home}/").content.decode()
    Gateway.objects.update(told_at=now)
    page = desk.get("/living-alone/programme/").content.decode()
    assert '<td data-label="集中器">JZQ-7</td>' in page
    assert '<td class="number" data-label="关注住户">4</td>' in page
    assert "JZQ-7 · 失联，自" in desk.get(f"/living-alone/{home}/").content.decode()
    Gateway.objects.update(path="/9/")
    assert "JZQ-7" not in desk.get("/living-alone/programme/").content.decode(), "it stands elsewhere"
