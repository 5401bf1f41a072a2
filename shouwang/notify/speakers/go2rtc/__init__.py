"""go2rtc, an optional program beside this one: it speaks to cameras whose loudspeaker is reached by ONVIF or a maker's own way.

- `POST /api/streams?dst=STREAM&src=ffmpeg:FILE#audio=pcma#input=file` plays a file that go2rtc can read: the recorded prompts of this package on the
  same machine, or those in the folder or under the address `sounds`. Other words than the recorded ones cannot be said so.
- `GET /api/streams?src=STREAM` says whether it knows the stream: a check, silent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from shouwang.kernel.texts import Text
from shouwang.notify.outside import Answer
from shouwang.notify.rules.delivery import Delivered, Outcome, Rejected, Sent
from shouwang.notify.speaking.contract import Clip
from shouwang.notify.speaking.devices import Device, device

OWN_PROMPTS = str(Path(__file__).parents[1] / "prompts")
_PATH = "/api/streams"


@dataclass(frozen=True)
class Sidecar:
    """One stream of a go2rtc."""

    device: Device
    stream: str
    sounds: str

    def play(self, clip: Clip, *, http: httpx.Client) -> Outcome:
        """Have the recorded prompt played to the stream."""
        softer = f"#raw=-af volume={clip.loudness / 100:.2f}" if clip.loudness < 100 else ""
        source = f"ffmpeg:{self.sounds.rstrip('/')}/{clip.prompt}.wav#audio=pcma#input=file{softer}"
        said = self.device.ask(http, "POST", f"{_PATH}?{httpx.QueryParams({'dst': self.stream, 'src': source})}")
        return Sent() if isinstance(said, Answer) else said

    def check(self, *, http: httpx.Client) -> Outcome:
        """Ask for the stream."""
        said = self.device.ask(http, "GET", f"{_PATH}?{httpx.QueryParams({'src': self.stream})}")
        if not isinstance(said, Answer):
            return said
        return Delivered() if b"producers" in said.body else Rejected("HTTP_404")

    def problems(self) -> list[Text]:
        """Return what is wrong with the address."""
        return self.device.problems()


def make(settings: Mapping[str, Any], *, secret: str, allowed: Collection[str]) -> Sidecar:
    """Return the stream with `settings`."""
    found = device(settings.get("url", ""), user=settings.get("user", ""), secret=secret, allowed=allowed)
    return Sidecar(found, settings.get("stream", ""), settings.get("sounds", "") or OWN_PROMPTS)
