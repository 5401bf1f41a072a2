"""Who is watched, until when and why no longer; and that an announced absence ends what nobody has taken up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from django.test import Client

from shouwang.alerts.rules import FoundFinding
from shouwang.cases.actions import accept, false_alarm
from shouwang.cases.models import Case, Task
from shouwang.config.wiring import News
from shouwang.journal.queries import events_of
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import local
from shouwang.people import actions as people
from shouwang.people.queries import live_consents, members_of
from shouwang.people.rules import SYSTEM, Scope
from shouwang.places import queries as places
from shouwang.places.actions import set_setting
from shouwang.systems.living_alone import actions
from shouwang.systems.living_alone.jobs import check_meters, end_consents
from shouwang.systems.living_alone.models import Enrolment, Label
from shouwang.systems.living_alone.queries import holiday_of, resolve_datastreams
from shouwang.systems.living_alone.rules.absence import next_holiday
from shouwang.systems.living_alone.rules.lines import Contact
from tests.journeys.conftest import County
from tests.journeys.test_meter_to_closed import open_one
from tests.living_alone.test_actions import home
from tests.living_alone.test_ladder import member, silent

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def test_a_consent_that_is_over_stops_the_watch(county: County, officer: Scope, now: datetime) -> None:
    today = local(now).date()
    done = actions.enrol_home(officer, home(county, consent=True, consent_until=today, category="SUPPORTED"), source="form", now=now)
    row = Enrolment.objects.get(household_id=done.household_id)
    assert (row.category, row.consent_until) == ("SUPPORTED", today)
    assert end_consents(now) == 0
    assert row.datastream_id in resolve_datastreams([row.datastream_id])
    assert end_consents(now + DAY) == 1
    row.refresh_from_db()
    assert (row.active, row.ended_reason, row.ended_at) == (False, "CONSENT", now + DAY)
    assert resolve_datastreams([row.datastream_id]) == {}
    assert "living_alone.ended" in [event.kind for event in events_of(done.household_id)]
    assert end_consents(now + DAY) == 0


def test_an_ended_home_opens_no_case(county: County, now: datetime) -> None:
    actions.end_watching(county.household, reason="DEATH", by=None, now=now)
    with pytest.raises(Task.DoesNotExist):
        open_one(county, now)
    assert Case.objects.count() == 0


def test_a_withdrawn_consent_stops_the_watch_unless_another_resident_agrees(county: County, now: datetime) -> None:
    first, second = member(county, "RESIDENT"), people.add_person(SYSTEM, name="住户壬", area_id=county.village, now=now)
    people.add_member(SYSTEM, county.household, person_id=second, role="RESIDENT", now=now)
    for person in (first, second):
        people.give_consent(SYSTEM, person, purpose="METER_WATCH", wording="x", source="x", now=now)
    people.withdraw_consent(SYSTEM, first, purpose="METER_WATCH", now=now)
    News().tell()
    assert Enrolment.objects.get().active
    people.withdraw_consent(SYSTEM, second, purpose="METER_WATCH", now=now)
    News().tell()
    assert (Enrolment.objects.get().active, Enrolment.objects.get().ended_reason) == (False, "CONSENT")


def test_enrolling_again_goes_on(county: County, officer: Scope, now: datetime) -> None:
    done = actions.enrol_home(officer, home(county), source="form", now=now)
    actions.end_watching(done.household_id, reason="MOVED", by=None, now=now)
    actions.enrol_home(officer, home(county), source="form", now=now + DAY)
    row = Enrolment.objects.get(household_id=done.household_id)
    assert (row.active, row.ended_reason, row.ended_at) == (True, "", None)


@pytest.mark.parametrize("reason", ["", "BORED"])
def test_the_watch_ends_for_a_known_reason_only(county: County, now: datetime, reason: str) -> None:
    with pytest.raises(NotFound):
        actions.end_watching(county.household, reason=reason, by=None, now=now)
    assert Enrolment.objects.get().active


def test_agreeing_with_a_relative_named_agrees_to_telling_the_relative(county: County, officer: Scope, now: datetime) -> None:
    done = actions.enrol_home(officer, home(county, consent=True, relative=Contact("示例乙", "10000000032")), source="form", now=now)
    resident = members_of([done.household_id])[done.household_id][0].person_id
    assert live_consents([resident], "SHARE_WITH_RELATIVE") == {resident}




def test_an_absence_ends_what_nobody_has_taken_up(county: County, phone: Client, now: datetime) -> None:
    open_one(county, now)
    phone.post(f"/living-alone/{county.household}/absence/", {"absence": "tonight"})
    assert (Case.objects.get().state, Case.objects.get().result) == ("CLOSED", "AWAY")


def test_an_absence_leaves_what_somebody_has_accepted(county: County, now: datetime) -> None:
    task = open_one(county, now)
    accept(task.pk, person_id=county.worker, now=now)
    actions.announce_absence(county.household, until=now + DAY, by=county.county_officer, now=now)
    assert Case.objects.get().state == "OPEN"


def test_a_holiday_told_late_by_whoever_is_on_the_way_closes_the_case_as_away(county: County, now: datetime) -> None:
    task = open_one(county, now)
    accept(task.pk, person_id=county.worker, now=now)
    actions.announce_absence(county.household, until=now + 7 * DAY, by=county.worker, now=now + HOUR)
    News().tell()
    assert (Case.objects.get().state, Case.objects.get().result, Label.objects.get().label) == ("CLOSED", "AWAY", "AWAY")


def test_a_consent_that_is_over_is_no_longer_on_record_and_a_new_one_is_its_own(county: County, officer: Scope, now: datetime) -> None:
    today = local(now).date()
    new = home(county, consent=True, consent_until=today, relative=Contact("示例亲", "10000000032", "女儿"))
    done = actions.enrol_home(officer, new, source="form", now=now)
    resident = next(each.person_id for each in members_of([done.household_id])[done.household_id] if each.role == "RESIDENT")
    end_consents(now + DAY)
    assert [live_consents([resident], purpose) for purpose in ("METER_WATCH", "SHARE_WITH_RELATIVE")] == [frozenset(), frozenset()]
    actions.enrol_home(officer, replace(new, consent_until=today + 90 * DAY), source="form", now=now + 2 * DAY)
    assert live_consents([resident], "METER_WATCH") == {resident}
    assert Enrolment.objects.get(household_id=done.household_id).active


@pytest.mark.parametrize(("reason", "label"), [("DEVICE", "METER_FAULT"), ("KNOWN", "KNOWN"), ("TEST", None)])
def test_a_case_that_the_desk_ends_as_a_false_alarm_leaves_what_it_was(county: County, now: datetime, reason: str, label: str | None) -> None:
    open_one(county, now)
    false_alarm(Case.objects.get().pk, reason=reason, by=county.county_officer, now=now)
    News().tell()
    assert [row.label for row in Label.objects.all()] == ([label] if label else [])


@pytest.mark.parametrize(("upload_h", "after_h"), [(1, 24), (24, 36)])
def test_a_meter_that_sends_once_a_day_is_not_silent_between(county: County, now: datetime, upload_h: int, after_h: int) -> None:
    Enrolment.objects.update(upload_h=upload_h, enrolled_at=now - 9 * DAY)
    silent(county, 0, until=now)
    subject = resolve_datastreams([county.datastream])[county.datastream]
    assert subject.explains is not None
    finding = FoundFinding("WATER_NO_DATA", "datastream", county.datastream, 1, "OPEN", 1, 1, "WATER_NO_DATA_OPEN", {"max_gap_h": 6})
    assert subject.explains(finding, now) == (upload_h == 24)
    assert check_meters(now + after_h * HOUR - HOUR) == 0
    assert check_meters(now + after_h * HOUR) == 1


@pytest.mark.parametrize(("today", "found"), [
    (date(2026, 9, 20), (date(2026, 10, 1), date(2026, 10, 5))),  # it begins within two weeks
    (date(2026, 10, 3), (date(2026, 10, 3), date(2026, 10, 5))),  # it goes on, and is long enough still
    (date(2026, 10, 4), None),  # two days are left: a weekend
    (date(2026, 8, 1), None),  # too far away
])
def test_the_coming_holiday_is_three_days_off_running(today: date, found: tuple[date, date] | None) -> None:
    off = {date(2026, 10, day) for day in range(1, 6)}
    assert next_holiday(today, is_working=lambda day: day not in off and day.weekday() < 5) == found


def test_a_holiday_is_one_tap_on_the_page_of_a_home(county: County, phone: Client, now: datetime) -> None:
    first = local(now).date() + 3 * DAY
    days = [f"{first + n * DAY}" for n in range(4)]
    set_setting(places.area(county.village).id, "calendar.days_off", days, now=now)
    places.forget()
    page = phone.get(f"/living-alone/{county.household}/").content.decode()
    assert "放假期间不在家" in page
    last = holiday_of(county.household, now=now)
    assert last is not None
    assert f'name="until" value="{last[1]:%Y-%m-%d}"' in page


def test_an_exchanged_meter_keeps_the_end_of_the_consent(county: County, officer: Scope, now: datetime) -> None:
    last = local(now).date() + 9 * DAY
    first = actions.enrol_home(officer, home(county, consent=True, consent_until=last), source="form", now=now)
    actions.enrol_home(officer, home(county, meter="WM3"), source="form", now=now)
    assert Enrolment.objects.get(household_id=first.household_id).consent_until == last
