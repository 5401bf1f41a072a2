"""The listener: a connection begins with its token, or comes from an address that has one; a frame is answered once it is committed.

The standard has a master ask and a meter answer, and no word for "kept": the answer uses a control code of those it leaves to makers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from ipaddress import ip_address, ip_network
from typing import Annotated

import msgspec

from shouwang.kernel.errors import ShouwangError
from shouwang.telemetry.admission import key_of
from shouwang.telemetry.listening import Hub, Session
from shouwang.telemetry.sources.cjt188 import frames
from shouwang.telemetry.writing import Incoming, Key

_log = logging.getLogger(__name__)


class Cjt188Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is set: the control code that answers a frame (0 answers none), and tokens of addresses that send none."""

    answer_control: Annotated[int, msgspec.Meta(ge=0, le=0x3F)] = 0x21
    peers: dict[str, str] = {}

    def __post_init__(self) -> None:
        """Check the addresses. Raises ValueError."""
        if 0 < self.answer_control < 0x20:
            message = f"answer_control {self.answer_control:#04x} is a command to the meter; choose 0x20 to 0x3f, or 0"
            raise ValueError(message)
        for network in self.peers:
            ip_network(network)

    def token_of(self, address: str) -> str:
        """Return the token of an address, empty for one that has to send its own."""
        try:
            peer = ip_address(address)
        except ValueError:
            return ""
        return next((token for network, token in self.peers.items() if peer in ip_network(network)), "")


class Line(Session):
    """One meter, modem or concentrator."""

    def __init__(self, hub: Hub, *, said: Cjt188Settings) -> None:
        super().__init__(hub)
        self._said = said
        self._splitter = frames.Splitter()
        self._begun = b""
        self._key: Key | None = None
        self._is_asking = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; who comes from an address with a token need not send one."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        token = self._said.token_of(str(peer[0])) if peer else ""
        if token:
            self._ask(token)

    def heard(self, data: bytes) -> None:
        """Take bytes: the line with the token first, then frames."""
        if self._key is not None:
            self._take(data)
            return
        self._begun += data
        if self._is_asking:
            return
        line, ended, rest = self._begun.partition(b"\n")
        if len(line) > self.hub.limits["token_bytes"]:
            self.close()
        elif ended:
            self._begun = rest
            self._ask(line.strip().decode("ascii", "replace"))

    def stored(self, tickets: Sequence[bytes]) -> None:
        """Send the answers."""
        self.write(b"".join(tickets))

    def is_overdue(self, now_s: float) -> bool:
        """Return whether no token was accepted in time, or nothing came for very long."""
        if self._key is None:
            return now_s - self.began_s > self.hub.limits["connect_within_s"]
        return not self.is_held and now_s - self.heard_s > self.hub.limits["silent_s"]

    def _ask(self, token: str) -> None:
        self._is_asking = True
        self.hold("door")
        self._asking = self.hub.loop.create_task(self._answered(token))

    async def _answered(self, token: str) -> None:
        self._key = await self.hub.ask(partial(admitted, token, at=self.hub.now()))
        if self._key is None:
            self.close()
            return
        begun, self._begun = self._begun, b""
        self._take(begun)
        self.release("door")

    def _take(self, data: bytes) -> None:
        assert self._key is not None
        arrived_at = self.hub.now()
        found = [
            Incoming(
                frames.framed(frame).hex().upper().encode(), partial(frames.decode, arrived_at=arrived_at), self._key,
                frame.device, (self, self._answer(frame)),
            )
            for frame in self._splitter.feed(data) if not self._is_about_an_answer(frame)
        ]
        if found:
            self.hub.give(self, found)
        if self._splitter.junk > self.hub.limits["junk_bytes"]:
            _log.warning("a connection for CJ/T 188 was closed: over %d B without a frame", self.hub.limits["junk_bytes"])
            self.close()

    def _answer(self, frame: frames.Frame) -> bytes:
        control = self._said.answer_control
        return frames.answer_to(frame, control=control) if control and not frame.control & frames.FAILED else b""

    def _is_about_an_answer(self, frame: frames.Frame) -> bool:
        """Return whether a meter says something about our answer, as that it does not know it: answering that would never end."""
        control = self._said.answer_control
        return bool(control) and frame.control & frames.FUNCTION == control


def admitted(token: str, *, at: datetime) -> Key | None:
    """Return the token a connection goes on with, None when it may not write; reads the database."""
    try:
        return key_of(token, at=at)
    except ShouwangError:
        return None
