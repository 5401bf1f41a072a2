"""MQTT 3.1.1 on the wire: bytes to packets and packets to bytes (OASIS standard of 29 October 2014). Pure.

What a server needs, and beside it what a publisher sends, for the simulator. Numbers in brackets are clauses of the standard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from shouwang.kernel.errors import ShouwangError

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = 8, 9, 10, 11, 12, 13, 14
ACCEPTED, WRONG_VERSION, WRONG_CLIENT_ID, UNAVAILABLE, WRONG_TOKEN, NOT_ALLOWED = range(6)
REFUSED_FILTER = 0x80
LEVEL = 4
LONGEST_LENGTH = 4
PONG = bytes((PINGRESP << 4, 0))
BYE = bytes((DISCONNECT << 4, 0))
PING = bytes((PINGREQ << 4, 0))
_FLAGS = {PUBREL: 2, SUBSCRIBE: 2, UNSUBSCRIBE: 2}


class Malformed(ShouwangError):
    """What came is not MQTT 3.1.1, or larger than is taken."""

    zh = "MQTT 报文有误：{found}；应为 {expected}。"
    en = "The MQTT packet is wrong: {found}; expected {expected}."


class WrongVersion(ShouwangError):
    """The client speaks another version of MQTT."""

    zh = "客户端使用 MQTT 版本 {found}；请改用 3.1.1。"
    en = "The client speaks MQTT level {found}; set it to 3.1.1."


class Packet(NamedTuple):
    """One control packet: its kind, the four flags beside it, and the rest."""

    kind: int
    flags: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Connect:
    """What a client says first. A will is read and left out: nobody subscribes here."""

    client_id: str
    clean_session: bool
    keep_alive_s: int
    username: str | None
    password: bytes | None


class Publish(NamedTuple):
    """One message; `packet_id` is 0 at QoS 0."""

    topic: bytes
    payload: bytes
    packet_id: int
    qos: int


class Splitter:
    """Cuts a stream of bytes into packets, however it arrives. Raises Malformed, after which the stream is of no use."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._rest = b""

    def feed(self, data: bytes) -> list[Packet]:
        """Return the packets that are whole now."""
        rest = self._rest + data if self._rest else data
        found, at, end = [], 0, len(rest)
        while end - at >= 2:
            size, begin = rest[at + 1], at + 2
            if size >= 0x80:
                size, begin = self._long(rest, at)
                if not begin:
                    break
            if size > self._most:
                raise Malformed(found=f"{size} B", expected=f"≤ {self._most} B")
            if begin + size > end:
                break
            first = rest[at]
            found.append(Packet(first >> 4, first & 15, rest[begin : begin + size]))
            at = begin + size
        self._rest = rest[at:]
        return found

    @staticmethod
    def _long(rest: bytes, at: int) -> tuple[int, int]:
        """Return a length of more than one byte and where the body begins, 0 when it is not whole yet (2.2.3)."""
        size = 0
        for place, each in enumerate(rest[at + 1 : at + 1 + LONGEST_LENGTH]):
            size |= (each & 0x7F) << (7 * place)
            if each < 0x80:
                return size, at + 2 + place
        if len(rest) > at + LONGEST_LENGTH:
            raise Malformed(found="remaining length of 5 bytes", expected="1 to 4 (2.2.3)")
        return 0, 0


class _Reader:
    """Reads fields one after the other. Raises Malformed past the end."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def number(self, size: int) -> int:
        return int.from_bytes(self._take(size), "big")

    def binary(self) -> bytes:
        return self._take(self.number(2))

    def text(self) -> str:
        return text_of(self.binary())

    def left(self) -> int:
        return len(self._body) - self._at

    def _take(self, size: int) -> bytes:
        taken = self._body[self._at : self._at + size]
        if len(taken) < size:
            raise Malformed(found=f"{len(taken)} B left", expected=f"{size} B")
        self._at += size
        return taken


def text_of(raw: bytes) -> str:
    """Return a UTF-8 string. Raises Malformed for what is none or holds U+0000 (1.5.3)."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise Malformed(found="a string that is not UTF-8", expected="UTF-8 (1.5.3)") from error
    if "\0" in text:
        raise Malformed(found="U+0000 in a string", expected="none (1.5.3)")
    return text


def read_connect(packet: Packet) -> Connect:
    """Return what a CONNECT says (3.1). Raises Malformed, WrongVersion."""
    reader = _Reader(packet.body)
    name, level = reader.binary(), reader.number(1)
    if name not in {b"MQTT", b"MQIsdp"} or packet.flags:
        raise Malformed(found=f"protocol {name!r}, flags {packet.flags}", expected="MQTT, 0 (3.1.2)")
    if level != LEVEL or name != b"MQTT":
        raise WrongVersion(found=level)
    flags, keep_alive_s = reader.number(1), reader.number(2)
    has_will, has_name, has_password = flags & 0x04, flags & 0x80, flags & 0x40
    if flags & 1 or flags & 0x18 == 0x18 or (not has_will and flags & 0x38) or (has_password and not has_name):
        raise Malformed(found=f"connect flags {flags:#04x}", expected="flags as in 3.1.2")
    client_id = reader.text()
    if has_will:
        reader.text()
        reader.binary()
    username = reader.text() if has_name else None
    password = reader.binary() if has_password else None
    if reader.left():
        raise Malformed(found=f"{reader.left()} B after CONNECT", expected="0 B")
    return Connect(client_id, bool(flags & 2), keep_alive_s, username, password)


def read_publish(packet: Packet) -> Publish:
    """Return the message of a PUBLISH (3.3). Raises Malformed."""
    _, flags, body = packet
    qos = flags >> 1 & 3
    end = 2 + int.from_bytes(body[:2], "big")
    begin = end + 2 if qos else end
    if begin > len(body) or end == 2 or qos == 3 or (not qos and flags & 8):
        raise Malformed(found=f"PUBLISH of {len(body)} B, flags {flags}", expected="topic, packet id above QoS 0, payload (3.3)")
    packet_id = body[end] << 8 | body[end + 1] if qos else 0
    if qos and not packet_id:
        raise Malformed(found="packet id 0", expected="1 to 65535 (2.3.1)")
    return Publish(body[2:end], body[begin:], packet_id, qos)


def read_packet_id(packet: Packet) -> int:
    """Return the packet id with which a packet begins (2.3.1). Raises Malformed."""
    packet_id = _Reader(packet.body).number(2)
    if not packet_id or packet.flags != _FLAGS.get(packet.kind, 0):
        raise Malformed(found=f"packet id {packet_id}, flags {packet.flags}", expected="1 to 65535 (2.3.1), flags as in 2.2.2")
    return packet_id


def count_filters(packet: Packet) -> int:
    """Return how many topic filters a SUBSCRIBE asks for (3.8). Raises Malformed."""
    reader = _Reader(packet.body)
    reader.number(2)
    count = 0
    while reader.left():
        reader.text()
        if reader.number(1) > 2:
            raise Malformed(found="requested QoS over 2", expected="0 to 2 (3.8.3)")
        count += 1
    if not count:
        raise Malformed(found="SUBSCRIBE without a filter", expected="at least one (3.8.3)")
    return count


def connack(code: int) -> bytes:
    """Return the answer to a CONNECT; no session is ever kept, so none is present (3.2)."""
    return bytes((CONNACK << 4, 2, 0, code))


def answer_to(kind: int, packet_id: int) -> bytes:
    """Return a packet that holds nothing but a packet id: PUBACK, PUBREC, PUBREL, PUBCOMP, UNSUBACK."""
    return bytes((kind << 4 | _FLAGS.get(kind, 0), 2, packet_id >> 8, packet_id & 0xFF))


def suback(packet_id: int, *, filters: int) -> bytes:
    """Return the answer that refuses every filter of a SUBSCRIBE (3.9)."""
    return bytes((SUBACK << 4,)) + _length(2 + filters) + packet_id.to_bytes(2, "big") + bytes((REFUSED_FILTER,)) * filters


def connect(client_id: str, *, username: str, password: str, keep_alive_s: int = 60, clean_session: bool = True) -> bytes:
    """Return the CONNECT of a publisher."""
    flags = 0xC0 | (2 if clean_session else 0)
    body = _binary(b"MQTT") + bytes((LEVEL, flags)) + keep_alive_s.to_bytes(2, "big")
    body += _binary(client_id.encode()) + _binary(username.encode()) + _binary(password.encode())
    return bytes((CONNECT << 4,)) + _length(len(body)) + body


def publish(topic: str, payload: bytes, *, packet_id: int = 0, qos: int = 1, again: bool = False) -> bytes:
    """Return a PUBLISH; `again` marks one that may have been sent before."""
    flags = (8 if again else 0) | qos << 1
    body = _binary(topic.encode()) + (packet_id.to_bytes(2, "big") if qos else b"") + payload
    return bytes((PUBLISH << 4 | flags,)) + _length(len(body)) + body


def subscribe(packet_id: int, *filters: str) -> bytes:
    """Return a SUBSCRIBE at QoS 1."""
    body = packet_id.to_bytes(2, "big") + b"".join(_binary(each.encode()) + b"\1" for each in filters)
    return bytes((SUBSCRIBE << 4 | 2,)) + _length(len(body)) + body


def _binary(raw: bytes) -> bytes:
    return len(raw).to_bytes(2, "big") + raw


def _length(size: int) -> bytes:
    found = bytearray()
    while True:
        size, low = divmod(size, 0x80)
        found.append(low | (0x80 if size else 0))
        if not size:
            return bytes(found)
