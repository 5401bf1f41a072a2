"""Sealing of single values: AES-256-GCM with versioned keys, and keyed fingerprints by which a whole value is found. Pure.

A sealed value is "VERSION.base64(nonce and ciphertext)". What it is about (a column's name) is bound into it, so that it
cannot be moved to another column. The fingerprint's key is apart from the others and outlives their rotation.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shouwang.kernel.errors import ShouwangError

KEY_BYTES = 32
NONCE_BYTES = 12
FINGERPRINT_HEX = 32
INDEX = "index"


class KeysInvalid(ShouwangError):
    """The keys of sealed values cannot be read."""

    zh = "加密密钥无法使用：{problem}；应为“index:密钥,1:密钥”，密钥为 32 字节的 base64。"
    en = "The keys of sealed values cannot be used: {problem}; expected index:KEY,1:KEY with 32 bytes in base64 each."
    status = 500


class SealBroken(ShouwangError):
    """A sealed value cannot be opened with the keys at hand."""

    zh = "“{about}”的加密内容无法打开（密钥版本 {version}）；请核对密钥文件是否与数据库相符。"
    en = "A sealed value of {about} cannot be opened (key version {version}); check that the key file belongs to this database."
    status = 500


@dataclass(frozen=True)
class Keys:
    """The keys of an installation: one for fingerprints, and versions of which the highest seals."""

    index: bytes
    versions: Mapping[int, bytes]

    @property
    def current(self) -> int:
        """Return the version that seals."""
        return max(self.versions)


def parse_keys(text: str) -> Keys:
    """Return the keys written as "index:KEY,2:KEY,1:KEY". Raises KeysInvalid."""
    found: dict[str, bytes] = {}
    for part in filter(None, (each.strip() for each in text.replace("\n", ",").split(","))):
        name, _, encoded = part.partition(":")
        try:
            key = base64.b64decode(encoded, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise KeysInvalid(problem=f"{name} ?") from None
        if len(key) != KEY_BYTES or not (name == INDEX or (name.isascii() and name.isdigit() and name[0] != "0")):
            raise KeysInvalid(problem=f"{name[:20]}, {len(key)} B")
        found[name] = key
    if INDEX not in found or len(found) < 2:
        raise KeysInvalid(problem="index + 1")
    return Keys(found.pop(INDEX), {int(name): key for name, key in found.items()})


def write_keys(keys: Keys) -> str:
    """Return keys as `parse_keys` reads them."""
    lines = [f"{INDEX}:{_encode(keys.index)}"]
    lines += [f"{version}:{_encode(key)}" for version, key in sorted(keys.versions.items(), reverse=True)]
    return "\n".join(lines) + "\n"


def new_keys() -> Keys:
    """Return fresh keys."""
    return Keys(secrets.token_bytes(KEY_BYTES), {1: secrets.token_bytes(KEY_BYTES)})


def with_new_version(keys: Keys) -> Keys:
    """Return the keys with one version more, which seals from now on."""
    return Keys(keys.index, {**keys.versions, keys.current + 1: secrets.token_bytes(KEY_BYTES)})


def seal(text: str, keys: Keys, *, about: str) -> str:
    """Return `text` sealed; nothing stays nothing."""
    if not text:
        return ""
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(keys.versions[keys.current]).encrypt(nonce, text.encode(), about.encode())
    return f"{keys.current}.{_encode(nonce + sealed)}"


def unseal(sealed: str, keys: Keys, *, about: str) -> str:
    """Return what `seal` was given. Raises SealBroken."""
    if not sealed:
        return ""
    version = version_of(sealed)
    key = keys.versions.get(version)
    if key is None:
        raise SealBroken(about=about, version=version)
    try:
        raw = base64.urlsafe_b64decode(sealed.partition(".")[2])
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], about.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise SealBroken(about=about, version=version) from error


def version_of(sealed: str) -> int:
    """Return the version of the key that sealed a value, 0 for what is not sealed at all."""
    head = sealed.partition(".")[0]
    return int(head) if head.isascii() and head.isdigit() and "." in sealed and len(head) < 9 else 0


def fingerprint(text: str, keys: Keys, *, about: str) -> str:
    """Return 32 hexadecimal digits that equal values share and nobody without the key can compute; nothing for nothing."""
    if not text:
        return ""
    return hmac.new(keys.index, f"{about}\x1f{text}".encode(), hashlib.sha256).hexdigest()[:FINGERPRINT_HEX]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()
