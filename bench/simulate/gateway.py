"""The outside: an SMS gateway that does not honour keys and a webhook receiver that does, both as bad as real ones.

They lose requests, lose their answers, are slow, refuse, ask the caller to come back, report twice, late and out of
order. What they have accepted is the truth that the outbox is judged by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import httpx
import msgspec

from bench.simulate import store
from bench.simulate.faults import Faults
from bench.simulate.stage import Stage
from shouwang.notify.jobs import LONGEST_SEND_S

Told = Callable[[int, str, str], None]
Report = Callable[[int, str, str], None]


@dataclass
class Sms:
    """One message as the gateway holds it."""

    key: str
    person: int
    link: str
    at: datetime
    status: str = "ACCEPTED"
    copies: int = 1


@dataclass
class Gateway:
    """Both providers. `told` hears what reaches a person; `report` carries the gateway's callbacks.

    `takes` is how long after it came in a request is still being answered.
    """

    stage: Stage
    faults: Faults
    dice: Random
    phones: dict[str, int]
    told: Told
    report: Report
    sms: dict[str, Sms] = field(default_factory=dict)
    hooks: dict[str, int] = field(default_factory=dict)
    counts_in: dict[str, int] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    takes: timedelta = timedelta()
    _flying: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def client(self) -> httpx.Client:
        """Return a client whose requests end here."""
        return httpx.Client(transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one request, or fail as a network fails."""
        sms = request.url.path.startswith("/sms/")
        asks = request.url.path == "/sms/status"
        body: dict[str, Any] = {} if asks else msgspec.json.decode(request.content)
        channel = "sms" if sms else "webhook"
        key = request.url.params["out_id"] if asks else body["out_id"] if sms else body["data"]["key"]
        self._one_at_a_time(channel, key)
        try:
            if self.faults.happens("crash_while_sending", 0.004):
                raise self.faults.crash("before sending")
            if self.faults.enabled and self.dice.random() < 0.01:
                self.faults.nap()
            if asks:
                return self._status(key)
            return self._send(channel, lambda: self._take_sms(body) if sms else self._take_hook(request, body))
        finally:
            self._flying[channel, key] = min(self._flying[channel, key], self.stage.true + self.takes)

    def _refuse(self, dice: float) -> httpx.Response:
        if dice < 0.4:
            raise httpx.ConnectError("no connection")
        return httpx.Response(429 if dice < 0.7 else 503, headers={"retry-after": "20"}, stream=httpx.ByteStream(b""))

    def _one_at_a_time(self, channel: str, key: str) -> None:
        """Two senders at once, while the first may still be about it, tell somebody twice."""
        now = self.stage.true
        until = self._flying.get((channel, key), now)
        if now < until:
            self.stage.violate(
                "I5 a message is sent by one at a time", found=f"{channel} {key} again {until - now} before the first is done", expected="one",
                task=_number(key),
            )
        self._flying[channel, key] = now + timedelta(seconds=LONGEST_SEND_S)
        if not store.rows("SELECT 1 FROM notify_message WHERE key = %s AND channel = %s", (key, channel)):
            self.stage.violate("I5 a key stays the same", found=f"{channel} {key}", expected="the key of a message", task=_number(key))

    def _send(self, channel: str, take: Callable[[], httpx.Response]) -> httpx.Response:
        dice, happens = self.dice.random(), self.faults.happens
        if happens("drop", 0.03):
            raise httpx.ReadTimeout("the request was lost")
        if happens("refused", 0.03):
            return self._refuse(dice)
        if happens("delay", 0.02):
            self.stage.after(timedelta(seconds=self.dice.uniform(1, 1500)), lambda: void(take()))
            raise httpx.ReadTimeout("the request is on its way")
        answer = take()
        if channel == "webhook" and happens("duplicate", 0.03):
            take()
        if happens("lost_reply", 0.04):
            raise httpx.ReadTimeout("the answer was lost") if dice < 0.5 else httpx.RemoteProtocolError("broken off")
        if happens("crash_while_sending", 0.004):
            raise self.faults.crash("after sending")
        return answer

    def _take_sms(self, body: dict[str, Any]) -> httpx.Response:
        key = body["out_id"]
        person = self.phones.get(body["phone"])
        if person is None:
            return _answer({"code": "BAD_NUMBER"})
        held = self.sms.get(key)
        self.stage.log("sms", key=key, person=person, task=_number(key))
        if held is not None:
            held.copies += 1
            self.told(person, "sms", held.link)
            return _answer({"code": "OK", "ref": f"r{key}"})
        if self.faults.happens("refused", 0.01):
            return _answer({"code": "BLACKLIST"})
        link = str(body["params"].get("link", ""))
        self.sms[key] = Sms(key, person, link, self.stage.true)
        self.stage.after(timedelta(seconds=self.dice.uniform(2, 40)), lambda: self._deliver(key))
        return _answer({"code": "OK", "ref": f"r{key}"})

    def _deliver(self, key: str) -> None:
        held = self.sms[key]
        held.status = "FAILED" if self.faults.happens("refused", 0.03) else "DELIVERED"
        if held.status == "DELIVERED":
            self.told(held.person, "sms", held.link)
        if self.faults.happens("drop", 0.1):
            return
        reports = [held.status]
        if self.faults.happens("duplicate", 0.05):
            reports.append(held.status)
        if self.faults.happens("reorder", 0.05):
            reports.append("ACCEPTED")
        if self.faults.happens("delay", 0.05):
            late = [(status, self.dice.uniform(60, 7200)) for status in reports]
        else:
            late = [(status, self.dice.uniform(0, 2)) for status in reports]
        for status, seconds in late:
            self.stage.after(timedelta(seconds=seconds), lambda status=status: self.report(held.person, key, status))  # type: ignore[misc]

    def _status(self, key: str) -> httpx.Response:
        if self.faults.happens("drop", 0.03):
            raise httpx.ReadTimeout("no status")
        held = self.sms.get(key)
        return _answer({}, 404) if held is None else _answer({"status": held.status, "ref": f"r{key}"})

    def _take_hook(self, request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        data = body["data"]
        key, person = data["key"], int(request.url.path.rpartition("/")[2])
        if request.headers["webhook-id"] != key:
            self.stage.violate("I5 one key", found=request.headers["webhook-id"], expected=key, task=_number(key))
        self.stage.log("webhook", key=key, person=person, task=_number(key))
        self.seen[key] += 1
        if key not in self.hooks:
            self.hooks[key] = person
            self.counts_in[key] = data["count"]
            self.told(person, "webhook", str(data["params"].get("link", "")))
        return _answer({}, 204)


def _answer(body: dict[str, str], status: int = 200) -> httpx.Response:
    return httpx.Response(status, stream=httpx.ByteStream(msgspec.json.encode(body)))


def void(_: object) -> None:
    """Take an answer that nobody waits for any more."""


def _number(key: str) -> int | None:
    head = key.partition(":")[0]
    return int(head) if head.isdigit() else None
