"""An NB-IoT device: CoAP over UDP byte by byte (RFC 7252), so that the library is not what judges itself. A simulator for tests and by hand."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field
from typing import Any

CON, NON, ACK, RST = range(4)
POST, PUT, GET = 0x02, 0x03, 0x01
CHANGED, CONTINUE, EMPTY = 0x44, 0x5F, 0x00
URI_PATH, CONTENT_FORMAT, URI_QUERY, BLOCK1 = 11, 12, 15, 27
JSON = 50
PATIENCE_S = 10.0


@dataclass
class Said:
    """One CoAP message."""

    kind: int
    code: int
    message_id: int
    token: bytes = b""
    options: list[tuple[int, bytes]] = field(default_factory=list)
    payload: bytes = b""

    @property
    def status(self) -> str:
        """Return the code as people write it, as 4.01."""
        return f"{self.code >> 5}.{self.code & 31:02d}"


def encode(said: Said) -> bytes:
    """Return the bytes of a message (3)."""
    found = bytearray((0x40 | said.kind << 4 | len(said.token), said.code)) + said.message_id.to_bytes(2, "big") + said.token
    number = 0
    for each, value in sorted(said.options, key=lambda option: option[0]):
        delta, more = _nibble(each - number)
        length, longer = _nibble(len(value))
        found += bytes((delta << 4 | length,)) + more + longer + value
        number = each
    return bytes(found + (b"\xff" + said.payload if said.payload else b""))


def _nibble(size: int) -> tuple[int, bytes]:
    if size < 13:
        return size, b""
    return (13, bytes((size - 13,))) if size < 269 else (14, (size - 269).to_bytes(2, "big"))


def decode(data: bytes) -> Said:
    """Return the message in a datagram."""
    assert data[0] >> 6 == 1
    size = data[0] & 15
    said = Said(data[0] >> 4 & 3, data[1], int.from_bytes(data[2:4], "big"), data[4 : 4 + size])
    at, number = 4 + size, 0
    while at < len(data) and data[at] != 0xFF:
        delta, length = data[at] >> 4, data[at] & 15
        at += 1
        numbers = []
        for each in (delta, length):
            wide = {13: 1, 14: 2}.get(each, 0)
            numbers.append(each if not wide else int.from_bytes(data[at : at + wide], "big") + (13 if wide == 1 else 269))
            at += wide
        number += numbers[0]
        said.options.append((number, data[at : at + numbers[1]]))
        at += numbers[1]
    said.payload = data[at + 1 :]
    return said


class Device(asyncio.DatagramProtocol):
    """Sends requests and waits for their answers; `heard` holds every datagram that came."""

    def __init__(self) -> None:
        self.heard: list[Said] = []
        self.says_kept = True
        self._came = asyncio.Event()
        self._next_id = 0
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        del addr
        said = decode(data)
        self.heard.append(said)
        if said.kind == CON and self.says_kept:
            self.send(encode(Said(ACK, EMPTY, said.message_id)))
        self._came.set()

    def send(self, data: bytes) -> None:
        self._transport.sendto(data)

    def close(self) -> None:
        self._transport.close()

    def request(self, path: str, payload: bytes, *, token: str = "", code: int = POST, kind: int = CON, **more: Any) -> Said:
        """Return a request with a message id and a token of its own."""
        self._next_id += 1
        options = [(URI_PATH, each.encode()) for each in path.split("/")]
        options += [(URI_QUERY, f"token={token}".encode())] if token else []
        form = more.get("form", JSON)
        options += [(CONTENT_FORMAT, number(form))] if form is not None else []
        if "block" in more:
            place, is_more, exponent = more["block"]
            options.append((BLOCK1, number(place << 4 | is_more << 3 | exponent)))
        return Said(kind, code, self._next_id, b"T" + self._next_id.to_bytes(2, "big"), options, payload)

    async def ask(self, request: Said, *, most_s: float = PATIENCE_S) -> Said:
        """Send a request, again after two seconds and after four more without a word (4.2), and return its answer. Raises TimeoutError."""
        since, loop = len(self.heard), asyncio.get_running_loop()
        until_s = loop.time() + most_s
        for pause_s in (2.0, 4.0, most_s):
            self.send(encode(request))
            with contextlib.suppress(TimeoutError):
                return await self.answer_to(request, since=since, most_s=min(pause_s, until_s - loop.time()))
            if loop.time() >= until_s or any(each.message_id == request.message_id for each in self.heard[since:]):
                break
        return await self.answer_to(request, since=since, most_s=max(0.0, until_s - loop.time()))

    async def answer_to(self, request: Said, *, since: int = 0, most_s: float = PATIENCE_S) -> Said:
        """Wait for an answer among what is heard from place `since` on. Raises TimeoutError."""
        async with asyncio.timeout(most_s):
            while True:
                self._came.clear()
                for each in self.heard[since:]:
                    if each.token == request.token and each.code != EMPTY:
                        return each
                await self._came.wait()

    async def post(self, path: str, payload: bytes, **more: Any) -> Said:
        """Send readings and return the answer."""
        return await self.ask(self.request(path, payload, **more))

    async def post_in_blocks(self, path: str, payload: bytes, *, exponent: int = 4, **more: Any) -> Said:
        """Send a body in blocks of 2^(exponent + 4) bytes and return the last answer."""
        size = 1 << exponent + 4
        starts = range(0, len(payload), size)
        answer = Said(ACK, EMPTY, 0)
        for place, start in enumerate(starts):
            answer = await self.post(path, payload[start : start + size], block=(place, start != starts[-1], exponent), **more)
            if answer.code != CONTINUE:
                break
        return answer


def number(value: int) -> bytes:
    """Return a number as an option holds it: without leading zeros."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def free_port() -> int:
    """Return a UDP port of loopback that nobody uses now."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def device_for(port: int) -> Device:
    """Return a device with an address of its own."""
    _, device = await asyncio.get_running_loop().create_datagram_endpoint(Device, remote_addr=("127.0.0.1", port))
    return device
