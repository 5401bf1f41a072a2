"""One MQTT connection without a network: every order of packets, and any bytes at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.people.rules.codes import DEVICE
from shouwang.telemetry.sources.mqtt import packets
from shouwang.telemetry.sources.mqtt.packets import Packet, Splitter
from shouwang.telemetry.sources.mqtt.talk import Talk, address_of
from shouwang.telemetry.writing import Key
from shouwang.ui.answers import BodyInvalid

KEY = Key("token", DEVICE)
CONNECT = packets.connect("c", username="M1", password="token")


def opened() -> Talk:
    talk = Talk("owner", most=1_000)
    talk.hear(CONNECT)
    talk.admit(packets.ACCEPTED, KEY)
    assert packets.connack(packets.ACCEPTED) == talk.said()
    return talk


def kinds(data: bytes) -> list[int]:
    return [packet.kind for packet in Splitter(most=1_000).feed(data)]


def test_a_message_is_given_away_and_not_yet_answered() -> None:
    talk = opened()
    talk.hear(packets.publish("v1/M1/readings", b"{}", packet_id=5))
    (message,) = talk.messages()
    assert (b"{}", KEY, "M1", ("owner", bytes.fromhex("40020005"))) == (message.payload, message.key, message.device, message.ticket)
    assert talk.said() == b""


@pytest.mark.parametrize(("qos", "answer"), [(0, b""), (1, packets.answer_to(packets.PUBACK, 9)), (2, packets.answer_to(packets.PUBREC, 9))])
def test_each_quality_of_service_has_its_answer(qos: int, answer: bytes) -> None:
    talk = opened()
    talk.hear(packets.publish("v1/readings", b"{}", packet_id=9, qos=qos))
    assert [("owner", answer)] == [each.ticket for each in talk.messages()]


def test_messages_behind_the_connect_wait_for_it() -> None:
    talk = Talk("owner", most=1_000)
    talk.hear(CONNECT + packets.publish("v1/readings", b"1", packet_id=1) + packets.PING)
    assert (talk.messages(), talk.said(), talk.asks is not None) == ([], b"", True)
    talk.admit(packets.ACCEPTED, KEY)
    assert [packets.CONNACK, packets.PINGRESP] == kinds(talk.said())
    assert len(talk.messages()) == 1


def test_a_refused_client_is_told_why_and_let_go() -> None:
    talk = Talk("owner", most=1_000)
    talk.hear(CONNECT + packets.publish("v1/readings", b"1", packet_id=1))
    talk.admit(packets.WRONG_TOKEN, None)
    assert (packets.connack(packets.WRONG_TOKEN), [], True) == (talk.said(), talk.messages(), talk.over)


def test_subscriptions_are_refused_and_the_talk_goes_on() -> None:
    talk = opened()
    talk.hear(packets.subscribe(3, "v1/#", "x") + packets.answer_to(packets.UNSUBACK, 4).replace(b"\xb0", b"\xa2", 1) + packets.answer_to(packets.PUBREL, 5))
    assert bytes.fromhex("900400038080" "b0020004" "70020005") == talk.said()  # noqa: ISC001
    assert not talk.over


def test_another_version_is_answered_so() -> None:
    talk = Talk("owner", most=1_000)
    talk.hear(CONNECT.replace(b"MQTT\x04", b"MQTT\x05"))
    assert (packets.connack(packets.WRONG_VERSION), True) == (talk.said(), talk.over)


WRONG = [
    # what comes after CONNACK
    CONNECT,
    packets.connack(0),
    packets.PONG,
    packets.publish("v1/+/readings", b"", packet_id=1),
    packets.publish("v1/#", b"", packet_id=1),
    b"\x32\x05\x00\x01\xff\x00\x01",
    b"\x00\x00",
    b"\xf0\x00",
    bytes.fromhex("8202000a"),
    packets.publish("v1/readings", bytes(1_000), packet_id=1),
]


@pytest.mark.parametrize("data", WRONG)
def test_what_is_not_the_protocol_ends_it(data: bytes) -> None:
    talk = opened()
    talk.hear(packets.publish("v1/readings", b"{}", packet_id=1))
    talk.hear(data)
    assert talk.over
    assert len(talk.messages()) == 1
    talk.hear(packets.PING)
    assert talk.said() == b""


@pytest.mark.parametrize("data", [packets.PING, packets.publish("v1/readings", b"{}", qos=0), packets.BYE])
def test_nothing_but_a_connect_comes_first(data: bytes) -> None:
    talk = Talk("owner", most=1_000)
    talk.hear(data)
    assert (True, b"", []) == (talk.over, talk.said(), talk.messages())


@pytest.mark.parametrize(("topic", "device", "is_known"), [
    ("v1/M1/readings", "M1", True), ("v1/readings", None, True), ("v2/M1/readings", None, False), ("v1//readings", None, False),
    ("v1/M1/nonsense", None, False), ("v1/M1/mqtt", None, False), ("v1/M1/readings/x", None, False), ("", None, False),
])
def test_a_topic_says_whose_reading_it_is(topic: str, device: str | None, is_known: bool) -> None:
    found = address_of(topic)
    assert device == found.device
    if is_known:
        assert found.decode(b'{"readings": []}') == []
    else:
        with pytest.raises(BodyInvalid):
            found.decode(b'{"readings": []}')


def test_topics_that_never_end_take_no_memory() -> None:
    talk = opened()
    for n in range(250):
        talk.hear(packets.publish(f"v1/M{n}/readings", b"{}", packet_id=1))
    assert [f"M{n}" for n in range(250)] == [each.device for each in talk.messages()]
    assert len(talk._topics) <= 100


@given(st.lists(st.binary(max_size=60), max_size=6), st.booleans())
def test_any_bytes_end_the_talk_or_do_nothing(chunks: list[bytes], is_open: bool) -> None:
    talk = opened() if is_open else Talk("owner", most=1_000)
    for each in chunks:
        talk.hear(each)
        if talk.asks is not None:
            talk.admit(packets.ACCEPTED, KEY)
        assert all(isinstance(packet, Packet) for packet in Splitter(most=1_000).feed(talk.said()))


@given(st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_a_conversation_with_bytes_put_in_never_crashes(place: int, noise: bytes) -> None:
    stream = CONNECT + b"".join(packets.publish("v1/M1/readings", b"{}", packet_id=n) for n in range(1, 6)) + packets.subscribe(1, "a") + packets.BYE
    talk = Talk("owner", most=1_000)
    talk.hear(stream[:place] + noise + stream[place:])
    if talk.asks is not None:
        talk.admit(packets.ACCEPTED, KEY)
    assert len(talk.messages()) <= 10
