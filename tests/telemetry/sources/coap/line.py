"""A device that posts readings over CoAP, and the listener in the same loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from shouwang.telemetry.listening import Listening
from shouwang.telemetry.sources import sources_found
from shouwang.telemetry.sources.coap.listen import listening
from tests.telemetry.sources.coap.device import CHANGED, Device, device_for, free_port
from tests.telemetry.sources.contract import Read
from tests.telemetry.sources.http.line import Http

NOW = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)


@asynccontextmanager
async def devices(**limits: int) -> AsyncIterator[Callable[[], Awaitable[Device]]]:
    """Run the listener; yields what makes another device."""
    port, made = free_port(), list[Device]()
    async with listening(Listening("127.0.0.1", port, lambda: NOW), {**sources_found()["coap"].limits, **limits}):

        async def another() -> Device:
            made.append(await device_for(port))
            return made[-1]

        try:
            yield another
        finally:
            for each in made:
                each.close()


class Coap:
    def message(self, read: Read) -> bytes:
        return Http().message(read)

    def deliver(self, messages: Sequence[bytes], *, device: str, token: str) -> int:
        del device
        return asyncio.run(self._deliver(messages, token))

    async def _deliver(self, messages: Sequence[bytes], token: str) -> int:
        async with devices() as another:
            device = await another()
            answers = [await device.post("v1/readings", each, token=token) for each in messages]
        return sum(each.code == CHANGED for each in answers)

    def names_device(self) -> bool:
        return True


LINE = Coap()
