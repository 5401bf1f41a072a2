"""A camera on loopback: speaks HTTP by hand, asks for a digest, and plays what a test gives it, cut as the test wants."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

NONCE, REALM = "0f1e2d3c4b5a", "camera"


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Play = Callable[[Asked], AsyncIterator[bytes]]


@dataclass
class FakeCamera:
    """Answers each request with the whole response that `play` yields, piece by piece; closes the connection behind it."""

    play: Play
    user: str = ""
    password: str = ""
    asked: list[Asked] = field(default_factory=list)
    refused: int = 0
    port: int = 0
    work: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        task = asyncio.current_task()
        assert task is not None
        self.work.add(task)
        try:
            await self._serve(reader, writer)
        finally:
            self.work.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            asked = await _read(reader)
            if self.user and not self._is_right(asked):
                self.refused += 1
                writer.write(answer(b"", status="401 Unauthorized", more=[f'WWW-Authenticate: Digest realm="{REALM}", qop="auth", nonce="{NONCE}", algorithm=MD5']))
            else:
                self.asked.append(asked)
                async for piece in self.play(asked):
                    writer.write(piece)
                    await writer.drain()
            await writer.drain()

    def _is_right(self, asked: Asked) -> bool:
        given = {name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', asked.headers.get("authorization", ""))}

        def md5(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        secret, about = md5(f"{self.user}:{REALM}:{self.password}"), md5(f"{asked.method}:{asked.target}")
        expected = md5(f"{secret}:{NONCE}:{given.get('nc')}:{given.get('cnonce')}:auth:{about}")
        return (given.get("username"), given.get("uri"), given.get("response")) == (self.user, asked.target, expected)


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    return Asked(method, target, headers, await reader.readexactly(int(headers.get("content-length", 0))))


def answer(body: bytes, *, status: str = "200 OK", content_type: str = "text/plain", more: Sequence[str] = ()) -> bytes:
    """Return a whole answer."""
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", "Connection: close", *more, "", ""]).encode() + body


def stream_head(content_type: str) -> bytes:
    """Return the beginning of an answer that ends with its connection."""
    return f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nConnection: close\r\n\r\n".encode()


def cut(data: bytes, size: int) -> Iterable[bytes]:
    """Yield pieces of a size."""
    return (data[at : at + size] for at in range(0, len(data), size))


@asynccontextmanager
async def camera(fake: FakeCamera) -> AsyncIterator[FakeCamera]:
    """Run a camera on a free port."""
    server = await asyncio.start_server(fake.serve, "127.0.0.1", fake.port)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
        left = list(fake.work)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
