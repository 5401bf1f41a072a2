"""What is said on one MQTT connection: bytes in, answers and messages out. No network, no database, no clock.

QoS 1 is answered by PUBACK and QoS 2 by PUBREC once the message is committed; both may come again, since a reading is stored once.
QoS 0 promises nothing. No session is kept and nothing is ever published to a client: every filter it asks for is refused.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from shouwang.kernel.errors import ShouwangError
from shouwang.telemetry.addresses import Address, address_of
from shouwang.telemetry.sources.mqtt import packets
from shouwang.telemetry.sources.mqtt.packets import (
    CONNECT,
    DISCONNECT,
    PINGREQ,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    SUBSCRIBE,
    UNSUBACK,
    UNSUBSCRIBE,
    Connect,
    Malformed,
    Packet,
    Splitter,
    WrongVersion,
)
from shouwang.telemetry.writing import Incoming, Key

TOPICS_KNOWN = 100
_ANSWER = {0: None, 1: PUBACK, 2: PUBREC}


class Talk:
    """One connection's side of the protocol.

    `hear` takes bytes; afterwards `said` holds the answers, `messages` what is to be stored, `asks` a CONNECT that waits for
    `admit`, and `over` whether to close. `owner` comes back in the ticket of each message, beside the answer it gets.
    """

    def __init__(self, owner: Any, *, most: int) -> None:
        self.asks: Connect | None = None
        self.over = False
        self.keep_alive_s = 0
        self.key: Key | None = None
        self._has_begun = False
        self._owner = owner
        self._said = bytearray()
        self._messages: list[Incoming] = []
        self._splitter = Splitter(most=most)
        self._packets: deque[Packet] = deque()
        self._topics: dict[bytes, Address] = {}

    def hear(self, data: bytes) -> None:
        """Take bytes as they came."""
        if self.over:
            return
        if not self._has_begun and data:
            self._has_begun = True
            if data[0] != CONNECT << 4:
                self._end()  # another protocol: its length, taken for ours, could keep us waiting
                return
        try:
            self._packets.extend(self._splitter.feed(data))
            self._go_on()
        except WrongVersion:
            self._end(packets.connack(packets.WRONG_VERSION))
        except ShouwangError:
            self._end()

    def admit(self, code: int, key: Key | None) -> None:
        """Answer the CONNECT that waits, and go on with what came after it."""
        asked, self.asks = self.asks, None
        if code or key is None or asked is None:
            self._end(packets.connack(code))
            return
        self.key, self.keep_alive_s = key, asked.keep_alive_s
        self._said += packets.connack(packets.ACCEPTED)
        self.hear(b"")

    def said(self) -> bytes:
        """Return the answers since the last time."""
        found = bytes(self._said)
        self._said.clear()
        return found

    def messages(self) -> list[Incoming]:
        """Return the messages since the last time."""
        found, self._messages = self._messages, []
        return found

    def _end(self, last: bytes = b"") -> None:
        self.over = True
        self._said += last
        self._packets.clear()

    def _go_on(self) -> None:
        while self._packets and self.asks is None and not self.over:
            packet = self._packets.popleft()
            if packet.kind == PUBLISH and self.key is not None:
                self._take(packet, self.key)
            else:
                self._handle(packet)

    def _take(self, packet: Packet, key: Key) -> None:
        raw_topic, payload, packet_id, qos = packets.read_publish(packet)
        device, decode, topic = self._topics.get(raw_topic) or self._learn(raw_topic)
        kind = _ANSWER[qos]
        answer = b"" if kind is None else packets.answer_to(kind, packet_id)
        self._messages.append(Incoming(payload, decode, key, device, (self._owner, answer), topic))

    def _learn(self, raw_topic: bytes) -> Address:
        topic = packets.text_of(raw_topic)
        if "+" in topic or "#" in topic:
            raise Malformed(found="a wildcard in a topic name", expected="none (3.3.2)")
        if len(self._topics) >= TOPICS_KNOWN:
            self._topics.clear()
        found = self._topics[raw_topic] = address_of(topic)
        return found

    def _handle(self, packet: Packet) -> None:
        if (packet.kind == CONNECT) is (self.key is not None):
            raise Malformed(found=f"packet {packet.kind}", expected="CONNECT first, and once (3.1)")
        if packet.kind == CONNECT:
            self.asks = packets.read_connect(packet)
        elif packet.kind == PINGREQ:
            self._said += packets.PONG
        elif packet.kind == SUBSCRIBE:
            self._said += packets.suback(packets.read_packet_id(packet), filters=packets.count_filters(packet))
        elif packet.kind == UNSUBSCRIBE:
            self._said += packets.answer_to(UNSUBACK, packets.read_packet_id(packet))
        elif packet.kind == PUBREL:
            self._said += packets.answer_to(PUBCOMP, packets.read_packet_id(packet))
        elif packet.kind == DISCONNECT:
            self._end()
        else:
            raise Malformed(found=f"packet {packet.kind}", expected="what a client sends to a server (2.2.1)")
