"""A message that does not arrive: the case says so, and the next one is asked at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from django.test import Client

from shouwang.cases.actions import accept
from shouwang.cases.actions.unreached import ask_next, on_failures
from shouwang.cases.models import Task
from shouwang.config.wiring import LISTENERS
from shouwang.journal.actions import append
from shouwang.journal.queries import events_after, events_of
from shouwang.notify.actions import NewMessage, queue
from shouwang.notify.actions.sending import failures_of
from shouwang.notify.events import MESSAGE_FAILED
from shouwang.notify.models import Message
from shouwang.notify.queries import messages_of_tasks
from shouwang.notify.rules import State
from shouwang.people.models import Account
from tests.journeys.conftest import County
from tests.journeys.test_meter_to_closed import assert_timers_live, open_one

WORKER = 2  # the rung of the grid worker: resident and relative stand before
LAST = 6
pytestmark = pytest.mark.django_db
SMS, WEBHOOK = "sms", "webhook"


def tell(task: Task, person: int, channels: Sequence[str], *, now: datetime) -> None:
    """Queue what the offer would queue where these channels are on."""
    queue(
        [NewMessage(person, channel, "TASK_OFFERED", f"{task.pk}:{task.rung}:0", 3, {}, task.pk, task.case_id) for channel in channels],
        now=now,
    )


def fail(task: Task, channel: str, *, now: datetime, state: State = State.FAILED, heard_at: datetime | None = None) -> None:
    """Let the latest message on a channel fail, as the worker would record it, and let the listener hear of it."""
    message = Message.objects.filter(task_id=task.pk, channel=channel).order_by("-pk")[0]
    Message.objects.filter(pk=message.pk).update(state=state, done_at=now)
    append(failures_of(message.pk), now=now)
    on_failures(events_after(0, kinds=[MESSAGE_FAILED]), now=heard_at or now)


def test_the_deputy_is_asked_at_once_when_no_channel_reaches_the_grid_worker(county: County, now: datetime, client: Client) -> None:
    task = open_one(county, now)
    tell(task, county.worker, [SMS, WEBHOOK], now=now)
    later = now + timedelta(minutes=1)
    fail(task, SMS, now=later)
    task.refresh_from_db()
    assert (task.rung, task.assignee_id) == (WORKER, county.worker)  # the other channel may still reach
    fail(task, WEBHOOK, now=later)
    task.refresh_from_db()
    assert (task.rung, task.assignee_id, task.due_at) == (WORKER + 1, county.deputy, later + timedelta(minutes=15))
    assert county.deputy in [sent.person_id for sent in messages_of_tasks([task.pk])]
    assert_timers_live()
    client.force_login(Account.objects.unscoped().get(username="county"))
    page = client.get(f"/cases/{task.case_id}/").content.decode()
    assert "短信未送达网格甲" in page
    assert "网络回调未送达网格甲" in page
    assert "网格甲联系不上，不等到时，立即升级" in page


def test_whoever_is_asked_next_has_the_whole_time_though_the_news_is_old(county: County, now: datetime) -> None:
    task = open_one(county, now)
    tell(task, county.worker, [SMS], now=now)
    started_again = now + timedelta(hours=2)
    fail(task, SMS, now=now, heard_at=started_again)
    task.refresh_from_db()
    assert (task.assignee_id, task.due_at) == (county.deputy, started_again + timedelta(minutes=15))
    assert_timers_live()


def test_hearing_of_it_twice_changes_nothing(county: County, now: datetime) -> None:
    task = open_one(county, now)
    tell(task, county.worker, [SMS], now=now)
    fail(task, SMS, now=now)
    on_failures(events_after(0, kinds=[MESSAGE_FAILED]), now=now)
    task.refresh_from_db()
    assert task.rung == WORKER + 1
    assert [event.kind for event in events_of(task.case_id)].count("case.unreached") == 1


def test_a_message_that_may_have_gone_counts_as_not_arrived(county: County, now: datetime) -> None:
    task = open_one(county, now)
    tell(task, county.worker, [SMS], now=now)
    fail(task, SMS, now=now, state=State.UNKNOWN)
    task.refresh_from_db()
    assert task.assignee_id == county.deputy


def test_who_has_read_the_inbox_or_accepted_is_not_passed_over(county: County, now: datetime) -> None:
    task = open_one(county, now)
    tell(task, county.worker, [SMS], now=now)
    Message.objects.filter(channel="inbox").update(read_at=now)
    fail(task, SMS, now=now)
    task.refresh_from_db()
    assert task.rung == WORKER
    Message.objects.filter(channel="inbox").update(read_at=None)
    accept(task.pk, person_id=county.worker, now=now)
    assert not ask_next(task.pk, unreached=county.worker, now=now)


def test_who_has_the_inbox_only_is_waited_for(county: County, now: datetime) -> None:
    task = open_one(county, now)
    assert not ask_next(task.pk, unreached=county.worker, now=now)


def test_the_first_one_may_still_accept_after_all(county: County, now: datetime) -> None:
    task = open_one(county, now)
    tell(task, county.worker, [SMS], now=now)
    fail(task, SMS, now=now)
    accept(task.pk, person_id=county.worker, now=now)
    task.refresh_from_db()
    assert (task.state, task.assignee_id) == ("ACCEPTED", county.worker)


def test_on_the_last_rung_the_reminders_go_on_and_nobody_is_asked_in_a_circle(county: County, now: datetime) -> None:
    task = open_one(county, now)
    Task.objects.filter(pk=task.pk).update(rung=LAST, assignee_id=county.city_officer)
    tell(task, county.city_officer, [SMS], now=now)
    fail(task, SMS, now=now)
    task.refresh_from_db()
    assert (task.rung, task.reminders) == (LAST, 0)


def test_the_worker_listens_for_failures() -> None:
    assert on_failures in [hear for _, kinds, hear in LISTENERS if MESSAGE_FAILED in kinds]
