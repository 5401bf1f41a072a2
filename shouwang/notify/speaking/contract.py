"""What a kind of loudspeaker is: a folder with a `manifest.toml` and a `make(settings, *, secret, allowed)` that returns a Speaker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import httpx

from shouwang.kernel.texts import Text
from shouwang.notify.contract import Field
from shouwang.notify.rules.delivery import Outcome
from shouwang.notify.rules.g711 import Samples

Form = Literal["PCMA", "PCMU", "WAV", "FILE", "SIREN"]
"""What a device takes: G.711 A-law or mu-law, a WAV, the name of a recorded prompt that lies with it, or only to be switched on."""
Checking = Literal["STATUS", "TONE"]
"""How a check is made: the device is asked and stays silent, or it plays a soft tone."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One sound on its way: samples at 8 kHz, already as loud as they shall be. `key` stays the same however often it is played.

    `prompt` is the recorded sentence; `is_spoken` says that the samples are other words. `loudness` is in percent, for
    devices that are given no samples. `was_cut`: the player before died while this device sounded, so whatever it left open
    there may be closed.
    """

    key: str
    prompt: str
    samples: Samples
    loudness: int = 100
    is_spoken: bool = False
    was_cut: bool = False


class Speaker(Protocol):
    """Plays on one device. Never raises for what the device does, and takes no longer than the sound and a few time limits."""

    def play(self, clip: Clip, *, http: httpx.Client) -> Outcome:
        """Return what came of playing `clip`: Sent or Delivered when it sounded, Retry only where it certainly did not."""
        ...

    def check(self, *, http: httpx.Client) -> Outcome:
        """Return Delivered when the device could sound now, by its status or by a soft tone; else why not."""
        ...

    def problems(self) -> list[Text]:
        """Return what is wrong with the settings, in words for the settings page."""
        ...


@dataclass(frozen=True, slots=True)
class SpeakerManifest:
    """What a kind's folder says of itself: `plays` lists what the device takes, the best first."""

    code: str
    name: Text
    short: Text
    plays: tuple[Form, ...]
    checking: Checking
    fields: tuple[Field, ...]
    secret: Text | None

    @property
    def is_siren(self) -> bool:
        """Return whether it can say no words."""
        return self.plays == ("SIREN",)


class Voice(Protocol):
    """Speaks a text: a folder in `speakers/voices` with a `make()` that returns one, None where this machine has it not."""

    def speak(self, text: str) -> Samples | None:
        """Return the spoken text as samples, None when it could not be spoken in time."""
        ...
