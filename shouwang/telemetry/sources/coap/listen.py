"""The listener: a UDP socket of the library, and what is taken from it until told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiocoap import Context, Message

from shouwang.telemetry.listening import Listening
from shouwang.telemetry.sources.coap.receive import ReadingsResource, TlsUnknown

LIBRARY = "shouwang-coap"


@asynccontextmanager
async def listening(options: Listening, limits: Mapping[str, int]) -> AsyncIterator[ReadingsResource]:
    """Listen until the block is left; what was taken by then is written and answered. Raises TlsUnknown, OSError."""
    if options.certificate is not None:
        raise TlsUnknown
    # It logs every datagram that is none, and requests with their tokens.
    logging.getLogger(LIBRARY).setLevel(logging.CRITICAL)
    readings = ReadingsResource(now=options.now, limits=limits)
    try:
        context = await Context.create_server_context(readings, bind=(options.host, options.port), loggername=LIBRARY, transports=["udp6"])
    except BaseException:
        await readings.end()
        raise
    try:
        for each in context.request_interfaces:
            without_memory(each.token_interface)
            undisturbed(each.token_interface.message_interface)
        yield readings
    finally:
        await readings.end()
        await context.shutdown()


def without_memory(manager: Any) -> None:
    """Let each request be looked at anew, also one that comes again: a reading is stored once however often it comes.

    The library answers a message id that it has seen within four minutes as it did then. A device that begins to count anew after a
    restart would be told that a reading is stored which nobody has looked at. Raises AttributeError where the library has changed.
    """
    assert callable(manager._deduplicate_message)  # noqa: SLF001 - there is no other way; a test holds it to this

    def never(_: Message) -> bool:
        return False

    manager._deduplicate_message = never  # noqa: SLF001


def undisturbed(interface: Any) -> None:
    """Pass over what is no CoAP: the library lets some of it raise, as options that are not UTF-8."""
    received = interface.datagram_msg_received

    def receive(*datagram: Any) -> None:
        with suppress(Exception):  # requests are answered in tasks of their own, which tell what fails there
            received(*datagram)

    interface.datagram_msg_received = receive


def run(options: Listening, *, limits: Mapping[str, int]) -> None:
    """Listen until SIGTERM or SIGINT."""

    async def main() -> None:
        over = asyncio.Event()
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, over.set)
        async with listening(options, limits):
            options.on_ready(options.port)
            await over.wait()

    asyncio.run(main())
