"""The web process: Django in threads, and the live stream in the same process behind the same address (RSGI)."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shouwang.config.settings")

from shouwang.config.wsgi import application as django
from shouwang.journal.clock import clock
from shouwang.kernel.errors import ShouwangError
from shouwang.people.middleware import UNATTENDED
from shouwang.ui.answers import BodyTooLarge, failure
from shouwang.web.hub import Hub, Listener, close_threads
from shouwang.web.stream import Audience, Position, beat, read_after, told

THREADS = 8
ASK_AGAIN_S = 60.0
RETRY_MS = 2_000
LARGEST_BODY = 25 * 1024 * 1024
STREAM_PATH = "/stream/"
WHO_PATH = "/stream/who/"
STREAM_HEADERS = [("content-type", "text/event-stream"), ("cache-control", "no-store"), ("x-accel-buffering", "no")]
Answer = tuple[int, list[tuple[str, str]], bytes]


class Gateway:
    """The RSGI application."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS)
        self._hub = Hub()

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        if scope.proto != "http":
            return
        if scope.path == STREAM_PATH and scope.method == "GET":
            await self._stream(scope, protocol)
            return
        body = await read_body(scope, protocol)
        if body is None:
            protocol.response_bytes(*answer_of(BodyTooLarge(found=f"over {LARGEST_BODY} B", most=f"{LARGEST_BODY} B")))
            return
        status, headers, content = await self._django(scope, scope.path, body)
        protocol.response_bytes(status, headers, content)

    async def close(self) -> None:
        """End the threads and their connections; nobody may ask any more."""
        await self._hub.close()
        await asyncio.get_running_loop().run_in_executor(None, close_threads, self._pool, THREADS)

    async def _django(self, scope: Any, path: str, body: bytes = b"") -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call_django, scope, path, body)

    async def _stream(self, scope: Any, protocol: Any) -> None:
        status, headers, content = await self._django(scope, WHO_PATH)
        if status != HTTPStatus.OK:
            protocol.response_bytes(status, headers, content)
            return
        try:
            listener = await self._hub.join(audience_of(content), resume_at(scope))
        except ShouwangError as error:
            protocol.response_bytes(*answer_of(error))
            return
        transport = protocol.response_stream(200, STREAM_HEADERS)
        try:
            await transport.send_str(f"retry: {RETRY_MS}\n\n" + beat(clock().now(), listener.position, listeners=self._hub.count))
            await self._tell(scope, listener, transport)
        except Exception:  # noqa: BLE001 - the listener went away, in whichever way the server says so
            return
        finally:
            self._hub.leave(listener)

    async def _tell(self, scope: Any, listener: Listener, transport: Any) -> None:
        """Send a listener what it missed and then what comes, as long as it may listen."""
        asked_s = time.monotonic()
        while True:
            text = await listener.unsent()
            if text:
                await transport.send_str(text)
            else:
                await self._catch_up(listener, transport)
            if time.monotonic() - asked_s >= ASK_AGAIN_S:
                asked_s = time.monotonic()
                status, _, content = await self._django(scope, WHO_PATH)
                if status != HTTPStatus.OK:
                    return
                listener.audience = audience_of(content)

    async def _catch_up(self, listener: Listener, transport: Any) -> None:
        """Send what lies between a listener and what the hub hands out."""
        while not self._hub.takes(listener):
            reading = await asyncio.get_running_loop().run_in_executor(self._pool, read_after, listener.position)
            text = told(reading, listener.audience, after=listener.position)
            listener.position = listener.position.further(reading.end)
            if text:
                await transport.send_str(text)


async def read_body(scope: Any, protocol: Any) -> bytes | None:
    """Return the body of a request, or None when it is larger than LARGEST_BODY, of which no more is read."""
    said = scope.headers.get("content-length") or ""
    if said.isdecimal() and int(said) <= LARGEST_BODY:
        return bytes(await protocol())
    if said.isdecimal():
        return None
    body = bytearray()
    async for chunk in protocol:
        body += chunk
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)


def resume_at(scope: Any) -> Position | None:
    """Return where a listener left off, by header or address. Raises PositionUnreadable."""
    wanted = scope.headers.get("last-event-id") or parse_qs(scope.query_string).get("last_event_id", [""])[0]
    return Position.parse(wanted) if wanted else None


def audience_of(content: bytes) -> Audience:
    """Return the audience that `web.pages.stream.who` has said."""
    said = json.loads(content)
    return Audience(tuple(said["paths"]), said["person"], tuple(said["push_paths"]), tuple(said["read_paths"]))


def answer_of(error: ShouwangError) -> Answer:
    """Return the answer that says why something cannot be done."""
    said = failure(error)
    return said.status_code, [(name.lower(), value) for name, value in said.items()], said.content


def call_django(scope: Any, path: str, body: bytes) -> Answer:
    """Return Django's status, headers and content for a request."""
    found: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        del exc_info
        found["status"] = int(status.split(" ", 1)[0])
        found["headers"] = [(name.lower(), value) for name, value in headers]

    answer = django(environ(scope, path, body), start_response)  # type: ignore[arg-type]
    try:
        content = b"".join(answer)
    finally:
        close = getattr(answer, "close", None)
        if close:
            close()
    return found["status"], found["headers"], content


def environ(scope: Any, path: str, body: bytes) -> dict[str, Any]:
    """Return the WSGI environment of an RSGI request."""
    host, _, port = str(scope.server).rpartition(":")
    values: dict[str, Any] = {
        "REQUEST_METHOD": "GET" if path == WHO_PATH else scope.method, "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"), "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host, "SERVER_PORT": port, "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": str(scope.client).rpartition(":")[0], "wsgi.version": (1, 0), "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr, "wsgi.multithread": True, "wsgi.multiprocess": True,
        "wsgi.run_once": False, "CONTENT_LENGTH": str(len(body)), UNATTENDED: path == WHO_PATH,
    }
    for name, value in scope.headers.items():
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            values[key] = value
        elif key != "CONTENT_LENGTH":
            values[f"HTTP_{key}"] = value
    return values


application = Gateway()
