"""Telephone by a generic HTTP gateway: speaks the sentence, and takes "1" on the keypad as an acceptance.

- Sends `POST url {"phone", "text", "language", "answers", "out_id"}`; `answers` names the keys that mean something, as in
  `{"1": "ACCEPT"}`, where the message asks to accept a task or asks a contact of somebody, and then the text says so. Answer `{"code": "OK",
  "ref"}`; `THROTTLED` means later, any other code never. No address is spoken: nobody can write one down.
- Asks `GET status_url?out_id=…` → 404, or `{"status", "err_code"}`: ACCEPTED (it rings), ANSWERED, UNANSWERED, BUSY, FAILED.
- The gateway calls `POST /api/v1/voice/events` when a call has ended or a key was pressed, signed as Standard Webhooks
  describe. A call that nobody answered ends FAILED (NO_ANSWER): the ladder goes on at its own time.
- It rings, so it is tried when what was silent has not been accepted in time; at most three calls in a quarter of an hour
  to one number. Gateways do not drop a second call of the same `out_id`, so the outbox asks before it calls again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import httpx
import msgspec

from shouwang.kernel.texts import Text
from shouwang.notify.contract import Delivered, Missing, Outcome, Outgoing, Rejected, Retry, Sent, Unknown
from shouwang.notify.outside import DEFAULT_RETRY_S, Answer, call, post, read
from shouwang.notify.rules.hosts import refusal
from shouwang.notify.rules.signatures import key_of
from shouwang.notify.rules.texts import ACCEPT_KEY, ANSWERS, ASKS_TO_ACCEPT, choices

OK = "OK"
THROTTLED = "THROTTLED"
PRESS = Text("签收请按 1。", "Press 1 to accept.")


class _Accepted(msgspec.Struct):
    code: str
    ref: str = ""


class _Status(msgspec.Struct):
    status: str
    ref: str = ""
    err_code: str = "FAILED"


class VoiceGateway:
    """Calls by one gateway."""

    def __init__(self, *, url: str, status_url: str, token: str, callback_secret: str, allowed: Collection[str]) -> None:
        self._url = url
        self._status_url = status_url
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._callback_secret = callback_secret
        self._allowed = allowed

    def send(self, outgoing: Outgoing, *, http: httpx.Client) -> Outcome:
        """Return Sent once the gateway has taken the call: it reports later whether somebody answered."""
        said = post(http, self._url, body_of(outgoing), _Accepted, allowed=self._allowed, headers=self._headers)
        if not isinstance(said, _Accepted):
            return said
        if said.code == THROTTLED:
            return Retry(DEFAULT_RETRY_S, THROTTLED)
        return Sent(said.ref) if said.code == OK else Rejected(said.code)

    def query(self, key: str, *, http: httpx.Client) -> Outcome:
        """Return what the gateway knows of the call; Missing when it answers 404."""
        url = str(httpx.URL(self._status_url).copy_merge_params({"out_id": key}))
        answer = call(http, "GET", url, allowed=self._allowed, headers=self._headers)
        if not isinstance(answer, Answer):
            return answer if isinstance(answer, Retry) else Unknown("NO_STATUS")
        if answer.status == 404:
            return Missing()
        said = read(answer, _Status) if answer.status == 200 else None
        return Unknown(f"HTTP_{answer.status}") if said is None else outcome_of(said.status, said.err_code, said.ref)

    def problems(self) -> list[Text]:
        """Return what is wrong with the addresses and the secret."""
        reasons = {url: refusal(url, allowed=self._allowed) for url in (self._url, self._status_url)}
        found = [
            Text(f"地址“{url}”不可用（{reason}）：应为 https。", f"The address “{url}” cannot be used ({reason}): https is required.")
            for url, reason in reasons.items()
            if reason is not None
        ]
        if key_of(self._callback_secret) is None:
            found.append(Text("回调签名密钥应为 whsec_ 加 Base64。", "The callback secret must be whsec_ followed by Base64."))
        return found


def make(settings: Mapping[str, Any], *, allowed: Collection[str]) -> VoiceGateway:
    """Return the voice channel with `settings`."""
    return VoiceGateway(
        url=settings.get("url", ""), status_url=settings.get("status_url", ""), token=settings.get("token", ""),
        callback_secret=settings.get("callback_secret", ""), allowed=allowed,
    )


def body_of(outgoing: Outgoing) -> dict[str, Any]:
    """Return the call: what is spoken, and the keys that mean something."""
    asks = outgoing.template in ASKS_TO_ACCEPT
    spoken = PRESS.render(outgoing.language, {}) if asks else choices(outgoing.params, outgoing.language, way="press")
    text = outgoing.text + spoken
    answers = {ACCEPT_KEY: "ACCEPT"} if asks else {key: code for key, code, *_ in outgoing.params.get(ANSWERS, ())}
    return {"phone": outgoing.address, "text": text, "language": outgoing.language, "answers": answers, "out_id": outgoing.key}


def outcome_of(status: str, err_code: str = "FAILED", ref: str = "") -> Outcome:
    """Return what a gateway's status word means."""
    match status:
        case "ANSWERED":
            return Delivered(ref)
        case "ACCEPTED":
            return Sent(ref)
        case "UNANSWERED":
            return Rejected("NO_ANSWER")
        case "BUSY":
            return Rejected("LINE_BUSY")
        case "FAILED":
            return Rejected(err_code)
        case _:
            return Unknown("STATUS_UNKNOWN")
