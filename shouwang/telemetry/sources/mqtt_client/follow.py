"""One connection to the broker after the other: what comes is given to the writer, and PUBACK is sent once that has committed it.

One thread speaks to the broker and one writes. A PUBACK belongs to the connection its message came by: what was not acknowledged
by then is sent again by the broker, which keeps the session, and is a duplicate here.
"""

from __future__ import annotations

import logging
import select
import ssl
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from queue import SimpleQueue
from typing import Any, NamedTuple

from django.db import connections
from paho.mqtt.client import Client, ConnectFlags, MQTTMessage, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from shouwang.kernel.errors import Refused, ShouwangError
from shouwang.telemetry.admission import key_of
from shouwang.telemetry.following import Bell, Following, pause_s
from shouwang.telemetry.listening import OVERHEAD_BYTES
from shouwang.telemetry.placing import Reading
from shouwang.telemetry.sources import decoder_of
from shouwang.telemetry.sources.mqtt_client.said import MqttClientSettings, TokenUnfit, secret_in
from shouwang.telemetry.sources.mqtt_client.topics import address_in, filter_of
from shouwang.telemetry.writing import Incoming, Key, Writer, Written
from shouwang.ui.answers import BodyTooLarge, TokenInvalid

SOURCE = "mqtt_client"
TICK_S = 0.5
BURST = 64
"""So many packets are read before what is committed is acknowledged."""
KEPT_BYTES = 1_000
"""So much of a message that is too large is kept in quarantine."""
FLUSH_S = 5.0
LASTED_S = 60.0
"""A connection that stood this long, or stored something, ends a row of failures."""
OK = MQTTErrorCode.MQTT_ERR_SUCCESS
_log = logging.getLogger(__name__)


class Ticket(NamedTuple):
    """Which connection a message came by, and the packet id to acknowledge; 0 at QoS 0."""

    link: int
    packet_id: int
    qos: int


class Follower:
    """Follows one broker until told to stop."""

    def __init__(self, options: Following, said: MqttClientSettings, limits: Mapping[str, float]) -> None:
        self._options, self._said, self._limits = options, said, limits
        self._routes = [(each.topic, decoder_of(each.shape)) for each in said.topics]
        self._bell = Bell()
        self._written: SimpleQueue[Written] = SimpleQueue()
        self._writer = Writer(source=SOURCE, now=options.now, answered=self._ring)
        self._links = self._failures = self._waiting_bytes = 0
        self._has_had_session = False

    def run(self) -> None:
        """Connect again and again until told to stop; what was received by then is written and acknowledged."""
        try:
            while not self._options.over.is_set():
                self.once()
                pause = pause_s(
                    self._failures, chance=self._options.chance, least_s=self._limits["retry_least_s"], most_s=self._limits["retry_most_s"],
                )
                self._options.over.wait(pause)
        finally:
            self.close()

    def close(self) -> None:
        """Write what was given and end; safe to do twice."""
        self._writer.end()
        self._bell.close()

    def once(self) -> None:
        """Hold one connection until it ends; why it ended is logged, never what the secrets are."""
        self._failures += 1
        self._links += 1
        try:
            key = self._key(self._options.now())
            link = Link(self._said, self._limits, number=self._links, take=lambda message: self._take(message, key))
            try:
                self._hold(link)
            finally:
                link.close()
        except (ShouwangError, OSError, ValueError) as error:  # a host that is no name is a ValueError
            _log.error("broker %s:%d: %s", self._said.host, self._said.port, str(error))  # not the error: it holds on to its socket

    def _key(self, at: datetime) -> Key:
        try:
            return key_of(secret_in(self._said.token_file, name="token_file"), at=at)
        except (TokenInvalid, Refused) as error:
            raise TokenUnfit(path=self._said.token_file) from error
        finally:
            connections.close_all()

    def _hold(self, link: Link) -> None:
        link.open()
        began_s, is_announced = time.monotonic(), False
        while link.goes_on() and not self._options.over.is_set():
            # A broker that ignores the receive maximum, as mosquitto 2.0.11 does, waits with its socket full.
            is_full = self._waiting_bytes > self._limits["waiting_bytes"] or link.flying >= self._limits["receive_maximum"]
            link.wait(self._bell, TICK_S, reads=not is_full)
            self._answer(link)
            if link.is_ready and not is_announced:
                is_announced = True
                self._options.on_ready(f"{self._said.host}:{self._said.port}")
                self._note_session(link)
            if time.monotonic() - began_s > LASTED_S and link.is_ready:
                self._failures = 0
        if self._options.over.is_set():
            self._writer.end()
            self._answer(link)
            link.leave()
        elif link.why:
            _log.error("broker %s:%d: %s", self._said.host, self._said.port, link.why)

    def _note_session(self, link: Link) -> None:
        if self._has_had_session and not link.has_session:
            _log.error(
                "broker %s:%d forgot the session of %s: what was published since the last connection is lost there",
                self._said.host, self._said.port, self._said.client_id,
            )
        self._has_had_session = True

    def _take(self, message: MQTTMessage, key: Key) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "\ufffd"
        device, decode, _ = address_in(self._routes, topic)
        payload = bytes(message.payload)
        if len(payload) > self._limits["packet_bytes"]:  # a broker of 3.1.1 cannot be told; sent again it would be no smaller
            payload, decode = payload[:KEPT_BYTES], too_large
        self._waiting_bytes += len(payload) + OVERHEAD_BYTES
        ticket = Ticket(self._links, message.mid, message.qos)
        self._writer.put([Incoming(payload, decode, key, device, ticket, topic)])

    def _ring(self, written: Written) -> None:
        self._written.put(written)
        self._bell.ring()

    def _answer(self, link: Link) -> None:
        """Acknowledge what this connection brought and is committed; end it when something could not be stored."""
        self._bell.quiet()
        while not self._written.empty():  # this thread alone takes from it
            written = self._written.get()
            for each in (*written.stored, *written.refused):
                self._waiting_bytes -= len(each.payload) + OVERHEAD_BYTES
            mine = [each.ticket for each in written.stored if each.ticket.link == link.number]
            link.acknowledge(mine)
            if mine:
                self._failures = 0
            if any(each.ticket.link == link.number for each in written.refused):
                link.end("messages were not stored and not acknowledged; they are asked for again")


class Link:
    """One connection: paho's client, driven by our loop."""

    def __init__(self, said: MqttClientSettings, limits: Mapping[str, float], *, number: int, take: Callable[[MQTTMessage], None]) -> None:
        self.number = number
        self.why = ""
        self.is_ready = self.has_session = False
        self._said, self._limits, self._take = said, limits, take
        self._flying: Counter[int] = Counter()
        self._heard = 0
        self._is_over = False
        self._began_s = time.monotonic()
        self._client = self._made()

    def _made(self) -> Client:
        said = self._said
        is_new = said.version == "5"
        client = Client(
            CallbackAPIVersion.VERSION2, said.client_id, clean_session=None if is_new else False,
            protocol=MQTTv5 if is_new else MQTTv311, reconnect_on_failure=False, manual_ack=True,
        )
        if said.username:
            client.username_pw_set(said.username, secret_in(said.password_file, name="password_file") if said.password_file else None)
        if said.is_tls:
            client.tls_set_context(tls_context(said))
        client.connect_timeout = self._limits["connect_within_s"]
        client.on_connect, client.on_message = self._connected, self._came
        client.on_subscribe, client.on_disconnect = self._subscribed, self._ended
        return client

    def open(self) -> None:
        """Connect and say who we are. Raises OSError."""
        keep_alive_s = int(self._limits["keep_alive_s"])
        if self._said.version == "3.1.1":
            self._client.connect(self._said.host, self._said.port, keep_alive_s)
            return
        wishes = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        wishes.SessionExpiryInterval = self._said.keep_session_s
        wishes.ReceiveMaximum = int(self._limits["receive_maximum"])
        wishes.MaximumPacketSize = int(self._limits["packet_bytes"])
        self._client.connect(self._said.host, self._said.port, keep_alive_s, clean_start=False, properties=wishes)

    @property
    def flying(self) -> int:
        """Return how many messages are not acknowledged."""
        return len(self._flying)

    def goes_on(self) -> bool:
        """Return whether the connection stands, and was accepted in time."""
        if not self.is_ready and time.monotonic() - self._began_s > self._limits["connect_within_s"]:
            self.end("it took too long to answer CONNECT and SUBSCRIBE")
        return not self._is_over and self._client.socket() is not None

    def wait(self, bell: Bell, most_s: float, *, reads: bool) -> None:
        """Wait until there is something to do, and do it."""
        sock: Any = self._client.socket()
        waiting = bool(reads and isinstance(sock, ssl.SSLSocket) and sock.pending())
        readers = [bell, sock] if reads else [bell]
        writers = [sock] if self._client.want_write() else []
        try:
            readable, writable, _ = select.select(readers, writers, [], 0 if waiting else most_s)
            if writable:
                self._client.loop_write()
            if waiting or sock in readable:
                self._read()
            if self._client.loop_misc() != OK and not self.why:
                self.end("the connection was lost")
        except Exception as error:  # noqa: BLE001 - whatever a broker sends ends this connection, not the process
            self.end(f"it sent what is no MQTT {self._said.version}: {type(error).__name__}")

    def _read(self) -> None:
        for _ in range(BURST):
            before = self._heard
            if self._client.loop_read() != OK:
                self.end("the connection was lost")
            if self._is_over or self._heard == before or self.flying >= self._limits["receive_maximum"]:
                break

    def acknowledge(self, tickets: list[Ticket]) -> None:
        """Send PUBACK for messages of this connection that are committed; a packet id that came twice is answered after both."""
        for _, packet_id, qos in tickets:
            if not qos or not self._flying[packet_id]:
                continue
            self._flying[packet_id] -= 1
            if not self._flying[packet_id]:
                del self._flying[packet_id]
                self._client.ack(packet_id, qos)

    def end(self, why: str) -> None:
        """End the connection; what is not acknowledged comes again. The first reason counts."""
        self.why = self.why or why
        self._is_over = True

    def leave(self) -> None:
        """Send what waits to be sent, then say goodbye; the session stays at the broker."""
        until_s = time.monotonic() + FLUSH_S
        self._client.disconnect()
        sock: Any = self._client.socket()
        while self._client.want_write() and sock is not None and time.monotonic() < until_s:
            select.select([], [sock], [], TICK_S)
            self._client.loop_write()
            sock = self._client.socket()

    def close(self) -> None:
        """Close the socket, whatever its state."""
        sock: Any = self._client.socket()
        if sock is not None:
            with suppress(OSError):
                sock.close()

    def _connected(self, client: Client, _: object, flags: ConnectFlags, reason: ReasonCode, __: object) -> None:
        if reason.is_failure:
            self.end(f"it refused the connection: {reason}{HINTS.get(str(reason), '')}")
            return
        self.has_session = flags.session_present
        asked = [filter_of(each.topic) for each in self._said.topics]
        if self._said.version == "5":
            wish = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
            client.subscribe([(each, wish) for each in asked])
        else:
            client.subscribe([(each, 1) for each in asked])

    def _subscribed(self, _: object, __: object, ___: int, codes: list[ReasonCode], ____: object) -> None:
        for topic, code in zip(self._said.topics, codes, strict=False):
            if code.is_failure:
                _log.error("the broker refuses topic %s: %s", topic.topic, code)
            elif code.value == 0:
                _log.warning("the broker grants topic %s only QoS 0: it promises nothing about these messages", topic.topic)
        if all(code.is_failure for code in codes):
            self.end("it refused every topic")
        self.is_ready = not self._is_over

    def _came(self, _: object, __: object, message: MQTTMessage) -> None:
        self._heard += 1
        if message.qos:
            self._flying[message.mid] += 1
        self._take(message)

    def _ended(self, _: object, __: object, ___: object, reason: ReasonCode, ____: object) -> None:
        self.end(f"it ended the connection: {reason}")


HINTS = {
    "Unsupported protocol version": '; set version = "3.1.1"',
    "Bad user name or password": "; check username and password_file",
    "Not authorized": "; check username, password_file and what the broker allows",
}


def too_large(payload: bytes) -> Sequence[Reading]:
    """Raise BodyTooLarge, so that the beginning is kept in quarantine."""
    raise BodyTooLarge(found=f"more than {len(payload)} B", most="packet_bytes of the manifest")


def tls_context(said: MqttClientSettings) -> ssl.SSLContext:
    """Return what TLS needs: the broker's certificate is always checked. Raises OSError for a file that cannot be used."""
    context = ssl.create_default_context(cafile=said.ca_file or None)
    if said.certificate_file:
        context.load_cert_chain(said.certificate_file, said.key_file or None)
    return context
