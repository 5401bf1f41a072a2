"""Webhook: one signed POST per message, as standardwebhooks.com describes.

`webhook-id` is the message's key: the receiver drops a second one, so sending again after a lost answer is safe.
"""

from __future__ import annotations

import binascii
from collections.abc import Collection, Mapping
from typing import Any

import httpx
import msgspec
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from shouwang.kernel.texts import Text
from shouwang.notify.contract import Outcome, Outgoing, Rejected, Sent, Unknown
from shouwang.notify.outside import Answer, call, refused_by_status
from shouwang.notify.rules.hosts import refusal

TYPE = "shouwang.message"


class SignedWebhook:
    """Posts messages to the person's address, else to the office's own."""

    def __init__(self, *, url: str, secret: str, allowed: Collection[str]) -> None:
        self._url = url
        self._allowed = allowed
        self._signer = _signer(secret)

    def send(self, outgoing: Outgoing, *, http: httpx.Client) -> Outcome:
        """Post `outgoing` and return Sent once the receiver has answered 2xx; its body does not matter."""
        url = outgoing.address or self._url
        if not url:
            return Rejected("NO_ADDRESS")
        if self._signer is None:
            return Rejected("NO_SECRET")
        body = _body(outgoing)
        headers = {
            "content-type": "application/json",
            "webhook-id": outgoing.key,
            "webhook-timestamp": str(int(outgoing.at.timestamp())),
            "webhook-signature": self._signer.sign(outgoing.key, outgoing.at, body.decode()),
        }
        answer = call(http, "POST", url, allowed=self._allowed, content=body, headers=headers)
        if not isinstance(answer, Answer):
            return answer
        return refused_by_status(answer) or Sent()

    def query(self, key: str, *, http: httpx.Client) -> Outcome:  # noqa: ARG002 - the contract
        """Return Unknown: a webhook cannot be asked."""
        return Unknown("NO_QUERY")

    def problems(self) -> list[Text]:
        """Return what is wrong with the address or the secret."""
        found = []
        if self._signer is None:
            found.append(Text("签名密钥应为 whsec_ 加 Base64。", "The secret must be whsec_ followed by Base64."))
        reason = refusal(self._url, allowed=self._allowed) if self._url else None
        if reason is not None:
            found.append(Text(f"地址不可用（{reason}）：应为 https。", f"The address cannot be used ({reason}): https is required."))
        return found


def make(settings: Mapping[str, Any], *, allowed: Collection[str]) -> SignedWebhook:
    """Return the webhook channel with `settings`."""
    return SignedWebhook(url=settings.get("url", ""), secret=settings.get("secret", ""), allowed=allowed)


def _signer(secret: str) -> Webhook | None:
    try:
        return Webhook(secret)
    except (EmptyWebhookSecretError, binascii.Error, ValueError):
        return None


def _body(outgoing: Outgoing) -> bytes:
    data = {
        "key": outgoing.key, "template": outgoing.template, "params": outgoing.params, "text": outgoing.text,
        "language": outgoing.language, "severity": outgoing.severity, "count": outgoing.count,
        "exercise": outgoing.is_exercise,
    }
    return msgspec.json.encode({"type": TYPE, "timestamp": outgoing.at.isoformat(), "data": data})
