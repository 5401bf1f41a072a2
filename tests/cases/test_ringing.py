"""A phone that rings when a silent push was not accepted: beside the ladder, never in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from django.test import Client
from standardwebhooks import Webhook

from shouwang.cases import actions, jobs
from shouwang.cases.actions import NewCase, publish_procedure
from shouwang.cases.models import Task
from shouwang.config import wiring
from shouwang.journal.actions import listen, take_lease
from shouwang.journal.queries import events_after, timers_of
from shouwang.notify import actions as notify
from shouwang.notify import jobs as outbox
from shouwang.notify import queries, registry
from shouwang.notify.contract import Outcome, Rejected, Sent
from shouwang.notify.models import Message, Preference
from shouwang.notify.rules import State
from shouwang.people.actions import set_contact
from shouwang.people.rules import SYSTEM
from shouwang.places.actions import set_setting
from shouwang.systems.living_alone.rules import WELFARE_CHECK
from tests.journeys.conftest import County, county
from tests.notify.conftest import Scripted

__all__ = ["county"]
WORKER = 2  # the rung of the grid worker: resident and relative stand before
SECRET = "whsec_dGhpcyBpcyBhbiBpbnZlbnRlZCBzZWNyZXQh"
ORANGE, RED, YELLOW = 3, 4, 2
Open = Callable[..., Task]


@pytest.fixture
def reached(county: County, now: datetime) -> Iterator[County]:
    """The grid worker is told by short message, and has a telephone that rings."""
    for channel in ("sms", "voice", "webhook"):
        notify.save_setting(channel, {"callback_secret": SECRET}, enabled=True, by=None, now=now)
    for channel in ("sms", "voice"):
        set_contact(SYSTEM, person_id=county.worker, channel=channel)
    yield county
    queries.forget()


@pytest.fixture
def opened(reached: County, now: datetime) -> Open:
    def opened(severity: int = ORANGE) -> Task:
        case = NewCase("WELFARE_CHECK", "WATER_LOW_USE", severity, reached.village, reached.path, "datastream", 1, "X", {})
        actions.open_case(case, now=now)
        return Task.objects.latest("pk")

    return opened


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def told(task: Task, person: int | None = None) -> list[tuple[str, str]]:
    """Return (channel, key) of what was sent about a task, oldest first, the inbox left out."""
    rows = Message.objects.filter(task_id=task.pk).exclude(channel="inbox").order_by("pk")
    rows = rows if person is None else rows.filter(person_id=person)
    return list(rows.values_list("channel", "key"))


def work(now: datetime, *scripted: str, **channels: Scripted) -> None:
    """Make the passes of a worker whose channels are scripted, and let cases hear what came of it."""
    lease = take_lease("worker", "a", now=now, ttl=timedelta(days=1))
    assert lease is not None
    served = {
        code: outbox.Served(registry.manifests()[code], channels.get(code) or Scripted()) for code in ("sms", "voice", "webhook")
    }
    with httpx.Client() as http:
        outbox.make_pass(now, channels=served, senders=outbox.InlineSenders(http), lease=lease)
    for name, kinds, hear in wiring.LISTENERS:
        if name.startswith("cases."):
            listen(name, hear, lambda seq, kinds=kinds: events_after(seq, kinds=kinds))


def test_what_is_silent_goes_at_once_and_the_telephone_rings_when_nobody_accepts(opened: Open, now: datetime) -> None:
    task = opened()
    assert [("sms", f"{task.pk}:{WORKER}:0")] == told(task)
    assert 0 == jobs.run_due_timers(now + minutes(4.9))
    assert 1 == jobs.run_due_timers(now + minutes(5))
    assert [("sms", f"{task.pk}:{WORKER}:0"), ("voice", f"{task.pk}:{WORKER}:0")] == told(task)
    assert 0 == jobs.run_due_timers(now + minutes(20))  # once
    same = Task.objects.get(pk=task.pk)
    assert (task.state, task.rung, task.assignee_id, task.due_at) == (same.state, same.rung, same.assignee_id, same.due_at)
    assert {task.pk: task.due_at} == timers_of("task", [task.pk])  # the ladder goes on at its own time
    (event,) = events_after(0, kinds=["case.reminded"])
    assert (["voice"], None) == (event.payload["channels"], event.payload["by"])


def test_whoever_has_accepted_is_not_called(opened: Open, reached: County, now: datetime) -> None:
    task = opened()
    actions.accept(task.pk, person_id=reached.worker, now=now + minutes(2))
    jobs.run_due_timers(now + minutes(6))
    assert ["sms"] == [channel for channel, _ in told(task)]
    assert {} == timers_of("ring", [task.pk])


@pytest.mark.parametrize(
    ("severity", "at_minute", "rings"),
    [(RED, 0.9, False), (RED, 1, True), (ORANGE, 1, False), (ORANGE, 5, True), (YELLOW, 25, False)],  # mild: nobody is rung
)
def test_how_soon_depends_on_the_colour(opened: Open, now: datetime, severity: int, at_minute: float, rings: bool) -> None:
    task = opened(severity)
    jobs.run_due_timers(now + minutes(at_minute))
    assert rings == ("voice" in dict(told(task)))


def test_a_person_may_choose_the_order(opened: Open, reached: County, now: datetime) -> None:
    set_contact(SYSTEM, person_id=reached.worker, channel="webhook", address="https://example.org/")
    Preference.objects.create(person_id=reached.worker, steps='{"sms": 1, "voice": 2}')
    task = opened()
    for minute in (0, 5, 10, 15):
        jobs.run_due_timers(now + minutes(minute))
        assert ["webhook", "sms", "voice"][: 1 + minute // 5] == [channel for channel, _ in told(task)]


def test_the_minutes_are_the_areas_own(opened: Open, reached: County, now: datetime) -> None:
    set_setting(reached.village, "notify.ring_minutes", 2, now=now)
    task = opened()
    jobs.run_due_timers(now + minutes(2))
    assert "voice" in dict(told(task))
    queries.forget()
    set_setting(reached.village, "notify.ring_minutes", -1, now=now)
    never = opened()
    jobs.run_due_timers(now + minutes(29))
    assert "voice" not in dict(told(never))
    queries.forget()
    set_setting(reached.village, "notify.ring_minutes", 0, now=now)
    at_once = opened()
    jobs.run_due_timers(now)
    assert "voice" in dict(told(at_once))


def test_the_next_rung_rings_its_own_person(opened: Open, reached: County, now: datetime) -> None:
    for channel in ("sms", "voice"):
        set_contact(SYSTEM, person_id=reached.deputy, channel=channel, address="10000000002")
    task = opened()
    for minute in (5, 30, 35):
        jobs.run_due_timers(now + minutes(minute))
    assert [("sms", f"{task.pk}:{WORKER + 1}:0"), ("voice", f"{task.pk}:{WORKER + 1}:0")] == told(task, reached.deputy)
    assert 2 == len(told(task, reached.worker))


def test_a_reminder_and_a_hand_over_ring_anew(opened: Open, reached: County, now: datetime) -> None:
    task = opened()
    jobs.run_due_timers(now + minutes(5))
    actions.remind(task.pk, by=reached.county_officer, now=now + minutes(6))
    jobs.run_due_timers(now + minutes(11))
    assert [("sms", f"{WORKER}:0"), ("voice", f"{WORKER}:0"), ("sms", f"{WORKER}:1"), ("voice", f"{WORKER}:1")] == [
        (channel, key.partition(":")[2]) for channel, key in told(task)
    ]
    actions.hand_over(task.pk, to=reached.worker, reason="X", by=reached.county_officer, now=now + minutes(12))
    jobs.run_due_timers(now + minutes(17))
    assert [("sms", f"{WORKER}h2:0"), ("voice", f"{WORKER}:2")] == [(channel, key.partition(":")[2]) for channel, key in told(task)[4:]]


def test_in_quiet_hours_only_red_rings(opened: Open, reached: County, now: datetime) -> None:
    Preference.objects.create(person_id=reached.worker, quiet_from=9 * 60, quiet_until=12 * 60)  # it is ten o'clock
    calm, red = opened(), opened(RED)
    jobs.run_due_timers(now + minutes(5))
    assert (False, True) == ("voice" in dict(told(calm)), "voice" in dict(told(red)))


def test_what_did_not_arrive_is_followed_at_once(opened: Open, now: datetime) -> None:
    task = opened()
    at = now + timedelta(seconds=1)
    work(at, sms=Scripted([Rejected("NUMBER_INVALID")]))
    assert ["sms", "voice"] == [channel for channel, _ in told(task)]
    work(at)  # hearing of it twice changes nothing
    work(at + minutes(1))
    assert 2 == len(told(task))


def test_one_that_arrived_is_enough(opened: Open, reached: County, now: datetime) -> None:
    set_contact(SYSTEM, person_id=reached.worker, channel="webhook", address="https://example.org/")
    task = opened()
    work(now + timedelta(seconds=1), sms=Scripted([Rejected("NUMBER_INVALID")]))
    assert {"sms", "webhook"} == set(dict(told(task)))


def test_the_next_rung_is_asked_only_when_no_channel_is_left(opened: Open, reached: County, now: datetime) -> None:
    task = opened()
    at = now + timedelta(seconds=1)
    work(at, sms=Scripted([Rejected("NUMBER_INVALID")]))
    task.refresh_from_db()
    assert (WORKER, reached.worker) == (task.rung, task.assignee_id)
    work(at + minutes(1), voice=Scripted([Rejected("NUMBER_INVALID")]))
    task.refresh_from_db()
    assert (WORKER + 1, reached.deputy) == (task.rung, task.assignee_id)


def called_back(client: Client, key: str, event: str, pressed: str = "") -> None:
    body = msgspec.json.encode([{"out_id": key, "event": event, "key": pressed}])
    at = datetime.now(tz=wiring.UTC)
    headers = {
        "webhook-id": "e", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": Webhook(SECRET).sign("e", at, body.decode()),
    }
    answer = client.post("/api/v1/voice/events", body, content_type="application/json", headers=headers)
    assert {"taken": 1, "ignored": 0} == answer.json()


def test_a_key_on_the_telephone_accepts_the_task(opened: Open, reached: County, client: Client, now: datetime) -> None:
    task = opened()
    jobs.run_due_timers(now + minutes(5))
    voice = Scripted()
    work(now + minutes(6), voice=voice)
    assert ["10000000001"] == [each.address for each in voice.taken]
    called_back(client, voice.taken[0].key, "ANSWERED", "1")
    work(now + minutes(7))
    task.refresh_from_db()
    assert ("ACCEPTED", reached.worker) == (task.state, task.assignee_id)


@pytest.mark.parametrize("sms", [Sent(), Rejected("NUMBER_INVALID")])  # it rang: whoever it is for knows of it
def test_a_call_that_nobody_answers_leaves_the_ladder_alone(
    opened: Open, reached: County, client: Client, now: datetime, sms: Outcome
) -> None:
    task = opened()
    work(now + timedelta(seconds=1), sms=Scripted([sms]))
    jobs.run_due_timers(now + minutes(5))
    work(now + minutes(6))
    called_back(client, f"{task.pk}:{WORKER}:0", "UNANSWERED")
    work(now + minutes(7))
    call = Message.objects.get(channel="voice")
    assert (State.FAILED, "NO_ANSWER") == (State(call.state), call.reason)
    same: Any = Task.objects.get(pk=task.pk)
    assert ("OFFERED", WORKER, reached.worker, task.due_at) == (same.state, same.rung, same.assignee_id, same.due_at)
    assert {task.pk: task.due_at} == timers_of("task", [task.pk])
    jobs.run_due_timers(task.due_at)
    assert (WORKER + 1, reached.deputy) == tuple(Task.objects.values_list("rung", "assignee_id").get(pk=task.pk))


def test_a_procedure_may_say_in_how_many_seconds_the_telephone_rings(opened: Open, reached: County, now: datetime) -> None:
    publish_procedure(msgspec.structs.replace(WELFARE_CHECK, code="WATER_CHECK", ring_seconds=20), shipped=True, now=now)
    case = NewCase("WATER_CHECK", "WATER_EDGE", ORANGE, reached.village, reached.path, "datastream", 1, "X", {})
    actions.open_case(case, now=now)
    task = Task.objects.latest("pk")
    assert jobs.run_due_timers(now + timedelta(seconds=19)) == 0
    assert jobs.run_due_timers(now + timedelta(seconds=20)) == 1
    assert [channel for channel, _ in told(task)] == ["sms", "voice"]
