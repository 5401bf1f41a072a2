"""MQTT packets byte by byte, against the examples and clauses of the standard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.telemetry.sources.mqtt import packets
from shouwang.telemetry.sources.mqtt.packets import Malformed, Packet, Splitter, WrongVersion

CONNECT = bytes.fromhex("10 10 0004 4d515454 04 02 003c 0004 63313233".replace(" ", ""))
LENGTHS = [(0, "00"), (127, "7f"), (128, "8001"), (16_383, "ff7f"), (16_384, "808001"), (2_097_151, "ffff7f"), (2_097_152, "80808001"), (268_435_455, "ffffff7f")]


def split(data: bytes, most: int = 65_536) -> list[Packet]:
    return Splitter(most=most).feed(data)


@pytest.mark.parametrize(("size", "written"), LENGTHS)
def test_lengths_are_written_as_in_table_2_4(size: int, written: str) -> None:
    assert bytes.fromhex(written) == packets._length(size)


@pytest.mark.parametrize(("size", "written"), [each for each in LENGTHS if each[0] < 70_000])
def test_lengths_are_read_as_in_table_2_4(size: int, written: str) -> None:
    assert [Packet(3, 0, bytes(size))] == split(b"\x30" + bytes.fromhex(written) + bytes(size))


def test_a_connect_is_read() -> None:
    (packet,) = split(CONNECT)
    assert packets.Connect("c123", True, 60, None, None) == packets.read_connect(packet)
    (packet,) = split(packets.connect("c", username="M1", password="t", keep_alive_s=7, clean_session=False))
    assert packets.Connect("c", False, 7, "M1", b"t") == packets.read_connect(packet)


def test_a_will_is_read_and_left_out() -> None:
    body = bytes.fromhex("00044d5154540486000a") + b"\0\1c" + b"\0\1w" + b"\0\3\0\0\0" + b"\0\1u"
    assert packets.Connect("c", True, 10, "u", None) == packets.read_connect(Packet(1, 0, body))


WRONG = [
    # CONNECT body, what is wrong
    ("", "nothing"),
    ("00044d515454", "no level"),
    ("00034d5154 04 02 0000 0000", "protocol name"),
    ("00044d515454 04 03 0000 0000", "reserved flag"),
    ("00044d515454 04 42 0000 0000 0000", "password without name"),
    ("00044d515454 04 22 0000 0000", "will retain without will"),
    ("00044d515454 04 1e 0000 0000 0000 0000", "will QoS 3"),
    ("00044d515454 04 02 0000 0001ff", "client id is not UTF-8"),
    ("00044d515454 04 02 0000 000100", "U+0000"),
    ("00044d515454 04 02 0000 0000 00", "bytes left"),
    ("00044d515454 04 82 0000 0000 0009", "shorter than said"),
]


@pytest.mark.parametrize(("body", "about"), WRONG)
def test_a_wrong_connect_is_refused(body: str, about: str) -> None:
    assert about
    with pytest.raises(Malformed):
        packets.read_connect(Packet(1, 0, bytes.fromhex(body.replace(" ", ""))))


@pytest.mark.parametrize("body", ["00064d514973647003", "00044d51545405", "00064d514973647004"])
def test_another_version_is_told_so(body: str) -> None:
    with pytest.raises(WrongVersion):
        packets.read_connect(Packet(1, 0, bytes.fromhex(body) + bytes(5)))


@pytest.mark.parametrize(("flags", "body"), [
    (2, "0001"), (2, "000161"), (2, "00016100"), (2, "0001610000"), (6, "0001610001"), (8, "000161"), (2, "00000001"), (0, "0000"), (0, "0005616263"),
])
def test_a_wrong_publish_is_refused(flags: int, body: str) -> None:
    with pytest.raises(Malformed):
        packets.read_publish(Packet(3, flags, bytes.fromhex(body)))


@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=200), st.binary(max_size=300),
    st.integers(1, 65_535), st.integers(0, 2),
)
def test_what_a_publisher_sends_is_what_is_read(topic: str, payload: bytes, packet_id: int, qos: int) -> None:
    (packet,) = split(packets.publish(topic, payload, packet_id=packet_id, qos=qos))
    found = packets.read_publish(packet)
    assert (topic, payload, packet_id if qos else 0, qos) == (packets.text_of(found.topic), found.payload, found.packet_id, found.qos)


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=300)), max_size=8), st.data())
def test_packets_are_the_same_however_they_are_cut(wanted: list[tuple[int, bytes]], data: st.DataObject) -> None:
    stream = b"".join(bytes((first,)) + packets._length(len(body)) + body for first, body in wanted)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    splitter = Splitter(most=65_536)
    found = [packet for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True) for packet in splitter.feed(stream[begin:end])]
    assert [Packet(first >> 4, first & 15, body) for first, body in wanted] == found


def test_a_stream_may_be_cut_at_every_byte() -> None:
    stream = CONNECT + packets.publish("v1/M1/readings", b"x" * 200, packet_id=7) + packets.PING + packets.subscribe(2, "a", "b") + packets.BYE
    whole = split(stream)
    assert len(whole) == 5
    for cut in range(len(stream) + 1):
        splitter = Splitter(most=65_536)
        assert whole == splitter.feed(stream[:cut]) + splitter.feed(stream[cut:])
    splitter = Splitter(most=65_536)
    assert whole == [packet for each in stream for packet in splitter.feed(bytes((each,)))]


def test_what_is_too_large_is_refused_before_it_comes() -> None:
    assert split(packets.publish("t", bytes(100), packet_id=1), most=105)
    for head in ("30 6a", "30 80 80 04", "30 ff ff ff 7f", "30 ff ff ff ff", "30 80 80 80 80 01"):
        with pytest.raises(Malformed):
            split(bytes.fromhex(head), most=105)


@given(st.binary(max_size=200), st.integers(0, 15), st.integers(0, 15))
def test_no_body_breaks_a_reader(body: bytes, kind: int, flags: int) -> None:
    for read in (packets.read_connect, packets.read_publish, packets.read_packet_id, packets.count_filters):
        try:
            read(Packet(kind, flags, body))
        except (Malformed, WrongVersion) as error:
            assert error.text("zh")


def test_answers_are_as_the_standard_writes_them() -> None:
    assert packets.connack(4).hex() == "20020004"
    assert packets.answer_to(packets.PUBACK, 0x1234).hex() == "40021234"
    assert packets.answer_to(packets.PUBREL, 1).hex() == "62020001"
    assert packets.suback(10, filters=2).hex() == "9004000a8080"
    assert packets.PONG.hex() == "d000"
