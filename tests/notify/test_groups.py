"""Robots of groups: one message for many, a rate that is never exceeded, whatever restarts; and quiet hours."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from shouwang.journal.actions import take_lease
from shouwang.journal.rules import Lease
from shouwang.notify import actions, jobs, queries
from shouwang.notify.contract import Manifest, Mention, Rate, Retry, Robot, Traits, Unknown
from shouwang.notify.models import Message, Preference, TargetUse
from shouwang.notify.rules import State, due_bundles
from shouwang.notify.rules.rates import Target, Turns
from tests.notify.conftest import KEYED, PHONE, Queue, Scripted, served

MUTE = Traits(honours_key=False, gives_receipt=False, can_query=False)
RATE = Rate(20, 60.0, "robot")
SOON = timedelta(seconds=2)


def group(channel: Scripted) -> jobs.Served:
    manifest = jobs.registry.manifests()["inbox"].name
    return jobs.Served(Manifest("webhook", manifest, MUTE, False, 600, (), is_shared=True, link="APART", rate=RATE), channel)


@pytest.fixture
def townships(book: dict[int, queries.Contact]) -> None:
    """Persons 1–99 belong to one township's group, 100–199 to another's."""
    for person in range(1, 200):
        robot = Robot(f"https://oapi.example.org/robot/send?access_token={person // 100}", "s")
        book[person] = queries.Contact(f"u{person}", "zh", PHONE, robot)


def run(at: datetime, lease: Lease, senders: jobs.Senders, channel: Scripted, *, until: datetime) -> None:
    """Make passes until nothing is waiting, or `until`."""
    following: datetime | None = at
    while following is not None and following <= until:
        following = jobs.make_pass(following, channels={"webhook": group(channel)}, senders=senders, lease=lease).next_at


@pytest.mark.usefixtures("townships")
def test_what_many_are_told_goes_to_their_group_as_one(put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime) -> None:
    channel = Scripted()
    for person in (1, 2, 3, 150):
        put_in(person=person, channel="webhook", count=2)
    run(now + SOON, lease, senders, channel, until=now + timedelta(minutes=1))
    assert [(6, 3), (2, 1)] == [(sent.count, len(sent.mentions)) for sent in channel.taken]
    first = channel.taken[0]
    assert Mention("u1", PHONE) in first.mentions
    assert first.text.startswith("6 条消息，请 3 人登录守望查看：")
    assert ("http://127.0.0.1:8000/tasks/", False) == (first.link, "http" in first.text)  # nobody there may act as another
    assert {(State.SENT, True)} == {(State(row.state), row.done_at is not None) for row in Message.objects.all()}


@pytest.mark.usefixtures("townships")
def test_a_storm_of_reds_never_exceeds_the_robots_rate(
    put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime
) -> None:
    channel = Scripted()
    for second in range(600):
        at = now + timedelta(seconds=second)
        if second < 90:
            put_in(person=1 + second, channel="webhook", severity=4 if second % 3 else 2, at=at)
        elif not queries.alive_count():
            break
        run(at, lease, senders, channel, until=at)
    sent = [each.at for each in channel.taken]
    assert 90 == sum(each.count for each in channel.taken)
    assert max(sum(moment <= other < moment + timedelta(seconds=65) for other in sent) for moment in sent) <= 20
    waited = [each for each in channel.taken if each.severity == 4]
    assert waited[0].at == now + timedelta(seconds=1)


@pytest.mark.usefixtures("townships")
def test_a_blocked_robot_is_left_alone_and_the_others_are_not(
    put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime
) -> None:
    channel = Scripted([Retry(600, "SEND_TOO_FAST")])
    put_in(person=1, channel="webhook", severity=4)
    run(now, lease, senders, channel, until=now)
    put_in(person=2, channel="webhook", severity=4, at=now + SOON)
    put_in(person=150, channel="webhook", severity=4, at=now + SOON)
    run(now + SOON, lease, senders, channel, until=now + timedelta(seconds=599))
    assert [["u1"], ["u150"]] == [[each.user_id for each in sent.mentions] for sent in channel.taken]
    run(now + timedelta(seconds=600), lease, senders, channel, until=now + timedelta(seconds=601))
    assert [["u1"], ["u2"]] == sorted([each.user_id for each in sent.mentions] for sent in channel.taken[2:])
    assert 0 == queries.alive_count()


@pytest.mark.usefixtures("townships")
def test_turns_outlive_the_worker_that_took_them(put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime) -> None:
    channel = Scripted()
    for n in range(20):
        put_in(person=1, channel="webhook", severity=4, at=now + timedelta(seconds=n))
        run(now + timedelta(seconds=n), lease, senders, channel, until=now + timedelta(seconds=n))
    assert 20 == len(channel.taken)
    at = now + timedelta(seconds=30)
    lease = take_lease("worker", "b", now=now + timedelta(days=2), ttl=timedelta(days=1)) or lease
    put_in(person=2, channel="webhook", severity=4, at=at)
    done = jobs.make_pass(at, channels={"webhook": group(channel)}, senders=senders, lease=lease)
    assert (0, now + timedelta(seconds=65)) == (done.leased, done.next_at)
    assert "access_token" not in str(TargetUse.objects.values())


@pytest.mark.usefixtures("townships")
def test_two_processes_never_take_the_same_turn(put_in: Queue, lease: Lease, now: datetime) -> None:
    put_in(person=1, channel="webhook", severity=4)
    target = Target("webhook", "abc", RATE, is_shared=True)
    assert actions.take_turn(target, now=now) is None
    room = actions.Room({"webhook": 8}, Turns(now), lambda code, persons: dict.fromkeys(persons, target))
    room.learn({("webhook", 1)})
    assert actions.take_turn(target, now=now) is None  # the test button of the settings page, in between
    due = due_bundles(queries.waiting(now), {}, now=now)
    with pytest.raises(actions.TurnTaken):
        actions.lease_bundles(due, now=now, lease=lease, room=room, traits={"webhook": MUTE}, ttl=timedelta(seconds=15))
    assert [State.PENDING] == [State(row.state) for row in Message.objects.all()]


def test_a_target_that_has_no_turn_says_when(db: None, now: datetime) -> None:
    target = Target("webhook", "abc", Rate(1, 60.0, "robot"), is_shared=True)
    assert [None, now + timedelta(seconds=65)] == [actions.take_turn(target, now=now) for _ in range(2)]
    assert actions.take_turn(target, now=now + timedelta(seconds=65)) is None


@pytest.mark.usefixtures("townships")
def test_a_group_ends_as_one_whatever_came_of_it(put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime) -> None:
    channel = Scripted([Unknown("TIMEOUT")])
    put_in(person=1, channel="webhook", count=2)
    put_in(person=2, channel="webhook")
    run(now + SOON, lease, senders, channel, until=now + timedelta(minutes=5))
    assert 1 == len(channel.taken)  # it may have gone: a robot honours no key, so nobody is told twice
    assert {(State.UNKNOWN, "SENDER_DIED")} <= {(State(row.state), row.reason) for row in Message.objects.all()}
    assert 0 == queries.alive_count()


@pytest.mark.usefixtures("townships")
def test_an_exercise_does_not_share_a_message_with_the_real(
    put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime
) -> None:
    channel = Scripted()
    put_in(person=1, channel="webhook")
    put_in(person=2, channel="webhook", exercise_id=5)
    run(now + SOON, lease, senders, channel, until=now + timedelta(minutes=1))
    assert [(1, False), (1, True)] == sorted((sent.count, sent.is_exercise) for sent in channel.taken)


QUIET_NOW = (9 * 60, 12 * 60)  # the tests' moment is ten o'clock in Liaocheng


@pytest.mark.usefixtures("book")
def test_quiet_hours_hold_back_what_is_not_red(put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime) -> None:
    Preference.objects.create(person_id=1, quiet_from=QUIET_NOW[0], quiet_until=QUIET_NOW[1])
    channel = Scripted()
    webhook = served(channel, KEYED)
    put_in(channel="webhook", count=2)
    put_in(channel="webhook", severity=4)
    put_in(person=2, channel="webhook")
    put_in(channel="inbox")
    noon = now + timedelta(hours=2)
    done = jobs.make_pass(now + SOON, channels={"webhook": webhook}, senders=senders, lease=lease)
    assert (1, noon) == (done.delivered, done.next_at)  # the inbox makes no noise
    assert [4, 2] == [sent.severity for sent in channel.taken]
    put_in(channel="webhook", at=noon - timedelta(minutes=1))
    assert 0 == jobs.make_pass(noon - SOON, channels={"webhook": webhook}, senders=senders, lease=lease).leased
    assert 1 == jobs.make_pass(noon, channels={"webhook": webhook}, senders=senders, lease=lease).leased
    assert (3, "勿扰时段内您有 3 条消息，请打开守望查看。") == (channel.taken[-1].count, channel.taken[-1].text.split(" http")[0])
