"""The ladder of a welfare check: the resident is called first, then the family, and the grid worker goes all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pytest

from shouwang.alerts.actions import take_findings
from shouwang.alerts.rules import FoundFinding
from shouwang.cases.actions import accept, hand_over, take_answer
from shouwang.cases.jobs import run_due_timers
from shouwang.cases.models import Case, CoverageGap, Task
from shouwang.cases.rules.errors import ContactCannotTake
from shouwang.config.wiring import News
from shouwang.detectors.contract import Columns
from shouwang.kernel.moments import local, to_us
from shouwang.notify import actions as notify
from shouwang.notify.models import Message
from shouwang.notify.rules import Rejected
from shouwang.people import actions as people
from shouwang.people.models import Person
from shouwang.people.queries import members_of
from shouwang.people.rules import SYSTEM
from shouwang.systems.living_alone.jobs import look_at_stop
from shouwang.systems.living_alone.models import Enrolment
from shouwang.telemetry.actions import ingest
from tests.journeys.conftest import County

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MOST_ADDED_S = 300


def member(county: County, role: str) -> int:
    return next(each.person_id for each in members_of([county.household])[county.household] if each.role == role)


@pytest.fixture
def asked(county: County, now: datetime) -> County:
    """Return the county where the home agrees to be called and to have its relative told, and both channels are on."""
    resident = member(county, "RESIDENT")
    Person.objects.unscoped().filter(pk=resident).update(phone="10000000006")
    for purpose in ("METER_WATCH", "SHARE_WITH_RELATIVE"):
        people.give_consent(SYSTEM, resident, purpose=purpose, wording="x", source="x", now=now)
    for channel in ("voice", "sms"):
        notify.save_setting(channel, {}, enabled=True, by=None, now=now)
    return county


def read(county: County, at: datetime, litres: float) -> None:
    ingest(Columns(np.array([county.datastream]), np.array([to_us(at)]), np.array([litres])), now=at, source="test")


def silent(county: County, hours: int, *, until: datetime) -> None:
    """Let the meter tell that water was last used so many hours before `until`."""
    for hour in range(hours, -1, -1):
        read(county, until - hour * HOUR, 500)
    read(county, until - (hours + 1) * HOUR, 470)


def raise_alert(county: County, now: datetime) -> Task:
    params = {"used_l": 0, "limit_l": 10, "window_h": 9}
    finding = FoundFinding("WATER_LOW_USE", "datastream", county.datastream, to_us(now), "OPEN", 3, to_us(now), "WATER_LOW_USE_OPEN", params, "x", "1")
    take_findings([finding], now=now)
    return Task.objects.get()


def press(person: int, said: str, *, at: datetime) -> None:
    """Answer the last message of a person."""
    row = Message.objects.filter(person_id=person).exclude(channel="inbox").latest("pk")
    assert notify.take_reply(row.channel, row.key, said=said, now=at)
    hear()


def hear() -> None:
    news = News()
    while news.tell():
        pass


def told_at(person: int) -> datetime | None:
    return Message.objects.filter(person_id=person, channel="inbox").order_by("queued_at").values_list("queued_at", flat=True).first()


def run_until_told(county: County, start: datetime) -> float:
    """Let the virtual clock run by tens of seconds until the grid worker is asked, and return after how many seconds that was."""
    for tick in range(120):
        run_due_timers(start + timedelta(seconds=10 * tick))
        hear()
        at = told_at(county.worker)
        if at is not None:
            return (at - start).total_seconds()
    pytest.fail("the grid worker was never asked")


def nothing(_: County, __: datetime) -> None:
    """Nobody answers."""


def presses_nine(county: County, now: datetime) -> None:
    press(member(county, "RESIDENT"), "9", at=now + MINUTE)


def well_after_a_day(county: County, now: datetime) -> None:
    silent(county, 25, until=now)
    press(member(county, "RESIDENT"), "1", at=now + MINUTE)


def rings_unanswered(county: County, now: datetime) -> None:
    row = Message.objects.get(channel="voice")
    Message.objects.filter(pk=row.pk).update(state=2, lease_until=now + HOUR)
    notify.report_delivery("voice", row.key, Rejected("NO_ANSWER"), now=now + MINUTE)


def number_is_dead(county: County, now: datetime) -> None:
    row = Message.objects.get(channel="voice")
    Message.objects.filter(pk=row.pk).update(state=2, lease_until=now + HOUR)
    notify.report_delivery("voice", row.key, Rejected("FAILED"), now=now + MINUTE)


def presses_nonsense(county: County, now: datetime) -> None:
    press(member(county, "RESIDENT"), "7", at=now + MINUTE)


@pytest.mark.parametrize("path", [nothing, presses_nine, well_after_a_day, rings_unanswered, number_is_dead, presses_nonsense])
def test_asking_first_adds_at_most_five_minutes_to_every_path(asked: County, now: datetime, path: Callable[[County, datetime], None]) -> None:
    task = raise_alert(asked, now)
    assert task.assignee_id == member(asked, "RESIDENT")
    path(asked, now)
    ladder_added_s = run_until_told(asked, now)

    assert ladder_added_s <= MOST_ADDED_S
    assert CoverageGap.objects.count() == 0


def test_the_resident_is_called_for_three_minutes_then_the_relative_then_the_grid_worker(asked: County, now: datetime) -> None:
    task = raise_alert(asked, now)
    order = [task.assignee_id]
    for minutes in (2, 3, 3.5, 4):
        run_due_timers(now + minutes * MINUTE)
        order.append(Task.objects.get().assignee_id)
    resident, relative = member(asked, "RESIDENT"), member(asked, "RELATIVE")
    assert order == [resident, resident, relative, relative, asked.worker]
    assert list(Message.objects.exclude(channel="inbox").order_by("pk").values_list("person_id", "channel", "template")) == [
        (resident, "voice", "SUBJECT_ASKED"), (relative, "sms", "CONTACT_ASKED"),
    ]
    assert not Message.objects.filter(channel="inbox", person_id__in=[resident, relative]).exists()


@pytest.mark.parametrize("why", ["no telephone", "DEAF", "DEMENTIA", "no consent"])
def test_who_cannot_be_called_is_not_and_the_next_is_asked_at_once(asked: County, now: datetime, why: str) -> None:
    resident = member(asked, "RESIDENT")
    if why == "no telephone":
        Person.objects.unscoped().filter(pk=resident).update(phone="")
    elif why == "no consent":
        people.withdraw_consent(SYSTEM, resident, purpose="METER_WATCH", now=now)
    else:
        people.record_fact(SYSTEM, resident, kind=why, source="x", from_date=local(now).date(), now=now)
    assert raise_alert(asked, now).assignee_id == member(asked, "RELATIVE")
    assert not Message.objects.filter(person_id=resident).exists()
    assert run_until_told(asked, now) == 60


def test_a_fact_that_is_over_lets_the_resident_be_called_again(asked: County, now: datetime) -> None:
    today = local(now).date()
    resident = member(asked, "RESIDENT")
    people.record_fact(SYSTEM, resident, kind="DEAF", source="x", from_date=today - timedelta(days=9), until_date=today, now=now)
    assert raise_alert(asked, now).assignee_id == resident


def test_with_no_channel_on_the_grid_worker_is_asked_at_once(county: County, now: datetime) -> None:
    assert (raise_alert(county, now).assignee_id, CoverageGap.objects.count()) == (county.worker, 0)


def test_well_by_key_closes_and_is_looked_at_again_at_the_hard_stop(asked: County, now: datetime) -> None:
    silent(asked, 9, until=now)
    raise_alert(asked, now)
    press(member(asked, "RESIDENT"), "1", at=now + MINUTE)
    assert (Case.objects.get().state, Case.objects.get().result) == ("CLOSED", "WELL")
    for hour in range(1, 17):
        read(asked, now + hour * HOUR, 500)
    assert look_at_stop(now + 14 * HOUR) == 0
    assert look_at_stop(now + 15 * HOUR + MINUTE) == 1
    again = Case.objects.latest("pk")
    assert (again.reason, again.state) == ("SAID_WELL_UNUSED_OPEN", "OPEN")
    assert look_at_stop(now + 16 * HOUR) == 0


def test_water_used_after_the_key_asks_nobody(asked: County, now: datetime) -> None:
    silent(asked, 9, until=now)
    raise_alert(asked, now)
    press(member(asked, "RESIDENT"), "1", at=now + MINUTE)
    for hour in range(1, 17):
        read(asked, now + hour * HOUR, 520)
    assert look_at_stop(now + 15 * HOUR + MINUTE) == 0
    assert (Case.objects.count(), Enrolment.objects.get().stop_at) == (1, None)


def test_a_meter_that_says_nothing_after_the_key_is_not_taken_for_silence(asked: County, now: datetime) -> None:
    silent(asked, 9, until=now)
    raise_alert(asked, now)
    press(member(asked, "RESIDENT"), "1", at=now + MINUTE)
    assert look_at_stop(now + 15 * HOUR + MINUTE) == 0
    assert Enrolment.objects.get().stop_at == now + 15 * HOUR + MINUTE + timedelta(minutes=30)
    for hour in range(1, 18):
        read(asked, now + hour * HOUR, 500)
    assert look_at_stop(now + 17 * HOUR) == 1


@pytest.mark.parametrize("hours", [24, 30])
def test_well_by_key_never_outweighs_a_day_without_water(asked: County, now: datetime, hours: int) -> None:
    silent(asked, hours, until=now)
    raise_alert(asked, now)
    press(member(asked, "RESIDENT"), "1", at=now + MINUTE)
    assert (Case.objects.get().state, Task.objects.get().assignee_id) == ("OPEN", member(asked, "RELATIVE"))


def test_well_by_key_without_readings_ends_nothing(asked: County, now: datetime) -> None:
    raise_alert(asked, now)
    press(member(asked, "RESIDENT"), "1", at=now + MINUTE)
    assert Case.objects.get().state == "OPEN"


@pytest.mark.parametrize(("said", "days"), [("2", 1), ("23", 4), ("2*3#", 4)])
def test_away_by_key_closes_the_case_and_notes_the_absence(asked: County, now: datetime, said: str, days: int) -> None:
    raise_alert(asked, now)
    press(member(asked, "RESIDENT"), said, at=now + MINUTE)
    assert Case.objects.get().result == "AWAY"
    until = Enrolment.objects.get().away_until
    assert until is not None
    assert (local(until).date() - local(now).date()).days == days


def test_who_is_asked_as_a_contact_never_takes_the_task(asked: County, now: datetime) -> None:
    task = raise_alert(asked, now)
    for person in (member(asked, "RESIDENT"), member(asked, "RELATIVE")):
        run_due_timers(now + 3 * MINUTE)
        with pytest.raises(ContactCannotTake):
            accept(task.pk, person_id=person, now=now + 3 * MINUTE)


def test_what_a_relative_says_while_somebody_is_on_the_way_is_told_to_that_person(asked: County, now: datetime) -> None:
    silent(asked, 9, until=now)
    task = raise_alert(asked, now)
    run_until_told(asked, now)
    accept(task.pk, person_id=asked.worker, now=now + 6 * MINUTE)
    assert not take_answer(task.pk, person_id=member(asked, "RELATIVE"), code="KIN_WELL", now=now + 7 * MINUTE)
    assert Message.objects.filter(person_id=asked.worker, template="CONTACT_SAID").exists()
    assert Task.objects.get().state == "ACCEPTED"


def test_a_relative_may_answer_after_the_next_was_asked(asked: County, now: datetime) -> None:
    silent(asked, 9, until=now)
    task = raise_alert(asked, now)
    run_until_told(asked, now)
    assert take_answer(task.pk, person_id=member(asked, "RELATIVE"), code="KIN_WELL", now=now + 7 * MINUTE)
    assert Case.objects.get().result == "WELL"


def test_the_desk_may_give_the_check_to_somebody_while_the_resident_is_called(asked: County, now: datetime) -> None:
    task = raise_alert(asked, now)
    hand_over(task.pk, to=asked.deputy, reason="X", by=asked.county_officer, now=now + MINUTE)
    accept(task.pk, person_id=asked.deputy, now=now + 2 * MINUTE)
    assert (Task.objects.get().state, Task.objects.get().rung) == ("ACCEPTED", 2)
