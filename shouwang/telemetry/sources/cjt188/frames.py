"""CJ/T 188 on the wire: bytes to frames, a frame to what a water meter says, and back for the simulator. Pure.

The edition of 2018, and that of 2004 where both agree. A frame is 68H, type, seven bytes of address, control code, length,
data, checksum (the sum of all before it), 16H; several bytes of a number come low one first; FEH may stand before a frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.moments import LOCAL_ZONE
from shouwang.telemetry.placing import Extra, Reading

START, END, LEAD = 0x68, 0x16, 0xFE
HEAD_BYTES, TAIL_BYTES = 11, 2
MOST_DATA = 0x64
ADDRESS = slice(2, 9)
CONTROL_AT, LENGTH_AT = 9, 10
FROM_METER, FAILED, FUNCTION = 0x80, 0x40, 0x3F
READ = 0x01
CURRENT = (b"\x1f\x90", b"\x90\x1f")
"""The register now: 901FH, low byte first in the edition of 2018, high byte first in that of 2004."""
CURRENT_BYTES = 22
COLD_WATER = 0x10
WATER = range(0x10, 0x1A)
LITRE, CUBIC_METRE = 0x29, 0x2C
LITRES = {LITRE: 1.0, CUBIC_METRE: 1_000.0}
HUNDREDTHS = 100
VALVE, BATTERY_LOW = 0x03, 0x04
CLOCK_BEHIND = timedelta(days=31)
CLOCK_AHEAD = timedelta(minutes=5)


class FrameInvalid(ShouwangError):
    """A whole frame does not say what a water meter's register is."""

    zh = "CJ/T 188 报文有误：{found}；应为 {expected}。"
    en = "The CJ/T 188 frame is wrong: {found}; expected {expected}."


class Frame(NamedTuple):
    """One frame whose checksum is right."""

    kind: int
    address: bytes
    control: int
    data: bytes

    @property
    def device(self) -> str:
        """Return the meter's number: 14 digits, the maker's four first."""
        return self.address[::-1].hex().upper()


@dataclass(frozen=True, slots=True)
class Said:
    """What a water meter says: its register, its own clock (None where that holds no date) and its state."""

    device: str
    register_l: float
    clock: datetime | None
    valve: int
    battery_low: bool


class Splitter:
    """Cuts a stream of bytes into the frames of meters, however it arrives; what lies between them is passed over.

    `junk` counts the bytes passed over since the last frame. At most one frame's bytes are kept.
    """

    def __init__(self) -> None:
        self.junk = 0
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that are whole now."""
        rest = self._rest + data
        found, at = [], 0
        while (begin := rest.find(START, at)) >= 0:
            self.junk += begin - at - rest.count(LEAD, at, begin)
            at = begin
            size = _size(rest, at)
            if size and len(rest) - at < size:
                break
            frame = _frame(rest[at : at + size]) if size else None
            if frame is None:  # this 68H begins no frame; another one may begin inside of what looked like it
                self.junk += 1
                at += 1
            else:
                found.append(frame)
                self.junk = 0
                at += size
        else:
            self.junk += len(rest) - at - rest.count(LEAD, at)
            at = len(rest)
        self._rest = rest[at:]
        return found


def _size(rest: bytes, at: int) -> int:
    """Return how many bytes a frame that begins here has, at least; 0 where none can begin."""
    have = len(rest) - at
    if have > CONTROL_AT and not rest[at + CONTROL_AT] & FROM_METER:
        return 0
    if have <= LENGTH_AT:
        return HEAD_BYTES
    length = rest[at + LENGTH_AT]
    return HEAD_BYTES + length + TAIL_BYTES if length <= MOST_DATA else 0


def _frame(raw: bytes) -> Frame | None:
    if raw[-1] != END or sum(raw[:-TAIL_BYTES]) & 0xFF != raw[-TAIL_BYTES]:
        return None
    return Frame(raw[1], raw[ADDRESS], raw[CONTROL_AT], raw[HEAD_BYTES:-TAIL_BYTES])


def read_frame(raw: bytes) -> Frame:
    """Return the one frame that bytes hold. Raises FrameInvalid."""
    found = Splitter().feed(raw)
    if len(found) != 1:
        raise FrameInvalid(found=f"{len(found)} frames in {len(raw)} B", expected="one frame of a meter")
    return found[0]


def said_by(frame: Frame) -> Said:
    """Return what a water meter says in a frame. Raises FrameInvalid naming what is not as it should be."""
    if frame.control & FAILED:
        raise FrameInvalid(found=f"control code {frame.control:02X}H, an error of the meter", expected="81H")
    if frame.control & FUNCTION != READ:
        raise FrameInvalid(found=f"control code {frame.control:02X}H", expected="81H, data read")
    if frame.kind not in WATER:
        raise FrameInvalid(found=f"meter type {frame.kind:02X}H", expected="10H to 19H, water")
    data = frame.data
    if data[:2] not in CURRENT or len(data) != CURRENT_BYTES:
        raise FrameInvalid(found=f"data {data[:2].hex().upper()} of {len(data)} B", expected="901F, the register, of 22 B")
    if data[7] not in LITRES:
        raise FrameInvalid(found=f"unit {data[7]:02X}H", expected="29H (L) or 2CH (m³)")
    register_l = decimal_of(data[3:7]) * LITRES[data[7]] / HUNDREDTHS
    return Said(frame.device, register_l, clock_of(data[13:20]), data[20] & VALVE, bool(data[20] & BATTERY_LOW))


def decimal_of(raw: bytes) -> int:
    """Return the number that BCD bytes hold, low byte first. Raises FrameInvalid."""
    text = raw[::-1].hex()
    if not text.isdecimal():
        raise FrameInvalid(found=f"{text.upper()}H", expected="decimal digits (BCD)")
    return int(text)


def clock_of(raw: bytes) -> datetime | None:
    """Return the moment of a meter's clock (second, minute, hour, day, month, year, century), None where it holds no date."""
    try:
        second, minute, hour, day, month, year, century = (decimal_of(raw[place : place + 1]) for place in range(7))
        return datetime(century * 100 + year, month, day, hour, minute, second, tzinfo=LOCAL_ZONE)
    except (FrameInvalid, ValueError):
        return None


def readings_of(said: Said, *, arrived_at: datetime) -> list[Reading]:
    """Return the register and the states beside it, at the meter's moment where its clock can be right, else when they came.

    A clock can be right up to 31 days behind (a meter sends later what it could not send) and 5 minutes ahead.
    """
    clock = said.clock
    at = clock if clock is not None and arrived_at - CLOCK_BEHIND <= clock <= arrived_at + CLOCK_AHEAD else arrived_at
    found = [
        Reading("register_l", at, said.register_l, said.device), Extra("valve_state", at, float(said.valve), said.device),
        Extra("battery_low", at, float(said.battery_low), said.device),
    ]
    if clock is not None:
        found.append(Extra("clock_error_s", at, (clock - arrived_at).total_seconds(), said.device))
    return found


def decode(raw: bytes, *, arrived_at: datetime) -> list[Reading]:
    """Return the readings of one frame that is written in hexadecimal. Raises FrameInvalid."""
    try:
        frame = bytes.fromhex(raw.decode())
    except ValueError as error:
        raise FrameInvalid(found=f"{len(raw)} B", expected="hexadecimal digits") from error
    return readings_of(said_by(read_frame(frame)), arrived_at=arrived_at)


def framed(frame: Frame) -> bytes:
    """Return a frame as it goes over the line."""
    raw = bytes((START, frame.kind)) + frame.address + bytes((frame.control, len(frame.data))) + frame.data
    return raw + bytes((sum(raw) & 0xFF, END))


def answer_to(frame: Frame, *, control: int) -> bytes:
    """Return the frame that says that a meter's frame is kept: the same address, data identifier and serial number."""
    return framed(Frame(frame.kind, frame.address, control, frame.data[:3]))


def reported(said: Said, *, unit: int = CUBIC_METRE, serial: int = 0) -> bytes:
    """Return the frame with which a meter says something: what the simulator sends."""
    number = bcd(round(said.register_l / LITRES[unit] * HUNDREDTHS), size=4) + bytes((unit,))
    local = said.clock and said.clock.astimezone(LOCAL_ZONE)
    clock = bytes.fromhex(f"{local:%S%M%H%d%m%y}{local.year // 100:02d}") if local else bytes(7)
    state = bytes((said.valve | (BATTERY_LOW if said.battery_low else 0), 0))
    address = bytes.fromhex(said.device)[::-1]
    return framed(Frame(COLD_WATER, address, FROM_METER | READ, CURRENT[0] + bytes((serial,)) + number * 2 + clock + state))


def bcd(number: int, *, size: int) -> bytes:
    """Return a number as BCD bytes, low byte first."""
    return bytes.fromhex(f"{number:0{2 * size}d}")[::-1]
