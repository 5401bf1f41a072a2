# ruff: noqa: ARG001, ARG002 - the contract gives more than an inbox needs
"""The inbox: nothing leaves; the outbox delivers it in bulk, in one transaction, without asking this channel."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import httpx

from shouwang.kernel.texts import Text
from shouwang.notify.contract import Delivered, Outcome, Outgoing


class Inbox:
    """Delivers by doing nothing: the row of the message is the inbox."""

    def send(self, outgoing: Outgoing, *, http: httpx.Client) -> Outcome:
        """Return Delivered."""
        return Delivered()

    def query(self, key: str, *, http: httpx.Client) -> Outcome:
        """Return Delivered."""
        return Delivered()

    def problems(self) -> list[Text]:
        """Return nothing: there is nothing to set."""
        return []


def make(settings: Mapping[str, Any], *, allowed: Collection[str]) -> Inbox:
    """Return the inbox."""
    return Inbox()
