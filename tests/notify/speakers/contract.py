"""What every kind of loudspeaker must do, against a device on 127.0.0.1 that keeps what it was sent and misbehaves as devices do."""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import unquote

import httpx
import numpy as np
import pytest

from shouwang.notify.contract import Delivered, Outcome, Rejected, Retry, Sent, Unknown
from shouwang.notify.outside import client
from shouwang.notify.rules.audio import loudness_of, seconds_of
from shouwang.notify.rules.delivery import code_of
from shouwang.notify.rules.g711 import Samples
from shouwang.notify.speaking import registry
from shouwang.notify.speaking.contract import Clip, Speaker
from shouwang.notify.speaking.recorded import recorded

PATIENCE_S = 0.15
HOLD_S = 10.0
USER, PASSWORD = "watch", "an-invented-password"
NONCE, REALM = "0a4f113b", "device"


@dataclass(frozen=True)
class Asked:
    """One request as the device got it; `at_s` is when its first byte of content came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at_s: float


@dataclass(frozen=True)
class Taken:
    """A sound as the device took it; a siren has no samples."""

    form: str
    samples: Samples | None
    at_s: float


@dataclass
class Device:
    """A device: subclass it and answer `do`. It asks for Digest, keeps what it took, and behaves as `behaviour` says.

    `sounds(asked)` says whether a request is the one that makes it sound: what it does "after accepting" it does there.
    """

    behaviour: str = "well"
    password: str = PASSWORD
    scheme: str = "Digest"
    asked: list[Asked] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def do(self, asked: Asked) -> tuple[int, bytes]:
        raise NotImplementedError

    def sounds(self, asked: Asked) -> bool:
        raise NotImplementedError

    def knows(self, asked: Asked) -> bool:
        """Return whether the request says the password as this device asks for it."""
        said = asked.headers.get("authorization", "")
        if self.scheme == "Basic":
            return said == httpx.BasicAuth(USER, self.password)._auth_header
        parts = dict(re.findall(r'(\w+)="?([^",]*)"?', said.removeprefix("Digest ")))
        if parts.get("nonce") != NONCE or parts.get("uri") != asked.path:
            return False
        who = _md5(f"{USER}:{REALM}:{self.password}")
        what = _md5(f"{asked.method}:{asked.path}")
        return parts.get("response") == _md5(f"{who}:{NONCE}:{parts['nc']}:{parts['cnonce']}:auth:{what}")

    def question(self) -> str:
        return f'Digest realm="{REALM}", nonce="{NONCE}", qop="auth"' if self.scheme == "Digest" else f'Basic realm="{REALM}"'


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    device: ClassVar[Device]

    def do_GET(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self) -> None:
        device, length = self.device, int(self.headers.get("Content-Length") or 0)
        first = self.rfile.read(min(length, 1))
        at_s = time.monotonic()
        body = first + self.rfile.read(length - len(first))
        asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body, at_s)
        if device.scheme and not device.knows(asked):
            self._say(401, b"", {"WWW-Authenticate": device.question()})
            return
        device.asked.append(asked)
        match device.behaviour:
            case "slow":
                device.released.wait(HOLD_S)
            case "500" | "404":
                self._say(int(device.behaviour), b"")
            case "timeout after accepting" if device.sounds(asked):
                device.do(asked)
                device.released.wait(HOLD_S)
            case "reply lost" if device.sounds(asked):
                device.do(asked)
                self.close_connection = True
            case _:
                self._say(*device.do(asked))

    def _say(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing of a client that has gone away: that is what the tests do."""


def serve(device: Device) -> Iterator[Device]:
    """Serve `device` until the test ends."""
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"device": device}))
    device.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield device
    device.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


def clip(prompt: str = "WATER_EDGE", **changes: Any) -> Clip:
    return replace(Clip("812:0", prompt, recorded(prompt)), **changes)


def decoded(path: str) -> str:
    return unquote(path.replace("+", " "))


BEHAVIOURS: Mapping[str, Outcome] = {
    "404": Rejected("HTTP_404"),  # never
    "500": Unknown("HTTP_500"),  # it may have sounded before the fault
    "slow": Unknown("TIMEOUT"),  # not taken, but who knows
    "timeout after accepting": Unknown("TIMEOUT"),
    "reply lost": Unknown("REPLY_LOST"),
}


class SpeakerContract:
    """Subclass it as Test…, give the folder's `code`, a device of its kind, and its settings; `said` is what differs from BEHAVIOURS."""

    code: ClassVar[str]
    form: ClassVar[str]
    said: ClassVar[Mapping[str, Outcome]] = {}

    def made(self) -> Device:
        raise NotImplementedError

    def settings(self, device: Device) -> dict[str, str]:
        return {"url": device.url, "user": USER}

    @pytest.fixture
    def device(self) -> Iterator[Device]:
        yield from serve(self.made())

    @pytest.fixture
    def http(self) -> Iterator[httpx.Client]:
        with client() as http:
            yield http

    @pytest.fixture
    def hasty(self) -> Iterator[httpx.Client]:
        with client(PATIENCE_S) as http:
            yield http

    @pytest.fixture
    def speaker(self, device: Device) -> Speaker:
        return self.speaker_of(device)

    def speaker_of(self, device: Device, *, secret: str = PASSWORD, allowed: list[str] | None = None, **changes: str) -> Speaker:
        allow = [f"127.0.0.1:{device.port}"] if allowed is None else allowed
        made: Any = registry.make(self.code, {**self.settings(device), **changes}, secret=secret, allowed=allow)
        return replace(made, sleep=lambda s: None) if hasattr(made, "sleep") else made

    def test_its_manifest_says_it_in_both_languages(self) -> None:
        manifest = registry.manifests()[self.code]
        texts = [manifest.name, manifest.short, *(each.label for each in manifest.fields), *([manifest.secret] if manifest.secret else [])]
        assert all(text.zh and text.en for text in texts)
        assert self.form in manifest.plays
        assert set(manifest.plays) <= {"PCMA", "PCMU", "WAV", "FILE", "SIREN"}
        assert manifest.checking in {"STATUS", "TONE"}
        assert len(self.code) <= 16  # the column's length

    def test_the_device_holds_the_sound(self, speaker: Speaker, device: Device, http: httpx.Client) -> None:
        began_s = time.monotonic()
        assert isinstance(speaker.play(clip(), http=http), Sent)
        (taken,) = device.taken
        assert self.form == taken.form
        assert taken.at_s - began_s < 1.0  # it begins at once: three calls on one machine
        if taken.samples is not None:
            assert abs(seconds_of(taken.samples) - seconds_of(recorded("WATER_EDGE"))) < 0.02
            assert loudness_of(taken.samples) > 0.05  # it speaks
            assert np.corrcoef(taken.samples, recorded("WATER_EDGE"))[0, 1] > 0.99  # and says these words, in the codec it was asked for
        assert [] == speaker.problems()

    @pytest.mark.parametrize("behaviour", sorted(BEHAVIOURS))
    def test_it_says_what_came_of_it(
        self, speaker: Speaker, device: Device, http: httpx.Client, hasty: httpx.Client, caplog: pytest.LogCaptureFixture, behaviour: str,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        expected = self.said.get(behaviour, BEHAVIOURS[behaviour])
        device.behaviour = behaviour
        outcome = speaker.play(clip("TEST_TONE"), http=hasty if getattr(expected, "reason", "") == "TIMEOUT" else http)
        assert expected == outcome
        assert (1 if behaviour in {"timeout after accepting", "reply lost"} else 0) == len(device.taken)
        assert PASSWORD not in caplog.text
        reason = getattr(outcome, "reason", "OTHER")
        assert reason == code_of(reason)

    def test_a_wrong_password_is_said_and_nothing_sounds(self, device: Device, http: httpx.Client) -> None:
        speaker = self.speaker_of(device, secret="another")
        assert Rejected("HTTP_401") == speaker.play(clip("TEST_TONE"), http=http)
        assert Rejected("HTTP_401") == speaker.check(http=http)
        assert [] == device.taken

    def test_a_dead_device_certainly_did_not_sound(self, device: Device, http: httpx.Client) -> None:
        device.port = _closed_port()
        speaker = self.speaker_of(device)
        assert isinstance(speaker.play(clip("TEST_TONE"), http=http), Retry)
        assert isinstance(speaker.check(http=http), Retry)

    def test_a_check_finds_it_well(self, speaker: Speaker, device: Device, http: httpx.Client) -> None:
        assert isinstance(speaker.check(http=http), Delivered)
        assert (1 if registry.manifests()[self.code].checking == "TONE" else 0) == len(device.taken)
        assert all(each.samples is None or loudness_of(each.samples) < 0.1 for each in device.taken)  # soft

    @pytest.mark.parametrize("behaviour", ["404", "500", "slow"])
    def test_a_check_finds_it_ill(self, speaker: Speaker, device: Device, hasty: httpx.Client, behaviour: str) -> None:
        device.behaviour = behaviour
        assert not isinstance(speaker.check(http=hasty), Sent | Delivered)

    def test_it_refuses_a_private_address_that_is_not_allowed(self, device: Device, http: httpx.Client) -> None:
        speaker = self.speaker_of(device, allowed=[])
        assert Rejected("NOT_HTTPS") == speaker.play(clip("TEST_TONE"), http=http)
        assert [] == device.asked
        assert speaker.problems()


def _closed_port() -> int:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.server_close()
    return int(server.server_address[1])
