"""Publishers for the bench, in a process of their own: each keeps some messages in flight and notes what was acknowledged.

They speak MQTT by themselves, byte by byte, so that the product's own codec is not what judges it. A publisher that loses its
connection comes back and sends again whatever was not acknowledged, marked as sent before.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

BACK_S = 0.1
STALL_S = 60.0
SIZE = 85
FIRST = 1_000_000
"""What the first reading of each meter says; it counts up by one a second."""


def field(raw: bytes) -> bytes:
    """Return bytes with their length before them."""
    return len(raw).to_bytes(2, "big") + raw


def packet(first: int, body: bytes) -> bytes:
    """Return a packet; its length is at most 16,383."""
    size = len(body)
    return bytes((first, size) if size < 128 else (first, size & 0x7F | 0x80, size >> 7)) + body


def connect(client_id: str, username: str = "", password: str = "", *, clean_session: bool = True) -> bytes:
    """Return a CONNECT with a keep-alive of ten minutes."""
    flags = (0xC0 if username else 0) | (2 if clean_session else 0)
    body = b"\0\4MQTT\4" + bytes((flags,)) + (600).to_bytes(2, "big") + field(client_id.encode())
    return packet(0x10, body + (field(username.encode()) + field(password.encode()) if username else b""))


def readings(base: datetime, count: int) -> list[bytes]:
    """Return the bodies of `count` messages, a second apart: one reading of exactly 85 bytes in each."""
    bodies = []
    for n in range(count):
        at = (base + timedelta(seconds=n)).strftime("%Y-%m-%dT%H:%M:%SZ")
        reading = f'{{"datastream":"register_l","phenomenon_time":"{at}","result":{FIRST + n}}}'
        bodies.append(b'{"readings":[' + reading.encode() + b"]}")
        assert len(bodies[-1]) == SIZE + 15
    return bodies


class Publisher(asyncio.Protocol):
    """One device: `limit` messages at most, `window` of them in flight."""

    def __init__(self, load: Load, number: int, name: str, token: str) -> None:
        self.load, self.number = load, number
        self.acked: list[int] = []
        self._hello = connect(f"c{number}", name, token) if token else connect(f"c{number}")
        self._topic = field(f"v1/{name}/readings".encode())
        self._flying: deque[int] = deque()
        self._next = 0
        self._rest = b""
        self._transport: Any = None
        self._is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._rest, self._is_open = transport, b"", False
        self._transport.write(self._hello)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None
        if not self.load.is_over():
            self.load.loop.create_task(self.load.open(self))

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        whole = len(data) // 4 * 4
        self._rest = data[whole:]
        begin = 0
        if not self._is_open:
            if data[:4] != b"\x20\2\0\0":
                raise RuntimeError(f"CONNACK {data[:4].hex()}")
            self._is_open, begin = True, 4
            self._transport.write(b"".join(self._publish(n, 0x3A) for n in self._flying))
        for at in range(begin, whole, 4):
            if data[at] != 0x40 or data[at + 1] != 2:
                raise RuntimeError(f"expected PUBACK, got {data[at : at + 4].hex()}")
            self._acknowledged(data[at + 2] << 8 | data[at + 3])
        self.fill()

    def _acknowledged(self, packet_id: int) -> None:
        n = self._flying[0]
        if n % 65_535 + 1 == packet_id:
            self._flying.popleft()
        else:
            n = next(each for each in self._flying if each % 65_535 + 1 == packet_id)
            self._flying.remove(n)
        self.acked.append(n)
        self.load.count += 1

    def fill(self) -> None:
        """Send as many as may be in flight."""
        until = min(self._next + self.load.window - len(self._flying), self.load.limit)
        if until > self._next and not self.load.has_stopped:
            fresh = range(self._next, until)
            self._next = until
            self._flying.extend(fresh)
            self._transport.write(b"".join([self._publish(n, 0x32) for n in fresh]))
        self.load.last_s = time.monotonic()

    def _publish(self, n: int, first: int) -> bytes:
        return packet(first, self._topic + (n % 65_535 + 1).to_bytes(2, "big") + self.load.bodies[n])

    @property
    def is_done(self) -> bool:
        """Return whether all that was sent is acknowledged, and nothing more is to be sent."""
        return not self._flying and (self.load.has_stopped or self._next >= self.load.limit)


class Load:
    """All publishers of one process."""

    def __init__(self, port: int, *, limit: int, window: int, base: datetime) -> None:
        self.port, self.limit, self.window = port, limit, window
        self.bodies = readings(base, limit)
        self.count = 0
        self.has_stopped = False
        self.last_s = time.monotonic()
        self.loop = asyncio.get_running_loop()
        self.publishers: list[Publisher] = []

    async def open(self, publisher: Publisher) -> None:
        """Connect, however often it takes."""
        while not self.is_over():
            try:
                await self.loop.create_connection(lambda: publisher, "127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(BACK_S)
            else:
                return

    def is_over(self) -> bool:
        """Return whether everything is acknowledged."""
        return all(each.is_done for each in self.publishers)

    async def run(self, stop: str, progress: str) -> None:
        """Publish until everything is acknowledged; `stop` ends the sending of fresh messages, `progress` says how far it is."""
        await asyncio.gather(*(self.open(each) for each in self.publishers))
        while not self.is_over():
            await asyncio.sleep(0.05)
            note(progress, self.count)
            self.has_stopped = self.has_stopped or said(stop)
            if time.monotonic() - self.last_s > STALL_S:
                raise TimeoutError(f"no PUBACK for {STALL_S:.0f} s, {self.count} so far")


def publish(
    *, port: int, meters: str, limit: int, window: int, base: str, stop: str, progress: str, out: str,
) -> dict[str, Any]:
    """Publish and write what was acknowledged, by device, to `out`; `meters` holds their tokens."""
    tokens: dict[str, str] = json.loads(Path(meters).read_text())

    async def main() -> Load:
        load = Load(port, limit=limit, window=window, base=datetime.fromisoformat(base))
        load.publishers = [Publisher(load, number, name, token) for number, (name, token) in enumerate(tokens.items())]
        await load.run(stop, progress)
        return load

    began_s, cpu_s = time.monotonic(), time.process_time()
    load = asyncio.run(main())
    taken = {"seconds": time.monotonic() - began_s, "client_cpu_s": time.process_time() - cpu_s}
    Path(out).write_text(json.dumps({name: each.acked for name, each in zip(tokens, load.publishers, strict=True)}))
    return {"acked": load.count, **taken}


def said(path: str) -> bool:
    """Return whether a file is there."""
    return Path(path).exists()


def note(path: str, count: int) -> None:
    """Write how far it is, whole or not at all."""
    Path(path + ".new").write_text(str(count))
    Path(path + ".new").replace(path)
