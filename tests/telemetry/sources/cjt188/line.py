"""A concentrator that sends the frames of its meters after a line with its token, and the listener in the same loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from shouwang.telemetry.listening import Hub, Listening, listening
from shouwang.telemetry.sources import sources_found
from shouwang.telemetry.sources.cjt188 import SOURCE, Line, frames
from shouwang.telemetry.sources.cjt188.frames import LITRE, Said
from shouwang.telemetry.sources.cjt188.listen import Cjt188Settings
from tests.telemetry.sources.contract import Read

NOW = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
PATIENCE_S = 10.0
LEAD = b"\xfe\xfe\xfe"


class Modem:
    """The other end: bytes out, bytes in; fewer than asked for once the listener has closed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def say(self, *data: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            for each in data:
                self._writer.write(each)
                await self._writer.drain()

    async def hear(self, count: int) -> bytes:
        try:
            return await asyncio.wait_for(self._reader.readexactly(count), PATIENCE_S)
        except asyncio.IncompleteReadError as error:
            return error.partial
        except ConnectionError:
            return b""

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


@asynccontextmanager
async def modems(said: Cjt188Settings | None = None, **limits: int) -> AsyncIterator[Callable[[], Awaitable[Modem]]]:
    """Run the listener; yields what opens another connection to it."""
    hub = Hub(SOURCE, lambda: NOW, {**sources_found()[SOURCE].limits, **limits})
    made: list[Modem] = []
    async with listening(Listening("127.0.0.1", 0, lambda: NOW), hub, partial(Line, said=said or Cjt188Settings())) as port:

        async def another() -> Modem:
            made.append(Modem(*await asyncio.open_connection("127.0.0.1", port)))
            return made[-1]

        try:
            yield another
        finally:
            for each in made:
                await each.close()


class Cjt188:
    def message(self, read: Read) -> bytes:
        return LEAD + frames.reported(Said(read.device, read.register_l, read.at, 0, False), unit=LITRE)

    def deliver(self, messages: Sequence[bytes], *, device: str, token: str) -> int:
        del device
        return asyncio.run(self._deliver(messages, token))

    async def _deliver(self, messages: Sequence[bytes], token: str) -> int:
        expected = b"".join(frames.answer_to(frames.read_frame(each), control=0x21) for each in messages)
        async with modems() as another:
            modem = await another()
            await modem.say(token.encode() + b"\r\n", *messages)
            answers = await modem.hear(len(expected))
        assert expected.startswith(answers)
        return len(answers) * len(messages) // len(expected)

    def names_device(self) -> bool:
        return True


LINE = Cjt188()
