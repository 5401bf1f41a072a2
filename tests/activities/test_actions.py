"""What is written: plans and states, sign-ups with consent, matters as cases, counts; and what nobody may do."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from PIL import Image

from shouwang.activities import actions, jobs, queries
from shouwang.activities.actions import NewMatter
from shouwang.activities.models import PHONE, Activity, Consent, Headcount, Matter, Photo, Rating, SignUp
from shouwang.activities.queries import Filters
from shouwang.activities.rules.entries import Guardian, NewSignUp
from shouwang.activities.rules.errors import (
    ActivityWrong,
    ConsentMissing,
    MoveRefused,
    NoListOfWhoCame,
    NotUsed,
    SignedUpAlready,
    SignUpClosed,
    WindowBusy,
)
from shouwang.activities.rules.plans import Plan
from shouwang.cases import actions as cases
from shouwang.cases.models import Case, CoverageGap, Task
from shouwang.cases.queries import case_row, evidence_of, notes_of
from shouwang.cases.rules.evidence import Given
from shouwang.journal.models import EventRow
from shouwang.journal.queries import events_of, verify
from shouwang.journal.rules import Event
from shouwang.journal.sealed import fingerprint_of
from shouwang.kernel.errors import NotFound, Refused
from shouwang.kernel.moments import local
from shouwang.notify.models import Message
from shouwang.people.actions import NewPerson, add_persons, assign_duty
from shouwang.people.models import AccessLog, Person
from shouwang.people.queries import scope_of_account
from shouwang.people.rules import SYSTEM, Scope
from shouwang.people.rules.errors import ReasonMissing
from shouwang.places.actions import add_area, move_area
from shouwang.places.queries import area
from tests.activities.conftest import Hall, account_of
from tests.journeys.conftest import County

pytestmark = pytest.mark.django_db
GUARDIAN = Guardian("示例母", "母亲", "2026-1")
CHILD = NewSignUp("示例童", "10000000041", "sign-up-child", is_minor=True, guardian=GUARDIAN)


def entry(n: int, **changes: Any) -> NewSignUp:
    return replace(NewSignUp(f"示例{n}", f"1000000010{n}", f"sign-up-{n:04d}"), **changes)


def code_of(activity: int) -> str:
    return Activity.objects.get(pk=activity).code


def kinds_of(activity: int) -> list[str]:
    return [event.kind.removeprefix("activity.") for event in events_of(activity, prefix="activity.")]


def states_of(activity: int) -> list[str]:
    return list(SignUp.objects.filter(activity_id=activity).order_by("pk").values_list("state", flat=True))


def picture() -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(kept, "JPEG")
    return kept.getvalue()


def test_an_activity_goes_from_planned_to_ended_and_may_be_reopened(hall: Hall) -> None:
    activity = hall.plan()
    for move in ("OPEN", "START", "START", "END", "REOPEN", "END"):
        actions.move(hall.officer, activity, move, now=hall.now)  # type: ignore[arg-type]
    assert kinds_of(activity) == ["planned", "opened", "started", "ended", "reopened", "ended"]
    assert Activity.objects.get(pk=activity).state == "ENDED"
    with pytest.raises(MoveRefused, match="已结束"):
        actions.move(hall.officer, activity, "CANCEL", reason_code="WEATHER", now=hall.now)
    verify()


def test_a_cancelled_activity_has_a_reason_and_may_be_taken_up_again(hall: Hall) -> None:
    activity = hall.open()
    with pytest.raises(ActivityWrong, match="取消原因"):
        actions.move(hall.officer, activity, "CANCEL", now=hall.now)
    actions.move(hall.officer, activity, "CANCEL", reason_code="WEATHER", reason="大风\n蓝色预警", now=hall.now)
    row = Activity.objects.get(pk=activity)
    assert (row.state, row.reason_code, row.reason) == ("CANCELLED", "WEATHER", "大风 蓝色预警")
    (said,) = [event.payload for event in events_of(activity) if event.kind == "activity.cancelled"]
    assert said == {"by": hall.officer.person_id, "reason": "WEATHER"}
    actions.move(hall.officer, activity, "REOPEN", now=hall.now)
    row.refresh_from_db()
    assert (row.state, row.reason) == ("PLANNED", "")


def test_the_same_key_plans_once_and_a_copy_takes_the_plan_alone(hall: Hall) -> None:
    activity = hall.plan(key="plan-key-same")
    assert hall.plan(key="plan-key-same", title="另一场") == activity
    actions.move(hall.officer, activity, "OPEN", now=hall.now)
    actions.give_number(hall.officer, activity, key="key-aaaa", now=hall.now)
    copy = actions.copy_to(hall.officer, activity, day=date(2026, 2, 20), key="copy-key-1", now=hall.now)
    assert actions.copy_to(hall.officer, activity, day=date(2026, 2, 20), key="copy-key-1", now=hall.now) == copy
    old, new = Activity.objects.get(pk=activity), Activity.objects.get(pk=copy)
    assert (new.title, new.state, new.last_number, new.copied_from_id) == (old.title, "PLANNED", 0, activity)
    assert new.code != old.code
    assert (local(new.starts_at).date(), local(new.starts_at).time()) == (date(2026, 2, 20), local(old.starts_at).time())


def test_a_plan_is_changed_while_it_is_still_to_come(hall: Hall, county: County) -> None:
    activity = hall.run()
    actions.give_number(hall.officer, activity, key="key-aaaa", now=hall.now)
    actions.call_next(hall.officer, activity, window=2, key="call-1111", now=hall.now)
    row = Activity.objects.get(pk=activity)
    same = Plan(row.kind, "新名称", county.village, row.place, row.starts_at, row.ends_at, row.entry, None, 1, None, "TOWNSHIP_DUTY")
    with pytest.raises(WindowBusy, match="2 号窗口"):
        actions.change(hall.officer, activity, same, now=hall.now)
    actions.change(hall.officer, activity, replace(same, windows=3), now=hall.now)
    row.refresh_from_db()
    assert (row.title, row.path, row.windows, row.organiser_id) == ("新名称", county.path, 3, None)
    assert queries.activity_page(hall.officer, activity, language="zh").row.organiser.zh == "乡镇值班员"
    with pytest.raises(ActivityWrong, match="类型"):
        actions.change(hall.officer, activity, replace(same, windows=3, kind="SERVICE_DAY"), now=hall.now)
    actions.move(hall.officer, activity, "END", now=hall.now)
    with pytest.raises(MoveRefused):
        actions.change(hall.officer, activity, replace(same, windows=3), now=hall.now)


def test_seats_fill_those_who_wait_move_up_in_order_and_a_name_is_forgotten_on_withdrawal(hall: Hall) -> None:
    activity = hall.open("PUBLIC_CLASS", entry="SIGN_UP", capacity=3)
    code = code_of(activity)
    ids = [actions.sign_up(code, entry(n, party=party), now=hall.now) for n, party in enumerate((2, 1, 2, 1))]
    assert actions.sign_up(code, entry(0, party=2), now=hall.now) == ids[0]
    assert states_of(activity) == ["IN", "IN", "WAITING", "WAITING"]
    assert queries.own_sign_up(code, ids[3]).before == 1
    with pytest.raises(SignedUpAlready):
        actions.sign_up(code, entry(1, key="sign-up-other"), now=hall.now)
    for _ in range(2):
        actions.withdraw_own(code, ids[1], now=hall.now)
    # One place is free and the party of two waits first: nobody overtakes it.
    assert states_of(activity) == ["IN", "WITHDRAWN", "WAITING", "WAITING"]
    gone = SignUp.objects.get(pk=ids[1])
    assert (gone.name, gone.phone) == ("", "")
    actions.withdraw_sign_up(hall.officer, activity, ids[0], now=hall.now)
    assert states_of(activity) == ["WITHDRAWN", "WITHDRAWN", "IN", "IN"]
    assert kinds_of(activity)[2:] == ["signed_up"] * 4 + ["sign_up_withdrawn", "sign_up_withdrawn", "moved_up", "moved_up"]


def test_more_places_let_those_who_wait_move_up(hall: Hall) -> None:
    activity = hall.open("PUBLIC_CLASS", entry="BOTH", capacity=1)
    for n in range(3):
        actions.sign_up(code_of(activity), entry(n), now=hall.now)
    row = Activity.objects.get(pk=activity)
    more = Plan(row.kind, row.title, row.area_id, row.place, row.starts_at, row.ends_at, row.entry, 2, 1, row.organiser_id)
    actions.change(hall.officer, activity, more, now=hall.now)
    assert states_of(activity) == ["IN", "IN", "WAITING"]


def test_nobody_signs_up_where_or_when_there_is_no_sign_up(hall: Hall) -> None:
    with pytest.raises(NotUsed):
        actions.sign_up(code_of(hall.open("HELP_DAY")), entry(1), now=hall.now)
    with pytest.raises(SignUpClosed, match="直接到场"):
        actions.sign_up(code_of(hall.open("PUBLIC_CLASS", entry="WALK_IN")), entry(1), now=hall.now)
    with pytest.raises(NotFound):
        actions.sign_up(code_of(hall.plan("PUBLIC_CLASS", entry="SIGN_UP")), entry(1), now=hall.now)
    ended = hall.run("PUBLIC_CLASS", entry="SIGN_UP")
    actions.move(hall.officer, ended, "END", now=hall.now)
    with pytest.raises(SignUpClosed, match="没有开放"):
        actions.sign_up(code_of(ended), entry(1), now=hall.now)


def test_the_public_page_takes_so_many_an_hour_the_desk_any(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shouwang.activities.actions.entries.MOST_AN_HOUR", 2)
    activity = hall.open("PUBLIC_CLASS", entry="SIGN_UP")
    first = actions.sign_up(code_of(activity), entry(1), now=hall.now)
    actions.sign_up(code_of(activity), entry(2), now=hall.now)
    with pytest.raises(SignUpClosed, match="过多"):
        actions.sign_up(code_of(activity), entry(3), now=hall.now)
    assert actions.sign_up(code_of(activity), entry(1), now=hall.now) == first
    actions.enter_sign_up(hall.officer, activity, entry(3), now=hall.now)
    actions.sign_up(code_of(activity), entry(4), now=hall.now + timedelta(hours=2))


def test_a_minor_comes_with_a_guardians_consent_of_a_named_version(hall: Hall) -> None:
    activity = hall.open("SAFETY_LESSON", entry="SIGN_UP")
    with pytest.raises(ConsentMissing, match="2026-1"):
        actions.sign_up(code_of(activity), replace(CHILD, guardian=None), now=hall.now)
    child = actions.sign_up(code_of(activity), CHILD, now=hall.now)
    kept = Consent.objects.get(sign_up_id=child)
    assert (kept.guardian, kept.relation, kept.version, kept.given_at, kept.recorded_by) == ("示例母", "母亲", "2026-1", hall.now, None)
    on_paper = actions.enter_sign_up(hall.officer, activity, replace(CHILD, name="示例童二", key="sign-up-paper"), now=hall.now)
    assert Consent.objects.get(sign_up_id=on_paper).recorded_by == hall.officer.person_id
    grown = actions.sign_up(code_of(activity), entry(1), now=hall.now)
    assert not Consent.objects.filter(sign_up_id=grown).exists()
    actions.withdraw_own(code_of(activity), child, now=hall.now)
    kept.refresh_from_db()
    assert kept.withdrawn_at == hall.now
    assert kinds_of(activity)[-2:] == ["sign_up_withdrawn", "consent_withdrawn"]


def test_who_came_is_noted_only_where_a_guardian_asks_for_it(hall: Hall) -> None:
    activity = hall.open("SAFETY_LESSON", entry="SIGN_UP")
    silent = actions.sign_up(code_of(activity), CHILD, now=hall.now)
    asked = actions.sign_up(
        code_of(activity), replace(CHILD, name="示例童二", key="sign-up-asks", guardian=replace(GUARDIAN, notes_arrival=True)), now=hall.now,
    )
    with pytest.raises(MoveRefused):
        actions.note_arrival(hall.officer, activity, asked, now=hall.now)
    actions.move(hall.officer, activity, "START", now=hall.now)
    grown = actions.sign_up(code_of(activity), entry(1), now=hall.now)
    for nobody in (silent, grown):
        with pytest.raises(NoListOfWhoCame):
            actions.note_arrival(hall.officer, activity, nobody, now=hall.now)
    for later in (0, 5):
        actions.note_arrival(hall.officer, activity, asked, now=hall.now + timedelta(minutes=later))
    assert SignUp.objects.get(pk=asked).came_at == hall.now
    assert kinds_of(activity).count("arrival_noted") == 1
    with pytest.raises(NotUsed):
        actions.note_arrival(hall.officer, hall.run("HELP_DAY"), asked, now=hall.now)
    with pytest.raises(NotFound):
        actions.note_arrival(hall.officer, activity, 999_999, now=hall.now)


def test_a_number_is_shown_in_full_for_a_reason_only(hall: Hall) -> None:
    activity = hall.open("SAFETY_LESSON", entry="SIGN_UP")
    child = actions.sign_up(code_of(activity), CHILD, now=hall.now)
    (row,) = queries.sign_ups(hall.officer, queries.activity_in(hall.officer, activity))
    assert (row.name, row.phone, row.guardian) == ("示**", "100****0041", "示**（母亲）")
    with pytest.raises(ReasonMissing):
        actions.reveal_sign_up(hall.officer, activity, child, reason=" ", now=hall.now)
    shown = actions.reveal_sign_up(hall.officer, activity, child, reason="改时间通知", now=hall.now)
    assert (shown.name, shown.phone, shown.guardian) == ("示例童", "10000000041", "示例母")
    (logged,) = AccessLog.objects.unscoped().filter(object_kind="sign_up")
    assert (logged.action, logged.object_id, logged.path, logged.reason) == ("REVEAL", child, hall.path, "改时间通知")


def matter(n: int = 1, **changes: Any) -> NewMatter:
    return replace(NewMatter("ALLOWANCE", "SETTLED", f"matter-{n:04d}"), **changes)


@pytest.mark.parametrize(("handled", "note", "result"), [("SETTLED", "已录入", "SETTLED"), ("ANSWERED", "", "ANSWERED")])
def test_a_matter_settled_on_the_spot_is_a_case_that_ends_there_and_tells_nobody(hall: Hall, handled: str, note: str, result: str) -> None:
    activity = hall.run()
    case_id = actions.record_matter(hall.officer, activity, matter(handled=handled, note=note), now=hall.now)
    assert actions.record_matter(hall.officer, activity, matter(handled=handled, note=note), now=hall.now) == case_id
    case = case_row(case_id)
    assert (case.kind, case.state, case.result, case.subject_kind, case.subject_id) == ("activities", "CLOSED", result, "activity", activity)
    task = Task.objects.get(case_id=case_id)
    assert (task.state, task.assignee_id, task.result) == ("DONE", hall.officer.person_id, result)
    assert [(each.code, each.value) for each in evidence_of(case_id)] == ([("note", note)] if note else [])
    assert Message.objects.count() == 0
    assert CoverageGap.objects.count() == 0
    assert Matter.objects.count() == 1
    assert kinds_of(activity)[-1] == "matter_recorded"


def test_a_matter_handed_on_goes_to_its_own_duty_and_comes_back_done(hall: Hall, county: County) -> None:
    (officer,) = add_persons(SYSTEM, [NewPerson("民政癸", hall.township)], now=hall.now)
    assign_duty(SYSTEM, person_id=officer, code="CIVIL_AFFAIRS", area_id=hall.township, from_date=local(hall.now).date(), now=hall.now)
    activity = hall.run()
    handed = matter(handled="HANDED_ON", note="缺收入证明", name="示例辛", phone="100 0000 0051")
    case_id = actions.record_matter(hall.officer, activity, handed, now=hall.now)
    task = Task.objects.get(case_id=case_id)
    assert (task.state, task.step, task.assignee_id) == ("OFFERED", "follow_civil_affairs", officer)
    assert [(by, text) for by, text, _ in notes_of(case_id)] == [(hall.officer.person_id, "缺收入证明")]
    case = case_row(case_id)
    about = queries.about_case(case, revealed=True)
    assert about is not None
    assert (about.activity_id, about.title, about.note, about.contacts) == (activity, "示例集中帮办日", "缺收入证明", (("示例辛", "10000000051"),))
    assert queries.about_case(case, revealed=False).contacts == ()  # type: ignore[union-attr]
    (shown,) = queries.activity_page(hall.officer, activity, language="zh").matters
    assert (shown.handled, shown.case_state, shown.contact) == ("HANDED_ON", "OPEN", "示** 100****0051")
    cases.complete(task.pk, person_id=officer, result="SOLVED", evidence=[Given("done", "已办理")], now=hall.now)
    assert Case.objects.get(pk=case_id).state == "CLOSED"
    # The same person's next matter adds nobody.
    before = Person.objects.unscoped().count()
    actions.record_matter(hall.officer, activity, replace(handed, key="matter-again"), now=hall.now)
    assert Person.objects.unscoped().count() == before


@pytest.mark.parametrize(("code", "level", "step", "who"), [
    ("HAIRCUT", "village", "follow_grid_worker", "worker"), ("HAIRCUT", "township", "follow_grid_worker", "township_officer"),
    ("POLICY", "village", "follow_township_duty", "township_officer"), ("POLICY", "township", "follow_township_duty", "township_officer"),
])
def test_what_is_handed_on_begins_at_the_activitys_own_level(hall: Hall, county: County, code: str, level: str, step: str, who: str) -> None:
    activity = hall.run("SERVICE_DAY", area=hall.village if level == "village" else hall.township)
    case_id = actions.record_matter(hall.officer, activity, matter(code=code, handled="HANDED_ON"), now=hall.now)
    task = Task.objects.get(case_id=case_id)
    assert (task.step, task.assignee_id) == (step, getattr(county, who))
    assert CoverageGap.objects.count() == 0


def test_a_sheet_of_matters_is_recorded_at_once_each_as_one_alone(hall: Hall) -> None:
    activity = hall.run()
    first = actions.record_matter(hall.officer, activity, matter(), now=hall.now)
    sheet = [matter(key="sheet-0001"), matter(), matter(key="sheet-0002", handled="HANDED_ON", note="缺证明"), matter(key="sheet-0001")]
    found = actions.record_matters(hall.officer, activity, sheet, now=hall.now)
    assert found[1] == first
    assert found[3] == found[0]
    assert actions.record_matters(hall.officer, activity, sheet, now=hall.now) == found
    assert [case_row(case_id).state for case_id in found] == ["CLOSED", "CLOSED", "OPEN", "CLOSED"]
    assert kinds_of(activity).count("matter_recorded") == Matter.objects.count() == Case.objects.count() == 3
    assert [text for _, text, _ in notes_of(found[2])] == ["缺证明"]


def test_one_wrong_line_of_a_sheet_leaves_nothing(hall: Hall) -> None:
    activity = hall.run()
    with pytest.raises(ActivityWrong):
        actions.record_matters(hall.officer, activity, [matter(key="sheet-0001"), matter(key="sheet-0002", code="HAIRCUT")], now=hall.now)
    with pytest.raises(ActivityWrong, match="事项数"):
        actions.record_matters(hall.officer, activity, [matter(key=f"sheet-{n:04d}") for n in range(201)], now=hall.now)
    assert Case.objects.count() == 0


def test_a_matter_that_cannot_be_is_refused(hall: Hall) -> None:
    activity = hall.run()
    for wrong, said in (
        (matter(code="HAIRCUT"), "事项"), (matter(number=1), "号"), (matter(phone="12"), "电话"), (matter(note="长" * 201), "说明"),
        (matter(name="长" * 41), "姓名"), (matter(handled="NOT"), "办理方式"),
    ):
        with pytest.raises(ActivityWrong, match=said):
            actions.record_matter(hall.officer, activity, wrong, now=hall.now)
    with pytest.raises(MoveRefused):
        actions.record_matter(hall.officer, hall.open(), matter(), now=hall.now)
    with pytest.raises(NotUsed):
        actions.record_matter(hall.officer, hall.run("DRILL"), matter(), now=hall.now)
    assert Case.objects.count() == 0


def test_attendance_is_a_count_that_a_repeated_tap_does_not_change(hall: Hall) -> None:
    activity = hall.run()
    assert [actions.count_attendance(hall.officer, activity, change=n, key=f"tap-{n:05d}", now=hall.now) for n in (1, 5, 5)] == [1, 6, 6]
    assert actions.correct_attendance(hall.officer, activity, total=40, key="tap-total", now=hall.now) == 40
    assert actions.count_attendance(hall.officer, activity, change=-1, key="tap-minus", now=hall.now) == 39
    with pytest.raises(ActivityWrong, match="人数"):
        actions.count_attendance(hall.officer, activity, change=-40, key="tap-too-few", now=hall.now)
    assert sum(Headcount.objects.values_list("change", flat=True)) == 39
    assert [event.payload["count"] for event in events_of(activity) if event.kind == "activity.attendance_counted"] == [1, 6, 40, 39]
    with pytest.raises(MoveRefused):
        actions.count_attendance(hall.officer, hall.open(), change=1, key="tap-early", now=hall.now)


def test_one_tap_an_attendee_from_one_to_five_and_nobodys_name(hall: Hall) -> None:
    activity = hall.run()
    code = code_of(activity)
    for n, score in enumerate((5, 5, 4, 1)):
        actions.rate(code, score=score, key=f"phone-{n:04d}", now=hall.now)
    assert queries.activity_page(hall.officer, activity, language="zh").row.evaluation.mean is None
    actions.rate(code, score=3, key="phone-0003", now=hall.now)  # the same phone changes its tap
    actions.rate(code, score=3, key="phone-0003", now=hall.now)
    actions.rate(code, score=5, key="phone-0004", now=hall.now)
    found = queries.activity_page(hall.officer, activity, language="zh").row.evaluation
    assert (found.n, found.mean) == (5, 4.4)
    assert [event.payload for event in events_of(activity) if event.kind == "activity.rated"][-2:] == [{"score": 3, "was": 1}, {"score": 5, "was": None}]
    with pytest.raises(ActivityWrong):
        actions.rate(code, score=6, key="phone-0009", now=hall.now)
    with pytest.raises(ActivityWrong, match="7 天"):
        actions.rate(code, score=5, key="phone-0009", now=hall.now + timedelta(days=8))
    with pytest.raises(NotUsed):
        actions.rate(code_of(hall.run("DRILL")), score=5, key="phone-0009", now=hall.now)
    assert Rating.objects.count() == 5


def test_the_taps_have_a_limit(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shouwang.activities.actions.counting.MOST", 1)
    code = code_of(hall.run())
    actions.rate(code, score=5, key="phone-0001", now=hall.now)
    actions.rate(code, score=4, key="phone-0001", now=hall.now)
    with pytest.raises(ActivityWrong, match="评价数"):
        actions.rate(code, score=5, key="phone-0002", now=hall.now)


def test_the_cost_is_kept_in_fen(hall: Hall) -> None:
    activity = hall.run()
    for _ in range(2):
        actions.note_cost(hall.officer, activity, fen=128_050, now=hall.now)
    assert queries.activity_page(hall.officer, activity, language="zh").row.cost_fen == 128_050
    assert kinds_of(activity).count("cost_noted") == 1
    with pytest.raises(ActivityWrong):
        actions.note_cost(hall.officer, activity, fen=-1, now=hall.now)


def test_a_photo_is_kept_once_and_taken_off_again(hall: Hall) -> None:
    activity = hall.run()
    file_id = actions.add_photo(hall.officer, activity, picture(), now=hall.now)
    assert actions.add_photo(hall.officer, activity, picture(), now=hall.now) == file_id
    (shown,) = queries.activity_page(hall.officer, activity, language="zh").photos
    assert (shown.file_id, shown.by) == (file_id, "镇班丙")
    actions.remove_photo(hall.officer, activity, file_id, now=hall.now)
    assert Photo.objects.count() == 0
    with pytest.raises(NotFound):
        actions.remove_photo(hall.officer, activity, file_id, now=hall.now)
    with pytest.raises(MoveRefused):
        actions.add_photo(hall.officer, hall.open(), picture(), now=hall.now)


def test_names_are_forgotten_in_time_and_the_counts_stay(hall: Hall) -> None:
    activity = hall.open("SAFETY_LESSON", entry="SIGN_UP")
    child = actions.sign_up(code_of(activity), CHILD, now=hall.now)
    over = Activity.objects.get(pk=activity).ends_at
    jobs.tidy(over + timedelta(days=30))
    assert SignUp.objects.get(pk=child).name == "示例童"
    jobs.tidy(over + timedelta(days=30, seconds=1))
    kept = SignUp.objects.get(pk=child)
    assert (kept.name, kept.phone, kept.party, kept.state) == ("", "", 1, "IN")
    assert Consent.objects.count() == 1
    jobs.tidy(over + timedelta(days=3 * 366, seconds=1))
    assert Consent.objects.count() == 0


def test_an_activity_follows_its_area(hall: Hall, county: County) -> None:
    activity = hall.plan(area=hall.village)
    other = add_area(parent_id=int(county.path.split("/")[2]), name="新河镇", now=hall.now)
    old = area(hall.village).path
    move_area(hall.village, parent_id=other, now=hall.now)
    jobs.on_moves([Event(1, hall.now, "place.area_moved", 1, hall.village, {"from": old, "to": area(hall.village).path}, None)])
    assert Activity.objects.get(pk=activity).path == area(hall.village).path


def test_events_hold_ids_and_codes_only(hall: Hall) -> None:
    activity = hall.open("SAFETY_LESSON", entry="SIGN_UP")
    actions.sign_up(code_of(activity), CHILD, now=hall.now)
    help_day = hall.run()
    actions.record_matter(hall.officer, help_day, matter(handled="HANDED_ON", note="暗记甲", name="示例辛", phone="10000000051"), now=hall.now)
    actions.move(hall.officer, help_day, "CANCEL", reason_code="OTHER", reason="暗记乙", now=hall.now)
    said = " ".join(EventRow.objects.values_list("payload", flat=True))
    for secret in ("示例", "母亲", "10000000041", "10000000051", "暗记", "文化广场"):
        assert secret not in said, secret


def everything_with(scope: Scope, hall: Hall, activity: int, sign_up: int, photo: int) -> dict[str, Any]:
    """Return every action on an activity, as one who holds `scope` would do it."""
    plan = Plan("HELP_DAY", "示例", hall.township, "广场", hall.now + timedelta(hours=1), hall.now + timedelta(hours=2), "WALK_IN", organiser_duty="TOWNSHIP_DUTY")
    now = hall.now
    return {
        "plan": lambda: actions.plan(scope, plan, key="outside-1", now=now),
        "change": lambda: actions.change(scope, activity, replace(plan, kind="SERVICE_DAY"), now=now),
        "copy": lambda: actions.copy_to(scope, activity, day=date(2026, 3, 1), key="outside-2", now=now),
        "move": lambda: actions.move(scope, activity, "END", now=now),
        "give": lambda: actions.give_number(scope, activity, key="outside-3", now=now),
        "next": lambda: actions.call_next(scope, activity, window=1, key="outside-4", now=now),
        "again": lambda: actions.call_again(scope, activity, number=1, window=1, key="outside-5", now=now),
        "finish": lambda: actions.finish(scope, activity, number=1, window=1, finishing="DONE", now=now),
        "matter": lambda: actions.record_matter(scope, activity, NewMatter("HAIRCUT", "SETTLED", "outside-6"), now=now),
        "count": lambda: actions.count_attendance(scope, activity, change=1, key="outside-7", now=now),
        "correct": lambda: actions.correct_attendance(scope, activity, total=9, key="outside-8", now=now),
        "cost": lambda: actions.note_cost(scope, activity, fen=1, now=now),
        "enter": lambda: actions.enter_sign_up(scope, activity, entry(9), now=now),
        "withdraw": lambda: actions.withdraw_sign_up(scope, activity, sign_up, now=now),
        "reveal": lambda: actions.reveal_sign_up(scope, activity, sign_up, reason="看看", now=now),
        "photo": lambda: actions.add_photo(scope, activity, picture(), now=now),
        "remove": lambda: actions.remove_photo(scope, activity, photo, now=now),
    }


@pytest.fixture
def busy(hall: Hall) -> tuple[int, int, int]:
    """Return a running service day with a sign-up and a photo: activity, sign-up, file."""
    activity = hall.run("SERVICE_DAY", entry="BOTH")
    sign_up = actions.enter_sign_up(hall.officer, activity, entry(1), now=hall.now)
    actions.give_number(hall.officer, activity, key="key-aaaa", now=hall.now)
    return activity, sign_up, actions.add_photo(hall.officer, activity, picture(), now=hall.now)


def elsewhere(hall: Hall, now: datetime) -> Scope:
    """Return the scope of an officer of another township of the county."""
    county = int(hall.path.split("/")[2])
    other = add_area(parent_id=county, name="别处镇", now=now)
    (person,) = add_persons(SYSTEM, [NewPerson("别处子", other)], now=now)
    assign_duty(SYSTEM, person_id=person, code="TOWNSHIP_DUTY", area_id=other, from_date=local(now).date(), now=now)
    return scope_of_account(account_of(person, "other", now), now)


def test_what_lies_elsewhere_is_not_there(hall: Hall, busy: tuple[int, int, int]) -> None:
    scope = elsewhere(hall, hall.now)
    before = EventRow.objects.count()
    for name, do in everything_with(scope, hall, *busy).items():
        with pytest.raises(NotFound):
            do()
            pytest.fail(f"{name} was done out of scope")
    assert EventRow.objects.count() == before
    assert queries.list_activities(scope, Filters(), now=hall.now) == ([], 0)
    assert queries.list_activities(scope, Filters(text="示例"), now=hall.now) == ([], 0)
    assert queries.in_month(scope, local(hall.now).date().replace(day=1)) == {}
    assert queries.list_activities(Scope(None, (), frozenset()), Filters(), now=hall.now) == ([], 0)


def test_whoever_may_only_look_changes_nothing(hall: Hall, busy: tuple[int, int, int]) -> None:
    looks = Scope(hall.officer.person_id, (hall.path,), frozenset({"case.read"}))
    before = EventRow.objects.count()
    for name, do in everything_with(looks, hall, *busy).items():
        with pytest.raises(Refused):
            do()
            pytest.fail(f"{name} was done without the right")
    assert EventRow.objects.count() == before
    assert queries.sign_ups(looks, queries.activity_in(looks, busy[0])) == []
    assert queries.activity_page(looks, busy[0], language="zh").moves == ()


def test_nobody_is_made_organiser_from_out_of_sight(hall: Hall, county: County) -> None:
    with pytest.raises(NotFound):
        hall.plan(organiser_id=county.city_officer)
    hall.plan(organiser_id=county.worker)


@pytest.mark.parametrize(("filters", "found"), [
    (Filters(), {"help", "past", "lesson"}), (Filters(kind="SAFETY_LESSON"), {"lesson"}), (Filters(state="PLANNED"), {"help", "past"}),
    (Filters(when="TODAY"), {"help"}), (Filters(when="COMING"), {"help", "lesson"}), (Filters(when="PAST"), {"past"}),
    (Filters(text="help"), {"help"}), (Filters(text="文化"), {"help", "past", "lesson"}), (Filters(text="东塘"), {"lesson"}), (Filters(text="无此"), set()),
])
def test_the_list_is_narrowed(hall: Hall, filters: Filters, found: set[str]) -> None:
    hall.plan(title="help")
    hall.plan(title="past", starts_at=hall.now - timedelta(days=9), ends_at=hall.now - timedelta(days=8))
    hall.open("SAFETY_LESSON", title="lesson", area=hall.village, starts_at=hall.now + timedelta(days=9), ends_at=hall.now + timedelta(days=9, hours=1))
    rows, total = queries.list_activities(hall.officer, filters, now=hall.now)
    assert ({row.title for row in rows}, total) == (found, len(found))


def test_a_month_shows_an_activity_on_each_of_its_days(hall: Hall) -> None:
    hall.plan(starts_at=hall.now, ends_at=hall.now + timedelta(days=2))
    hall.plan(starts_at=hall.now + timedelta(days=30), ends_at=hall.now + timedelta(days=30, hours=1))
    assert {day.day: len(rows) for day, rows in queries.in_month(hall.officer, date(2026, 1, 1)).items()} == {15: 1, 16: 1, 17: 1}
    assert list(queries.in_month(hall.officer, date(2026, 2, 1))) == [date(2026, 2, 14)]


def test_a_telephone_number_lies_sealed_in_the_table(hall: Hall) -> None:
    activity = hall.open("PUBLIC_CLASS", entry="SIGN_UP")
    made = actions.sign_up(code_of(activity), entry(1), now=hall.now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM activities_sign_up")
        assert entry(1).phone not in " ".join(map(str, cursor.fetchone()))
    assert SignUp.objects.get(pk=made).phone == entry(1).phone
    with pytest.raises(SignedUpAlready):
        actions.sign_up(code_of(activity), entry(1, key="sign-up-again"), now=hall.now)


def seal_state(executor: MigrationExecutor, name: str) -> Any:
    executor.loader.build_graph()
    executor.migrate([("activities", name)])
    return executor.loader.project_state([("activities", name)]).apps.get_model("activities", "SignUp")


@pytest.mark.django_db(transaction=True)
def test_numbers_that_stood_in_clear_are_sealed_and_opened_again_on_the_way_back(hall: Hall) -> None:
    activity = hall.open("PUBLIC_CLASS", entry="SIGN_UP")
    actions.sign_up(code_of(activity), entry(1), now=hall.now)
    executor = MigrationExecutor(connection)
    try:
        before = seal_state(executor, "0001_initial")
        assert before.objects.get().phone == entry(1).phone
        after = seal_state(executor, "0003_seal_numbers")
        assert after.objects.get().phone == entry(1).phone
        assert SignUp.objects.get().phone_hash == fingerprint_of(PHONE, entry(1).phone)
    finally:
        seal_state(executor, "0003_seal_numbers")
