"""Digest authentication as a server (RFC 7616): for cameras that push and know no bearer tokens, and for SIP. Pure.

A nonce carries its moment and a seal, so that nothing is remembered: within its life an answer may come again, and what
comes again is told again and counted.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

LIFE_S = 300
REALM = "shouwang"
_PARAMETER = re.compile(r"""([A-Za-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))""")
_ALGORITHMS: Mapping[str, Callable[..., hashlib._Hash]] = {"": hashlib.md5, "md5": hashlib.md5, "sha-256": hashlib.sha256}


@dataclass(frozen=True)
class Answer:
    """What somebody answers to a challenge."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str = ""
    qop: str = ""
    nc: str = ""
    cnonce: str = ""

    def expected(self, password: str, method: str) -> str:
        """Return the response that the right password gives."""
        make = _ALGORITHMS[self.algorithm.lower()]

        def digest(*parts: str) -> str:
            return make(":".join(parts).encode(), usedforsecurity=False).hexdigest()

        secret, asked = digest(self.username, self.realm, password), digest(method, self.uri)
        if self.qop:
            return digest(secret, self.nonce, self.nc, self.cnonce, self.qop, asked)
        return digest(secret, self.nonce, asked)


def read_answer(header: str) -> Answer | None:
    """Return what an Authorization header answers, None when it is no digest that is understood here."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != "digest":
        return None
    said = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(rest[:2_000])}
    fields = {name: said.get(name, "") for name in ("username", "realm", "nonce", "uri", "response", "algorithm", "qop", "nc", "cnonce")}
    if fields["algorithm"].lower() not in _ALGORITHMS or fields["qop"].lower() not in {"", "auth"}:
        return None
    return Answer(**fields)


def make_nonce(secret: str, *, at_s: float) -> str:
    """Return a nonce of this moment."""
    moment = f"{int(at_s):x}"
    return base64.urlsafe_b64encode(f"{moment}:{_seal(secret, moment)}".encode()).decode().rstrip("=")


def is_fresh(nonce: str, secret: str, *, at_s: float) -> bool:
    """Return whether a nonce is ours and not older than five minutes."""
    try:
        moment, _, seal = base64.urlsafe_b64decode(nonce + "=" * (-len(nonce) % 4)).decode("ascii").partition(":")
        made_s = int(moment, 16)
    except ValueError:
        return False
    return hmac.compare_digest(seal.encode(), _seal(secret, moment).encode()) and -LIFE_S <= at_s - made_s <= LIFE_S


def is_right(answer: Answer, *, password: str, method: str, uri: str, secret: str, at_s: float, realm: str = REALM) -> bool:
    """Return whether an answer is by whoever knows the password, to a nonce of ours, about this address. Compared in constant time."""
    expected = answer.expected(password, method)
    return (
        bool(password) and answer.realm == realm and answer.uri == uri and is_fresh(answer.nonce, secret, at_s=at_s)
        and hmac.compare_digest(expected.encode(), answer.response.lower().encode())
    )


def challenge(secret: str, *, at_s: float, realm: str = REALM, qop: str = 'qop="auth", ') -> str:
    """Return the value of WWW-Authenticate that asks for a digest; SIP devices of the older kind know no `qop`."""
    return f'Digest realm="{realm}", {qop}algorithm=MD5, nonce="{make_nonce(secret, at_s=at_s)}"'


def _seal(secret: str, moment: str) -> str:
    return hmac.new(secret.encode(), f"nonce {moment}".encode(), "sha256").hexdigest()[:32]
