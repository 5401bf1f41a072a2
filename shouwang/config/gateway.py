"""The web process: Django in threads, and the live stream in the same process behind the same address (RSGI)."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shouwang.config.settings")

from shouwang.config.wsgi import application as django
from shouwang.journal.clock import clock
from shouwang.journal.queries import last_seq
from shouwang.journal.wake import Bell
from shouwang.web.stream import Item, beat, heard, items_after

THREADS = 8
BEAT_S = 15.0
POLL_S = 0.5
LARGEST_BODY = 25 * 1024 * 1024
STREAM_PATH = "/stream/"
WHO_PATH = "/stream/who/"


class Hub:
    """Reads new events once for all listeners of this process and hands them on."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._queues: set[asyncio.Queue[list[Item]]] = set()
        self._task: asyncio.Task[None] | None = None
        self.seq = 0

    def join(self) -> asyncio.Queue[list[Item]]:
        """Return a queue on which new items arrive."""
        queue: asyncio.Queue[list[Item]] = asyncio.Queue(maxsize=1000)
        self._queues.add(queue)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        return queue

    def leave(self, queue: asyncio.Queue[list[Item]]) -> None:
        """Stop handing items to a queue."""
        self._queues.discard(queue)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        own = ThreadPoolExecutor(1)
        bell = Bell("events")
        self.seq = await loop.run_in_executor(own, last_seq)
        while True:
            await loop.run_in_executor(own, bell.wait, POLL_S)
            items, self.seq = await loop.run_in_executor(own, items_after, self.seq)
            for queue in self._queues if items else ():
                if not queue.full():
                    queue.put_nowait(items)


class Gateway:
    """The RSGI application."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS)
        self._hub = Hub(self._pool)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        if scope.proto != "http":
            return
        body = await protocol()
        loop = asyncio.get_running_loop()
        if scope.path == STREAM_PATH:
            await self._stream(scope, protocol, loop)
            return
        status, headers, content = await loop.run_in_executor(self._pool, call_django, scope, scope.path, body)
        protocol.response_bytes(status, headers, content)

    async def _stream(self, scope: Any, protocol: Any, loop: asyncio.AbstractEventLoop) -> None:
        status, headers, content = await loop.run_in_executor(self._pool, call_django, scope, WHO_PATH, b"")
        if status != HTTPStatus.OK:
            protocol.response_bytes(status, headers, content)
            return
        paths = tuple(json.loads(content)["paths"])
        wanted = scope.headers.get("last-event-id") or parse_qs(scope.query_string).get("last_event_id", [""])[0]
        queue = self._hub.join()
        transport = protocol.response_stream(200, [
            ("content-type", "text/event-stream"), ("cache-control", "no-store"), ("x-accel-buffering", "no"),
        ])
        try:
            await transport.send_str("retry: 2000\n\n" + beat(clock().now()))
            sent = await self._catch_up(transport, paths, int(wanted), loop) if wanted.isdigit() else 0
            while True:
                try:
                    items = await asyncio.wait_for(queue.get(), BEAT_S)
                except TimeoutError:
                    await transport.send_str(beat(clock().now()))
                    continue
                text = heard([item for item in items if item.seq > sent], paths)
                if text:
                    await transport.send_str(text)
        except Exception:  # noqa: BLE001 - the reader went away, in whichever way the server says so
            return
        finally:
            self._hub.leave(queue)

    async def _catch_up(self, transport: Any, paths: tuple[str, ...], seq: int, loop: asyncio.AbstractEventLoop) -> int:
        """Send what the reader missed since `seq`, and return the number reached."""
        while True:
            items, reached = await loop.run_in_executor(self._pool, items_after, seq)
            if reached == seq:
                return seq
            text = heard(items, paths)
            if text:
                await transport.send_str(text)
            seq = reached


def call_django(scope: Any, path: str, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
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
        "wsgi.run_once": False, "CONTENT_LENGTH": str(len(body)),
    }
    for name, value in scope.headers.items():
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            values[key] = value
        elif key != "CONTENT_LENGTH":
            values[f"HTTP_{key}"] = value
    return values


application = Gateway()
