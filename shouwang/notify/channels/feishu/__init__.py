"""Feishu group robot: what an area's persons are told is posted into their group as a card with a button.

- Set up: in the Feishu group, *settings → group bots → custom bot*; switch signature checks on; enter the Webhook address
  and the secret for an area on the settings page.
- Sends `POST <address> {"timestamp", "sign", "msg_type": "interactive", "card"}`. The sign is Base64(HMAC-SHA256(key =
  timestamp, newline, secret; empty message)): DingTalk's with key and message exchanged; the timestamp is in seconds and
  good for an hour. A card mentions by `<at id=…>`, open_id or user_id; a custom robot knows nobody by telephone.
- 100 messages a minute and 5 a second per robot: five in any six seconds keep both. Answers `{"code": 0}`, older ones
  `{"StatusCode": 0}`, errors with status 200 too; 11232 and 429 mean later. There is no key, no receipt and no question.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import httpx
import msgspec

from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text
from shouwang.notify.contract import Outcome, Outgoing, Rejected, Retry, Sent, Unknown
from shouwang.notify.outside import DEFAULT_RETRY_S, post
from shouwang.notify.rules.wording import OPEN, headline

BLOCKED_S = 60.0


class _Said(msgspec.Struct):
    code: int | None = None
    status_code: int | None = msgspec.field(name="StatusCode", default=None)


class FeishuRobot:
    """Posts into the group of the robot that a message names. `now_s` is the real time that signatures are made of."""

    def __init__(self, *, allowed: Collection[str], now_s: Callable[[], float] = time.time) -> None:
        self._allowed = allowed
        self._now_s = now_s

    def send(self, outgoing: Outgoing, *, http: httpx.Client) -> Outcome:
        """Post `outgoing` and return Sent once Feishu has taken it."""
        if outgoing.robot is None:
            return Rejected("NO_ROBOT")
        body = {**signature(outgoing.robot.secret, timestamp_s=int(self._now_s())), **body_of(outgoing)}
        said = post(http, outgoing.robot.url, body, _Said, allowed=self._allowed)
        return outcome_of(said.status_code if said.code is None else said.code) if isinstance(said, _Said) else said

    def query(self, key: str, *, http: httpx.Client) -> Outcome:  # noqa: ARG002 - the contract
        """Return Unknown: a robot cannot be asked."""
        return Unknown("NO_QUERY")

    def problems(self) -> list[Text]:
        """Return nothing: each robot has its own address."""
        return []


def make(settings: Mapping[str, Any], *, allowed: Collection[str]) -> FeishuRobot:  # noqa: ARG001 - nothing to set
    """Return the channel of Feishu's group robots."""
    return FeishuRobot(allowed=allowed)


def signature(secret: str, *, timestamp_s: int) -> dict[str, str]:
    """Return the fields that sign a request at this moment; none where the robot has no secret."""
    if not secret:
        return {}
    digest = hmac.digest(f"{timestamp_s}\n{secret}".encode(), b"", hashlib.sha256)
    return {"timestamp": str(timestamp_s), "sign": base64.b64encode(digest).decode()}


def body_of(outgoing: Outgoing) -> dict[str, Any]:
    """Return the card: its title in the colour of the gravest message, the text, those it mentions, and a button."""
    called = "".join(f"<at id={each.user_id}></at>" for each in outgoing.mentions if each.user_id)
    elements: list[dict[str, Any]] = [
        {"tag": "div", "text": {"tag": "lark_md", "content": f"{outgoing.text}\n{called}".strip()}},
    ]
    if outgoing.link:
        button = {
            "tag": "button", "type": "primary", "url": outgoing.link,
            "text": {"tag": "plain_text", "content": OPEN.render(outgoing.language, {})},
        }
        elements.append({"tag": "action", "actions": [button]})
    title = {"tag": "plain_text", "content": headline(outgoing.severity, language=outgoing.language)}
    header = {"title": title, "template": Severity(outgoing.severity).css}
    return {"msg_type": "interactive", "card": {"config": {"wide_screen_mode": True}, "header": header, "elements": elements}}


def outcome_of(code: int | None) -> Outcome:
    """Return what Feishu's code means."""
    match code:
        case None:
            return Unknown("ANSWER_UNREADABLE")
        case 0:
            return Sent()
        case 11232:
            return Retry(BLOCKED_S, "TOO_FAST")
        case 2200:
            return Retry(DEFAULT_RETRY_S, "BUSY")
        case _:
            return Rejected(f"E{code}")
