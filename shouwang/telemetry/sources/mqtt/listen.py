"""The listener: each CONNECT is checked at the database, each message answered once the writer has committed it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from django.db import close_old_connections

from shouwang.people.queries import scope_of_token
from shouwang.people.rules.codes import DEVICE, INTEGRATION
from shouwang.telemetry.listening import Hub, Session
from shouwang.telemetry.receiving import RIGHT
from shouwang.telemetry.sources.mqtt import packets
from shouwang.telemetry.sources.mqtt.packets import Connect
from shouwang.telemetry.sources.mqtt.talk import Talk
from shouwang.telemetry.writing import Key
from shouwang.ui.outage import outage_of

PATIENCE = 1.5
"""A client is cut off after this many of its keep-alive times without a packet (3.1.2.10)."""


class Client(Session):
    """One MQTT client."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self._talk = Talk(self, most=hub.limits["packet_bytes"])
        self._name: tuple[str, ...] = ()

    def heard(self, data: bytes) -> None:
        """Take bytes, answer what can be answered, give away what is to be stored."""
        self._talk.hear(data)
        self._follow()

    def stored(self, tickets: Sequence[bytes]) -> None:
        """Send the PUBACKs and PUBRECs."""
        self.write(b"".join(tickets))

    def is_overdue(self, now_s: float) -> bool:
        """Return whether no CONNECT was accepted in time, or nothing came for one and a half keep-alive times."""
        if self._talk.key is None:
            return now_s - self.began_s > self.hub.limits["connect_within_s"]
        limit_s = PATIENCE * self._talk.keep_alive_s
        # Somebody whose bytes are left unread for now is not silent.
        return bool(limit_s) and not self.is_held and now_s - self.heard_s > limit_s

    def connection_lost(self, exc: Exception | None) -> None:
        """End, and give the client id free."""
        super().connection_lost(exc)
        if self._name and self.hub.names.get(self._name) is self:
            del self.hub.names[self._name]

    def _follow(self) -> None:
        if said := self._talk.said():
            self.write(said)
        if messages := self._talk.messages():
            self.hub.give(self, messages)
        if self._talk.asks is not None:
            self.hold("door")
            self._asking = self.hub.loop.create_task(self._ask(self._talk.asks))
        if self._talk.over:
            self.close()

    async def _ask(self, connect: Connect) -> None:
        code, key, subject = await self.hub.ask(partial(admitted, connect, at=self.hub.now()))
        if not code and connect.client_id:
            self._take_over((*subject, connect.client_id))
        self._talk.admit(code, key)
        self._follow()
        self.release("door")

    def _take_over(self, name: tuple[str, ...]) -> None:
        """Take the client id from an older connection of the same token's owner, which is closed (3.1.4)."""
        older = self.hub.names.get(name)
        if older is not None:
            older.close()
        self._name = name
        self.hub.names[name] = self


def admitted(connect: Connect, *, at: datetime) -> tuple[int, Key | None, tuple[str, ...]]:
    """Return the code that answers a CONNECT, the token it goes on with, and whose it is; reads the database.

    The password is the token: of the device that the user name names, or of an integration.
    """
    if not connect.client_id and not connect.clean_session:
        return packets.WRONG_CLIENT_ID, None, ()
    token = (connect.password or b"").decode("ascii", "replace")
    try:
        found = [(kind, scope_of_token(token, kind, at)) for kind in (DEVICE, INTEGRATION)]
    except Exception as error:
        close_old_connections()
        if outage_of(error) is None:
            raise
        return packets.UNAVAILABLE, None, ()
    for kind, scope in found:
        if scope is not None and (kind == INTEGRATION or scope.subject == connect.username):
            allowed = RIGHT in scope.rights
            return packets.ACCEPTED if allowed else packets.NOT_ALLOWED, Key(token, kind), (kind, scope.subject)
    return packets.WRONG_TOKEN, None, ()
