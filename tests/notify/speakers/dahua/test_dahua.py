"""The siren of a Dahua camera: on, off, and never left on in silence."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
import pytest

from shouwang.notify.contract import Delivered, Outcome, Rejected, Sent, Unknown
from shouwang.notify.speakers.dahua import make
from tests.notify.speakers.contract import Asked, Device, SpeakerContract, Taken, clip

ROOT = "/cgi-bin/coaxialControlIO.cgi?action="
SWITCH = f"{ROOT}control&channel=1&info[0].Type=2&info[0].IO="


@dataclass
class Camera(Device):
    """A camera with a siren; `refusals` are how often it refuses to switch it off."""

    switched: list[int] = field(default_factory=list)
    refusals: int = 0
    has_siren: bool = True

    def do(self, asked: Asked) -> tuple[int, bytes]:
        if asked.path == f"{ROOT}getStatus&channel=1":
            stands = b"On" if self.switched[-1:] == [1] else b"Off"
            return 200, b"status.status.Speaker=%s\r\nstatus.status.WhiteLight=Off\r\n" % stands if self.has_siren else b"status.status.WhiteLight=Off\r\n"
        if not asked.path.startswith(SWITCH) or not self.has_siren:
            return 200, b"Error\r\nBad Request!\r\n"
        state = int(asked.path.removeprefix(SWITCH))
        if state == 2 and self.refusals:
            self.refusals -= 1
            return 500, b""
        self.switched.append(state)
        if state == 1:
            self.taken.append(Taken("SIREN", None, asked.at_s))
        return 200, b"OK\r\n"

    def sounds(self, asked: Asked) -> bool:
        return asked.path == f"{SWITCH}1"


class TestSiren(SpeakerContract):
    code, form = "dahua", "SIREN"

    def made(self) -> Camera:
        return Camera()

    def test_it_is_switched_off_again_even_where_nobody_knows_that_it_went_on(self, device: Camera, hasty: httpx.Client) -> None:
        device.behaviour = "timeout after accepting"
        assert Unknown("TIMEOUT") == self.speaker_of(device).play(clip(), http=hasty)
        assert [1, 2] == device.switched

    @pytest.mark.parametrize(("refusals", "outcome"), [(2, Sent()), (3, Unknown("NOT_SWITCHED_OFF"))])
    def test_switching_off_is_tried_three_times(self, device: Camera, http: httpx.Client, refusals: int, outcome: Outcome) -> None:
        device.refusals = refusals
        assert outcome == self.speaker_of(device).play(clip(), http=http)

    @pytest.mark.parametrize(("refusals", "outcome"), [(0, Delivered()), (3, Rejected("NOT_SWITCHED_OFF"))])
    def test_a_siren_that_a_killed_player_left_on_is_switched_off(
        self, device: Camera, http: httpx.Client, refusals: int, outcome: Outcome,
    ) -> None:
        device.switched, device.refusals = [1], refusals
        assert outcome == self.speaker_of(device).check(http=http)
        assert (2 if outcome == Delivered() else 1) == device.switched[-1]

    def test_an_error_said_with_200_is_an_error(self, device: Camera, http: httpx.Client) -> None:
        device.has_siren = False
        assert Rejected("NO_SIREN") == self.speaker_of(device).play(clip(), http=http)
        assert Rejected("NO_SIREN") == self.speaker_of(device).check(http=http)


@pytest.mark.parametrize(("text", "seconds"), [("", 5.0), ("8", 8.0), ("900", 15.0), ("nan", 5.0), ("inf", 5.0), ("-3", 0.1), ("long", 5.0)])
def test_it_sounds_for_a_limited_time(text: str, seconds: float) -> None:
    assert seconds == make({"url": "https://device.example", "seconds": text}, secret="", allowed=()).seconds
