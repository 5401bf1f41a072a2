"""Hikvision cameras and horns: two-way audio of ISAPI, G.711 at 8 kHz as fast as it is heard.

- `GET /ISAPI/System/TwoWayAudio/channels/N` says whether the channel is enabled and which G.711 it takes.
- `PUT …/open` gives a session where the firmware has sessions; `PUT …/audioData` takes the sound; `PUT …/close` ends it.
- A channel in use, as when somebody speaks, is left alone and tried again; one that a killed player left open is closed first.
- Before the first sample is sent nothing can have sounded, so whatever fails until then may be tried again.
- A check asks for the channel and stays silent: it shows that the device answers, not that its membrane is whole.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from shouwang.kernel.texts import Text
from shouwang.notify.outside import Answer
from shouwang.notify.rules.delivery import Delivered, Outcome, Rejected, Retry, Sent
from shouwang.notify.rules.g711 import to_alaw, to_ulaw
from shouwang.notify.speaking.contract import Clip
from shouwang.notify.speaking.devices import AGAIN_S, Device, Paced, device, not_yet

IN_USE = "HTTP_403"
ENCODERS = {"G.711ulaw": to_ulaw, "G.711alaw": to_alaw}
_FIELD = r"<(?:\w+:)?{}>\s*([^<]*?)\s*<"


@dataclass(frozen=True)
class Camera:
    """One two-way audio channel of a device."""

    device: Device
    channel: int
    sleep: Callable[[float], None] = time.sleep

    def play(self, clip: Clip, *, http: httpx.Client) -> Outcome:
        """Open the channel, send the sound, close it."""
        said = self.device.ask(http, "GET", self._path)
        if not isinstance(said, Answer):
            return not_yet(said)
        encode = ENCODERS.get(_field(said, "audioCompressionType"))
        if encode is None:
            return Rejected("CODEC_UNKNOWN")
        if clip.was_cut:
            self.device.ask(http, "PUT", f"{self._path}/close")
        opened = self.device.ask(http, "PUT", f"{self._path}/open")
        if not isinstance(opened, Answer):
            return Retry(AGAIN_S, IN_USE) if opened == Rejected(IN_USE) else not_yet(opened)
        session = _field(opened, "sessionId")
        query = str(httpx.QueryParams({"sessionId": session})) if session else ""
        try:
            sent = self.device.ask(
                http, "PUT", f"{self._path}/audioData" + (f"?{query}" if query else ""), content=Paced(encode(clip.samples), sleep=self.sleep),
                headers={"content-type": "application/octet-stream"},
            )
        finally:
            self.device.ask(http, "PUT", f"{self._path}/close")
        return Sent() if isinstance(sent, Answer) else sent

    def check(self, *, http: httpx.Client) -> Outcome:
        """Ask for the channel."""
        said = self.device.ask(http, "GET", self._path)
        if not isinstance(said, Answer):
            return said
        if _field(said, "enabled") == "false":
            return Rejected("SPEAKER_DISABLED")
        return Delivered() if _field(said, "audioCompressionType") in ENCODERS else Rejected("CODEC_UNKNOWN")

    def problems(self) -> list[Text]:
        """Return what is wrong with the address."""
        return self.device.problems()

    @property
    def _path(self) -> str:
        return f"/ISAPI/System/TwoWayAudio/channels/{self.channel}"


def make(settings: Mapping[str, Any], *, secret: str, allowed: Collection[str]) -> Camera:
    """Return the camera with `settings`; its channel is 1 where none is given."""
    channel = str(settings.get("channel", ""))
    number = int(channel) if channel.isascii() and channel.isdigit() else 1
    return Camera(device(settings.get("url", ""), user=settings.get("user", ""), secret=secret, allowed=allowed), number)


def _field(answer: Answer, name: str) -> str:
    found = re.search(_FIELD.format(name), answer.body.decode("utf-8", "replace"))
    return found[1] if found else ""
