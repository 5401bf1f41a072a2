"""Hazards from finding to the check, patrols from the calendar to the township, the five parties and what meetings agreed."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta

import pytest
from PIL import Image

from shouwang.cases.actions import accept, close, complete, reopen
from shouwang.cases.models import Case, Task
from shouwang.cases.queries import notes_of
from shouwang.cases.rules.evidence import Given
from shouwang.config import wiring
from shouwang.journal.actions import listen
from shouwang.journal.queries import events_after
from shouwang.kernel.errors import NotFound, Refused
from shouwang.notify.models import Message
from shouwang.people import queries as people
from shouwang.people.actions import NewDuty, NewPerson, add_account, add_persons, assign_duties
from shouwang.people.queries import scope_of_account
from shouwang.people.rules import SYSTEM, Scope
from shouwang.places import queries as places
from shouwang.places.actions import set_setting
from shouwang.systems.drowning.actions import hazards, parties, patrols, retire_water
from shouwang.systems.drowning.actions.beyond import tell_late
from shouwang.systems.drowning.models import Hazard, JointItem, PartyItem, Patrol
from shouwang.systems.drowning.rules.errors import HazardMoved, HazardWrong, ItemWrong, PatrolNotYet
from shouwang.systems.drowning.rules.hazards import NewHazard
from shouwang.systems.drowning.rules.parties import NewJointItem
from shouwang.systems.drowning.rules.patrols import midnight
from tests.drowning.conftest import Pond

DAY = timedelta(days=1)
JULY_1 = date(2026, 7, 1)


def jpeg() -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (64, 48), "#336699").save(kept, "JPEG")
    return kept.getvalue()


def new(key: str = "k1", **more: object) -> NewHazard:
    return NewHazard(**{"kind": "FENCE", "what": "东岸护栏断了", "unit": "东村村委会", "until": JULY_1 + 7 * DAY, "key": key, **more})  # type: ignore[arg-type]


def hear() -> None:
    for name, kinds, hear_ in wiring.LISTENERS:
        if name.startswith(("drowning.", "alerts.")):
            listen(name, hear_, lambda seq, kinds=kinds: events_after(seq, kinds=kinds))


def told(template: str) -> list[int]:
    return list(Message.objects.filter(template=template, channel="inbox").order_by("pk").values_list("person_id", flat=True))


@pytest.fixture
def cadre(pond: Pond, now: datetime) -> Scope:
    return scope_of_account(add_account(SYSTEM, username="cadre", person_id=pond.cadre, now=now), now)


@pytest.fixture
def officer(pond: Pond, now: datetime) -> Scope:
    return scope_of_account(add_account(SYSTEM, username="officer", person_id=pond.township, now=now), now)


@pytest.fixture
def county(pond: Pond, now: datetime) -> int:
    area = places.ancestors_of(pond.path)[1]
    assert area.level == "COUNTY"
    (person,) = add_persons(SYSTEM, [NewPerson("丁", area.id, "10000000009")], now=now)
    assign_duties(SYSTEM, [NewDuty(person, "COUNTY_DUTY", area.id, date(2026, 1, 1), "PRIMARY")], now=now)
    people.forget()
    return person


def test_a_hazard_is_found_mended_with_a_photo_checked_and_closed(pond: Pond, cadre: Scope, now: datetime) -> None:
    hazard_id = hazards.find_hazard(cadre, pond.water, new(), photo=jpeg(), now=now)
    row = Hazard.objects.get()
    case = Case.objects.get(pk=row.case_id)
    assert (hazard_id, "OPEN", pond.cadre) == (row.pk, row.state, row.found_by)
    assert ("drowning_hazard", "WATER_HAZARD_FENCE", "OPEN") == (case.kind, case.reason, case.state)
    task = Task.objects.get()
    assert task.assignee_id == pond.township
    given = [Given("done", "换了新护栏"), Given("photo", "", row.photo_id)]
    accept(task.pk, person_id=pond.township, now=now)
    complete(task.pk, person_id=pond.township, result="MENDED", evidence=given, now=now + DAY)
    hear()
    row.refresh_from_db()
    assert ("MENDED", "换了新护栏", row.photo_id) == (row.state, row.done, row.done_photo_id)
    close(case.pk, by=pond.township, now=now + 2 * DAY)
    hear()
    row.refresh_from_db()
    assert ("CLOSED", "换了新护栏") == (row.state, row.done)


def test_a_check_that_says_no_opens_the_hazard_again(pond: Pond, cadre: Scope, county: int, now: datetime) -> None:
    hazards.find_hazard(cadre, pond.water, new(), now=now)
    Hazard.objects.update(told_at=now)
    task = Task.objects.get()
    complete(task.pk, person_id=pond.township, result="MENDED", evidence=[Given("done", "补了")], now=now)
    hear()
    reopen(task.case_id, reason="NOT_SOLVED", by=county, now=now + DAY)
    hear()
    row = Hazard.objects.get()
    assert ("OPEN", None, None) == (row.state, row.done_at, row.told_at)


def test_what_is_no_hazard_is_dropped(pond: Pond, cadre: Scope, now: datetime) -> None:
    hazards.find_hazard(cadre, pond.water, new(), now=now)
    task = Task.objects.get()
    complete(task.pk, person_id=pond.township, result="NO_HAZARD", evidence=[Given("why", "本来就有护栏")], now=now)
    hear()
    close(task.case_id, by=pond.township, now=now)
    hear()
    assert Hazard.objects.values_list("state", "done").get() == ("DROPPED", "本来就有护栏")


def test_the_same_submission_again_is_the_same_hazard(pond: Pond, cadre: Scope, now: datetime) -> None:
    assert hazards.find_hazard(cadre, pond.water, new(), now=now) == hazards.find_hazard(cadre, pond.water, new(), now=now)
    assert (1, 1) == (Hazard.objects.count(), Case.objects.count())


@pytest.mark.parametrize("change", [{"kind": "SEA"}, {"until": JULY_1 - DAY}])
def test_a_wrong_hazard_changes_nothing(pond: Pond, cadre: Scope, now: datetime, change: dict[str, object]) -> None:
    with pytest.raises(HazardWrong):
        hazards.find_hazard(cadre, pond.water, new(**change), now=now)
    assert not Hazard.objects.exists()


def test_who_does_not_answer_for_the_place_finds_nothing(pond: Pond, now: datetime) -> None:
    stranger = Scope(1, ("/9/",), frozenset({"case.read", "case.handle"}))
    reader = Scope(1, (pond.path,), frozenset({"case.read"}))
    with pytest.raises(NotFound):
        hazards.find_hazard(stranger, pond.water, new(), now=now)
    with pytest.raises(Refused):
        hazards.find_hazard(reader, pond.water, new(), now=now)


def test_a_late_hazard_is_told_above_the_township_once(pond: Pond, cadre: Scope, county: int, now: datetime) -> None:
    hazards.find_hazard(cadre, pond.water, new(), now=now)
    assert tell_late(now + 7 * DAY) == 0, "on its day it is not late"
    assert tell_late(now + 8 * DAY) == 1
    assert tell_late(now + 9 * DAY) == 0
    assert told("WATER_HAZARD_LATE") == [county]
    (note,) = notes_of(Case.objects.get().pk)
    assert "超期" in note[1]


def test_a_closed_rescue_proposes_a_hazard_once(drawn: Pond, officer: Scope, now: datetime) -> None:
    drawn.tell(now)
    task = Task.objects.get()
    complete(task.pk, person_id=drawn.cadre, result="RESCUED", evidence=[Given("called", "120"), Given("handed_to", "急救人员")], now=now)
    hear()
    row = Hazard.objects.get()
    assert ("PROPOSED", task.case_id, None) == (row.state, row.from_case_id, row.case_id)
    assert hazards.propose_hazard(task.case_id, now=now) == row.pk
    hazards.take_proposal(officer, row.pk, new(), now=now)
    row.refresh_from_db()
    assert ("OPEN", "FENCE") == (row.state, row.kind)
    assert Case.objects.filter(pk=row.case_id, kind="drowning_hazard").exists()
    with pytest.raises(HazardMoved):
        hazards.drop_proposal(officer, row.pk, why="不是", now=now)


def test_a_proposal_is_dropped_with_a_reason(drawn: Pond, officer: Scope, now: datetime) -> None:
    row = Hazard.objects.create(water_id=drawn.water, path=drawn.path, kind="OTHER", what="", found_at=now, until=JULY_1, state="PROPOSED", from_case_id=1)
    with pytest.raises(HazardWrong):
        hazards.drop_proposal(officer, row.pk, why=" ", now=now)
    hazards.drop_proposal(officer, row.pk, why="游泳时抽筋", now=now)
    assert Hazard.objects.values_list("state", "done").get() == ("DROPPED", "游泳时抽筋")
    with pytest.raises(NotFound):
        hazards.drop_proposal(Scope(1, ("/9/",), frozenset({"case.read", "case.dispatch"})), row.pk, why="x", now=now)


def test_any_other_end_of_a_case_proposes_nothing(drawn: Pond, now: datetime) -> None:
    drawn.tell(now)
    complete(Task.objects.get().pk, person_id=drawn.cadre, result="NOBODY", now=now)
    hear()
    assert not Hazard.objects.exists()


def test_patrols_are_planned_two_weeks_ahead_and_once(pond: Pond, now: datetime) -> None:
    assert patrols.plan_patrols(now) == 2
    assert patrols.plan_patrols(now) == 0
    patrols.plan_patrols(now + DAY)
    found = list(Patrol.objects.order_by("due_from").values_list("due_from", "due_to"))
    assert found == [(midnight(JULY_1 + n * DAY), midnight(JULY_1 + (n + 7) * DAY)) for n in (0, 7, 14)]


def test_the_rhythm_is_the_areas_own(pond: Pond, now: datetime) -> None:
    set_setting(pond.area, "drowning.patrol_days", 3, now=now)
    places.forget()
    patrols.plan_patrols(now)
    assert {each.due_to - each.due_from for each in Patrol.objects.all()} == {3 * DAY}
    places.forget()


def test_a_patrol_is_done_once_and_not_before_its_days(pond: Pond, cadre: Scope, now: datetime) -> None:
    patrols.plan_patrols(now)
    first, second = Patrol.objects.order_by("due_from")
    assert patrols.do_patrol(cadre, first.pk, note=" 正常 ", now=now) == pond.water
    patrols.do_patrol(cadre, first.pk, now=now + DAY)
    first.refresh_from_db()
    assert (now, pond.cadre, "正常") == (first.done_at, first.by, first.note)
    with pytest.raises(PatrolNotYet):
        patrols.do_patrol(cadre, second.pk, now=now)
    with pytest.raises(NotFound):
        patrols.do_patrol(Scope(1, ("/9/",), frozenset({"case.read", "case.handle"})), second.pk, now=now)


def test_a_hazard_found_on_a_patrol_ends_it(pond: Pond, cadre: Scope, now: datetime) -> None:
    patrols.plan_patrols(now)
    first, second = Patrol.objects.order_by("due_from")
    hazards.find_hazard(cadre, pond.water, new("k1"), patrol_id=first.pk, now=now)
    hazards.find_hazard(cadre, pond.water, new("k2"), patrol_id=second.pk, now=now)
    assert list(Patrol.objects.order_by("due_from").values_list("hazard_id", flat=True)) == [Hazard.objects.order_by("pk")[0].pk, None]


def test_a_patrol_nobody_made_is_told_to_the_township_once(pond: Pond, cadre: Scope, county: int, now: datetime) -> None:
    patrols.plan_patrols(now)
    at = midnight(JULY_1 + 7 * DAY)
    assert tell_late(at - timedelta(seconds=1)) == 0
    assert tell_late(at) == 1
    assert tell_late(at + DAY) == 0
    assert told("WATER_PATROL_LATE") == [pond.township]


def test_a_water_that_is_left_asks_for_no_patrol(pond: Pond, now: datetime) -> None:
    patrols.plan_patrols(now)
    retire_water(SYSTEM, pond.water, active=False, now=now)
    assert tell_late(now + 30 * DAY) == 0
    assert patrols.plan_patrols(now + 30 * DAY) == 0
    retire_water(SYSTEM, pond.water, active=True, now=now + 60 * DAY)
    patrols.plan_patrols(now + 60 * DAY)
    assert not Patrol.objects.filter(due_from__gt=now + 15 * DAY, due_from__lt=now + 59 * DAY).exists(), "what was missed is not asked for"


def test_a_list_is_made_for_an_area_and_ticked(pond: Pond, officer: Scope, cadre: Scope, now: datetime) -> None:
    count = parties.make_list(officer, pond.area, year=2026, now=now)
    assert count == PartyItem.objects.count() > 10
    item = PartyItem.objects.filter(code="LESSON").order_by("due")[0]
    parties.tick_item(cadre, item.pk, done_on=JULY_1, note="三年级", now=now)
    parties.make_list(officer, pond.area, year=2026, now=now)
    item.refresh_from_db()
    assert (count, JULY_1, "三年级") == (PartyItem.objects.count(), item.done_on, item.note)
    with pytest.raises(ItemWrong):
        parties.tick_item(cadre, item.pk, done_on=JULY_1 + DAY, now=now)
    with pytest.raises(Refused):
        parties.make_list(cadre, pond.area, year=2026, now=now)
    with pytest.raises(NotFound):
        parties.make_list(officer, 10**9, year=2026, now=now)
    with pytest.raises(NotFound):
        parties.tick_item(Scope(1, ("/9/",), frozenset({"case.read", "case.handle"})), item.pk, done_on=JULY_1, now=now)


def test_an_agreed_item_is_a_case_told_above_when_late_and_closed_with_a_note(pond: Pond, officer: Scope, county: int, now: datetime) -> None:
    agreed = NewJointItem("补齐救生圈", "示例镇政府", places.ancestors_of(pond.path)[2].id, JULY_1 + DAY, "j1")
    item_id = parties.add_joint_item(officer, agreed, now=now)
    assert parties.add_joint_item(officer, agreed, now=now) == item_id
    task = Task.objects.get()
    assert task.assignee_id == pond.township
    assert [tell_late(now + DAY), tell_late(now + 2 * DAY), tell_late(now + 3 * DAY)] == [0, 1, 0]
    assert told("WATER_JOINT_LATE") == [county]
    complete(task.pk, person_id=pond.township, result="FINISHED", evidence=[Given("done", "每处两个")], now=now)
    hear()
    assert JointItem.objects.values_list("state", "done").get() == ("DONE", "每处两个")
    close(task.case_id, by=county, now=now)
    hear()
    assert JointItem.objects.get().state == "CLOSED"
