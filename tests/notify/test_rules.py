"""The rules of sending: bundling, what follows an outcome, addresses, words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.kernel.texts import Text
from shouwang.notify import rules
from shouwang.notify.rules import (
    Bundle,
    Delivered,
    Missing,
    Next,
    Outcome,
    Rejected,
    Retry,
    Sent,
    State,
    Step,
    Traits,
    Unknown,
    Waiting,
    after_query,
    after_send,
    due_bundles,
    next_due_at,
    render,
    retake,
)
from shouwang.notify.rules.bundling import APART, LONGEST, LastSent, ready_at
from shouwang.notify.rules.delivery import LONGEST_WAIT, MAX_ATTEMPTS, MAX_REPEATS, RECEIPT_WAITS, code_of, wait
from shouwang.notify.rules.hosts import is_public, refusal

NOW = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
KEYED = Traits(honours_key=True, gives_receipt=False, can_query=False)
GATEWAY = Traits(honours_key=False, gives_receipt=True, can_query=True)
MUTE = Traits(honours_key=False, gives_receipt=False, can_query=False)
ASKED = Traits(honours_key=True, gives_receipt=False, can_query=True)


def ms(n: int) -> timedelta:
    return timedelta(milliseconds=n)


def waiting(count: int, *, first_ms: int = 0, last_ms: int | None = None, urgent: bool = False, person: int = 1) -> Waiting:
    last = first_ms if last_ms is None else last_ms
    return Waiting(person, "inbox", count, 10 * person, NOW + ms(first_ms), NOW + ms(last), urgent)


@pytest.mark.parametrize(
    ("group", "sent_ms", "ready_ms"),
    [
        (waiting(1), None, 150),  # alone: after the grace
        (waiting(2, last_ms=100), None, 1_600),  # two: when quiet for 1.5 s after the last
        (waiting(9, last_ms=11_900), None, 12_000),  # never quiet: 12 s after the first
        (waiting(1), -30_000, 30_000),  # told half a minute ago: a minute apart
        (waiting(9, last_ms=11_900), -59_000, 12_000),  # the throttle has passed before the bundle is ready
        (waiting(1), -60_000, 150),  # told a minute ago
        (waiting(1, urgent=True), -1, 0),  # life-critical: at once, whatever went before
    ],
)
def test_when_messages_go(group: Waiting, sent_ms: int | None, ready_ms: int) -> None:
    last_sent: LastSent = {} if sent_ms is None else {(1, "inbox", None): NOW + ms(sent_ms)}
    ready = NOW + ms(ready_ms)
    assert ready == ready_at(group, last_sent)
    assert [] == due_bundles([group], last_sent, now=ready - ms(1))
    assert ready == next_due_at([group], last_sent, now=ready - ms(1))
    assert [Bundle(1, "inbox", group.count, 10, group.urgent, None)] == due_bundles([group], last_sent, now=ready)
    assert next_due_at([group], last_sent, now=ready) is None


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("urgent", [False, True])
def test_what_a_clock_that_was_ahead_has_queued_goes_at_once(count: int, urgent: bool) -> None:
    ahead = Waiting(1, "inbox", count, 10, NOW + ms(3_600_000), NOW + ms(3_601_000), urgent)
    assert [10] == [bundle.first_id for bundle in due_bundles([ahead], {}, now=NOW)]
    partly = Waiting(1, "inbox", 2, 10, NOW - ms(20_000), NOW + ms(3_600_000))
    assert [10] == [bundle.first_id for bundle in due_bundles([partly], {}, now=NOW)]


def test_the_urgent_goes_first() -> None:
    late = NOW + timedelta(minutes=1)
    groups = [waiting(3, person=1), waiting(1, first_ms=-500, person=2), waiting(1, first_ms=900, urgent=True, person=3)]
    assert [3, 2, 1] == [bundle.person_id for bundle in due_bundles(groups, {}, now=late)]


def test_an_exercise_does_not_hold_back_what_is_real() -> None:
    last_sent: LastSent = {(1, "inbox", 7): NOW}
    assert 1 == len(due_bundles([waiting(1)], last_sent, now=NOW + ms(150)))


@given(
    arrivals=st.lists(st.integers(0, 300_000), min_size=1, max_size=60).map(sorted),
    step=st.integers(50, 2_000),
)
def test_a_stream_of_messages_goes_out_whole_and_at_most_once_a_minute(arrivals: list[int], step: int) -> None:
    sent_at: list[datetime] = []
    told, at = 0, 0
    while told < len(arrivals):
        came = [n for n in arrivals if n <= at][told:]
        if came:
            group = waiting(len(came), first_ms=came[0], last_ms=came[-1])
            last_sent: LastSent = {(1, "inbox", None): sent_at[-1]} if sent_at else {}
            for bundle in due_bundles([group], last_sent, now=NOW + ms(at)):
                told += bundle.count
                sent_at.append(NOW + ms(at))
        at += step
        assert at <= 300_000 + 12_000 + 60_000 + 2 * step
    assert all(later - earlier >= APART for earlier, later in zip(sent_at, sent_at[1:], strict=False))
    assert sent_at[0] <= NOW + ms(arrivals[0] + step) + LONGEST


def s(n: float) -> datetime:
    return NOW + timedelta(seconds=n)


@pytest.mark.parametrize(
    ("outcome", "traits", "attempts", "expected"),
    [
        (Sent("r"), KEYED, 1, Next(State.SENT)),  # no receipt to wait for: it has ended
        (Sent("r"), GATEWAY, 3, Next(State.SENT, s(5))),  # its receipt is asked for
        (Delivered(), GATEWAY, 1, Next(State.DELIVERED)),
        (Rejected("HTTP_400"), KEYED, 1, Next(State.FAILED, None, "HTTP_400")),
        (Rejected("Wang 10000000001"), KEYED, 1, Next(State.FAILED, None, "OTHER")),  # no personal value is kept
        (Retry(30, "HTTP_429"), KEYED, 1, Next(State.PENDING, s(30), "HTTP_429", 1)),  # as long as was asked
        (Retry(1, "HTTP_429"), KEYED, 3, Next(State.PENDING, s(8), "HTTP_429", 3)),  # or longer, doubling
        (Retry(86_400, "HTTP_429"), KEYED, 1, Next(State.PENDING, NOW + LONGEST_WAIT, "HTTP_429", 1)),
        (Retry(1, "HTTP_429"), KEYED, MAX_ATTEMPTS, Next(State.FAILED, None, "HTTP_429")),  # given up
        (Unknown("TIMEOUT"), GATEWAY, 1, Next(State.UNKNOWN, s(2), "TIMEOUT", 1)),
        (Unknown("TIMEOUT"), GATEWAY, MAX_ATTEMPTS, Next(State.UNKNOWN, None, "TIMEOUT")),
        (Missing(), KEYED, 1, Next(State.PENDING, s(2), "MISSING", 1)),
    ],
)
def test_what_follows_sending(outcome: Outcome, traits: Traits, attempts: int, expected: Next) -> None:
    assert expected == after_send(outcome, traits=traits, attempts=attempts, now=NOW)


@pytest.mark.parametrize(
    ("outcome", "was", "attempts", "repeats", "expected"),
    [
        (Delivered(), State.UNKNOWN, 2, 0, Next(State.DELIVERED)),
        (Rejected("EXPIRED"), State.SENT, 2, 0, Next(State.FAILED, None, "EXPIRED")),
        (Missing(), State.LEASED, 2, 0, Next(State.PENDING, s(2), "MISSING", 2, is_repeat=True)),  # goes again, counted
        (Missing(), State.LEASED, 2, MAX_REPEATS, Next(State.FAILED, None, "MISSING")),
        (Sent(), State.UNKNOWN, 2, 0, Next(State.SENT, s(5))),  # it had gone after all
        (Sent(), State.SENT, 1, 0, Next(State.SENT, s(20), attempts=1)),  # the receipt is asked for again
        (Unknown("X"), State.SENT, 2, 0, Next(State.SENT, s(60), attempts=2)),
        (Sent(), State.SENT, len(RECEIPT_WAITS), 0, Next(State.UNKNOWN, None, "NO_RECEIPT")),
        (Retry(9, "HTTP_429"), State.UNKNOWN, 2, 0, Next(State.UNKNOWN, s(9), "HTTP_429", 2)),
        (Unknown("HTTP_500"), State.UNKNOWN, MAX_ATTEMPTS, 0, Next(State.UNKNOWN, None, "HTTP_500")),
    ],
)
def test_what_follows_a_question(outcome: Outcome, was: State, attempts: int, repeats: int, expected: Next) -> None:
    assert expected == after_query(outcome, was=was, traits=GATEWAY, attempts=attempts, repeats=repeats, now=NOW)


@pytest.mark.parametrize(
    ("state", "traits", "step"),
    [
        (State.PENDING, MUTE, Step.SEND),  # it certainly has not gone
        (State.LEASED, KEYED, Step.SEND),  # its sender died; a second one is dropped
        (State.LEASED, GATEWAY, Step.QUERY),
        (State.LEASED, MUTE, Step.GIVE_UP),  # nobody can tell: never a silent second one
        (State.UNKNOWN, ASKED, Step.QUERY),
        (State.SENT, GATEWAY, Step.QUERY),
        (State.SENT, KEYED, Step.GIVE_UP),  # the channel no longer reports receipts: it is not sent again
    ],
)
def test_what_is_done_when_a_wait_has_run_out(state: State, traits: Traits, step: Step) -> None:
    assert step == retake(state, traits)


OUTCOMES = st.one_of(
    st.builds(Sent), st.builds(Retry, st.floats(0, 1e9), st.just("HTTP_429")), st.just(Unknown("TIMEOUT")), st.just(Missing()),
)


@given(traits=st.builds(Traits, st.booleans(), st.booleans(), st.booleans()), outcomes=st.lists(OUTCOMES, min_size=60, max_size=60))
def test_every_message_ends_whatever_its_provider_says(traits: Traits, outcomes: list[Outcome]) -> None:
    """I4, with a provider that never says delivered or rejected, and with senders that may die (LEASED)."""
    state, attempts, repeats, now, sendings = State.PENDING, 0, 0, NOW, 0
    for outcome in outcomes:
        step = retake(state, traits)
        if step == Step.GIVE_UP:
            return
        attempts += 1
        if step == Step.SEND:
            sendings += 1
            following = after_send(outcome, traits=traits, attempts=attempts, now=now)
        else:
            following = after_query(outcome, was=state, traits=traits, attempts=attempts, repeats=repeats, now=now)
            repeats += following.is_repeat
        if following.again_at is None:
            assert State.PENDING != following.state != State.LEASED
            assert repeats <= MAX_REPEATS
            return
        state, attempts, now = following.state, following.attempts, following.again_at
    pytest.fail("the message has not ended after 60 tries")


@given(st.integers(1, 60), st.floats(0, 1e12))
def test_a_wait_is_never_longer_than_a_quarter_of_an_hour(attempts: int, asked: float) -> None:
    assert timedelta(seconds=2) <= wait(attempts, at_least_s=asked) <= LONGEST_WAIT


@given(st.text())
def test_only_codes_are_kept_as_reasons(reason: str) -> None:
    kept = code_of(reason)
    assert kept in {reason, "OTHER"}
    assert kept.isascii()
    assert len(kept) <= 40


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org/hook", None),
        ("http://example.org/hook", "NOT_HTTPS"),
        ("http://gateway.local/send", None),  # allowed by the office
        ("http://gateway.local:8080/send", None),
        ("http://127.0.0.1:9000/", None),  # allowed with exactly this port
        ("http://127.0.0.1:9001/", "NOT_HTTPS"),
        ("ftp://gateway.local/", "NOT_HTTPS"),
        ("https://user:secret@example.org/", "URL_INVALID"),
        ("https:///path", "URL_INVALID"),
        ("https://example.org:99999/", "URL_INVALID"),
        ("", "URL_INVALID"),
    ],
)
def test_which_addresses_may_be_called(url: str, expected: str | None) -> None:
    assert expected == refusal(url, allowed=["gateway.local", "127.0.0.1:9000"])


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),  # cloud metadata
        ("100.64.0.1", False),  # carrier-grade NAT
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("fe80::1", False),
        ("::ffff:10.0.0.1", False),  # IPv4 wrapped in IPv6
        ("64:ff9b::a00:1", False),  # NAT64 of 10.0.0.1
        ("2002:0a00:0001::", False),  # 6to4 of 10.0.0.1
    ],
)
def test_which_resolved_addresses_are_public(address: str, *, expected: bool) -> None:
    assert expected == is_public(address)


@pytest.fixture
def words() -> None:
    rules.register_words({"TOO_LITTLE": Text("用水不足 {litres} 升", "only {litres} L used")})
    rules.register("NOTE", Text("{reason}，请查看", "{reason}; please look"))


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize(
    ("language", "count", "limit", "exercise", "expected"),
    [
        ("zh", 1, None, False, "用水不足 3 升，请查看"),
        ("en", 1, None, False, "only 3 L used; please look"),
        ("zh", 4, None, False, "您有 4 条消息，最急的一条：用水不足 3 升，请查看"),
        ("zh", 1, 6, False, "用水不足 …"),
        ("zh", 1, None, True, "【演练】用水不足 3 升，请查看"),
    ],
)
def test_a_message_is_said_in_the_readers_language(language: str, count: int, limit: int | None, exercise: bool, expected: str) -> None:
    said = render("NOTE", {"reason": "TOO_LITTLE", "litres": 3}, language=language, count=count, limit=limit, is_exercise=exercise)
    assert expected == said


def test_a_message_carries_the_address_of_its_task_or_of_what_its_template_speaks_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shouwang.notify.rules.texts._makers", [lambda task, person: f"/task/{task}/{person}/"])
    monkeypatch.setattr("shouwang.notify.rules.texts._page_makers", {})
    rules.register_page("PAGE", lambda params: f"/page/{params['id']}/")
    assert rules.link_of(7, 2, template="PAGE", params={"id": 5}) == "/task/7/2/"
    assert rules.link_of(None, 2, template="PAGE", params={"id": 5}) == "/page/5/"
    assert rules.link_of(None, 2, template="OTHER", params={"id": 5}) == ""
    assert rules.link_of(None, 2) == ""


def test_an_unregistered_template_still_says_something() -> None:
    assert "NOBODY_KNOWS" in render("NOBODY_KNOWS", {}, language="en")
