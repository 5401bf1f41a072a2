"""ISAPI two-way audio: both codecs, with and without sessions, and a channel that is closed whatever happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import httpx
import pytest

from shouwang.notify.contract import Outcome, Rejected, Retry, Sent
from shouwang.notify.rules.g711 import from_alaw, from_ulaw
from tests.notify.speakers.contract import Asked, Device, SpeakerContract, Taken, clip

ROOT = "/ISAPI/System/TwoWayAudio/channels/1"


@dataclass
class Camera(Device):
    """A camera with one two-way audio channel; the audio of a session that is not open is refused."""

    codec: str = "G.711ulaw"
    session: str = "s-17"
    enabled: str = "true"
    is_open: bool = False

    def do(self, asked: Asked) -> tuple[int, bytes]:
        path, _, query = asked.path.partition("?")
        match asked.method, path.removeprefix(ROOT):
            case "GET", "":
                return 200, f"<TwoWayAudioChannel xmlns='urn:x'><id>1</id><enabled>{self.enabled}</enabled><audioCompressionType>{self.codec}</audioCompressionType></TwoWayAudioChannel>".encode()
            case "PUT", "/open" if not self.is_open:
                self.is_open = True
                session = f"<sessionId> {self.session}</sessionId>" if self.session else ""
                return 200, f"<a:TwoWayAudioSession xmlns:a='urn:x'>{session}</a:TwoWayAudioSession>".encode()
            case "PUT", "/audioData" if self.is_open and query == (f"sessionId={self.session}" if self.session else ""):
                read, form = (from_ulaw, "PCMU") if self.codec == "G.711ulaw" else (from_alaw, "PCMA")
                self.taken.append(Taken(form, read(asked.body), asked.at_s))
                return 200, b""
            case "PUT", "/close":
                self.is_open = False
                return 200, b""
        return 403, b""

    def sounds(self, asked: Asked) -> bool:
        return "audioData" in asked.path


class TestUlaw(SpeakerContract):
    code, form = "isapi", "PCMU"
    said: ClassVar[dict[str, Outcome]] = {"slow": Retry(1.0, "TIMEOUT"), "500": Retry(1.0, "HTTP_500")}  # nothing was sent yet

    def made(self) -> Camera:
        return Camera()

    def test_the_channel_is_closed_whatever_happens(self, device: Camera, hasty: httpx.Client, http: httpx.Client) -> None:
        device.behaviour = "timeout after accepting"
        self.speaker_of(device).play(clip("TEST_TONE"), http=hasty)
        assert not device.is_open
        device.behaviour = "well"
        assert Sent() == self.speaker_of(device).play(clip("TEST_TONE"), http=http)

    def test_somebody_speaking_there_is_not_interrupted(self, device: Camera, http: httpx.Client) -> None:
        device.is_open = True
        assert Retry(1.0, "HTTP_403") == self.speaker_of(device).play(clip("TEST_TONE"), http=http)
        assert device.is_open

    def test_what_a_killed_player_left_open_is_closed(self, device: Camera, http: httpx.Client) -> None:
        device.is_open = True
        assert Sent() == self.speaker_of(device).play(clip("TEST_TONE", was_cut=True), http=http)

    @pytest.mark.parametrize(("change", "reason"), [({"enabled": "false"}, "SPEAKER_DISABLED"), ({"codec": "AAC"}, "CODEC_UNKNOWN")])
    def test_a_check_says_what_is_wrong_with_the_channel(
        self, device: Camera, http: httpx.Client, change: dict[str, str], reason: str,
    ) -> None:
        vars(device).update(change)
        assert Rejected(reason) == self.speaker_of(device).check(http=http)


class TestAlawWithoutSessions(TestUlaw):
    form = "PCMA"

    def made(self) -> Camera:
        return Camera(codec="G.711alaw", session="")


class TestBasic(TestUlaw):
    """Old firmware asks for Basic."""

    def made(self) -> Camera:
        return Camera(scheme="Basic")
