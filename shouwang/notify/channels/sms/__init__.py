"""SMS by a generic HTTP gateway.

Sends `POST {phone, template, params, out_id}` and asks `GET status_url?out_id=…`. Gateways take registered templates
only, so a template's code travels, not a sentence. `out_id` is our key; gateways do not drop a second one, so the
outbox asks before it sends again.
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
from shouwang.notify.rules.texts import ANSWERS, BUNDLE, choices

OK = "OK"
THROTTLED = "THROTTLED"


class _Accepted(msgspec.Struct):
    code: str = OK
    ref: str = ""


class _Status(msgspec.Struct):
    status: str
    ref: str = ""
    err_code: str = "FAILED"


class SmsGateway:
    """Sends by one gateway."""

    def __init__(self, *, url: str, status_url: str, token: str, allowed: Collection[str]) -> None:
        self._url = url
        self._status_url = status_url
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._allowed = allowed

    def send(self, outgoing: Outgoing, *, http: httpx.Client) -> Outcome:
        """Return Sent once the gateway has said OK: it will report the delivery later."""
        body = {"phone": outgoing.address, **_words(outgoing), "out_id": outgoing.key}
        said = post(http, self._url, body, _Accepted, allowed=self._allowed, headers=self._headers)
        if not isinstance(said, _Accepted):
            return said
        if said.code == THROTTLED:
            return Retry(DEFAULT_RETRY_S, THROTTLED)
        return Sent(said.ref) if said.code == OK else Rejected(said.code)

    def query(self, key: str, *, http: httpx.Client) -> Outcome:
        """Return what the gateway knows of `key`; Missing when it answers 404."""
        url = str(httpx.URL(self._status_url).copy_merge_params({"out_id": key}))
        answer = call(http, "GET", url, allowed=self._allowed, headers=self._headers)
        if not isinstance(answer, Answer):
            return answer if isinstance(answer, Retry) else Unknown("NO_STATUS")
        if answer.status == 404:
            return Missing()
        said = read(answer, _Status) if answer.status == 200 else None
        return Unknown(f"HTTP_{answer.status}") if said is None else outcome_of(said.status, said.err_code, said.ref)

    def problems(self) -> list[Text]:
        """Return what is wrong with the addresses."""
        reasons = {url: refusal(url, allowed=self._allowed) for url in (self._url, self._status_url)}
        return [
            Text(f"地址“{url}”不可用（{reason}）：应为 https。", f"The address “{url}” cannot be used ({reason}): https is required.")
            for url, reason in reasons.items()
            if reason is not None
        ]


def make(settings: Mapping[str, Any], *, allowed: Collection[str]) -> SmsGateway:
    """Return the SMS channel with `settings`."""
    return SmsGateway(
        url=settings.get("url", ""), status_url=settings.get("status_url", ""), token=settings.get("token", ""), allowed=allowed,
    )


def outcome_of(status: str, err_code: str = "FAILED", ref: str = "") -> Outcome:
    """Return what a gateway's status word means."""
    match status:
        case "DELIVERED":
            return Delivered(ref)
        case "ACCEPTED":
            return Sent(ref)
        case "FAILED":
            return Rejected(err_code)
        case _:
            return Unknown("STATUS_UNKNOWN")


def _words(outgoing: Outgoing) -> dict[str, Any]:
    mark = {"exercise": True} if outgoing.is_exercise else {}
    if outgoing.count == 1:
        asked = choices(outgoing.params, outgoing.language, way="reply")
        params = {name: value for name, value in outgoing.params.items() if name != ANSWERS} | ({ANSWERS: asked} if asked else {})
        return {"template": outgoing.template, "params": params, **mark}
    return {"template": BUNDLE, "params": {"count": outgoing.count, "first": outgoing.template}, **mark}

