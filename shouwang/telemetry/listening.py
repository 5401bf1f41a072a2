"""What every listener for devices does: connections with limits, one writer thread, answers after the commit.

A listener gives a `Session` for each connection; what a session hears it gives to the writer, and it is told when that is
committed. Reading stops while too much waits, so that memory has a limit and devices wait instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from django.db import connections

from shouwang.telemetry.writing import Incoming, Writer, Written

SWEEP_S = 1.0
CLOSING_S = 5.0
"""Somebody who does not take the last answers is cut off after this."""
OVERHEAD_BYTES = 200
"""What a waiting message takes beside its payload."""
T = TypeVar("T")


@dataclass(frozen=True)
class Listening:
    """Where to listen and how; with a certificate and its key TLS is spoken."""

    host: str
    port: int
    now: Callable[[], datetime]
    certificate: Path | None = None
    key: Path | None = None
    on_ready: Callable[[int], object] = lambda _: None

    def tls(self) -> ssl.SSLContext | None:
        """Return what TLS needs, None without a certificate."""
        if self.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self.key)
        return context


@dataclass
class Hub:
    """All connections of one listener: how much waits, who is paused, and the threads that speak to the database."""

    source: str
    now: Callable[[], datetime]
    limits: Mapping[str, int]
    sessions: set[Session] = field(default_factory=set)
    names: dict[object, Session] = field(default_factory=dict)
    waiting_bytes: int = 0

    def __post_init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.writer = Writer(source=self.source, now=self.now, answered=self._written)
        self._door = ThreadPoolExecutor(1, thread_name_prefix=f"{self.source}-door")
        self._paused: set[Session] = set()

    async def ask(self, question: Callable[[], T]) -> T:
        """Return what a question to the database answers, asked in a thread of its own that waits for no write."""
        return await self.loop.run_in_executor(self._door, question)

    def give(self, session: Session, messages: Sequence[Incoming]) -> None:
        """Let messages be written; their session reads no more while too much waits."""
        size = sum(len(each.payload) for each in messages) + OVERHEAD_BYTES * len(messages)
        session.waiting_bytes += size
        self.waiting_bytes += size
        self.writer.put(messages)
        if session.waiting_bytes > self.limits["waiting_bytes_per_connection"] or self.waiting_bytes > self.limits["waiting_bytes"]:
            session.hold("backlog")
            self._paused.add(session)

    def _written(self, written: Written) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody is left to be answered
            self.loop.call_soon_threadsafe(self._answer, written)

    def _answer(self, written: Written) -> None:
        answers: dict[Session, list[Any]] = {}
        for each in written.stored:
            session, answer = each.ticket
            self._settle(session, each)
            answers.setdefault(session, []).append(answer)
        for session, tickets in answers.items():
            session.stored(tickets)
        for each in written.refused:
            session, _ = each.ticket
            self._settle(session, each)
            session.close()
        self._let_go_on()

    def _settle(self, session: Session, message: Incoming) -> None:
        size = len(message.payload) + OVERHEAD_BYTES
        session.waiting_bytes -= size
        self.waiting_bytes -= size

    def _let_go_on(self) -> None:
        if not self._paused or self.waiting_bytes > self.limits["waiting_bytes"] // 2:
            return
        most = self.limits["waiting_bytes_per_connection"] // 2
        for session in [each for each in self._paused if each.waiting_bytes <= most]:
            self._paused.discard(session)
            session.release("backlog")

    def leave(self, session: Session) -> None:
        """Forget a connection that has ended; what it gave is written all the same."""
        self.sessions.discard(session)
        self._paused.discard(session)

    def sweep(self) -> None:
        """Close the connections whose time is over."""
        now_s = self.loop.time()
        for session in list(self.sessions):
            if session.closing_s is not None and now_s - session.closing_s > CLOSING_S:
                session.cut()
            elif session.is_overdue(now_s):
                session.close()

    async def end(self) -> None:
        """Read no more, write and answer what was read, close all."""
        for session in list(self.sessions):
            session.hold("end")
        await self.loop.run_in_executor(None, self.writer.end)
        await asyncio.sleep(0)  # the last answers are on their way
        for session in list(self.sessions):
            session.close()
        await self.ask(connections.close_all)
        self._door.shutdown()


class Session(asyncio.Protocol):
    """One connection. Subclasses say what `heard` does with bytes, how `stored` messages are answered, and who is overdue."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.waiting_bytes = 0
        self.began_s = self.heard_s = hub.loop.time()
        self.closing_s: float | None = None
        self._held: set[str] = set()
        self._transport: asyncio.Transport | None = None

    def heard(self, data: bytes) -> None:
        """Take what came."""
        raise NotImplementedError

    def stored(self, tickets: Sequence[Any]) -> None:
        """Say that the messages with these tickets are committed."""
        raise NotImplementedError

    def is_overdue(self, now_s: float) -> bool:
        """Return whether the connection has been silent for too long."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless there are too many connections already."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self.hub.sessions) >= self.hub.limits["connections"]:
            transport.abort()
            return
        self.hub.sessions.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        del exc
        self._transport = None
        self.hub.leave(self)

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if self._transport is not None and not self._transport.is_closing():
            self.heard_s = self.hub.loop.time()
            self.heard(data)

    def pause_writing(self) -> None:
        """Read no more from somebody who does not read the answers."""
        self.hold("answers")

    def resume_writing(self) -> None:
        """Go on reading."""
        self.release("answers")

    def hold(self, reason: str) -> None:
        """Read no more until `reason` is released."""
        if not self._held and self._transport is not None:
            self._transport.pause_reading()
        self._held.add(reason)

    def release(self, reason: str) -> None:
        """Read again, once nothing holds it any more."""
        if reason in self._held:
            self._held.discard(reason)
            if not self._held and self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()

    @property
    def is_held(self) -> bool:
        """Return whether nothing is read for now."""
        return bool(self._held)

    def write(self, data: bytes) -> None:
        """Send bytes, if anybody is there."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """End the connection once what was written is sent."""
        if self._transport is not None and self.closing_s is None:
            self.closing_s = self.hub.loop.time()
            self._transport.close()

    def cut(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()


@asynccontextmanager
async def listening(options: Listening, hub: Hub, session: Callable[[Hub], Session]) -> AsyncIterator[int]:
    """Listen until the block is left; yields the port."""
    server = await hub.loop.create_server(lambda: session(hub), options.host, options.port, ssl=options.tls(), backlog=1024)
    sweeping = asyncio.create_task(_sweep(hub))
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        sweeping.cancel()
        server.close()
        await hub.end()


async def _sweep(hub: Hub) -> None:
    while True:
        await asyncio.sleep(SWEEP_S)
        hub.sweep()


def run(options: Listening, *, source: str, limits: Mapping[str, int], session: Callable[[Hub], Session]) -> None:
    """Listen until SIGTERM or SIGINT; what was received by then is written and answered."""

    async def main() -> None:
        over = asyncio.Event()
        hub = Hub(source, options.now, limits)
        for each in (signal.SIGTERM, signal.SIGINT):
            hub.loop.add_signal_handler(each, over.set)
        async with listening(options, hub, session) as port:
            options.on_ready(port)
            await over.wait()

    asyncio.run(main())
