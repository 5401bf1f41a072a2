"""The SIP listener over UDP and TCP: a notice is answered 200 once it is committed, an alarm besides by its Response."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import msgspec

from shouwang.telemetry.cameras.family import CameraSettings, Hear, Told
from shouwang.telemetry.cameras.trees import text
from shouwang.telemetry.sources.camera_gb28181 import sip
from shouwang.telemetry.sources.camera_gb28181.decode import ALARM, read_notice, response, told_by
from shouwang.ui.answers import BodyInvalid

_log = logging.getLogger(__name__)
IN_WORK_MOST = 500
SILENT_S = 900.0
CONNECTIONS_MOST = 2_000
READ_BYTES = 16 * 1024
Reply = Callable[[bytes], None]
Number = Annotated[str, msgspec.Meta(pattern=r"^\d{20}$")]


class Gb28181Settings(CameraSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is set: our own number, the realm (the first ten digits of it unless said), where to listen, how long a registration lasts."""

    server_id: Number = "37150000002000000001"
    realm: str = ""
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 5060
    expires_s: Annotated[int, msgspec.Meta(ge=60, le=86_400)] = 3_600


class Listener:
    """What UDP and TCP share: registrations, the way to the event, our own messages."""

    def __init__(self, said: Gb28181Settings, hear: Hear, now: Callable[[], datetime]) -> None:
        self.said, self._hear, self._now = said, hear, now
        self.desk = sip.Desk(said.cameras, said.realm or said.server_id[:10], secrets.token_hex(16), said.expires_s)
        self._work: set[asyncio.Task[None]] = set()
        self._sent = 0

    def take(self, data: bytes, *, host: str, transport: str, reply: Reply) -> None:
        """Take one message; what has to be kept first goes on by itself."""
        request = sip.read_request(data)
        if request is None:
            return
        step = self.desk.hear(request, host=host, at_s=self._at_s())
        if step is None:
            return
        if step.reply is not None:
            reply(step.reply)
        elif len(self._work) < IN_WORK_MOST:  # else nothing is answered: it is sent again
            task = asyncio.ensure_future(self._keep(request, step, host=host, transport=transport, reply=reply))
            self._work.add(task)
            task.add_done_callback(self._work.discard)

    async def _keep(self, request: sip.Request, step: sip.Step, *, host: str, transport: str, reply: Reply) -> None:
        try:
            notice = read_notice(step.body)
            await self._hear(Told(step.device, told_by(notice, raw=step.body, zone=self.said.zone)))
        except BodyInvalid:
            reply(self.desk.settle(request, 400, host=host, at_s=self._at_s()))
            return
        except ConnectionError:
            reply(self.desk.settle(request, 503, host=host, at_s=self._at_s()))
            return
        reply(self.desk.settle(request, 200, host=host, at_s=self._at_s()))
        if text(notice, "CmdType") == ALARM:
            reply(self._message(response(notice), to=step.device, transport=transport))

    def _message(self, body: bytes, *, to: str, transport: str) -> bytes:
        self._sent += 1
        at = f"{self.said.host}:{self.said.port}"
        return sip.message(body, to=to, me=self.said.server_id, at=at, transport=transport, number=self._sent, tag=self.desk.secret[:8])

    def _at_s(self) -> float:
        return self._now().timestamp()

    async def end(self) -> None:
        """Let what is in work come to its end."""
        if self._work:
            await asyncio.wait(self._work, timeout=5)


class Datagrams(asyncio.DatagramProtocol):
    """SIP over UDP."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Take one message."""
        self._listener.take(data, host=str(addr[0]), transport="UDP", reply=lambda said: self._send(said, addr))

    def _send(self, data: bytes, addr: Any) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, addr)


class Connections:
    """SIP over TCP."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take the messages of one connection until it ends, says too much, or nothing for long."""
        self._open += 1
        try:
            if self._open <= CONNECTIONS_MOST:
                await self._take_all(reader, writer)
        except (ValueError, ConnectionError, TimeoutError) as error:
            _log.info("a SIP connection ended: %s", error)
        finally:
            self._open -= 1
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _take_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        host, buffer = str(peer[0]) if peer else "", b""

        def reply(data: bytes) -> None:
            if not writer.is_closing():
                writer.write(data)

        while data := await asyncio.wait_for(reader.read(READ_BYTES), SILENT_S):
            buffer += data
            whole, buffer = sip.split(buffer)
            while whole is not None:
                self._listener.take(whole, host=host, transport="TCP", reply=reply)
                whole, buffer = sip.split(buffer)
            await writer.drain()


async def listen(said: Gb28181Settings, hear: Hear, now: Callable[[], datetime], on_ready: Callable[[int], object] = lambda _: None) -> None:
    """Listen on UDP and TCP until cancelled; nothing where no device is set."""
    if not said.cameras:
        return
    loop, listener = asyncio.get_running_loop(), Listener(said, hear, now)
    server = await asyncio.start_server(Connections(listener).serve, said.host, said.port)
    port = server.sockets[0].getsockname()[1]
    transport, _ = await loop.create_datagram_endpoint(lambda: Datagrams(listener), local_addr=(said.host, port))
    try:
        on_ready(port)
        await asyncio.Event().wait()
    finally:
        transport.close()
        server.close()
        await listener.end()
