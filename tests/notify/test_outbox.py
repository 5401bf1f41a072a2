"""The outbox on a real database: queueing, bundles, leases, outcomes, reports, and a storm."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta

import httpx
import pytest
from django.db import IntegrityError, connection, transaction

from shouwang.journal.actions import take_lease
from shouwang.journal.queries import events_after
from shouwang.journal.rules import Lease, LeaseLost
from shouwang.kernel.clock import ManualClock
from shouwang.kernel.texts import Text
from shouwang.notify import actions, jobs, queries
from shouwang.notify.contract import Delivered, Missing, Outcome, Outgoing, Rejected, Retry, Sent, Unknown
from shouwang.notify.models import Message
from shouwang.notify.rules import TEMPLATES, State, Step, due_bundles
from shouwang.notify.rules.delivery import MAX_ATTEMPTS
from shouwang.notify.rules.rates import Turns
from tests.notify.conftest import GATEWAY, KEYED, Queue, Scripted, served

SOON = timedelta(milliseconds=200)
LATER = timedelta(seconds=20)


def make_pass(at: datetime, lease: Lease, senders: jobs.Senders, **channels: jobs.Served) -> jobs.Pass:
    return jobs.make_pass(at, channels=channels, senders=senders, lease=lease)


def failures() -> list[tuple[str, str, int]]:
    return [
        (event.payload["state"], event.payload["reason"], event.payload["task"])
        for event in events_after(0, kinds=["notify.message_failed"])
    ]


def states() -> set[tuple[State, bool]]:
    return {(State(row.state), row.done_at is not None) for row in Message.objects.all()}


def test_a_key_is_queued_once_per_channel(put_in: Queue, now: datetime) -> None:
    put_in()
    twice = actions.NewMessage(2, "inbox", "TASK_OFFERED", "1:0:0", 2)
    elsewhere = actions.NewMessage(2, "sms", "TASK_OFFERED", "1:0:0", 2)
    with transaction.atomic():
        actions.queue([elsewhere], now=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        actions.queue([twice], now=now)
    assert 2 == queries.alive_count()


def test_one_message_reaches_the_inbox_after_its_grace(put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime) -> None:
    put_in()
    early = make_pass(now, lease, senders)
    assert (0, now + timedelta(milliseconds=150)) == (early.delivered, early.next_at)
    assert jobs.Pass(1, 0, 0, 0, None) == make_pass(now + SOON, lease, senders)
    (entry,) = queries.inbox(1)
    assert (1, 1, "新任务：TOO_LITTLE。请尽快签收。") == (entry.push_seq, entry.count, entry.text("zh"))
    assert {(State.DELIVERED, True)} == states()


def test_several_wait_until_quiet_and_go_as_one(put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime) -> None:
    put_in(count=3)
    put_in(severity=3, at=now + timedelta(seconds=1))
    put_in(person=2)
    assert 1 == make_pass(now + timedelta(seconds=2), lease, senders).delivered
    assert 4 == make_pass(now + timedelta(seconds=3), lease, senders).delivered
    (entry,) = queries.inbox(1)
    assert (4, 3) == (entry.count, entry.severity)  # the gravest leads
    assert entry.text("en").startswith("You have 4 messages")
    assert 3 == len(queries.members(1, entry.id))
    assert [] == queries.members(2, entry.id)
    assert [2, 1] == [push.person_id for push in queries.pushes_after(0)]
    assert 2 == queries.last_push_seq()


def test_a_person_is_told_at_most_once_a_minute_but_for_what_is_urgent(
    put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime
) -> None:
    put_in()
    make_pass(now + SOON, lease, senders)
    put_in(count=2, at=now + LATER)
    put_in(count=2, severity=4, at=now + LATER)
    urgent = make_pass(now + LATER, lease, senders)
    assert (2, now + SOON + timedelta(minutes=1)) == (urgent.delivered, urgent.next_at)
    assert [1, 1, 1] == [entry.count for entry in queries.inbox(1)]
    assert urgent.next_at is not None
    assert 2 == make_pass(urgent.next_at, lease, senders).delivered
    assert [2, 4, 4, 2] == [entry.severity for entry in queries.newest(1)]


def test_an_exercise_is_never_bundled_with_the_real(put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime) -> None:
    put_in(count=2)
    put_in(count=2, exercise_id=5)
    make_pass(now + LATER, lease, senders)
    assert [(2, None), (2, 5)] == sorted(
        ((entry.count, entry.exercise_id) for entry in queries.inbox(1)), key=lambda pair: pair[1] or 0,
    )
    assert [False, True] == sorted(entry.text("zh").startswith("【演练】") for entry in queries.inbox(1))


def test_a_postponed_message_waits_for_its_moment(put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime) -> None:
    put_in(not_before=now + timedelta(hours=1))
    assert (0, now + timedelta(hours=1)) == (lambda done: (done.delivered, done.next_at))(make_pass(now + LATER, lease, senders))
    assert 1 == make_pass(now + timedelta(hours=1), lease, senders).delivered


def test_reading_counts_the_own_inbox_only(put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime) -> None:
    put_in(count=2)
    put_in(person=2)
    make_pass(now + LATER, lease, senders)
    ids = [entry.id for entry in queries.pushes_after(0)]
    assert (1, 1) == (queries.unread_count(1), queries.unread_count(2))
    assert 1 == actions.mark_read(1, ids, now=now)
    assert 0 == actions.mark_read(1, ids, now=now)
    assert (0, 1) == (queries.unread_count(1), queries.unread_count(2))


@pytest.mark.usefixtures("book")
def test_a_bundle_is_sent_once_and_all_of_it_ends(put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime) -> None:
    channel = Scripted()
    keys = put_in(channel="webhook", count=3)
    done = make_pass(now + LATER, lease, senders, webhook=served(channel, KEYED))
    assert (1, 1, None) == (done.leased, done.recorded, done.next_at)
    (sent,) = channel.taken
    assert (keys[0], 3) == (sent.key, sent.count)
    assert sent.text.startswith("您有 3 条消息")
    assert {(State.SENT, True)} == states()
    assert {State.SENT: 3} == queries.counts_by_state()
    assert [] == failures()


@pytest.mark.usefixtures("book")
def test_a_refused_message_goes_again_with_the_same_key(put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime) -> None:
    channel = Scripted([Retry(17, "HTTP_429"), Unknown("TIMEOUT")])
    webhook = served(channel, KEYED)
    put_in(channel="webhook", count=2)
    at: datetime | None = now + LATER
    while at is not None:
        at = make_pass(at, lease, senders, webhook=webhook).next_at
    assert ["1:0:0"] * 3 == [sent.key for sent in channel.taken]
    assert [LATER.total_seconds(), 37, 41] == [(sent.at - now).total_seconds() for sent in channel.taken]
    assert {(State.SENT, True)} == states()
    assert {0} == set(Message.objects.values_list("repeats", flat=True))


@pytest.mark.usefixtures("book")
@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        (Rejected("NUMBER_INVALID"), ("FAILED", "NUMBER_INVALID")),
        (Retry(1, "HTTP_429"), ("FAILED", "HTTP_429")),
        (Unknown("TIMEOUT"), ("UNKNOWN", "TIMEOUT")),
    ],
)
def test_what_never_goes_ends_and_is_published(
    put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime, answer: Outcome, ends: tuple[str, str]
) -> None:
    webhook = served(Scripted([answer] * MAX_ATTEMPTS), KEYED)
    put_in(channel="webhook", count=2)
    at: datetime | None = now + LATER
    while at is not None:
        at = make_pass(at, lease, senders, webhook=webhook).next_at
    assert [(*ends, 1), (*ends, 2)] == failures()
    assert {(State[ends[0]], True)} == states()


def test_a_person_without_an_address_fails_at_once(
    put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime, book: dict[int, queries.Contact]
) -> None:
    book[1] = queries.Contact("", "zh")
    channel = Scripted()
    put_in(channel="sms")
    make_pass(now + LATER, lease, senders, sms=served(channel, GATEWAY, needs_address=True))
    assert ([], [("FAILED", "NO_ADDRESS", 1)]) == (channel.taken, failures())


def test_what_waits_for_a_channel_that_is_off_fails(put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime) -> None:
    put_in(channel="carrier_pigeon", count=2)
    put_in()
    done = make_pass(now + LATER, lease, senders)
    assert (1, 2) == (done.delivered, done.failed)
    assert [("FAILED", "CHANNEL_OFF", 1), ("FAILED", "CHANNEL_OFF", 2)] == failures()


@pytest.mark.usefixtures("book")
def test_a_channel_that_does_not_honour_keys_is_asked_first_and_the_repeat_is_counted(
    put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime
) -> None:
    channel = Scripted([Unknown("TIMEOUT")], [Missing(), Delivered("r-2")])
    sms = served(channel, GATEWAY)
    put_in(channel="sms")
    at: datetime | None = now + LATER
    while at is not None:
        at = make_pass(at, lease, senders, sms=sms).next_at
    assert (2, 2) == (len(channel.taken), len(channel.asked))
    row = Message.objects.get()
    assert (State.DELIVERED, 1, "r-2") == (row.state, row.repeats, row.provider_ref)


@pytest.mark.usefixtures("book")
def test_a_receipt_that_never_comes_leaves_the_message_unknown(
    put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime
) -> None:
    channel = Scripted(known=[Sent()] * 20)
    sms = served(channel, GATEWAY)
    put_in(channel="sms", count=2)
    at: datetime | None = now + LATER
    while at is not None:
        at = make_pass(at, lease, senders, sms=sms).next_at
    assert (1, 5) == (len(channel.taken), len(channel.asked))
    assert {(State.UNKNOWN, True)} == states()
    assert ("UNKNOWN", "NO_RECEIPT", 1) in failures()
    assert actions.report_delivery("sms", "1:0:0", Delivered(), now=now)  # it comes late, and mends both
    assert {(State.DELIVERED, True)} == states()


def take(now: datetime, lease: Lease, channel: str = "webhook", ttl_s: int = 15) -> list[actions.Leased]:
    due = due_bundles(queries.waiting(now), queries.last_sent(now), now=now)
    traits = {"webhook": KEYED, "sms": GATEWAY}
    room = actions.Room({channel: 10}, Turns(now), lambda code, persons: {})
    return actions.lease_bundles(due, now=now, lease=lease, room=room, traits=traits, ttl=timedelta(seconds=ttl_s))


@pytest.mark.parametrize(("channel", "step"), [("webhook", Step.SEND), ("sms", Step.QUERY)])
def test_a_message_whose_sender_died_is_taken_up_again(put_in: Queue, lease: Lease, now: datetime, channel: str, step: Step) -> None:
    at = now + LATER
    put_in(channel=channel, count=2)
    (first,) = take(at, lease, channel)
    assert (Step.SEND, 2, 1) == (first.step, first.count, first.attempts)
    assert [] == take(at + timedelta(seconds=14), lease, channel)
    (second,) = take(at + timedelta(seconds=15), lease, channel)
    assert (first.id, first.key, step, 2, 2) == (second.id, second.key, second.step, second.count, second.attempts)


def test_a_worker_that_was_taken_for_dead_changes_nothing(put_in: Queue, lease: Lease, now: datetime) -> None:
    at = now + LATER
    put_in(channel="webhook")
    (first,) = take(at, lease)
    successor = take_lease("worker", "b", now=now + timedelta(days=2), ttl=timedelta(days=1))
    assert successor is not None
    (second,) = take(at + timedelta(seconds=15), successor)
    traits = {"webhook": KEYED}
    with pytest.raises(LeaseLost):
        actions.record_outcomes([actions.Result(first, Sent())], now=at, lease=lease, traits=traits)
    with pytest.raises(LeaseLost):
        take(at, lease)
    assert 0 == actions.record_outcomes([actions.Result(first, Rejected("X"))], now=at, lease=successor, traits=traits)
    assert {(State.LEASED, False)} == states()
    assert 1 == actions.record_outcomes([actions.Result(second, Sent())], now=at, lease=successor, traits=traits)
    assert {(State.SENT, True)} == states()


class Sleeper:
    """The clocks of a worker, on the wall and of the machine, which may sleep for a while."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self.slept_s = 0.0
        self._monotonic = time.monotonic

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.slept_s)

    def monotonic(self) -> float:
        return self._monotonic() + self.slept_s

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds()


@pytest.mark.parametrize(("when", "slept_s", "sent"), [
    ("lease_bundles", jobs.LEASE_S - jobs.LONGEST_SEND_S, 0), ("deliver_inbox", jobs.LEASE_S - jobs.LONGEST_SEND_S, 0), ("deliver_inbox", 1, 1),
])
@pytest.mark.usefixtures("book")
def test_a_worker_that_slept_too_long_to_send_within_its_lease_sends_nothing(
    put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime, monkeypatch: pytest.MonkeyPatch, when: str, slept_s: float, sent: int,
) -> None:
    """By the time it wakes up another may have taken the message, or will while this one is sending it."""
    sleeper = Sleeper(now + LATER)
    monkeypatch.setattr(jobs.time, "monotonic", sleeper.monotonic)
    monkeypatch.setattr(jobs, "clock", lambda: sleeper)
    acts = getattr(actions, when)

    def acts_and_sleeps(*arguments: object, **named: object) -> object:
        done = acts(*arguments, **named)
        sleeper.slept_s = slept_s
        return done

    monkeypatch.setattr(actions, when, acts_and_sleeps)
    channel = Scripted()
    put_in(channel="webhook")
    pooled = jobs.PooledSenders(senders.http)
    done = make_pass(now + LATER, lease, pooled, webhook=served(channel, KEYED))
    pooled.close()
    assert (done.leased, len(channel.taken), done.recorded + len(pooled.finished())) == (1, sent, sent)
    assert pooled.free("webhook") == jobs.PER_CHANNEL
    if sent:
        return
    monkeypatch.setattr(actions, when, acts)
    make_pass(now + LATER + timedelta(seconds=jobs.LEASE_S), lease, senders, webhook=served(channel, KEYED))
    assert len(channel.taken) == 1


def test_the_urgent_is_leased_before_what_comes_again_and_before_bundles(put_in: Queue, lease: Lease, now: datetime) -> None:
    put_in(person=1, channel="webhook")
    take(now + SOON, lease, ttl_s=1)
    put_in(person=2, channel="webhook", severity=3)
    put_in(person=3, channel="webhook", severity=4)
    assert [3, 1, 2] == [each.person_id for each in take(now + LATER, lease)]


def test_no_more_is_leased_than_the_senders_can_take(put_in: Queue, lease: Lease, now: datetime) -> None:
    for person in range(15):
        put_in(person=person, channel="webhook")
    assert 10 == len(take(now + LATER, lease))
    assert 5 == len(take(now + LATER, lease))


def test_a_report_ends_the_message_and_is_not_overruled(put_in: Queue, lease: Lease, now: datetime) -> None:
    at = now + LATER
    put_in(channel="sms")
    (leased,) = take(at, lease, "sms")
    assert not actions.report_delivery("sms", "nobody's", Delivered(), now=at)
    assert not actions.report_delivery("sms", leased.key, Sent(), now=at)
    assert actions.report_delivery("sms", leased.key, Delivered(), now=at)  # quicker than the answer to the sending
    assert 0 == actions.record_outcomes([actions.Result(leased, Unknown("TIMEOUT"))], now=at, lease=lease, traits={"sms": GATEWAY})
    assert not actions.report_delivery("sms", leased.key, Rejected("LATE"), now=at)
    assert ({(State.DELIVERED, True)}, []) == (states(), failures())


def test_a_report_of_failure_is_published(put_in: Queue, lease: Lease, now: datetime) -> None:
    put_in(channel="sms", count=2)
    (leased,) = take(now + LATER, lease, "sms")
    assert actions.report_delivery("sms", leased.key, Rejected("EXPIRED"), now=now + LATER)
    assert [("FAILED", "EXPIRED", 1), ("FAILED", "EXPIRED", 2)] == failures()


def test_a_reply_is_published_with_the_tasks_it_is_about(put_in: Queue, lease: Lease, now: datetime) -> None:
    put_in(channel="sms", count=2)
    (leased,) = take(now + LATER, lease, "sms")
    assert actions.take_reply("sms", leased.key, said="1", now=now)
    assert not actions.take_reply("sms", "nobody's", said="1", now=now)
    (event,) = events_after(0, kinds=["notify.reply_received"])
    assert (9, [1, 2], "ACCEPT") == (event.subject_id, event.payload["tasks"], event.payload["code"])


def test_the_messages_of_a_task_are_found_by_their_keys(put_in: Queue) -> None:
    put_in(count=12)
    assert [1, 11] == [sending.id - Message.objects.order_by("id")[0].id + 1 for sending in queries.messages_of_tasks([1, 11])]


class Stuck(Scripted):
    """A channel that hangs until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def send(self, outgoing: Outgoing, *, http: httpx.Client) -> Outcome:
        self.go.wait(20)
        return super().send(outgoing, http=http)


@pytest.mark.usefixtures("book")
def test_a_slow_channel_does_not_hold_up_the_others(
    put_in: Queue, lease: Lease, now: datetime, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """T8: bulkheads."""
    monkeypatch.setattr(jobs, "clock", lambda: ManualClock(now + LATER))
    stuck, quick, came_back = Stuck(), Scripted(), threading.Semaphore(0)
    channels = {"sms": served(stuck, GATEWAY), "webhook": served(quick, KEYED)}
    for person in range(12):
        put_in(person=person, channel="sms")
        put_in(person=person, channel="webhook")
    with httpx.Client() as http:
        senders = jobs.PooledSenders(http, per_channel=4, on_done=came_back.release)
        recorded = 0
        while recorded < 12:
            done = jobs.make_pass(now + LATER, channels=channels, senders=senders, lease=lease)
            recorded += done.recorded
            if recorded < 12:
                assert came_back.acquire(timeout=20)
        assert (12, 0, 0) == (len(quick.taken), len(stuck.taken), senders.free("sms"))
        stuck.go.set()
        senders.close()
        assert 4 == len(senders.finished())


class Broken(Scripted):
    """A plug-in with a fault of its own."""

    def send(self, outgoing: Outgoing, *, http: httpx.Client) -> Outcome:
        message = f"could not reach {outgoing.address}"
        raise RuntimeError(message)


@pytest.mark.usefixtures("book")
def test_a_channel_that_raises_leaves_the_message_unknown_and_no_address_in_the_log(
    put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    put_in(channel="webhook")
    make_pass(now + LATER, lease, senders, webhook=served(Broken(), KEYED))
    row = Message.objects.get()
    assert (State.UNKNOWN, "CHANNEL_BROKEN", None) == (row.state, row.reason, row.done_at)
    assert "RuntimeError" in caplog.text
    assert "1000000" not in caplog.text


def test_a_storm_is_bundled_and_delivered_cheaply(lease: Lease, senders: jobs.InlineSenders, now: datetime) -> None:
    """T9: 50,000 messages for 135 persons within five seconds; every person gets one bundle, nothing is lost."""
    persons, total, batch = 135, 50_000, 500
    used = time.process_time()
    for start in range(0, total, batch):
        at = now + timedelta(seconds=5 * start / total)
        messages = [
            actions.NewMessage(n % persons, "inbox", "TASK_OFFERED", f"{n}:0:0", 2, {"reason": "TOO_LITTLE"}, task_id=n, case_id=n)
            for n in range(start, start + batch)
        ]
        with transaction.atomic():
            actions.queue(messages, now=at)
        make_pass(at, lease, senders)
    delivered, at = 0, now + timedelta(seconds=5)
    while delivered < total:
        done = make_pass(at, lease, senders)
        delivered += done.delivered
        at = done.next_at or at
    used = time.process_time() - used
    pushes = queries.pushes_after(0)
    assert (persons, total, 0) == (len(pushes), sum(push.count for push in pushes), queries.alive_count())
    assert at - now <= timedelta(seconds=7)
    if connection.vendor == "sqlite":
        assert used < 5.0  # two on a free machine; the bound leaves room for a busy one


@pytest.mark.usefixtures("book")
@pytest.mark.parametrize("broken", [Text("{reason", "{reason"), Text("{reason:d}", "{reason:d}"), Text("{reason.x}", "{reason.x}")])
def test_what_cannot_be_said_goes_in_plain_words_and_holds_up_nothing_else(
    put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture, broken: Text,
) -> None:
    monkeypatch.setitem(TEMPLATES, "BROKEN", broken)
    channel = Scripted()
    put_in(1, "sms", exercise_id=7)
    Message.objects.update(template="BROKEN")
    put_in(2, "sms")
    make_pass(now + LATER, lease, senders, sms=served(channel, KEYED))
    plain, other = sorted((each.text for each in channel.taken), key=lambda text: "BROKEN" not in text)
    assert plain.startswith("【演练】您有一条新消息（BROKEN），请打开守望查看。")
    assert other.startswith("新任务：")
    assert {(State.SENT, True)} == states()
    assert "BROKEN" in caplog.text


@pytest.mark.usefixtures("book")
def test_an_address_that_cannot_be_made_does_not_hold_up_the_words(
    put_in: Queue, lease: Lease, senders: jobs.InlineSenders, now: datetime, monkeypatch: pytest.MonkeyPatch,
) -> None:
    channel = Scripted()
    monkeypatch.setattr(jobs, "link_for", lambda *_, **__: {}["none"])
    put_in(1, "sms")
    make_pass(now + LATER, lease, senders, sms=served(channel, KEYED))
    assert channel.taken[0].text.startswith("新任务：")
