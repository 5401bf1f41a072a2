"""Letters: sent until the server says 200, under one key, oldest first; what is lost is counted and told."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

import httpx

from shouwang.vision.entering import Happening, Kind, State
from shouwang.vision.records import Letter, Shown, Writer
from shouwang.vision.sending import MOST_WAITING, Sender
from tests.vision.conftest import plan

AT = datetime(2026, 7, 1, 6, 30, tzinfo=UTC)


class Server:
    """A server in memory that answers as it is told, in turn; the last answer stays."""

    def __init__(self, *answers: int) -> None:
        self.answers, self.keys, self.lost = list(answers), list[str](), list[str]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["Authorization"] == "Bearer token-of-a-test"
        self.keys.append(request.headers["Idempotency-Key"])
        self.lost.append(request.headers["X-Records-Lost"])
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if status == 0:
            raise httpx.ConnectError("away")
        return httpx.Response(status)


def sender_to(server: Callable[[httpx.Request], httpx.Response], said: list[str] | None = None) -> Sender:
    client = httpx.Client(transport=httpx.MockTransport(server))
    return Sender("http://server/api", lambda: "token-of-a-test", client, say=(said if said is not None else []).append)


def settle(sender: Sender, *, count: int) -> None:
    until = time.monotonic() + 20
    while sender.sent.taken + sender.sent.refused < count and time.monotonic() < until:
        time.sleep(0.01)
    sender.stop(patience_s=0)


def test_a_letter_goes_until_the_server_says_200_under_one_key() -> None:
    server = Server(0, 503, 200)
    sender = sender_to(server)
    sender.put(Letter("k1", b"{}"))
    sender.start()
    settle(sender, count=1)
    assert server.keys == ["k1"] * 3
    assert (sender.sent.taken, sender.sent.tried_again, sender.sent.lost) == (1, 2, 0)


def test_a_letter_that_will_never_be_taken_does_not_hold_up_the_next() -> None:
    server, said = Server(422, 200), list[str]()
    sender = sender_to(server, said)
    sender.put(Letter("bad", b"{}"))
    sender.put(Letter("good", b"{}"))
    sender.start()
    settle(sender, count=2)
    assert server.keys == ["bad", "good"]
    assert (sender.sent.taken, sender.sent.refused) == (1, 1)
    assert "422" in said[0]


def test_past_the_bound_the_oldest_is_lost_and_the_server_is_told_how_many() -> None:
    server, said = Server(200), list[str]()
    sender = sender_to(server, said)
    for number in range(MOST_WAITING + 3):
        sender.put(Letter(f"k{number}", b"{}"))
    sender.start()
    settle(sender, count=MOST_WAITING)
    assert server.keys[0] == "k3"
    assert server.lost[:2] == ["3", "0"]
    assert sender.sent.lost == 3
    assert "3" in said[0]


def test_what_is_left_at_the_end_counts_as_lost() -> None:
    sender = sender_to(Server(0))
    sender.put(Letter("k", b"{}"))
    sender.start()
    assert sender.stop(patience_s=0) == 1
    assert sender.sent.lost == 1


def happening(**of: object) -> Happening:
    return Happening(**{"kind": Kind.ENTER, "state": State.START, "zone": "z", "presence": 4, "box": (10.0, 20.0, 30.0, 70.0), "at_s": 1.0, **of})  # type: ignore[arg-type]


def test_the_record_is_the_standard_one() -> None:
    letter = Writer(plan(), "run1", 100, 100).happened(happening(), at=AT, shown=(Shown("entry.jpg", "image/jpeg", b"pic"),))
    record = json.loads(letter.body)
    assert {
        "rule": "ZONE:z", "zone": "z", "kind": "ENTER", "state": "START", "object": "HUMAN", "object_id": "run1-z-4", "box": [0.1, 0.2, 0.3, 0.7],
        "device_at": "2026-07-01T06:30:00Z", "clip": None,
    }.items() <= record.items()
    assert base64.b64decode(record["snapshots"][0]["base64"]) == b"pic"
    assert record["polygon"][0] == [0.25, 0.25]
    assert letter.key == Writer(plan(), "run1", 100, 100).happened(happening(), at=AT).key


def test_an_unconfirmed_entry_is_another_rule_and_of_unknown_object() -> None:
    record = json.loads(Writer(plan(), "r", 100, 100).happened(happening(confirmed=False), at=AT).body)
    assert (record["rule"], record["object"], record["health"]["confirmed"]) == ("ZONE:z:CHECK", "UNKNOWN", False)


def test_the_server_s_own_source_takes_the_record_and_the_sign_of_life() -> None:
    from shouwang.telemetry.sources.camera_json.decode import decode  # noqa: PLC0415 - Django's settings first

    shown = (Shown("entry.jpg", "image/jpeg", b"pic"), Shown("entry.original.jpg", "image/jpeg", b"original"))
    (record,) = decode(Writer(plan(), "r", 100, 100).happened(happening(), at=AT, shown=shown, clip=Shown("clip.mp4", "video/mp4", b"clip")).body)
    assert (record.kind, record.state, record.zone, record.object, record.box, record.device_at) == ("ENTER", "START", "z", "HUMAN", (0.1, 0.2, 0.3, 0.7), AT)
    assert [(each.name, each.content) for each in record.snapshots] == [("entry.jpg", b"pic"), ("entry.original.jpg", b"original"), ("clip.mp4", b"clip")]
    (moved,) = decode(Writer(plan(), "r", 100, 100).told(Kind.MOVED, State.START, at=AT).body)
    assert (moved.kind, moved.state) == ("MOVED", "START")
    assert decode(b'{"device": "", "health": {"night": true}}') == []
