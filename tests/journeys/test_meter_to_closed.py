"""From a meter's readings to a closed case, and what happens when nobody answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from unittest.mock import patch

import msgspec
import pytest
from django.test import Client

from shouwang.alerts.actions import take_findings
from shouwang.alerts.jobs import KINDS, on_case_ended
from shouwang.alerts.models import Alert, Inhibited
from shouwang.alerts.rules import FoundFinding
from shouwang.cases import actions
from shouwang.cases.jobs import on_moves, on_replies, run_due_timers
from shouwang.cases.links import task_link
from shouwang.cases.models import OPEN_TASKS, Case, Clock, CoverageGap, Evidence, Task
from shouwang.cases.rules.errors import TaskEnded, TaskNotYours, TaskTaken
from shouwang.cases.rules.evidence import EvidenceMissing, Given
from shouwang.journal.queries import events_after, events_of, timers_of, verify
from shouwang.journal.rules import Event
from shouwang.kernel.clock import ManualClock
from shouwang.kernel.moments import to_us
from shouwang.notify.queries import messages_of_tasks
from shouwang.people.actions import issue_credential
from shouwang.people.models import Account, Duty
from shouwang.people.queries import forget, scope_of_token
from shouwang.systems.living_alone.actions import announce_absence
from shouwang.telemetry.jobs import on_moves as follow_moves
from shouwang.telemetry.models import Thing
from shouwang.telemetry.queries import catalogue
from shouwang.telemetry.sources.http import receive
from shouwang.watch.actions import set_watch
from shouwang.watch.jobs import Runner
from tests.journeys.conftest import County

pytestmark = pytest.mark.django_db
WELL = [Given("how", "MET")]


def finding(county: County, *, episode: int = 1, severity: int = 3, phase: str = "OPEN") -> FoundFinding:
    params = {"used_l": 3.0, "window_h": 24, "limit_l": 10}
    return FoundFinding(
        "WATER_LOW_USE", "datastream", county.datastream, episode, phase, severity, episode, "WATER_LOW_USE_OPEN", params,  # type: ignore[arg-type]
    )


def open_one(county: County, now: datetime) -> Task:
    take_findings([finding(county)], now=now)
    return Task.objects.get()


def assert_timers_live() -> None:
    """I3: an open task has exactly one live timer, an ended one none."""
    open_ids = list(Task.objects.filter(state__in=OPEN_TASKS).values_list("pk", flat=True))
    all_ids = list(Task.objects.values_list("pk", flat=True))
    assert sorted(timers_of("task", all_ids)) == sorted(open_ids)


def test_silence_at_the_meter_becomes_a_task_of_the_grid_worker(county: County, now: datetime) -> None:
    """The real input: readings over HTTP, judged by the rule in service."""
    start = now - timedelta(hours=50)
    set_watch("w", detector="low_high_24h", now=start, thing_kind="WATER_METER", observed="register_l", lateness_s=60)
    token = issue_credential("DEVICE", subject="WM1", paths=[county.path], now=start)
    readings = [
        {"datastream": "register_l", "phenomenon_time": (start + timedelta(hours=h)).isoformat(), "result": 100 + min(h, 20) * 12}
        for h in range(51)
    ]
    body = msgspec.json.encode({"readings": readings})
    answer = receive(body, scope_of_token(token, "DEVICE", now), now=now)
    assert answer.status == 200
    Runner("test").tick(now, real_now=now)
    task = Task.objects.get()
    assert (task.state, task.assignee_id, task.due_at) == ("OFFERED", county.worker, now + timedelta(minutes=30))
    assert [sent.person_id for sent in messages_of_tasks([task.pk])] == [county.worker]
    assert Alert.objects.get().case_id == Case.objects.get().pk
    assert_timers_live()


def test_the_grid_worker_closes_well_on_the_phone_in_five_taps(county: County, now: datetime, client: Client) -> None:
    task = open_one(county, now)
    page = task_link(task.pk, county.worker)
    clock = ManualClock(now)
    with patch("shouwang.web.pages.phone.clock", lambda: clock):
        before = client.get(page).content.decode()
        assert "近 24 小时只用水 3 升" in before
        assert "住户己" not in before, "the name is masked until the task is accepted"
        client.post(page, {"do": "accept"})
        after = client.get(page).content.decode()
        assert after.index("tel:120") < after.index("10000000007"), "120 comes first"
        assert "住户己" in after
        client.post(page, {"do": "arrive"})
        refused = client.post(page, {"do": "complete", "result": "WELL", "idempotency_key": "k"})
        assert refused.status_code == 409
        assert "怎样确认" in refused.content.decode()
        done = client.post(page, {"do": "complete", "result": "WELL", "e_how": "MET", "idempotency_key": "k"})
        again = client.post(page, {"do": "complete", "result": "WELL", "e_how": "MET", "idempotency_key": "k"})
    assert (done.status_code, again.status_code) == (302, 302)
    case = Case.objects.get()
    assert (case.state, case.result) == ("CLOSED", "WELL")
    assert Evidence.objects.count() == 1
    on_case_ended(events_after(0, kinds=KINDS))
    assert Alert.objects.get().state == "ENDED"
    assert_timers_live()
    assert not Clock.objects.filter(due_at__isnull=False).exists()
    assert verify() > 0


def test_a_link_for_another_person_or_cut_off_opens_nothing(county: County, now: datetime, client: Client) -> None:
    task = open_one(county, now)
    assert client.get(task_link(task.pk, county.worker)[:-4] + "/").status_code == 404
    with pytest.raises(TaskNotYours):
        actions.accept(task.pk, person_id=county.city_officer, now=now)


def test_when_nobody_accepts_the_ladder_is_climbed_to_the_city_and_asked_again(county: County, now: datetime) -> None:
    task = open_one(county, now)
    asked = []
    clock = ManualClock(now)
    for minutes in (30, 15, 15, 15, 30, 30):
        asked.append(Task.objects.get().assignee_id)
        clock.advance(timedelta(minutes=minutes) - timedelta(seconds=1))
        assert run_due_timers(clock.now()) == 0
        clock.advance(timedelta(seconds=1))
        assert run_due_timers(clock.now()) >= 1
        assert_timers_live()
    assert asked == [county.worker, county.deputy, county.township_officer, county.county_officer, county.city_officer, county.city_officer]
    sent = messages_of_tasks([task.pk])
    assert len({(each.person_id, each.template) for each in sent}) >= 6
    actions.accept(task.pk, person_id=county.deputy, now=clock.now())
    task = Task.objects.get()
    assert task.state == "ACCEPTED", "whoever was asked before may still take it"
    actions.suspend(task.case_id, clocks=[f"task:{task.step}"], reason="x", review_at=clock.now() + timedelta(days=1), by=1, now=clock.now())
    with pytest.raises(TaskTaken):
        actions.accept(task.pk, person_id=county.city_officer, now=clock.now())
    actions.hand_over(task.pk, to=county.worker, reason="x", by=1, now=clock.now())
    actions.accept(task.pk, person_id=county.city_officer, now=clock.now())
    assert Task.objects.get().assignee_id == county.city_officer, "nor is forgotten from whom another took it"


def test_a_gap_in_the_duty_is_recorded_and_passed(county: County, now: datetime) -> None:
    Duty.objects.unscoped().filter(person_id__in=[county.worker, county.deputy]).delete()
    forget()
    task = open_one(county, now)
    assert task.assignee_id == county.township_officer
    assert list(CoverageGap.objects.order_by("id").values_list("duty", "rank")) == [("GRID_WORKER", "PRIMARY"), ("GRID_WORKER", "DEPUTY")]
    assert_timers_live()


def test_one_open_alert_per_key_and_repeats_are_counted(county: County, now: datetime) -> None:
    """I2."""
    open_one(county, now)
    take_findings([finding(county, episode=2), finding(county, episode=3)], now=now)
    alert = Alert.objects.get()
    assert alert.merged == 1
    take_findings([finding(county, episode=1)], now=now)
    assert Case.objects.count() == 1


def test_an_announced_absence_inhibits(county: County, now: datetime) -> None:
    announce_absence(county.household, until=now + timedelta(days=2), by=county.worker, now=now)
    assert take_findings([finding(county)], now=now) == []
    assert Inhibited.objects.count() == 1
    assert not Case.objects.exists()
    assert take_findings([finding(county)], now=now + timedelta(days=2)) != [], "at the announced moment the home counts again"


def test_an_exercise_stands_beside_the_real(county: County, now: datetime) -> None:
    """I10."""
    open_one(county, now)
    drill = finding(county)
    take_findings([replace(drill, exercise_id=5)], now=now)
    assert sorted(Case.objects.values_list("exercise_id", flat=True), key=str) == [5, None]


def test_accepting_twice_is_fine_and_taking_from_another_is_not(county: County, now: datetime) -> None:
    task = open_one(county, now)
    actions.accept(task.pk, person_id=county.worker, now=now)
    actions.accept(task.pk, person_id=county.worker, now=now)
    with pytest.raises(TaskTaken):
        actions.accept(task.pk, person_id=county.deputy, now=now)
    actions.complete(task.pk, person_id=county.worker, result="WELL", evidence=WELL, now=now)
    with pytest.raises(TaskEnded):
        actions.accept(task.pk, person_id=county.worker, now=now)


def test_no_result_without_its_evidence(county: County, now: datetime) -> None:
    """I9."""
    task = open_one(county, now)
    with pytest.raises(EvidenceMissing):
        actions.complete(task.pk, person_id=county.worker, result="NEEDED_HELP", evidence=[Given("called", "120")], now=now)
    assert Case.objects.get().state == "OPEN"


def test_help_needed_starts_the_visit_after_help(county: County, now: datetime) -> None:
    task = open_one(county, now)
    given = [Given("called", "120"), Given("handed_to", "县医院急诊")]
    actions.complete(task.pk, person_id=county.worker, result="NEEDED_HELP", evidence=given, now=now)
    second = Task.objects.exclude(pk=task.pk).get()
    assert (second.step, second.assignee_id) == ("revisit", county.township_officer)
    actions.complete(second.pk, person_id=county.township_officer, result="VISITED", now=now)
    assert Case.objects.get().state == "CLOSED"


def test_an_accepted_task_that_is_late_is_told_upwards(county: County, now: datetime) -> None:
    task = open_one(county, now)
    actions.accept(task.pk, person_id=county.worker, now=now)
    run_due_timers(now + timedelta(minutes=60))
    told = {each.person_id for each in messages_of_tasks([task.pk]) if each.template == "TASK_OVERDUE"}
    assert told == {county.worker, county.deputy}
    assert_timers_live()


def test_suspension_conserves_time_and_keeps_a_review_timer(county: County, now: datetime) -> None:
    task = open_one(county, now)
    actions.accept(task.pk, person_id=county.worker, now=now)
    case_id = Case.objects.get().pk
    at = now + timedelta(minutes=20)
    review = at + timedelta(days=3)
    actions.suspend(case_id, clocks=["promised", "task:visit"], reason="X", review_at=review, by=county.county_officer, now=at)
    assert timers_of("task", [task.pk]) == {task.pk: review}
    assert Clock.objects.get().remaining_us == (3 * 60 - 20) * 60_000_000
    later = at + timedelta(days=1)
    actions.resume(case_id, by=county.county_officer, now=later)
    resumed = Task.objects.get()
    assert (resumed.state, resumed.due_at) == ("ACCEPTED", later + timedelta(minutes=40))
    assert Clock.objects.get().due_at == later + timedelta(minutes=160)
    assert_timers_live()


def test_a_limit_that_passes_again_is_told_again(county: County, now: datetime) -> None:
    """The wall clock was an hour ahead when the limit passed; then it was set right, and the case paused and resumed."""
    actions.accept(open_one(county, now).pk, person_id=county.worker, now=now)
    case_id, by = Case.objects.get().pk, county.county_officer
    ahead = Clock.objects.get().due_at + timedelta(minutes=1)
    run_due_timers(ahead)
    back = ahead - timedelta(hours=1)
    actions.suspend(case_id, clocks=["promised"], reason="X", review_at=back + timedelta(days=1), by=by, now=back)
    actions.resume(case_id, by=by, now=back + timedelta(minutes=5))
    run_due_timers(Clock.objects.get().due_at)
    late = [message for message in messages_of_tasks([Task.objects.get().pk]) if message.template == "CASE_LATE"]
    assert len({message.queued_at for message in late}) == 2
    assert_timers_live()


def test_control_from_the_desk_leaves_a_trace(county: County, now: datetime) -> None:
    task = open_one(county, now)
    case_id = Case.objects.get().pk
    by = county.county_officer
    actions.remind(task.pk, by=by, now=now)
    actions.hand_over(task.pk, to=county.deputy, reason="近", by=by, now=now)
    actions.add_note(case_id, text="已电话联系", by=by, now=now)
    actions.accept(task.pk, person_id=county.deputy, now=now)
    actions.extend(task.pk, minutes=30, reason="路远", by=by, now=now)
    assert Task.objects.get().due_at == now + timedelta(minutes=90)
    actions.false_alarm(case_id, reason="DEVICE", by=by, now=now)
    assert_timers_live()
    actions.reopen(case_id, reason="DESK", by=by, now=now)
    assert_timers_live()
    actions.withdraw(case_id, reason="X", by=by, now=now)
    kinds = [event.kind for event in events_of(case_id, prefix="case.")]
    assert kinds[-1] == "case.withdrawn"
    assert {"case.reminded", "case.handed_over", "case.noted", "case.extended", "case.false_alarm", "case.closed", "case.reopened"} <= set(kinds)
    assert verify() > 0


def test_a_reply_by_short_message_accepts_and_a_moved_village_takes_its_case_along(county: County, now: datetime) -> None:
    task = open_one(county, now)
    payload = {"person": county.worker, "tasks": [task.pk], "code": "ACCEPT", "message": 1}
    on_replies([Event(1, now, "notify.reply_received", 1, None, payload, None)] * 2)
    assert Task.objects.get().state == "ACCEPTED"
    case = Case.objects.get()
    moved = [Event(2, now, "place.area_moved", 1, None, {"from": case.path, "to": "/9/8/"}, None)]
    on_moves(moved)
    assert Case.objects.get().path == "/9/8/"
    meter = Thing.objects.filter(path=case.path).count()
    follow_moves(moved)
    assert (meter, Thing.objects.filter(path="/9/8/").count(), catalogue().path["WM1"]) == (1, 1, "/9/8/")


def test_the_desk_shows_the_case_within_scope_only(county: County, now: datetime, client: Client) -> None:
    """I6 on the pages of this loop."""
    open_one(county, now)
    case_id = Case.objects.get().pk
    client.force_login(Account.objects.unscoped().get(username="county"))
    assert "独居老人用水异常" in client.get("/desk/").content.decode()
    page = client.get(f"/cases/{case_id}/").content.decode()
    assert "立案" in page
    assert client.get("/cases/?format=xlsx").status_code == 200
    assert client.get("/cases/999/").status_code == 404
    stranger = Client()
    assert stranger.get(f"/cases/{case_id}/").status_code == 302
    worker = Client()
    worker.force_login(Account.objects.unscoped().get(username="worker"))
    assert "东塘村" in worker.get("/tasks/").content.decode()
    Case.objects.filter(pk=case_id).update(path="/999/")
    assert client.get(f"/cases/{case_id}/").status_code == 404
    assert client.get(f"/desk/cases/{case_id}/").status_code == 404


def test_alerts_over_http_are_answered_after_their_commit(county: County, now: datetime, client: Client) -> None:
    token = issue_credential("INTEGRATION", subject="x", paths=[county.path], now=now)
    alert = {
        "kind": "WATER_HIGH_USE", "subject_kind": "datastream", "subject_id": county.datastream, "severity": 2,
        "reason": "WATER_HIGH_USE_OPEN", "params": {"used_l": 1200.0},
    }

    def post(body: object, token: str = token) -> int:
        return client.post("/api/v1/alerts", msgspec.json.encode(body), content_type="application/json", headers={"Authorization": f"Bearer {token}"}).status_code

    assert post({"alerts": [alert]}) == 200
    assert Case.objects.count() == 1
    assert post({"alerts": [alert]}, "wrong") == 401
    assert post({"alerts": [{**alert, "severity": 9}]}) == 422
    assert post({"alerts": [alert] * 501}) == 413
    assert to_us(Case.objects.get().opened_at) > 0
