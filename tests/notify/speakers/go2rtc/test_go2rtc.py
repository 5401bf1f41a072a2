"""go2rtc: told to play a recorded prompt to a stream, by a file that it can read."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from shouwang.notify.contract import Rejected, Sent
from shouwang.notify.rules.audio import at_loudness, loudness_of, read_wav
from tests.notify.speakers.contract import Asked, Device, SpeakerContract, Taken, clip

STREAM = "dam bank"


class Sidecar(Device):
    """A go2rtc with one stream: reads the file it is told to play, as ffmpeg would."""

    def do(self, asked: Asked) -> tuple[int, bytes]:
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}
        if asked.method == "GET":
            return (200, b'{"producers":[{"url":"rtsp://device"}],"consumers":null}') if query.get("src") == STREAM else (404, b"")
        found = re.fullmatch(r"ffmpeg:([^#]+)#audio=pcma#input=file(?:#raw=-af volume=([0-9.]+))?", query["src"])
        if query.get("dst") != STREAM or found is None or not Path(found[1]).is_file():
            return 404, b""
        samples = at_loudness(read_wav(Path(found[1]).read_bytes()), round(100 * float(found[2] or 1)))
        self.taken.append(Taken("FILE", samples, asked.at_s))
        return 200, b"{}"

    def sounds(self, asked: Asked) -> bool:
        return asked.method == "POST"


class TestSidecar(SpeakerContract):
    code, form = "go2rtc", "FILE"

    def made(self) -> Sidecar:
        return Sidecar(scheme="Basic")

    def settings(self, device: Device) -> dict[str, str]:
        return {**super().settings(device), "stream": STREAM}

    def test_it_is_softer_where_that_is_wished(self, device: Sidecar, http: httpx.Client) -> None:
        speaker = self.speaker_of(device)
        assert (Sent(), Sent()) == (speaker.play(clip(), http=http), speaker.play(clip(loudness=50), http=http))
        loud, soft = (loudness_of(each.samples) for each in device.taken if each.samples is not None)
        assert abs(soft / loud - 0.5) < 0.01

    def test_a_stream_that_it_does_not_know_fails(self, device: Sidecar, http: httpx.Client) -> None:
        speaker = self.speaker_of(device, stream="elsewhere")
        assert Rejected("HTTP_404") == speaker.play(clip(), http=http)
        assert Rejected("HTTP_404") == speaker.check(http=http)
