"""One silence, three tiers: one case that grows graver, and what keeps a tier from sending anybody."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from shouwang.alerts.actions import take_findings
from shouwang.alerts.models import Alert, Inhibited
from shouwang.alerts.rules import FoundFinding
from shouwang.cases.actions import accept, complete
from shouwang.cases.models import Case, Task
from shouwang.cases.rules.evidence import Given
from shouwang.journal.queries import events_of
from shouwang.kernel.moments import to_us
from shouwang.notify import actions as notify
from shouwang.notify import registry
from shouwang.notify.models import Message
from shouwang.notify.rules import phrase, render
from shouwang.people import actions as people
from shouwang.people.models import Person
from shouwang.people.queries import members_of
from shouwang.people.rules import SYSTEM
from shouwang.systems.living_alone.actions import announce_absence, take_word
from shouwang.systems.living_alone.jobs import look_at_stop
from shouwang.systems.living_alone.models import Enrolment
from tests.journeys.conftest import County
from tests.living_alone.test_ladder import read, silent

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
CALL, VISIT, STOP = ("WATER_SILENCE_CALL", 2), ("WATER_SILENCE", 3), ("WATER_HARD_STOP", 4)


@pytest.fixture
def callable_home(county: County, now: datetime) -> County:
    """Return the county where the resident agreed to be called and a telephone channel is on."""
    resident = next(each.person_id for each in members_of([county.household])[county.household] if each.role == "RESIDENT")
    Person.objects.unscoped().filter(pk=resident).update(phone="10000000006")
    people.give_consent(SYSTEM, resident, purpose="METER_WATCH", wording="x", source="x", now=now)
    notify.save_setting("voice", {}, enabled=True, by=None, now=now)
    return county


def find(county: County, tier: tuple[str, int], *, at: datetime, last_use: datetime, phase: str = "OPEN") -> list[int]:
    kind, severity = tier
    params = {"last_use_us": to_us(last_use), "again_by_us": to_us(at), "again_of_100": 98.4, "silent_h": (at - last_use) // HOUR}
    return take_findings(
        [FoundFinding(kind, "datastream", county.datastream, to_us(at), phase, severity, to_us(at), f"{kind}_{phase}", params, "silence", "1")],  # type: ignore[arg-type]
        now=at,
    )


def test_the_tiers_of_one_silence_are_one_case_that_grows_graver(callable_home: County, now: datetime) -> None:
    county, last_use = callable_home, now - 9 * HOUR
    opened = find(county, CALL, at=now, last_use=last_use)
    accept(Task.objects.get().pk, person_id=county.worker, may_take=True, now=now + MINUTE)
    assert find(county, VISIT, at=now + 3 * HOUR, last_use=last_use) == []
    assert find(county, STOP, at=now + 15 * HOUR, last_use=last_use) == []

    case, alert = Case.objects.get(), Alert.objects.get()
    assert [alert.pk] == opened
    assert (alert.kind, alert.severity, alert.merged) == ("WATER_HARD_STOP", 4, 2)
    assert (case.severity, case.reason) == (4, "WATER_HARD_STOP_OPEN")
    assert [event.kind for event in events_of(case.pk)].count("case.raised") == 2
    told = Message.objects.filter(person_id=county.worker, template="CASE_RAISED", channel="inbox")
    assert [(each.severity, each.task_id) for each in told.order_by("pk")] == [(3, Task.objects.get().pk), (4, Task.objects.get().pk)]


def test_a_lighter_tier_that_comes_later_changes_nothing_but_the_count(county: County, now: datetime) -> None:
    find(county, STOP, at=now, last_use=now - 24 * HOUR)
    find(county, VISIT, at=now + HOUR, last_use=now - 24 * HOUR)
    find(county, ("WATER_LOW_USE", 3), at=now + HOUR, last_use=now - 24 * HOUR)
    assert (Case.objects.get().severity, Alert.objects.get().kind, Alert.objects.get().merged) == (4, "WATER_HARD_STOP", 2)


def test_three_tiers_at_once_open_the_gravest_alone(county: County, now: datetime) -> None:
    findings = [
        FoundFinding(kind, "datastream", county.datastream, to_us(now), "OPEN", severity, to_us(now), f"{kind}_OPEN", {"last_use_us": 0})
        for kind, severity in (VISIT, STOP, CALL)
    ]
    assert len(take_findings(findings, now=now)) == 1
    assert (Alert.objects.get().kind, Case.objects.count()) == ("WATER_HARD_STOP", 1)


def test_water_used_again_is_said_once_of_the_one_case(callable_home: County, now: datetime) -> None:
    last_use = now - 9 * HOUR
    find(callable_home, CALL, at=now, last_use=last_use)
    find(callable_home, VISIT, at=now + 3 * HOUR, last_use=last_use)
    for tier in (CALL, VISIT):
        find(callable_home, tier, at=now + 4 * HOUR, last_use=last_use, phase="END")
    assert [event.kind for event in events_of(Case.objects.get().pk)].count("alert.signal_over") == 2
    assert Alert.objects.get().state == "OPEN"


def test_a_closed_case_is_not_raised_and_a_graver_tier_opens_its_own(callable_home: County, now: datetime) -> None:
    find(callable_home, CALL, at=now, last_use=now - 9 * HOUR)
    complete(Task.objects.get().pk, person_id=callable_home.worker, result="WELL", evidence=[Given("how", "MET")], may_take=True, now=now + MINUTE)
    Alert.objects.update(state="ENDED", ended_at=now + MINUTE)
    find(callable_home, VISIT, at=now + 3 * HOUR, last_use=now - 9 * HOUR)
    assert list(Case.objects.order_by("pk").values_list("state", "severity")) == [("CLOSED", 2), ("OPEN", 3)]


def test_nobody_is_called_who_cannot_be_and_the_visit_comes_at_its_own_hour(county: County, now: datetime) -> None:
    assert find(county, CALL, at=now, last_use=now - 9 * HOUR) == []
    assert (Case.objects.count(), Inhibited.objects.get().kind) == (0, "WATER_SILENCE_CALL")
    assert len(find(county, VISIT, at=now + 3 * HOUR, last_use=now - 9 * HOUR)) == 1


def test_a_word_that_all_is_well_holds_off_the_visit_but_never_the_hard_stop(callable_home: County, now: datetime) -> None:
    county, last_use = callable_home, now - 9 * HOUR
    silent(county, 9, until=now)
    take_word(county.household, code="SAID_WELL", number=0, by=county.worker, now=now)
    assert find(county, VISIT, at=now + 3 * HOUR, last_use=last_use) == []
    assert find(county, VISIT, at=now + 3 * HOUR, last_use=now + 2 * HOUR) != [], "a silence that began after the word is another one"
    Case.objects.update(state="CLOSED")
    Alert.objects.update(state="ENDED")
    assert len(find(county, STOP, at=now + 15 * HOUR, last_use=last_use)) == 1


def test_the_hard_stop_of_the_detector_is_not_told_again_by_the_look_after_a_word(callable_home: County, now: datetime) -> None:
    county = callable_home
    silent(county, 9, until=now)
    take_word(county.household, code="SAID_WELL", number=0, by=county.worker, now=now)
    for hour in range(1, 17):
        read(county, now + hour * HOUR, 500)
    find(county, STOP, at=now + 15 * HOUR, last_use=now - 9 * HOUR)
    Case.objects.update(state="CLOSED")
    Alert.objects.update(state="ENDED")
    assert look_at_stop(now + 15 * HOUR + 5 * MINUTE) == 0
    assert Enrolment.objects.get().stop_at is None


@pytest.mark.parametrize(("kind", "severity", "opens"), [
    ("WATER_SILENCE", 3, False), ("WATER_HARD_STOP", 4, False), ("WATER_LOW_USE", 3, False),
    ("WATER_NO_DATA", 1, True), ("WATER_HIGH_USE", 2, True), ("WATER_LEAK", 1, True),
])
def test_an_absence_explains_every_silence_and_nothing_else(county: County, now: datetime, kind: str, severity: int, opens: bool) -> None:
    announce_absence(county.household, until=now + timedelta(days=2), by=county.worker, now=now)
    assert bool(find(county, (kind, severity), at=now + HOUR, last_use=now)) == opens


def test_a_reason_is_one_sentence_to_be_read_aloud_in_both_languages() -> None:
    params = {"last_use_us": to_us(datetime.fromisoformat("2026-01-13T07:10+08:00")), "again_by_us": to_us(datetime.fromisoformat("2026-01-13T13:00+08:00")), "again_of_100": 98.9}
    assert phrase("WATER_SILENCE_OPEN", "en", params) == "No water since Tue 07:10; usually it is used again before Tue 13:00, 98 times in 100"
    assert phrase("WATER_SILENCE_OPEN", "zh", params) == "从周二 07:10 以后没有再用水；往常 100 次里有 98 次到周二 13:00 前会再用"
    for language in ("zh", "en"):
        spoken = render("SUBJECT_ASKED", {**params, "reason": "WATER_SILENCE_CALL_OPEN"}, language=language)
        assert len(spoken) <= registry.manifests()["voice"].text_limit
    assert phrase("WATER_SILENCE_OPEN_RATE", "en", {}) == "Such an alert is one for nothing about 2 times a year in a home"
    assert "99 times in 100" in phrase("WATER_SILENCE_OPEN", "en", {**params, "again_of_100": 100.0})
