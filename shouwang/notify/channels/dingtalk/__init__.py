"""DingTalk group robot: what an area's persons are told is posted into their group as a card, and they are really mentioned.

- Set up: in the DingTalk group, *group settings → robots → custom*; choose *signature* (加签) under security; enter the
  Webhook address and the secret (SEC…) for an area on the settings page.
- Sends `POST <address>&timestamp=<ms>&sign=<…>`; the sign is Base64(HMAC-SHA256(key=secret, timestamp, newline, secret)) and
  good for an hour. `actionCard` with a button where there is an address to open, else `markdown`. DingTalk mentions a
  person only if the text itself holds `@<mobile>` or `@<userId>` and `at` names the same.
- **20 messages a minute per robot, then it is blocked for ten minutes**: the outbox counts turns, and 130101, 410100 or
  `"punish": "deny"` hold the robot back for ten minutes. Errors come with status 200 too; 310000 has four meanings that
  only its words tell apart. There is no key, no receipt and no question.
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

from shouwang.kernel.texts import Text
from shouwang.notify.contract import Mention, Outcome, Outgoing, Rejected, Retry, Robot, Sent, Unknown
from shouwang.notify.outside import post
from shouwang.notify.rules.wording import OPEN, headline

BLOCKED_S = 600.0
BUSY_S = 30.0
TOO_FAST = frozenset({130101, 410100})
NO_TOKEN = frozenset({300001, 300005, 400101, 400106})
STOPPED = frozenset({400013, 400102})
BAD_CONTENT = frozenset({430101, 430102, 430103, 430104})
SECURITY = 310000


class _Said(msgspec.Struct):
    errcode: int | None = None
    errmsg: str = ""
    punish: str = ""


class DingtalkRobot:
    """Posts into the group of the robot that a message names. `now_s` is the real time that signatures are made of."""

    def __init__(self, *, allowed: Collection[str], now_s: Callable[[], float] = time.time) -> None:
        self._allowed = allowed
        self._now_s = now_s

    def send(self, outgoing: Outgoing, *, http: httpx.Client) -> Outcome:
        """Post `outgoing` and return Sent once DingTalk has taken it."""
        if outgoing.robot is None:
            return Rejected("NO_ROBOT")
        url = signed(outgoing.robot, timestamp_ms=int(self._now_s() * 1000))
        said = post(http, url, body_of(outgoing), _Said, allowed=self._allowed)
        return outcome_of(said.errcode, said.errmsg, punish=said.punish) if isinstance(said, _Said) else said

    def query(self, key: str, *, http: httpx.Client) -> Outcome:  # noqa: ARG002 - the contract
        """Return Unknown: a robot cannot be asked."""
        return Unknown("NO_QUERY")

    def problems(self) -> list[Text]:
        """Return nothing: each robot has its own address."""
        return []


def make(settings: Mapping[str, Any], *, allowed: Collection[str]) -> DingtalkRobot:  # noqa: ARG001 - nothing to set
    """Return the channel of DingTalk's group robots."""
    return DingtalkRobot(allowed=allowed)


def signed(robot: Robot, *, timestamp_ms: int) -> str:
    """Return the robot's address with the signature of this moment; as it is where the robot has no secret."""
    if not robot.secret:
        return robot.url
    digest = hmac.digest(robot.secret.encode(), f"{timestamp_ms}\n{robot.secret}".encode(), hashlib.sha256)
    return str(httpx.URL(robot.url).copy_merge_params({"timestamp": str(timestamp_ms), "sign": base64.b64encode(digest).decode()}))


def body_of(outgoing: Outgoing) -> dict[str, Any]:
    """Return the card, or the text where there is nothing to open."""
    called = "".join(f" @{_named(each)}" for each in outgoing.mentions if _named(each))
    title = headline(outgoing.severity, language=outgoing.language)
    text = "\n\n".join(part for part in (f"### {title}", outgoing.text.replace("\n", "\n\n"), called.strip()) if part)
    at = {
        "atMobiles": [each.phone for each in outgoing.mentions if each.phone and not each.user_id],
        "atUserIds": [each.user_id for each in outgoing.mentions if each.user_id],
        "isAtAll": False,
    }
    if not outgoing.link:
        return {"msgtype": "markdown", "markdown": {"title": title, "text": text}, "at": at}
    card = {"title": title, "text": text, "singleTitle": OPEN.render(outgoing.language, {}), "singleURL": outgoing.link}
    return {"msgtype": "actionCard", "actionCard": card, "at": at}


def outcome_of(errcode: int | None, errmsg: str = "", *, punish: str = "") -> Outcome:  # noqa: PLR0911 - one line per meaning
    """Return what DingTalk's answer means."""
    if errcode in TOO_FAST or punish == "deny":
        return Retry(BLOCKED_S, "TOO_FAST")
    if errcode is None:
        return Unknown("ANSWER_UNREADABLE")
    if errcode == 0:
        return Sent()
    if errcode == -1:
        return Retry(BUSY_S, "BUSY")
    if errcode == SECURITY:
        return Rejected(_insecure(errmsg.lower()))
    for codes, reason in ((NO_TOKEN, "NO_TOKEN"), (STOPPED, "STOPPED"), (BAD_CONTENT, "BAD_CONTENT")):
        if errcode in codes:
            return Rejected(reason)
    return Rejected(f"E{errcode}")


def _insecure(errmsg: str) -> str:
    """Return which of the robot's checks failed: one code stands for all of them."""
    for reason, words in (
        ("NO_KEYWORD", ("keyword", "关键词")), ("WRONG_IP", ("whitelist", "白名单")), ("WRONG_CLOCK", ("timestamp",)),
        ("WRONG_SIGNATURE", ("sign", "签名")),
    ):
        if any(word in errmsg for word in words):
            return reason
    return f"E{SECURITY}"


def _named(mention: Mention) -> str:
    return mention.user_id or mention.phone
