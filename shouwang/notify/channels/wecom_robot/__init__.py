"""WeCom group robot: what an area's persons are told is posted into their group, and they are mentioned there.

- Set up: in the WeCom group, *group settings → group robots → add*; copy the Webhook address and enter it for an area on
  the settings page. The address holds the robot's key: whoever has it can write into the group.
- Sends `POST <address> {"msgtype": "text", "text": {"content", "mentioned_list", "mentioned_mobile_list"}}`; the content is
  at most 2,048 bytes of UTF-8, cut between characters, the address of the own tasks on its last line. Only the text type
  mentions really; WeCom knows a person by user id, else by the mobile number.
- Answers `{"errcode": 0}`. 45009: more than 20 messages a minute. There is no key, no receipt and no question: what may
  have gone ends UNKNOWN and is never sent twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import httpx
import msgspec

from shouwang.kernel.texts import Text
from shouwang.notify.contract import Outcome, Outgoing, Rejected, Retry, Sent, Unknown
from shouwang.notify.outside import DEFAULT_RETRY_S, post
from shouwang.notify.rules.wording import fit

CONTENT_BYTES = 2048
BLOCKED_S = 60.0


class _Said(msgspec.Struct):
    errcode: int


class WecomRobot:
    """Posts into the group of the robot that a message names."""

    def __init__(self, *, allowed: Collection[str]) -> None:
        self._allowed = allowed

    def send(self, outgoing: Outgoing, *, http: httpx.Client) -> Outcome:
        """Post `outgoing` and return Sent once WeCom has taken it."""
        if outgoing.robot is None:
            return Rejected("NO_ROBOT")
        said = post(http, outgoing.robot.url, body_of(outgoing), _Said, allowed=self._allowed)
        return outcome_of(said.errcode) if isinstance(said, _Said) else said

    def query(self, key: str, *, http: httpx.Client) -> Outcome:  # noqa: ARG002 - the contract
        """Return Unknown: a robot cannot be asked."""
        return Unknown("NO_QUERY")

    def problems(self) -> list[Text]:
        """Return nothing: each robot has its own address."""
        return []


def make(settings: Mapping[str, Any], *, allowed: Collection[str]) -> WecomRobot:  # noqa: ARG001 - nothing to set
    """Return the channel of WeCom's group robots."""
    return WecomRobot(allowed=allowed)


def body_of(outgoing: Outgoing) -> dict[str, Any]:
    """Return the text with those it mentions: by user id where that is known, else by mobile number."""
    tail = f"\n{outgoing.link}" if outgoing.link else ""
    return {
        "msgtype": "text",
        "text": {
            "content": fit(outgoing.text, CONTENT_BYTES - len(tail.encode())) + tail,
            "mentioned_list": [each.user_id for each in outgoing.mentions if each.user_id],
            "mentioned_mobile_list": [each.phone for each in outgoing.mentions if each.phone and not each.user_id],
        },
    }


def outcome_of(errcode: int) -> Outcome:
    """Return what WeCom's code means."""
    match errcode:
        case 0:
            return Sent()
        case 45009:
            return Retry(BLOCKED_S, "TOO_FAST")
        case -1:
            return Retry(DEFAULT_RETRY_S, "BUSY")
        case _:
            return Rejected(f"E{errcode}")
