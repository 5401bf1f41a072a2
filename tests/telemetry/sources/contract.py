"""What every source of readings must do, whatever it speaks: each has a `line.py` here that plays a device in its language."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shouwang.telemetry.sources import FOLLOW, LISTEN, PUSH, sources_found

NAMES = sorted(name for name, source in sources_found().items() if source.direction in {PUSH, LISTEN, FOLLOW})


@dataclass(frozen=True)
class Read:
    """One reading as a test wants it sent."""

    device: str
    at: datetime
    register_l: float


class Line(Protocol):
    """A device, or a platform, that speaks the language of one source; `settings` of a line are what its source needs to be set."""

    def message(self, read: Read) -> bytes:
        """Return a reading as it goes over the line."""

    def deliver(self, messages: Sequence[bytes], *, device: str, token: str) -> int:
        """Send messages with a token and return how many of them were acknowledged."""

    def names_device(self) -> bool:
        """Return whether a message says whose reading it is."""


def line_of(name: str) -> Line:
    """Return the line of a source; a source without one fails here."""
    line: Line = importlib.import_module(f"tests.telemetry.sources.{name}.line").LINE
    return line
