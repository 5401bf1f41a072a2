"""Signatures of callbacks, as standardwebhooks.com describes: HMAC-SHA256 over id, time and body. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

PREFIX = "whsec_"
TOLERANCE_S = 300.0


def key_of(secret: str) -> bytes | None:
    """Return the key in a secret such as whsec_…, None where it is none."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True) or None
    except (binascii.Error, ValueError):
        return None


def is_signed(body: bytes, headers: Mapping[str, str], secret: str, *, at_s: float) -> bool:
    """Return whether `body` was signed with `secret` within five minutes of `at_s`; several signatures may stand there."""
    key, moment = key_of(secret), headers.get("webhook-timestamp", "")
    if key is None or not moment.isdecimal() or abs(int(moment) - at_s) > TOLERANCE_S:
        return False
    signed = f"{headers.get('webhook-id', '')}.{moment}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return any(hmac.compare_digest(expected.encode(), given.encode()) for given in headers.get("webhook-signature", "").split(" "))
