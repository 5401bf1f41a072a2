"""What is set for the broker: `[sources.mqtt_client]` of shouwang.toml. Secrets stand in files of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from shouwang.kernel.errors import NotFound, ShouwangError
from shouwang.telemetry.sources import decoder_of
from shouwang.telemetry.sources.mqtt_client import topics

PORTS = {"mqtt": 1883, "mqtts": 8883}
SECRET_BYTES = 4_096


class SecretUnreadable(ShouwangError):
    """A file that holds a password or a token cannot be used."""

    zh = "{name} 指定的文件 {path} 无法使用：{found}；请放入一行密钥，并让本程序可读。"
    en = "The file {path} that {name} names cannot be used: {found}; put the secret into it on one line and let this program read it."
    status = 503


class TokenUnfit(ShouwangError):
    """The token in `token_file` may not write readings here."""

    zh = "token_file 指定的文件 {path} 中的令牌无效、已过期或没有上报读数的权限；请重新签发并放入该文件。"
    en = "The token in the file {path} that token_file names is not valid, has expired or may not write readings; issue one and put it there."
    status = 503


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One topic to subscribe to, `{device}` where a level is the device's id, and the source whose JSON comes under it."""

    topic: str
    shape: str = "http"

    def __post_init__(self) -> None:
        """Check both. Raises ValueError."""
        topics.check(self.topic)
        try:
            decoder_of(self.shape)
        except NotFound as error:
            raise ValueError(f"shape {self.shape!r} is no source that is pushed, as http or wmbusmeters") from error


class MqttClientSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is set. `token_file` holds a token of Shouwang, which says what the broker's messages may write."""

    address: str
    token_file: str
    topics: Annotated[tuple[Topic, ...], msgspec.Meta(min_length=1, max_length=100)]
    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] = "shouwang"
    username: str = ""
    password_file: str = ""
    version: Literal["5", "3.1.1"] = "5"
    keep_session_s: Annotated[int, msgspec.Meta(ge=60, le=0xFFFF_FFFE)] = 7 * 86_400
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""

    def __post_init__(self) -> None:
        """Check what belongs together. Raises ValueError."""
        parts = urlsplit(self.address)
        if parts.scheme not in PORTS or not parts.hostname or parts.username or parts.path not in {"", "/"} or parts.query:
            raise ValueError("address must be mqtt://HOST, mqtts://HOST or either with :PORT; user and password stand in their own settings")
        if parts.port == 0:
            raise ValueError("address names port 0; expected 1 to 65535")
        if self.password_file and not self.username:
            raise ValueError("password_file without username: MQTT sends a password only beside a user name")
        if not self.is_tls and (self.ca_file or self.certificate_file or self.key_file):
            raise ValueError("ca_file, certificate_file and key_file need an address that begins with mqtts://")
        if self.key_file and not self.certificate_file:
            raise ValueError("key_file without certificate_file")

    @property
    def is_tls(self) -> bool:
        """Return whether the connection is encrypted."""
        return urlsplit(self.address).scheme == "mqtts"

    @property
    def host(self) -> str:
        """Return the broker's host."""
        return urlsplit(self.address).hostname or ""

    @property
    def port(self) -> int:
        """Return the broker's port."""
        parts = urlsplit(self.address)
        return parts.port or PORTS[parts.scheme]


def secret_in(path: str, *, name: str) -> str:
    """Return what a file holds, without the line's end. Raises SecretUnreadable, which never says what it holds."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(SECRET_BYTES + 1).decode().strip()
    except OSError as error:
        raise SecretUnreadable(name=name, path=path, found=error.strerror or "not readable") from error
    except UnicodeDecodeError:
        raise SecretUnreadable(name=name, path=path, found="not UTF-8") from None
    if not text or len(text) > SECRET_BYTES or "\n" in text:
        raise SecretUnreadable(name=name, path=path, found="empty, or more than one line")
    return text
