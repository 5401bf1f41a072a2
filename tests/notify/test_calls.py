"""What a voice gateway calls back with: signed, or not at all; a key accepts, an unanswered call changes nothing but itself."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.test import Client
from standardwebhooks import Webhook

from shouwang.journal.queries import events_after
from shouwang.journal.rules import Lease
from shouwang.notify import actions, jobs
from shouwang.notify.models import Message
from shouwang.notify.rules import State
from shouwang.notify.rules.signatures import is_signed, key_of
from tests.notify.conftest import GATEWAY, Queue, Scripted, served

SECRET = "whsec_dGhpcyBpcyBhbiBpbnZlbnRlZCBzZWNyZXQh"
OTHER = "whsec_YW5vdGhlciBpbnZlbnRlZCBzZWNyZXQhIQ=="


def headers(body: bytes, *, secret: str = SECRET, at: datetime | None = None) -> dict[str, str]:
    at = at or datetime.now(UTC)
    signature = Webhook(secret).sign("e-1", at, body.decode())
    return {"webhook-id": "e-1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


def call(client: Client, rows: Any, *, given: dict[str, str] | None = None) -> Any:
    body = rows if isinstance(rows, bytes) else msgspec.json.encode(rows)
    return client.post("/api/v1/voice/events", body, content_type="application/json", headers=headers(body) if given is None else given)


@pytest.fixture
def ringing(put_in: Queue, lease: Lease, senders: jobs.InlineSenders, book: Any, now: datetime) -> str:
    """Return the key of a call that rings."""
    actions.save_setting("voice", {"callback_secret": SECRET}, enabled=True, by=None, now=now)
    (key,) = put_in(channel="voice")
    jobs.make_pass(now + timedelta(seconds=1), channels={"voice": served(Scripted(), GATEWAY)}, senders=senders, lease=lease)
    return key


def replies() -> list[tuple[list[int], str]]:
    return [(event.payload["tasks"], event.payload["code"]) for event in events_after(0, kinds=["notify.reply_received"])]


def test_a_key_on_the_keypad_accepts(client: Client, ringing: str) -> None:
    assert {"taken": 1, "ignored": 0} == call(client, [{"out_id": ringing, "event": "ANSWERED", "key": "1"}]).json()
    assert (State.DELIVERED, [([1], "ACCEPT")]) == (Message.objects.get().state, replies())


@pytest.mark.parametrize(
    ("event", "key", "state", "reason", "said"),
    [
        ("ANSWERED", "", State.DELIVERED, "", []),  # listened, pressed nothing
        ("ANSWERED", "9", State.DELIVERED, "", [([1], "OTHER")]),
        ("UNANSWERED", "1", State.FAILED, "NO_ANSWER", []),  # nobody can have pressed
        ("BUSY", "", State.FAILED, "LINE_BUSY", []),
        ("ACCEPTED", "", State.SENT, "", []),
        ("ODD", "", State.SENT, "", []),
    ],
)
def test_what_a_call_comes_to(client: Client, ringing: str, event: str, key: str, state: State, reason: str, said: list[Any]) -> None:
    call(client, [{"out_id": ringing, "event": event, "key": key}])
    row = Message.objects.get()
    assert (state, reason, said) == (State(row.state), row.reason, replies())


@pytest.mark.usefixtures("ringing")
def test_a_call_nobody_made_is_ignored(client: Client) -> None:
    assert {"taken": 0, "ignored": 1} == call(client, [{"out_id": "nobody's", "event": "ANSWERED", "key": "1"}]).json()


@pytest.mark.parametrize("wrong", ["secret", "body", "old", "none"])
def test_an_unsigned_call_accepts_nothing(client: Client, ringing: str, wrong: str) -> None:
    body = msgspec.json.encode([{"out_id": ringing, "event": "ANSWERED", "key": "1"}])
    given = {
        "secret": headers(body, secret=OTHER), "body": headers(body + b" "), "none": {},
        "old": headers(body, at=datetime.now(UTC) - timedelta(minutes=6)),
    }[wrong]
    assert 401 == call(client, body, given=given).status_code
    assert ([], State.SENT) == (replies(), Message.objects.get().state)


@pytest.mark.usefixtures("ringing")
@pytest.mark.parametrize(("body", "status"), [(b"{", 422), (b"\xff", 401), (b"[" + b" " * 600_000 + b"]", 413)])
def test_a_bad_callback_gets_a_clear_answer(client: Client, body: bytes, status: int) -> None:
    given = headers(body) if body.isascii() else {"webhook-id": "x", "webhook-timestamp": "1", "webhook-signature": "v1,x"}
    answer = call(client, body, given=given)
    assert (status, True) == (answer.status_code, bool(answer.json()["error"]["message_zh"]))


def test_nothing_is_taken_while_the_channel_is_off(client: Client, db: None) -> None:
    assert 401 == call(client, []).status_code


def test_one_of_several_signatures_is_enough() -> None:
    """A gateway that changes its secret signs with both for a while."""
    body = b"[]"
    given = headers(body)
    both = {**given, "webhook-signature": f"v1,bm9wZQ== {given['webhook-signature']}"}
    assert is_signed(body, both, SECRET, at_s=time.time())
    assert not is_signed(body, both, "whsec_", at_s=time.time())
    assert not is_signed(body, {**given, "webhook-timestamp": "soon"}, SECRET, at_s=time.time())


@pytest.mark.parametrize(("secret", "good"), [(SECRET, True), (SECRET.removeprefix("whsec_"), True), ("whsec_", False), ("!", False)])
def test_what_a_secret_is(secret: str, good: bool) -> None:
    assert good == (key_of(secret) is not None)
