"""Public addresses of an activity and of one's own sign-up. Nothing about anybody stands in them."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.core import signing

from shouwang.activities.rules.errors import LinkInvalid

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Letters and digits that are not mistaken for one another on paper."""
LENGTH = 10
_SALT = "shouwang.sign-up"


def any_code() -> str:
    """Return a public code drawn by chance: ten characters, about 50 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def public(code: str, page: str = "") -> str:
    """Return the public address of an activity, or of one of its pages: "board/", "number/", "rate/"."""
    return f"/a/{code}/{page}"


def whole(path: str) -> str:
    """Return a whole address, as a QR carries it."""
    return f"{settings.SHOUWANG_ADDRESS}{path}"


def sign_up_link(code: str, sign_up_id: int) -> str:
    """Return the address of one's own sign-up."""
    return public(code, f"mine/{signing.dumps(sign_up_id, salt=_SALT)}/")


def read_sign_up(token: str) -> int:
    """Return the sign-up a link leads to. Raises LinkInvalid."""
    try:
        return int(signing.loads(token, salt=_SALT))
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise LinkInvalid from error
