"""What every channel must do, against a real HTTP server that misbehaves in every way that was seen."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import httpx
import msgspec
import pytest

from shouwang.kernel.texts import Text
from shouwang.notify import registry
from shouwang.notify.contract import Channel, Delivered, Mention, Outcome, Outgoing, Rejected, Retry, Robot, Sent, Unknown
from shouwang.notify.outside import client
from shouwang.notify.rules.delivery import code_of

NOW = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
PATIENCE_S = 0.15
HOLD_S = 10.0


@dataclass
class Request:
    """One request as the provider got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Provider:
    """A provider on 127.0.0.1: `behaviour` says how it answers, `accepted` what it has taken in.

    What is asked for `aside`, as a token is, is answered well whatever the behaviour, and counts for nothing.
    """

    accept: Callable[[Request], tuple[int, bytes]]
    behaviour: str = "well"
    aside: Callable[[Request], tuple[int, bytes] | None] = lambda request: None
    requests: list[Request] = field(default_factory=list)
    accepted: list[Request] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    provider: ClassVar[Provider]

    def do_POST(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self) -> None:
        provider = self.provider
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
        aside = provider.aside(request)
        if aside is not None:
            self._say(*aside)
            return
        provider.requests.append(request)
        match provider.behaviour:
            case "429":
                self._say(429, b"", {"Retry-After": "17"})
            case "500":
                self._say(500, b"")
            case "400":
                self._say(400, b"")
            case "redirect":
                self._say(302, b"", {"Location": f"{provider.url}/elsewhere"})
            case "slow" | "timeout after accepting":
                if provider.behaviour != "slow":
                    provider.accepted.append(request)
                provider.released.wait(HOLD_S)
            case "reply lost":
                provider.accepted.append(request)
                self.close_connection = True
            case "half way":
                provider.accepted.append(request)
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Len")
                self.close_connection = True
            case _:
                provider.accepted.append(request)
                self._say(*provider.accept(request))

    def _say(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing of a client that has gone away: that is what the tests do."""


def outgoing(**changes: Any) -> Outgoing:
    given = {
        "key": "812:1:0", "address": "", "template": "TASK_OFFERED", "params": {"reason": "TOO_LITTLE"}, "text": "新任务",
        "language": "zh", "severity": 3, "count": 1, "at": NOW,
    }
    return Outgoing(**{**given, **changes})


BEHAVIOURS: Mapping[str, Outcome] = {
    "429": Retry(17.0, "HTTP_429"),  # not taken: later, as long as it asks
    "400": Rejected("HTTP_400"),  # never
    "redirect": Rejected("REDIRECT"),  # not followed
    "500": Unknown("HTTP_500"),  # it may have been taken before the fault
    "slow": Unknown("TIMEOUT"),  # not taken, but who knows
    "timeout after accepting": Unknown("TIMEOUT"),
    "reply lost": Unknown("REPLY_LOST"),
    "half way": Unknown("REPLY_LOST"),
}


class ChannelContract:
    """Subclass it as Test…, give the folder's `code`, its `settings`, and how its provider accepts.

    `said` is what differs from BEHAVIOURS, `secrets` is what may stand in no log; a robot's channel gives its `robot`.
    """

    code: ClassVar[str]
    leaves: ClassVar[bool] = True
    good: ClassVar[type[Outcome]] = Sent
    said: ClassVar[Mapping[str, Outcome]] = {}
    refused: ClassVar[Outcome] = Rejected("NOT_HTTPS")
    secrets: ClassVar[tuple[str, ...]] = ()
    key: ClassVar[str] = "812:1:0"

    def settings(self, provider: Provider) -> dict[str, Any]:
        return {}

    def accept(self, request: Request) -> tuple[int, bytes]:
        return 200, b"{}"

    def aside(self, request: Request) -> tuple[int, bytes] | None:
        return None

    def address(self, provider: Provider) -> str:
        return ""

    def robot(self, provider: Provider) -> Robot | None:
        return None

    @pytest.fixture
    def provider(self) -> Iterator[Provider]:
        provider = Provider(self.accept, aside=self.aside)
        server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"provider": provider}))
        provider.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield provider
        provider.released.set()
        server.shutdown()
        server.server_close()
        thread.join()

    @pytest.fixture
    def http(self) -> Iterator[httpx.Client]:
        with client() as http:
            yield http

    @pytest.fixture
    def hasty(self) -> Iterator[httpx.Client]:
        with client(PATIENCE_S) as http:
            yield http

    @pytest.fixture
    def channel(self, provider: Provider) -> Channel:
        return registry.make(self.code, self.settings(provider), allowed=[f"127.0.0.1:{provider.port}"])

    def send(self, channel: Channel, provider: Provider, http: httpx.Client, **changes: Any) -> Outcome:
        return channel.send(self.outgoing(provider, **changes), http=http)

    def outgoing(self, provider: Provider, **changes: Any) -> Outgoing:
        robot = self.robot(provider)
        mentions = (Mention("", "10000000001"),) if robot else ()
        return outgoing(**{"address": self.address(provider), "robot": robot, "mentions": mentions, **changes})

    def test_its_manifest_says_it_in_both_languages(self) -> None:
        manifest = registry.manifests()[self.code]
        texts = [manifest.name, manifest.short, *(field.label for field in manifest.fields), *manifest.reasons.values()]
        texts += [manifest.address] if manifest.address else []
        assert all(isinstance(text, Text) and text.zh and text.en for text in texts)
        assert manifest.text_limit >= 20
        assert manifest.address is not None or not manifest.needs_address
        assert manifest.link in {"IN_TEXT", "APART", "NONE"}
        assert all(code == code_of(code) for code in manifest.reasons)
        assert len(self.code) <= 16  # the column's length

    def test_it_sends(self, channel: Channel, provider: Provider, http: httpx.Client) -> None:
        assert isinstance(self.send(channel, provider, http), self.good)
        assert (1 if self.leaves else 0) == len(provider.accepted)
        assert [] == channel.problems()

    @pytest.mark.parametrize("behaviour", sorted(BEHAVIOURS))
    def test_it_says_what_came_of_it(
        self, channel: Channel, provider: Provider, http: httpx.Client, hasty: httpx.Client, caplog: pytest.LogCaptureFixture,
        behaviour: str,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        expected = self.said.get(behaviour, BEHAVIOURS[behaviour])
        provider.behaviour = behaviour
        outcome = self.send(channel, provider, hasty if expected == Unknown("TIMEOUT") else http)
        assert (expected if self.leaves else Delivered()) == outcome
        assert len(provider.requests) <= (1 if self.leaves else 0)
        assert [] == [secret for secret in self.secrets if secret in caplog.text]
        reason = getattr(outcome, "reason", "OTHER")
        assert reason == code_of(reason)

    def test_the_key_stays_the_same_when_it_sends_again(self, channel: Channel, provider: Provider, http: httpx.Client) -> None:
        provider.behaviour = "reply lost"
        self.send(channel, provider, http)
        provider.behaviour = "well"
        self.send(channel, provider, http)
        keys = [self.key_of(request) for request in provider.accepted]
        assert ((2, 1) if self.leaves else (0, 0)) == (len(keys), len(set(keys)))

    def key_of(self, request: Request) -> str:
        """Return what the provider tells a repeat by; where there is no key, all that was sent."""
        return str(msgspec.json.decode(request.body)["out_id"])

    def test_it_refuses_a_private_address_that_is_not_allowed(self, provider: Provider, http: httpx.Client) -> None:
        channel = registry.make(self.code, self.settings(provider), allowed=[])
        outcome = self.send(channel, provider, http)
        assert (self.refused if self.leaves else Delivered()) == outcome
        assert [] == provider.requests
        assert (self.leaves and self.robot(provider) is None) == bool(channel.problems())

    def test_it_does_not_reach_a_provider_that_is_gone(self, channel: Channel, provider: Provider, http: httpx.Client) -> None:
        nobody = Provider(self.accept, port=1)
        gone = registry.make(self.code, self.settings(nobody), allowed=["127.0.0.1:1"])
        outcome = self.send(gone, nobody, http)
        assert (Retry(5.0, "NO_CONNECTION") if self.leaves else Delivered()) == outcome

    def test_it_answers_a_question(self, channel: Channel, http: httpx.Client) -> None:
        assert isinstance(channel.query(self.key, http=http), Outcome)


class RobotContract(ChannelContract):
    """What every robot of a group must do beside; `worded` are the reason codes it must have words for."""

    worded: ClassVar[tuple[str, ...]] = ()
    path: ClassVar[str] = "/robot/send?token=invented-token"
    secret: ClassVar[str] = "invented-secret"
    secrets: ClassVar[tuple[str, ...]] = ("invented-token", "invented-secret", "10000000001")

    def robot(self, provider: Provider) -> Robot | None:
        return Robot(provider.url + self.path, self.secret)

    def key_of(self, request: Request) -> str:
        return request.body.decode()

    def test_it_speaks_in_a_group_at_a_rate(self) -> None:
        manifest = registry.manifests()[self.code]
        assert manifest.is_shared
        assert not manifest.needs_address
        assert manifest.rate is not None
        assert "robot" == manifest.rate.per

    def test_without_a_robot_nothing_leaves(self, channel: Channel, provider: Provider, http: httpx.Client) -> None:
        assert Rejected("NO_ROBOT") == self.send(channel, provider, http, robot=None)
        assert [] == provider.requests

    def test_a_robot_cannot_be_asked(self, channel: Channel, http: httpx.Client) -> None:
        assert Unknown("NO_QUERY") == channel.query(self.key, http=http)

    def test_every_code_it_gives_has_words(self) -> None:
        reasons = registry.manifests()[self.code].reasons
        assert [] == [code for code in self.worded if code not in reasons]

    def said_to(self, channel: Channel, provider: Provider, http: httpx.Client, answer: bytes) -> Outcome:
        provider.accept = lambda request: (200, answer)
        return self.send(channel, provider, http)
