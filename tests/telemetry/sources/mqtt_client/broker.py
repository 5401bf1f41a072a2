"""A broker of our own for tests, on loopback: one client at a time, its session kept between connections, and misbehaving as told.

It speaks 3.1.1 and 5 byte by byte, so that the client library is not what judges itself.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Self

from shouwang.telemetry.sources.mqtt import packets
from shouwang.telemetry.sources.mqtt.packets import Packet, Splitter

NEW = 5
PATIENCE_S = 10.0


@dataclass
class Behaviour:
    """What the broker does that a good one would not, or a busy one might."""

    password: str | None = None
    refuses: tuple[str, ...] = ()
    grants: int = 1
    repeats: bool = False
    drops_before_acks: int = 0
    ignores_maximum: bool = False
    forgets: bool = False
    says: bytes = b""
    speaks: int = 0


@dataclass
class Session:
    """What is kept of the client while it is away."""

    filters: list[str] = field(default_factory=list)
    waiting: deque[tuple[str, bytes, int]] = field(default_factory=deque)
    flying: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    next_id: int = 1


class Broker:
    """Runs in a thread; the test thread publishes and looks at what came of it."""

    def __init__(self, behaviour: Behaviour | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.behaviour = behaviour or Behaviour()
        self.session = Session()
        self.acked: list[int] = []
        self.stray: list[int] = []
        self.connects: list[dict[str, Any]] = []
        self.goodbyes = 0
        self.most_flying = 0
        self.changed = threading.Condition()
        self._tls = tls
        self._ends = False
        self._line: _Line | None = None
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends = True
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self.cut()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def publish(self, topic: str, payload: bytes, *, qos: int = 1) -> None:
        """Take a message; it is delivered now or once the client is there."""
        with self.changed:
            self.session.waiting.append((topic, payload, qos))
            self._deliver()

    def wait(self, fulfilled: Any) -> bool:
        """Wait until a condition holds, ten seconds at most, and return whether it does."""
        with self.changed:
            return self.changed.wait_for(fulfilled, PATIENCE_S)

    def cut(self) -> None:
        """Drop the connection."""
        with self.changed:
            if self._line is not None:
                self._line.cut()

    def _serve(self) -> None:
        while not self._ends:
            try:
                sock, _ = self._door.accept()
                sock.settimeout(PATIENCE_S)
                if self._tls is not None:
                    sock = self._tls.wrap_socket(sock, server_side=True)
            except OSError:
                continue
            with contextlib.suppress(OSError, packets.Malformed):
                self._talk(_Line(sock))
            with self.changed:
                self._line = None
                self.changed.notify_all()
            sock.close()

    def _talk(self, line: _Line) -> None:
        for packet in line.packets():
            with self.changed:
                self._heard(line, packet)
                self.changed.notify_all()

    def _heard(self, line: _Line, packet: Packet) -> None:
        if packet.kind == packets.CONNECT:
            self._connect(line, packet.body)
        elif packet.kind == packets.SUBSCRIBE:
            self._subscribe(line, packet.body)
        elif packet.kind == packets.PUBACK:
            self._acknowledge(line, int.from_bytes(packet.body[:2], "big"))
        elif packet.kind == packets.PINGREQ:
            line.say(packets.PONG)
        elif packet.kind == packets.DISCONNECT:
            self.goodbyes += 1
            line.cut()

    def _connect(self, line: _Line, body: bytes) -> None:
        said = read_connect(body)
        self.connects.append(said)
        line.level = said["level"]
        if self.behaviour.speaks and line.level != self.behaviour.speaks:
            line.say(bytes((packets.CONNACK << 4, 2, 0, 1)))
            line.cut()
        elif self.behaviour.password is not None and said["password"] != self.behaviour.password:
            line.say(connack(line.level, 0, 134 if line.level == NEW else 4))
            line.cut()
        else:
            if self.behaviour.forgets:
                self.session = Session()
            has_session = bool(self.session.filters)
            line.say(connack(line.level, int(has_session), 0) + self.behaviour.says)
            line.most = said["receive_maximum"]
            self._line = line
            for packet_id, (topic, payload) in self.session.flying.items():
                line.say(publish(line.level, topic, payload, packet_id=packet_id, again=True))
            if has_session:
                self._deliver()

    def _subscribe(self, line: _Line, body: bytes) -> None:
        at, codes = 2 + (1 + body[2] if line.level == NEW else 0), b""
        while at < len(body):
            size = int.from_bytes(body[at : at + 2], "big")
            name = body[at + 2 : at + 2 + size].decode()
            at += 3 + size
            refused = name in self.behaviour.refuses
            codes += bytes((0x80 if refused else self.behaviour.grants,))
            if not refused and name not in self.session.filters:
                self.session.filters.append(name)
        line.say(packet(packets.SUBACK << 4, body[:2] + (b"\0" if line.level == NEW else b"") + codes))
        self._deliver()

    def _deliver(self) -> None:
        session, line = self.session, self._line
        if line is None or not session.filters:
            return
        while session.waiting and (len(session.flying) < line.most or self.behaviour.ignores_maximum):
            topic, payload, qos = session.waiting.popleft()
            packet_id = 0
            if qos:
                packet_id, session.next_id = session.next_id, session.next_id % 65_535 + 1
                session.flying[packet_id] = (topic, payload)
            self.most_flying = max(self.most_flying, len(session.flying))
            data = publish(line.level, topic, payload, packet_id=packet_id, qos=qos)
            line.say(data)
            if self.behaviour.repeats:
                line.say(data)

    def _acknowledge(self, line: _Line, packet_id: int) -> None:
        if self.behaviour.drops_before_acks:
            self.behaviour.drops_before_acks -= 1
            line.cut()
            return
        if self.session.flying.pop(packet_id, None) is None:
            self.stray.append(packet_id)
        else:
            self.acked.append(packet_id)
        self._deliver()


class _Line:
    """One connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._splitter = Splitter(most=1_000_000)
        self.level = 4
        self.most = 65_535
        self._is_cut = False

    def packets(self) -> Any:
        while not self._is_cut and (data := self._sock.recv(65_536)):
            for each in self._splitter.feed(data):
                if not self._is_cut:
                    yield each

    def say(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._sock.sendall(data)

    def cut(self) -> None:
        self._is_cut = True
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)


def read_connect(body: bytes) -> dict[str, Any]:
    """Return what a CONNECT says; of the properties of version 5 those that count here."""
    level, flags, at = body[6], body[7], 10
    said: dict[str, Any] = {"level": level, "clean": bool(flags & 2), "receive_maximum": 65_535, "password": None, "username": None}
    if level == NEW:
        end = at + 1 + body[at]
        at += 1
        while at < end:
            name, size = {0x11: ("session_s", 4), 0x21: ("receive_maximum", 2), 0x27: ("packet_bytes", 4)}[body[at]]
            said[name] = int.from_bytes(body[at + 1 : at + 1 + size], "big")
            at += 1 + size
    for name, is_there in (("client_id", True), ("username", flags & 0x80), ("password", flags & 0x40)):
        if is_there:
            size = int.from_bytes(body[at : at + 2], "big")
            said[name] = body[at + 2 : at + 2 + size].decode()
            at += 2 + size
    return said


def packet(first: int, body: bytes) -> bytes:
    """Return a packet of any length."""
    size, length = len(body), b""
    while True:
        size, low = divmod(size, 0x80)
        length += bytes((low | (0x80 if size else 0),))
        if not size:
            return bytes((first,)) + length + body


def connack(level: int, has_session: int, code: int) -> bytes:
    """Return a CONNACK."""
    return packet(packets.CONNACK << 4, bytes((has_session, code)) + (b"\0" if level == NEW else b""))


def publish(level: int, topic: str, payload: bytes, *, packet_id: int, qos: int = 1, again: bool = False) -> bytes:
    """Return a PUBLISH."""
    head = len(topic.encode()).to_bytes(2, "big") + topic.encode() + (packet_id.to_bytes(2, "big") if qos else b"")
    return packet(packets.PUBLISH << 4 | (8 if again else 0) | qos << 1, head + (b"\0" if level == NEW else b"") + payload)
