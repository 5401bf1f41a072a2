"""Frames of CJ/T 188: what is read of them, what is refused by name, and how the reader finds its way back after garbage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.telemetry.placing import Extra, Reading
from shouwang.telemetry.sources.cjt188 import frames
from shouwang.telemetry.sources.cjt188.frames import CUBIC_METRE, LITRE, Frame, FrameInvalid, Said, Splitter

AT = datetime(2026, 1, 15, 2, tzinfo=UTC)
WHOLE = frames.reported(Said("37150000000001", 36_410.0, AT, 0, False))
FRAME = frames.read_frame(WHOLE)


def test_the_bytes_of_a_report_are_those_of_the_standard() -> None:
    address, register, clock = "01 00 00 00 00 15 37", "41 36 00 00 2c", "00 00 10 15 01 26 20"
    head = bytes.fromhex(f"68 10 {address} 81 16 1f 90 00 {register} {register} {clock} 00 00")
    assert head + bytes((sum(head) % 256, 0x16)) == WHOLE


def test_a_report_is_a_register_in_litres_a_clock_and_a_state() -> None:
    assert frames.said_by(FRAME) == Said("37150000000001", 36_410.0, AT, 0, False)


STATES = [
    # first byte of the state, valve, whether the battery is low
    (0x00, 0, False),
    (0x01, 1, False),
    (0x03, 3, False),
    (0x04, 0, True),
    (0xF9, 1, False),  # the bits above are the maker's
]


@pytest.mark.parametrize(("state", "valve", "is_low"), STATES)
def test_the_state_says_valve_and_battery(state: int, valve: int, is_low: bool) -> None:
    said = frames.said_by(changed(20, bytes((state,))))
    assert (valve, is_low) == (said.valve, said.battery_low)


def changed(place: int, value: bytes) -> Frame:
    data = bytearray(FRAME.data)
    data[place : place + len(value)] = value
    return FRAME._replace(data=bytes(data))


def test_both_editions_order_the_identifier_differently_and_both_are_read() -> None:
    assert frames.said_by(changed(0, b"\x90\x1f")) == frames.said_by(FRAME)


def test_the_unit_is_followed() -> None:
    assert frames.said_by(changed(7, bytes((LITRE,)))).register_l == 36.41
    assert frames.said_by(changed(7, bytes((CUBIC_METRE,)))).register_l == 36_410.0


WRONG = [
    # the frame, what the error tells
    (FRAME._replace(control=0xC1), "an error of the meter"),
    (FRAME._replace(control=0x84), "84H"),
    (FRAME._replace(kind=0x20), "meter type 20H"),
    (changed(0, b"\x20\xd1"), "20D1"),
    (FRAME._replace(data=FRAME.data[:-1]), "of 21 B"),
    (FRAME._replace(data=b""), "of 0 B"),
    (changed(7, b"\x05"), "unit 05H"),
    (changed(3, b"\xaa"), "000036AAH"),
    (changed(3, b"\xee\xee\xee\xee"), "EEEEEEEEH"),
]


@pytest.mark.parametrize(("frame", "found"), WRONG)
def test_what_is_wrong_is_named(frame: Frame, found: str) -> None:
    with pytest.raises(FrameInvalid) as caught:
        frames.said_by(frames.read_frame(frames.framed(frame)))
    assert found in str(caught.value.params["found"])


CLOCKS = [
    # the meter's clock beside the arrival, the moment that counts
    (timedelta(0), timedelta(0)),
    (timedelta(minutes=-90), timedelta(minutes=-90)),
    (timedelta(days=-31), timedelta(days=-31)),
    (timedelta(days=-32), timedelta(0)),
    (timedelta(minutes=5), timedelta(minutes=5)),
    (timedelta(minutes=6), timedelta(0)),
    (timedelta(days=-3_650), timedelta(0)),
    (None, timedelta(0)),
]


@pytest.mark.parametrize(("off", "counts"), CLOCKS)
def test_the_meters_clock_counts_where_it_can_be_right(off: timedelta | None, counts: timedelta) -> None:
    said = Said("37150000000001", 5.0, None if off is None else AT + off, 1, True)
    found = frames.readings_of(said, arrived_at=AT)
    states = [Extra("valve_state", AT + counts, 1, said.device), Extra("battery_low", AT + counts, True, said.device)]
    if off is not None:
        states.append(Extra("clock_error_s", AT + counts, off.total_seconds(), said.device))
    assert [Reading("register_l", AT + counts, 5.0, said.device), *states] == found


@pytest.mark.parametrize("raw", [bytes(7), b"\xff" * 7, bytes.fromhex("00001032012620"), bytes.fromhex("60001015012620")])
def test_a_clock_without_a_date_is_none(raw: bytes) -> None:
    assert frames.clock_of(raw) is None


def test_frames_are_found_however_they_arrive_and_after_whatever_garbage() -> None:
    other = frames.reported(Said("37150000000002", 7.25, None, 1, True), unit=LITRE)
    broken = WHOLE[:-2] + bytes((WHOLE[-2] ^ 1, 0x16))
    request = frames.framed(FRAME._replace(control=0x01, data=FRAME.data[:3]))
    line = b"\xfe\xfe" + WHOLE + b"ping\r\n\x68" + broken + b"\x68\x68" + other + request + WHOLE[:20] + WHOLE
    for size in (1, 2, 7, 13, len(line)):
        splitter = Splitter()
        found = [frame for begin in range(0, len(line), size) for frame in splitter.feed(line[begin : begin + size])]
        assert [frames.framed(each) for each in found] == [WHOLE, other, WHOLE]


def test_junk_is_counted_and_bytes_that_lead_a_frame_are_none() -> None:
    splitter = Splitter()
    assert splitter.feed(b"\xfe" * 100) == []
    assert splitter.junk == 0
    splitter.feed(b"ping\xfe")
    assert splitter.junk == len("ping")
    splitter.feed(WHOLE)
    assert splitter.junk == 0
    splitter.feed(b"\x68" * 500)
    assert splitter.junk > 300


def test_no_part_of_a_frame_is_taken_for_one() -> None:
    for cut in range(len(WHOLE)):
        with pytest.raises(FrameInvalid):
            frames.read_frame(WHOLE[:cut])


@given(st.binary(max_size=400))
def test_no_bytes_crash_it(noise: bytes) -> None:
    for frame in Splitter().feed(noise + WHOLE):
        try:
            assert frames.readings_of(frames.said_by(frame), arrived_at=AT)
        except FrameInvalid as error:
            assert error.text("zh")
    try:
        frames.decode(noise, arrived_at=AT)
    except FrameInvalid as error:
        assert error.text("en")


@given(st.binary(max_size=22), st.integers(0, 255), st.integers(0x80, 0xFF))
def test_no_data_crash_it(data: bytes, kind: int, control: int) -> None:
    (frame,) = Splitter().feed(frames.framed(Frame(kind, FRAME.address, control, data)))
    try:
        frames.readings_of(frames.said_by(frame), arrived_at=AT)
    except FrameInvalid as error:
        assert error.text("zh")


@given(st.binary(max_size=300), st.binary(max_size=120))
def test_after_any_garbage_the_next_frames_are_found(noise: bytes, between: bytes) -> None:
    """Garbage may look like the head of a frame and swallow what comes before its end is known, at most one frame's length."""
    splitter = Splitter()
    found = splitter.feed(noise + WHOLE + between)
    found += splitter.feed(WHOLE + bytes(frames.HEAD_BYTES + frames.MOST_DATA + frames.TAIL_BYTES))
    assert [frames.framed(each) for each in found].count(WHOLE) >= 2


@given(
    st.from_regex(r"[0-9]{14}", fullmatch=True), st.integers(0, 99_999_999), st.sampled_from([LITRE, CUBIC_METRE]),
    st.none() | st.integers(946_684_800, 4_102_000_000).map(lambda at_s: datetime.fromtimestamp(at_s, UTC)), st.sampled_from([0, 1, 3]), st.booleans(),
)
def test_what_a_meter_says_is_what_is_read(
    device: str, hundredths: int, unit: int, clock: datetime | None, valve: int, battery_low: bool,
) -> None:
    register_l = hundredths * frames.LITRES[unit] / 100
    said = Said(device, register_l, clock, valve, battery_low)
    assert frames.said_by(frames.read_frame(frames.reported(said, unit=unit))) == said
