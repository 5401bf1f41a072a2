"""A device that publishes at QoS 1, and the listener in the same loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

from shouwang.telemetry.listening import Hub, Listening, listening
from shouwang.telemetry.sources import sources_found
from shouwang.telemetry.sources.mqtt import SOURCE, Client, packets
from shouwang.telemetry.sources.mqtt.packets import Packet, Splitter
from tests.telemetry.sources.contract import Read
from tests.telemetry.sources.http.line import Http

NOW = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
PATIENCE_S = 10.0
T = TypeVar("T")


class Device:
    """The other end: bytes out, packets in; an empty list once the listener has closed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._splitter = Splitter(most=65536)
        self._packets: list[Packet] = []

    async def say(self, *data: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            for each in data:
                self._writer.write(each)
                await self._writer.drain()

    async def hear(self, count: int = 1) -> list[Packet]:
        """Return the next `count` packets, fewer when the connection ends before."""
        while len(self._packets) < count:
            try:
                data = await asyncio.wait_for(self._reader.read(65536), PATIENCE_S)
            except ConnectionError:
                data = b""
            if not data:
                break
            self._packets += self._splitter.feed(data)
        found, self._packets = self._packets[:count], self._packets[count:]
        return found

    async def connect(self, token: str, *, username: str = "M1", client_id: str = "c", keep_alive_s: int = 60) -> int:
        """Return the code of the CONNACK, -1 when there is none."""
        await self.say(packets.connect(client_id, username=username, password=token, keep_alive_s=keep_alive_s))
        answers = await self.hear()
        return answers[0].body[1] if answers else -1

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


@asynccontextmanager
async def devices(options: Listening | None = None, **limits: int) -> AsyncIterator[Callable[[], Awaitable[Device]]]:
    """Run the listener; yields what opens another connection to it."""
    options = options or Listening("127.0.0.1", 0, lambda: NOW)
    hub = Hub(SOURCE, options.now, {**sources_found()[SOURCE].limits, **limits})
    made: list[Device] = []
    async with listening(options, hub, Client) as port:

        async def another() -> Device:
            made.append(Device(*await asyncio.open_connection("127.0.0.1", port)))
            return made[-1]

        try:
            yield another
        finally:
            for each in made:
                await each.close()


class Mqtt:
    def message(self, read: Read) -> bytes:
        return Http().message(read)

    def deliver(self, messages: Sequence[bytes], *, device: str, token: str) -> int:
        return asyncio.run(self._deliver(messages, device=device, token=token))

    async def _deliver(self, messages: Sequence[bytes], *, device: str, token: str) -> int:
        async with devices() as another:
            line = await another()
            if await line.connect(token, username=device) != packets.ACCEPTED:
                return 0
            await line.say(*(packets.publish("v1/readings", each, packet_id=n) for n, each in enumerate(messages, 1)))
            answers = await line.hear(len(messages))
        assert [n for n, _ in enumerate(answers, 1)] == [int.from_bytes(each.body, "big") for each in answers]
        return len(answers)

    def names_device(self) -> bool:
        return True


LINE = Mqtt()
