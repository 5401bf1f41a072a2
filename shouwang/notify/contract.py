"""What a channel is: a folder with a `manifest.toml` and a `make(settings, *, allowed)` that returns a Channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import httpx

from shouwang.kernel.texts import Text
from shouwang.notify.rules.delivery import (
    Delivered,
    Missing,
    Outcome,
    Rejected,
    Retry,
    Sent,
    Traits,
    Unknown,
)

__all__ = [
    "Channel", "Delivered", "Field", "Manifest", "Missing", "Outcome", "Outgoing", "Rejected", "Retry", "Sent", "Traits", "Unknown",
]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message on its way, or a bundle of `count` whose leader it is. `key` stays the same however often it is sent."""

    key: str
    address: str
    template: str
    params: Mapping[str, Any]
    text: str
    language: str
    severity: int
    count: int
    at: datetime
    is_exercise: bool = False


class Channel(Protocol):
    """Sends by one provider. Never raises for what the provider does, and waits no longer than the client's timeout."""

    def send(self, outgoing: Outgoing, *, http: httpx.Client) -> Outcome:
        """Return what came of sending `outgoing`; Unknown unless it is certain."""
        ...

    def query(self, key: str, *, http: httpx.Client) -> Outcome:
        """Return what the provider knows of `key`: Missing only if it says that it never had it."""
        ...

    def problems(self) -> list[Text]:
        """Return what is wrong with the settings, in words for the settings page."""
        ...


@dataclass(frozen=True, slots=True)
class Field:
    """One setting of a channel; a secret is never shown again."""

    name: str
    label: Text
    is_secret: bool
    is_required: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a channel's folder says of itself."""

    code: str
    name: Text
    traits: Traits
    needs_address: bool
    text_limit: int
    fields: tuple[Field, ...]
