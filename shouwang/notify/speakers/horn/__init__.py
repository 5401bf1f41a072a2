"""Network horns with an HTTP interface of their own: a WAV posted to an address, or a form that names a sound stored in the horn.

- Without `form`: `POST url`, the body is the WAV (8 kHz, 16 bit, mono), `x-sound-key` the sound's key, `x-volume` its percent.
- With `form`: `POST url` with that form, in which `{prompt}` stands for the code of a recorded prompt and `{volume}` for the percent, as in
  `play=http://10.0.0.2/prompts/{prompt}.wav&volume={volume}`; other words than the recorded ones cannot be said so.
- `status_url` is asked by the daily check; without it the check plays the soft test tone.
- A user and password answer Digest or Basic, whichever the horn asks for; a password alone is sent as a bearer token.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from shouwang.kernel.texts import Text
from shouwang.notify.outside import Answer
from shouwang.notify.rules.audio import tone, write_wav
from shouwang.notify.rules.delivery import Delivered, Outcome, Sent
from shouwang.notify.rules.prompts import TEST_TONE
from shouwang.notify.speaking.contract import Clip
from shouwang.notify.speaking.devices import Device, device

TEST_HZ = 880.0


@dataclass(frozen=True)
class Horn:
    """One horn."""

    device: Device
    status: Device | None
    form: str
    headers: Mapping[str, str]

    def play(self, clip: Clip, *, http: httpx.Client) -> Outcome:
        """Post the sound, or the name of the recorded one."""
        if self.form:
            content = self.form.replace("{prompt}", clip.prompt).replace("{volume}", str(clip.loudness)).encode()
            headers = {"content-type": "application/x-www-form-urlencoded"}
        else:
            content = write_wav(clip.samples)
            headers = {"content-type": "audio/wav", "x-sound-key": clip.key, "x-volume": str(clip.loudness)}
        said = self.device.ask(http, "POST", "", content=content, headers={**headers, **self.headers})
        return Sent() if isinstance(said, Answer) else said

    def check(self, *, http: httpx.Client) -> Outcome:
        """Ask for the status, or play a soft tone where the horn has none to ask for."""
        if self.status is not None:
            said = self.status.ask(http, "GET", "", headers=self.headers)
            return Delivered() if isinstance(said, Answer) else said
        heard = self.play(Clip("check", TEST_TONE, tone(TEST_HZ, 0.5, share=0.1), 30), http=http)
        return Delivered() if isinstance(heard, Sent) else heard

    def problems(self) -> list[Text]:
        """Return what is wrong with the addresses."""
        return self.device.problems() + (self.status.problems() if self.status else [])


def make(settings: Mapping[str, Any], *, secret: str, allowed: Collection[str]) -> Horn:
    """Return the horn with `settings`."""
    user, status_url = settings.get("user", ""), settings.get("status_url", "")
    headers = {"authorization": f"Bearer {secret}"} if secret and not user else {}
    return Horn(
        device(settings.get("url", ""), user=user, secret=secret, allowed=allowed),
        device(status_url, user=user, secret=secret, allowed=allowed) if status_url else None,
        settings.get("form", ""), headers,
    )
