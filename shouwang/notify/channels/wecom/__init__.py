"""WeCom app message: a card with a button, to one person, from an app of the office's own.

- Set up: in WeCom's admin console make an app, let the duty persons see it, trust this machine's address; enter corpid,
  AgentId and Secret on the settings page, and each person's user id as the address.
- Asks `GET /cgi-bin/gettoken` once per two hours and keeps the token in memory; sends `POST /cgi-bin/message/send`:
  `textcard` (title ≤ 128, description ≤ 512 bytes) where there is a task to open, else `text` (≤ 2,048 bytes).
- **Honours the key**: with `enable_duplicate_check` WeCom drops a request that equals an earlier one of the last four
  hours byte for byte. The body is made of nothing that changes between attempts, and the key stands in it (behind the
  address's `#`, or at the end of a text), so the same message is the same request and two messages never are.
- At most 30 messages a minute to one person; WeCom drops the rest silently, so the outbox counts. Answers `{"errcode": 0}`;
  81013, `invaliduser` and `unlicenseduser` mean nobody there, 42001 and 40014 a token to renew, 45009 and −1 later.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import httpx
import msgspec

from shouwang.kernel.texts import Text
from shouwang.notify.contract import Outcome, Outgoing, Rejected, Retry, Sent, Unknown
from shouwang.notify.outside import DEFAULT_RETRY_S, Answer, call, post, read, refused_by_status
from shouwang.notify.rules.hosts import refusal
from shouwang.notify.rules.wording import OPEN, fit, headline

URL = "https://qyapi.weixin.qq.com"
DUPLICATE_S = 4 * 3600
RENEW_BEFORE_S = 300.0
BLOCKED_S = 60.0
TEXT_BYTES = 2048
DESCRIPTION_BYTES = 512
EXPIRED = frozenset({40014, 42001})
NOBODY = frozenset({40003, 40031, 81013})


class _Token(msgspec.Struct):
    errcode: int = 0
    access_token: str = ""
    expires_in: float = 7200.0


class _Said(msgspec.Struct):
    errcode: int
    invaliduser: str = ""
    unlicenseduser: str = ""
    msgid: str = ""


class Tokens:
    """The access tokens of this process, each good until it is nearly over. Threads may share it."""

    def __init__(self, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._kept: dict[tuple[str, ...], tuple[str, float]] = {}
        self._lock = threading.Lock()

    def of(self, who: tuple[str, ...], ask: Callable[[], _Token | Outcome]) -> str | Outcome:
        """Return the token of `who`, asked for only when there is none; else the outcome that its lack means."""
        with self._lock:
            token, until_s = self._kept.get(who, ("", 0.0))
            if token and self._now_s() < until_s:
                return token
            found = ask()
            if not isinstance(found, _Token):
                return found
            self._kept[who] = (found.access_token, self._now_s() + found.expires_in - RENEW_BEFORE_S)
            return found.access_token

    def drop(self, who: tuple[str, ...]) -> None:
        """Forget the token of `who`: it has expired early."""
        with self._lock:
            self._kept.pop(who, None)


_tokens = Tokens()


class WecomApp:
    """Sends by one app of one corporation."""

    def __init__(self, *, url: str, corp_id: str, agent_id: str, secret: str, allowed: Collection[str], tokens: Tokens) -> None:
        self._url = url.rstrip("/")
        self._corp_id = corp_id
        self._agent_id = agent_id
        self._secret = secret
        self._allowed = allowed
        self._tokens = tokens
        self._who = (self._url, corp_id, secret)

    def send(self, outgoing: Outgoing, *, http: httpx.Client) -> Outcome:
        """Send `outgoing` to the user id it names and return Sent once WeCom has taken it."""
        if not self._agent_id.isdigit():
            return Rejected("NO_AGENT")
        token = self._tokens.of(self._who, lambda: self._ask_token(http))
        if not isinstance(token, str):
            return token
        url = str(httpx.URL(f"{self._url}/cgi-bin/message/send").copy_merge_params({"access_token": token}))
        said = post(http, url, body_of(outgoing, agent_id=int(self._agent_id)), _Said, allowed=self._allowed)
        if not isinstance(said, _Said):
            return said
        if said.errcode in EXPIRED:
            self._tokens.drop(self._who)
        return _outcome(said)

    def query(self, key: str, *, http: httpx.Client) -> Outcome:  # noqa: ARG002 - the contract
        """Return Unknown: WeCom cannot be asked about a message."""
        return Unknown("NO_QUERY")

    def problems(self) -> list[Text]:
        """Return what is wrong with the settings."""
        found = []
        if not (self._corp_id and self._secret and self._agent_id.isdigit()):
            found.append(Text("请填写企业 ID、数字的 AgentId 和 Secret。", "Fill in the corporation id, the AgentId (a number) and the Secret."))
        reason = refusal(self._url, allowed=self._allowed)
        if reason is not None:
            found.append(Text(f"地址不可用（{reason}）：应为 https。", f"The address cannot be used ({reason}): https is required."))
        return found

    def _ask_token(self, http: httpx.Client) -> _Token | Outcome:
        """Return a new token, or why there is none; nothing was sent then, so whatever is unclear is tried again."""
        asked = {"corpid": self._corp_id, "corpsecret": self._secret}
        answer = call(http, "GET", str(httpx.URL(f"{self._url}/cgi-bin/gettoken").copy_merge_params(asked)), allowed=self._allowed)
        outcome = refused_by_status(answer) if isinstance(answer, Answer) else answer
        if isinstance(outcome, Unknown):
            return Retry(DEFAULT_RETRY_S, outcome.reason)
        if outcome is not None:
            return outcome
        said = read(answer, _Token) if isinstance(answer, Answer) else None
        if said is None or (said.errcode == 0 and not said.access_token):
            return Retry(DEFAULT_RETRY_S, "ANSWER_UNREADABLE")
        return said if said.errcode == 0 else _outcome(_Said(said.errcode))


def make(settings: Mapping[str, Any], *, allowed: Collection[str]) -> WecomApp:
    """Return the WeCom channel with `settings`."""
    return WecomApp(
        url=settings.get("url", "") or URL, corp_id=settings.get("corp_id", ""), agent_id=settings.get("agent_id", ""),
        secret=settings.get("secret", ""), allowed=allowed, tokens=_tokens,
    )


def body_of(outgoing: Outgoing, *, agent_id: int) -> dict[str, Any]:
    """Return the request: the same bytes however often the same message is sent, other bytes for any other one."""
    body: dict[str, Any] = {"touser": outgoing.address, "agentid": agent_id}
    if outgoing.link:
        body["msgtype"] = "textcard"
        body["textcard"] = {
            "title": headline(outgoing.severity, language=outgoing.language), "description": fit(outgoing.text, DESCRIPTION_BYTES),
            "url": f"{outgoing.link}#{outgoing.key}", "btntxt": OPEN.render(outgoing.language, {}),
        }
    else:
        mark = f"〔{outgoing.key}〕"
        body["msgtype"] = "text"
        body["text"] = {"content": fit(outgoing.text, TEXT_BYTES - len(mark.encode())) + mark}
    return {**body, "enable_duplicate_check": 1, "duplicate_check_interval": DUPLICATE_S}


def _outcome(said: _Said) -> Outcome:
    code = said.errcode
    if code == 0:
        return Rejected("INVALID_USER") if said.invaliduser or said.unlicenseduser else Sent(said.msgid)
    if code in EXPIRED:
        return Retry(0.0, "TOKEN_EXPIRED")
    if code in NOBODY:
        return Rejected("INVALID_USER")
    if code == -1:
        return Retry(DEFAULT_RETRY_S, "BUSY")
    return Retry(BLOCKED_S, "TOO_FAST") if code == 45009 else Rejected(f"E{code}")
