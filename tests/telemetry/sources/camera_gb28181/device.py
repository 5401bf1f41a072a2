"""A device of GB/T 28181 on loopback: registers with a digest, keeps alive, sends alarms, by UDP and by TCP."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec

from shouwang.telemetry.cameras import Told
from shouwang.telemetry.sources.camera_gb28181.listen import Gb28181Settings, listen

NOW = datetime(2026, 1, 15, 2, 0, 1, tzinfo=UTC)
DEVICE, SERVER, PASSWORD = "37158100001320000001", "37150000002000000001", "invented"
REALM = SERVER[:10]
PATIENCE_S = 10


def request(method: str, body: bytes = b"", *, number: int = 1, device: str = DEVICE, more: str = "") -> bytes:
    """Return one request."""
    kind = "Content-Type: Application/MANSCDP+xml\r\n" if body else ""
    return (
        f"{method} sip:{SERVER}@{REALM} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.20:5060;rport;branch=z9hG4bK{number}\r\nFrom: <sip:{device}@{REALM}>;tag=7\r\n"
        f"To: <sip:{SERVER}@{REALM}>\r\nCall-ID: {number}@192.0.2.20\r\nCSeq: {number} {method}\r\nContact: <sip:{device}@192.0.2.20:5060>\r\nMax-Forwards: 70\r\n"
        f"{more}{kind}Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def register(challenge: str, *, number: int = 2, password: str = PASSWORD, device: str = DEVICE, expires: int = 3_600) -> bytes:
    """Return the second REGISTER, which answers the challenge of an answer."""
    said = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    uri = f"sip:{SERVER}@{REALM}"

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    realm, nonce = said["realm"], said["nonce"]
    proof = md5(":".join((md5(f"{device}:{realm}:{password}"), nonce, md5(f"REGISTER:{uri}"))))
    header = f'Authorization: Digest username="{device}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{proof}", algorithm=MD5\r\n'
    return request("REGISTER", number=number, device=device, more=f"{header}Expires: {expires}\r\n")


class Line:
    """One device's line: bytes out, messages in."""

    def __init__(self, send: Callable[[bytes], None], heard: asyncio.Queue[bytes]) -> None:
        self.send, self._heard = send, heard

    async def ask(self, data: bytes) -> str:
        """Send a message and return what comes."""
        self.send(data)
        return await self.hear()

    async def hear(self) -> str:
        """Return the next message."""
        return (await asyncio.wait_for(self._heard.get(), PATIENCE_S)).decode("gb18030", "replace")

    async def sign_in(self, **changed: object) -> str:
        """Register and return the first line of the answer."""
        challenge = await self.ask(request("REGISTER"))
        return (await self.ask(register(challenge, **changed))).splitlines()[0]  # type: ignore[arg-type]


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, heard: asyncio.Queue[bytes]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: object) -> None:
        del addr
        self._heard.put_nowait(data)


async def _read(reader: asyncio.StreamReader, heard: asyncio.Queue[bytes]) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(re.search(rb"Content-Length: (\d+)", head).group(1))  # type: ignore[union-attr]
            heard.put_nowait(head + await reader.readexactly(length))


@asynccontextmanager
async def lines(hear: Callable[[Told], Awaitable[None]], *, now: Callable[[], datetime] = lambda: NOW, **changed: object) -> AsyncIterator[Callable[[str], Awaitable[Line]]]:
    """Run the listener; yields what opens a device's line by "UDP" or "TCP"."""
    said = msgspec.convert({"server_id": SERVER, "port": 0, "cameras": {DEVICE: {"password": PASSWORD, "channels": {"37158100001320000002": "CAM5"}}}, **changed}, Gb28181Settings)
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.ensure_future(listen(said, hear, now, ready.set_result))
    port, open_, reading = await asyncio.wait_for(ready, PATIENCE_S), [], []

    async def line(transport: str) -> Line:
        heard: asyncio.Queue[bytes] = asyncio.Queue()
        if transport == "UDP":
            endpoint, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Datagrams(heard), remote_addr=("127.0.0.1", port))
            open_.append(endpoint.close)
            return Line(endpoint.sendto, heard)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        reading.append(asyncio.ensure_future(_read(reader, heard)))
        open_.append(writer.close)
        return Line(writer.write, heard)

    try:
        yield line
    finally:
        for close in open_:
            close()
        await asyncio.gather(*reading, return_exceptions=True)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
