"""A network horn: the WAV itself, or the name of a sound it holds; Digest, Basic or a token."""

from __future__ import annotations

from urllib.parse import parse_qs

import httpx

from shouwang.notify.contract import Delivered, Sent
from shouwang.notify.rules.audio import read_wav
from shouwang.notify.speaking.recorded import recorded
from tests.notify.speakers.contract import PASSWORD, USER, Asked, Device, SpeakerContract, Taken, clip


class Horn(Device):
    """A horn that plays a WAV, or a sound stored in it."""

    def do(self, asked: Asked) -> tuple[int, bytes]:
        if asked.path == "/status":
            return 200, b"ok"
        if asked.headers["content-type"] == "audio/wav":
            self.taken.append(Taken("WAV", read_wav(asked.body), asked.at_s))
            return 200, b"{}"
        name = parse_qs(asked.body.decode())["play"][0].removeprefix("/prompts/").removesuffix(".wav")
        self.taken.append(Taken("FILE", recorded(name), asked.at_s))
        return 200, b"{}"

    def sounds(self, asked: Asked) -> bool:
        return asked.path == "/play"


class TestWav(SpeakerContract):
    code, form = "horn", "WAV"

    def made(self) -> Horn:
        return Horn()

    def settings(self, device: Device) -> dict[str, str]:
        return {"url": f"{device.url}/play", "user": USER}

    def test_it_says_the_key_and_the_loudness(self, device: Horn, http: httpx.Client) -> None:
        assert Sent() == self.speaker_of(device).play(clip(loudness=60), http=http)
        assert ("812:0", "60") == (device.asked[-1].headers["x-sound-key"], device.asked[-1].headers["x-volume"])

    def test_a_status_address_keeps_the_check_silent(self, device: Horn, http: httpx.Client) -> None:
        assert Delivered() == self.speaker_of(device, status_url=f"{device.url}/status").check(http=http)
        assert [] == device.taken


class TestForm(TestWav):
    form = "FILE"

    def settings(self, device: Device) -> dict[str, str]:
        return {**super().settings(device), "form": "play=/prompts/{prompt}.wav&volume={volume}"}

    def test_it_says_the_key_and_the_loudness(self, device: Horn, http: httpx.Client) -> None:
        assert Sent() == self.speaker_of(device).play(clip(loudness=60), http=http)
        assert b"play=/prompts/WATER_EDGE.wav&volume=60" == device.asked[-1].body


class TestBasic(TestWav):
    def made(self) -> Horn:
        return Horn(scheme="Basic")


class Tokened(Horn):
    def knows(self, asked: Asked) -> bool:
        return asked.headers.get("authorization") == f"Bearer {PASSWORD}"


class TestToken(TestWav):
    def made(self) -> Horn:
        return Tokened()

    def settings(self, device: Device) -> dict[str, str]:
        return {"url": f"{device.url}/play"}
