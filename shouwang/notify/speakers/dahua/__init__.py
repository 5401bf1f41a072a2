"""Dahua cameras: the siren, switched on and off again; it says no words, so whatever is asked sounds the same.

- `GET /cgi-bin/coaxialControlIO.cgi?action=control&channel=N&info[0].Type=2&info[0].IO=1` switches it on, IO=2 off.
- `action=getStatus` says how the siren stands: a check, silent. One that sounds then was left on by a player that was killed, for no check is
  made while it plays: it is switched off.
- A siren that stays on is a harm of its own: switching off is tried three times, and said where it failed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from shouwang.kernel.texts import Text
from shouwang.notify.outside import Answer
from shouwang.notify.rules.delivery import Delivered, Outcome, Rejected, Retry, Sent, Unknown
from shouwang.notify.speaking.contract import Clip
from shouwang.notify.speaking.devices import Device, device

DEFAULT_S = 5.0
LONGEST_S = 15.0
OFF_TRIES = 3
_PATH = "/cgi-bin/coaxialControlIO.cgi"


@dataclass(frozen=True)
class Siren:
    """The siren of one camera, which sounds `seconds` at a time."""

    device: Device
    channel: int
    seconds: float
    sleep: Callable[[float], None] = time.sleep

    def play(self, clip: Clip, *, http: httpx.Client) -> Outcome:  # noqa: ARG002 - a siren knows one sound
        """Switch the siren on, wait, and switch it off; also where nobody knows whether it went on."""
        on = self._switch(http, 1)
        if isinstance(on, Rejected | Retry):
            return on
        self.sleep(self.seconds)
        is_off = self._off(http)
        return on if is_off or not isinstance(on, Sent) else Unknown("NOT_SWITCHED_OFF")

    def check(self, *, http: httpx.Client) -> Outcome:
        """Ask how the siren stands."""
        said = self.device.ask(http, "GET", f"{_PATH}?action=getStatus&channel={self.channel}")
        if not isinstance(said, Answer):
            return said
        if b".Speaker=On" in said.body and not self._off(http):
            return Rejected("NOT_SWITCHED_OFF")
        return Delivered() if b".Speaker=" in said.body else Rejected("NO_SIREN")

    def problems(self) -> list[Text]:
        """Return what is wrong with the address."""
        return self.device.problems()

    def _off(self, http: httpx.Client) -> bool:
        return any(isinstance(self._switch(http, 2), Sent) for _ in range(OFF_TRIES))

    def _switch(self, http: httpx.Client, state: int) -> Outcome:
        """Return Sent where the camera says OK; it may answer 200 and an error in words."""
        query = f"action=control&channel={self.channel}&info[0].Type=2&info[0].IO={state}"
        said = self.device.ask(http, "GET", f"{_PATH}?{query}")
        if not isinstance(said, Answer):
            return said
        if not said.is_whole:
            return Unknown("REPLY_LOST")
        return Sent() if said.body.strip().upper() == b"OK" else Rejected("NO_SIREN")


def make(settings: Mapping[str, Any], *, secret: str, allowed: Collection[str]) -> Siren:
    """Return the siren with `settings`: channel 1 and 5 seconds where none are given."""
    channel, seconds = (_number(settings.get(name, "")) for name in ("channel", "seconds"))
    found = device(settings.get("url", ""), user=settings.get("user", ""), secret=secret, allowed=allowed)
    return Siren(found, int(channel or 1), min(max(seconds or DEFAULT_S, 0.1), LONGEST_S))


def _number(text: object) -> float:
    try:
        found = float(str(text) or 0)
    except ValueError:
        return 0.0
    return found if math.isfinite(found) else 0.0
