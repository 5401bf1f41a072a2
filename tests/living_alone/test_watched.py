"""Who is watched, until when and why no longer; and that an announced absence ends what nobody has taken up."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client

from shouwang.cases.actions import accept
from shouwang.cases.models import Case, Task
from shouwang.config.wiring import News
from shouwang.journal.queries import events_of
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import local
from shouwang.people import actions as people
from shouwang.people.queries import live_consents, members_of
from shouwang.people.rules import SYSTEM, Scope
from shouwang.systems.living_alone import actions
from shouwang.systems.living_alone.jobs import end_consents
from shouwang.systems.living_alone.models import Enrolment
from shouwang.systems.living_alone.queries import resolve_datastreams
from shouwang.systems.living_alone.rules.lines import Contact
from tests.journeys.conftest import County
from tests.journeys.test_meter_to_closed import open_one
from tests.living_alone.test_actions import home
from tests.living_alone.test_ladder import member

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


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
    actions.announce_absence(county.household, until=now + DAY, by=county.worker, now=now)
    assert Case.objects.get().state == "OPEN"


def test_an_exchanged_meter_keeps_the_end_of_the_consent(county: County, officer: Scope, now: datetime) -> None:
    last = local(now).date() + 9 * DAY
    first = actions.enrol_home(officer, home(county, consent=True, consent_until=last), source="form", now=now)
    actions.enrol_home(officer, home(county, meter="WM3"), source="form", now=now)
    assert Enrolment.objects.get(household_id=first.household_id).consent_until == last
