"""What a channel is: a folder with a `manifest.toml` and a `make(settings, *, allowed)` that returns a Channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

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
from shouwang.notify.rules.rates import Rate

__all__ = [
    "Channel", "Delivered", "Field", "Link", "Manifest", "Mention", "Missing", "Outcome", "Outgoing", "Rate", "Rejected", "Retry",
    "Robot", "Sent", "Traits", "Unknown",
]

Link = Literal["IN_TEXT", "APART", "NONE"]
"""Where the address of a task stands: at the end of the text, apart for a button, or nowhere, as in a spoken message."""


@dataclass(frozen=True, slots=True)
class Robot:
    """A robot of a group: the address it was given, which holds its token, and the secret that signs what is sent to it."""

    url: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Mention:
    """Whom a message in a group names: the user id at the provider where it is known, else the telephone number."""

    user_id: str
    phone: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message on its way, or a bundle of `count` whose leader it is. `key` stays the same however often it is sent.

    In a group `mentions` are those it is for, and `link` lets in only whoever signs in.
    """

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
    link: str = ""
    robot: Robot | None = None
    mentions: tuple[Mention, ...] = ()


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
    """What a channel's folder says of itself.

    `rings`: it interrupts a person, so it is for what was not accepted. `is_shared`: it speaks in a group, through the
    robot of an area. `address` is what a person's address there is called, `pattern` what it matches whole; `by_phone`: without one it is the telephone.
    `reasons` are the words of its own codes, `short` is its name among persons.
    """

    code: str
    name: Text
    traits: Traits
    needs_address: bool
    text_limit: int
    fields: tuple[Field, ...]
    rings: bool = False
    is_shared: bool = False
    link: Link = "IN_TEXT"
    rate: Rate | None = None
    address: Text | None = None
    pattern: str = ""
    by_phone: bool = False
    short: Text | None = None
    reasons: Mapping[str, Text] = field(default_factory=dict)
