"""What kinds of loudspeakers share: a sound sent as fast as it is heard, a password as the device asks for it, a plain answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from dataclasses import dataclass

import httpx

from shouwang.kernel.texts import Text
from shouwang.notify.outside import Answer, call, refused_by_status
from shouwang.notify.rules.delivery import Outcome, Retry, Unknown
from shouwang.notify.rules.hosts import refusal

AGAIN_S = 1.0
HEAD_S = 0.4
STEP_S = 0.04
G711_BYTES_S = 8_000


@dataclass(frozen=True)
class Paced:
    """The bytes of a sound, given out as fast as they are heard: a camera's buffer holds about a second, the rest it would lose.

    Can be given out again from the start, when the device asks for the password first.
    """

    data: bytes
    bytes_s: int = G711_BYTES_S
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    @property
    def lasting_s(self) -> float:
        """Return how long it takes."""
        return len(self.data) / self.bytes_s

    def __iter__(self) -> Iterator[bytes]:
        """Give out the first part at once and the rest in steps."""
        began_s, at = self.monotonic(), int(HEAD_S * self.bytes_s)
        yield self.data[:at]
        step = int(STEP_S * self.bytes_s)
        while at < len(self.data):
            ahead_s = at / self.bytes_s - HEAD_S - (self.monotonic() - began_s)
            if ahead_s > 0:
                self.sleep(ahead_s)
            yield self.data[at : at + step]
            at += step


class Login(httpx.DigestAuth):
    """Digest where the device asks for digest, Basic where it asks only for that; nothing is sent before it asks."""

    def __init__(self, user: str, password: str) -> None:
        super().__init__(user, password)
        self._basic = httpx.BasicAuth(user, password)
        self._asks_basic = False

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Answer the first question of the device, and remember it for the next request."""
        if self._asks_basic:
            yield from self._basic.auth_flow(request)
            return
        digest = super().auth_flow(request)
        response = yield next(digest)
        asked = response.headers.get_list("www-authenticate") if response.status_code == 401 else []
        if asked and not any(each.lower().startswith("digest") for each in asked) and any(each.lower().startswith("basic") for each in asked):
            self._asks_basic = True
            yield from self._basic.auth_flow(request)
            return
        try:
            yield digest.send(response)
        except (StopIteration, httpx.ProtocolError, KeyError, NotImplementedError):  # it asks for what is unknown: its 401 stands
            return


@dataclass(frozen=True)
class Device:
    """One device behind an address: `url` is its root, without a slash at the end."""

    url: str
    auth: httpx.Auth | None
    allowed: Collection[str]

    def ask(
        self, http: httpx.Client, method: str, path: str, *, content: bytes | Paced = b"", headers: Mapping[str, str] | None = None,
    ) -> Answer | Outcome:
        """Return the device's answer where it is 2xx, else the outcome that follows from what came."""
        given = {"content-length": str(len(content.data)), **(headers or {})} if isinstance(content, Paced) else headers
        answer = call(
            http, method, self.url + path, allowed=self.allowed, content=content, headers=given, auth=self.auth,
            lasting_s=content.lasting_s if isinstance(content, Paced) else 0.0,
        )
        if not isinstance(answer, Answer):
            return answer
        return refused_by_status(answer) or answer

    def problems(self) -> list[Text]:
        """Return what is wrong with the address."""
        reason = refusal(self.url, allowed=self.allowed)
        if reason is None:
            return []
        return [
            Text(
                f"地址不可用（{reason}）：应为 https，或维护人员已允许的内网主机。",
                f"The address cannot be used ({reason}): https is required, or a private host that the maintainer has allowed.",
            )
        ]


def device(url: str, *, user: str, secret: str, allowed: Collection[str]) -> Device:
    """Return the device at `url`; a user and password answer whatever it asks."""
    return Device(url.rstrip("/"), Login(user, secret) if user else None, allowed)


def not_yet(outcome: Outcome) -> Outcome:
    """Return what `outcome` means of a request that cannot have sounded yet: where nobody knows, it may be tried again."""
    return Retry(AGAIN_S, outcome.reason) if isinstance(outcome, Unknown) else outcome
