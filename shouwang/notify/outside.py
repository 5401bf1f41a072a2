"""Calls to providers: no redirect, no proxy, a short timeout, a small answer, and no private address.

The host is resolved here and the request goes to the very address that was checked, so a name that changes its mind
between the check and the call gains nothing.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import httpx
import msgspec

from shouwang.notify.rules.delivery import Outcome, Rejected, Retry, Unknown
from shouwang.notify.rules.hosts import is_allowed, is_public, refusal

TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 64 * 1024
DEFAULT_RETRY_S = 5.0

for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # they log addresses, and a robot's holds its token

Resolve = Callable[[str, int], list[str]]
S = TypeVar("S", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider answered; `is_whole` is False when its body broke off."""

    status: int
    headers: httpx.Headers
    body: bytes
    is_whole: bool


def client(timeout_s: float = TIMEOUT_S) -> httpx.Client:
    """Return a client for calls to providers; threads may share it.

    No connection is kept: requests name an address, and one made for a host must not serve another at that address.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.Client(timeout=timeout_s, follow_redirects=False, trust_env=False, limits=limits)


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of `host`. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def call(
    http: httpx.Client, method: str, url: str, *, allowed: Collection[str], content: bytes | Iterable[bytes] = b"",
    headers: Mapping[str, str] | None = None, resolve: Resolve = resolve, auth: httpx.Auth | None = None, lasting_s: float = 0.0,
) -> Answer | Outcome:
    """Return the answer to one request, or the outcome that the lack of one means.

    With `auth` the request is made again when the other side asks who it is, so `content` must be able to be read twice.
    `lasting_s` is how long `content` takes by itself, where it is not given out at once.
    """
    refused = refusal(url, allowed=allowed)
    if refused is not None:
        return Rejected(refused)
    target = _target(url)
    port = target.port or (443 if target.scheme == "https" else 80)
    address = address_of(target.host, port, is_private_allowed=is_allowed(target.host, target.port, allowed), resolve=resolve)
    if not isinstance(address, str):
        return address
    request = http.build_request(
        method, target.copy_with(host=address), content=content,
        headers={**(headers or {}), "Host": target.netloc.decode("ascii"), "Accept-Encoding": "identity"},
        extensions={"sni_hostname": target.raw_host.decode("ascii")},
    )
    return _send(http, request, auth, lasting_s)


@lru_cache(maxsize=1_000)
def _target(url: str) -> httpx.URL:
    return httpx.URL(url)


def address_of(host: str, port: int, *, is_private_allowed: bool, resolve: Resolve = resolve) -> str | Outcome:
    """Return the address to call `host` at, or the outcome where there is none that may be called."""
    try:
        addresses = resolve(host, port)
    except (OSError, UnicodeError):
        return Retry(DEFAULT_RETRY_S, "HOST_UNKNOWN")
    if not is_private_allowed and not all(is_public(address) for address in addresses):
        return Rejected("ADDRESS_PRIVATE")
    return addresses[0]


def post(
    http: httpx.Client, url: str, body: Any, shape: type[S], *, allowed: Collection[str], headers: Mapping[str, str] | None = None,
) -> S | Outcome:
    """Return what a provider answers to `body` as JSON, or the outcome where it answers nothing that can be understood."""
    content = msgspec.json.encode(body)
    answer = call(http, "POST", url, allowed=allowed, content=content, headers={"content-type": "application/json", **(headers or {})})
    if not isinstance(answer, Answer):
        return answer
    return refused_by_status(answer) or read(answer, shape) or Unknown("ANSWER_UNREADABLE")


def read(answer: Answer, shape: type[S]) -> S | None:
    """Return what the whole body of `answer` says, None when it broke off or says something else."""
    if not answer.is_whole:
        return None
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def refused_by_status(answer: Answer) -> Outcome | None:
    """Return what a status other than 2xx means, None for 2xx. A server's fault leaves open what it has done."""
    status = answer.status
    if 200 <= status < 300:
        return None
    if status in (408, 425, 429) or (status == 503 and "retry-after" in answer.headers):
        return Retry(_retry_after(answer.headers), f"HTTP_{status}")
    if 300 <= status < 400:
        return Rejected("REDIRECT")
    return Unknown(f"HTTP_{status}") if status >= 500 else Rejected(f"HTTP_{status}")


def _send(http: httpx.Client, request: httpx.Request, auth: httpx.Auth | None, lasting_s: float) -> Answer | Outcome:
    began_s, patience_s = time.monotonic(), http.timeout.read or TIMEOUT_S
    try:
        response = http.send(request, stream=True, auth=auth)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
        return Retry(DEFAULT_RETRY_S, "NO_CONNECTION")
    except httpx.TimeoutException:
        return Unknown("TIMEOUT")
    except httpx.TransportError:
        return Unknown("REPLY_LOST")
    try:
        body, is_whole = _body(response, began_s + lasting_s + 2 * patience_s)
    finally:
        response.close()
    return Answer(response.status_code, response.headers, body, is_whole)


def _body(response: httpx.Response, until_s: float) -> tuple[bytes, bool]:
    """Return what arrived of the body in time and within the limit, and whether that was all."""
    found = b""
    try:
        for part in response.iter_raw():
            found += part
            if len(found) > MAX_ANSWER_BYTES or time.monotonic() > until_s:
                return found[:MAX_ANSWER_BYTES], False
    except httpx.TransportError:
        return found, False
    return found, True


def _retry_after(headers: httpx.Headers) -> float:
    said = headers.get("retry-after", "")
    return float(said) if said.isdecimal() else DEFAULT_RETRY_S
