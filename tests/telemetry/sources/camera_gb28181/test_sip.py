"""Devices register, keep alive and alarm; what is answered 200 is committed, and nobody else gets in."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.telemetry.actions import add_things
from shouwang.telemetry.cameras import Camera, Told
from shouwang.telemetry.cameras.running import Ears
from shouwang.telemetry.models import DeviceEvent
from shouwang.telemetry.rules import EventKind, NewThing
from shouwang.telemetry.sources.camera_gb28181 import sip
from shouwang.telemetry.sources.camera_gb28181.listen import Gb28181Settings
from tests.telemetry.sources.camera_gb28181.device import DEVICE, NOW, PASSWORD, Line, lines, register, request
from tests.telemetry.sources.cameras import fixtures
from tests.telemetry.sources.loops import run

SIP = {each.name: each.body.partition(b"\r\n\r\n")[2] for each in fixtures() if each.family == "camera_gb28181"}
ALARM, KEEPALIVE = SIP["intrusion_enters"], SIP["keepalive"]
BOTH = pytest.mark.parametrize("transport", ["UDP", "TCP"])


class Heard(list[Told]):
    def __init__(self) -> None:
        super().__init__()
        self.away = False

    async def hear(self, told: Told) -> None:
        await asyncio.sleep(0)
        if self.away:
            raise ConnectionError("away")
        self.append(told)


def first(message: str) -> str:
    return message.splitlines()[0]


@BOTH
def test_a_device_registers_keeps_alive_and_alarms(transport: str) -> None:
    async def scenario() -> None:
        heard = Heard()
        async with lines(heard.hear) as line:
            device = await line(transport)
            challenge = await device.ask(request("REGISTER"))
            assert first(challenge) == "SIP/2.0 401 Unauthorized"
            assert 'WWW-Authenticate: Digest realm="3715000000", algorithm=MD5, nonce="' in challenge
            done = await device.ask(register(challenge))
            assert first(done) == "SIP/2.0 200 OK"
            assert "Expires: 3600" in done
            assert "Date: 2026-01-15T02:00:01.000" in done
            assert first(await device.ask(request("MESSAGE", KEEPALIVE, number=3))) == "SIP/2.0 200 OK"
            assert [(DEVICE, 0)] == [(each.device, len(each.records)) for each in heard]
            answer = await device.ask(request("MESSAGE", ALARM, number=4))
            assert first(answer) == "SIP/2.0 200 OK"
            assert "Call-ID: 4@192.0.2.20" in answer
            response = await device.hear()
            assert first(response) == f"MESSAGE sip:{DEVICE}@3715000000 SIP/2.0"
            assert f"<CmdType>Alarm</CmdType>\r\n<SN>17</SN>\r\n<DeviceID>{DEVICE}</DeviceID>\r\n<Result>OK</Result>" in response
            device.send(b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n")  # its answer to our Response
        (record,) = heard[1].records
        assert (record.kind, record.device) == (EventKind.ENTER, DEVICE)

    run(scenario())


@BOTH
def test_a_message_sent_again_is_told_once_and_answered_again(transport: str) -> None:
    async def scenario() -> None:
        heard = Heard()
        async with lines(heard.hear) as line:
            device = await line(transport)
            await device.sign_in()
            await device.ask(request("MESSAGE", KEEPALIVE, number=3))
            assert first(await device.ask(request("MESSAGE", KEEPALIVE, number=3))) == "SIP/2.0 200 OK"
            assert first(await device.ask(request("REGISTER"))) == "SIP/2.0 401 Unauthorized"
        assert len(heard) == 1

    run(scenario())


async def refused(device: Line, data: bytes) -> str:
    return first(await device.ask(data))


@BOTH
def test_whoever_has_not_registered_is_refused(transport: str) -> None:
    async def scenario() -> None:
        heard = Heard()
        async with lines(heard.hear) as line:
            device = await line(transport)
            assert await refused(device, request("MESSAGE", ALARM)) == "SIP/2.0 403 Forbidden"
            assert await refused(device, request("REGISTER", device="37158100001320000099", number=9)) == "SIP/2.0 403 Forbidden"
            assert await device.sign_in(password="wrong") == "SIP/2.0 401 Unauthorized"
            assert await refused(device, request("MESSAGE", ALARM, number=8)) == "SIP/2.0 403 Forbidden"
            assert await refused(device, request("INVITE", number=11)) == "SIP/2.0 405 Method Not Allowed"
            assert await refused(device, request("OPTIONS", number=12)) == "SIP/2.0 200 OK"
        assert not heard

    run(scenario())


def test_a_registration_ends() -> None:
    at = [NOW]

    def now() -> datetime:
        return at[0]

    async def scenario() -> None:
        heard = Heard()
        async with lines(heard.hear, now=now) as line:
            device = await line("UDP")
            await device.sign_in(expires=100)
            at[0] += timedelta(seconds=99)
            assert await refused(device, request("MESSAGE", KEEPALIVE, number=3)) == "SIP/2.0 200 OK"
            at[0] += timedelta(seconds=2)
            assert await refused(device, request("MESSAGE", KEEPALIVE, number=4)) == "SIP/2.0 403 Forbidden"
            await device.sign_in(number=5)
            assert await refused(device, request("MESSAGE", KEEPALIVE, number=6)) == "SIP/2.0 200 OK"
            await device.ask(register(await device.ask(request("REGISTER", number=7)), number=8, expires=0))
            assert await refused(device, request("MESSAGE", KEEPALIVE, number=9)) == "SIP/2.0 403 Forbidden"

    run(scenario())


@BOTH
def test_nothing_is_acknowledged_that_is_not_stored(transport: str) -> None:
    async def scenario() -> None:
        heard = Heard()
        async with lines(heard.hear) as line:
            device = await line(transport)
            await device.sign_in()
            heard.away = True
            assert await refused(device, request("MESSAGE", ALARM, number=3)) == "SIP/2.0 503 Service Unavailable"
            heard.away = False
            assert await refused(device, request("MESSAGE", ALARM, number=3)) == "SIP/2.0 200 OK"  # sent again
            await device.hear()
            assert await refused(device, request("MESSAGE", b"<a", number=4)) == "SIP/2.0 400 Bad Request"
        assert len(heard) == 1

    run(scenario())


def test_tcp_is_cut_anywhere() -> None:
    async def scenario() -> None:
        heard = Heard()
        async with lines(heard.hear) as line:
            device = await line("TCP")
            await device.sign_in()
            both = request("MESSAGE", KEEPALIVE, number=3) + b"\r\n\r\n" + request("MESSAGE", KEEPALIVE, number=4)
            for at in range(len(both)):
                device.send(both[at : at + 1])
                await asyncio.sleep(0)
            assert [await device.hear() for _ in range(2)]
        assert len(heard) == 2

    run(scenario())


def test_the_stream_is_split_anywhere_alike() -> None:
    data = request("MESSAGE", ALARM) + b"\r\n" + request("MESSAGE", KEEPALIVE, number=2)
    for at in range(len(data) + 1):
        found, rest = [], b""
        for piece in (data[:at], data[at:]):
            whole, rest = sip.split(rest + piece)
            while whole is not None:
                found.append(whole)
                whole, rest = sip.split(rest)
        assert [request("MESSAGE", ALARM), request("MESSAGE", KEEPALIVE, number=2)] == found, at


@pytest.mark.parametrize("data", [b"x" * 70_000, b"MESSAGE x SIP/2.0\r\nContent-Length: 999999\r\n\r\n", b"A: b\r\n" * 20_000 + b"\r\n"])
def test_a_stream_past_its_limits_ends(data: bytes) -> None:
    with pytest.raises(ValueError, match="over"):
        sip.split(data)


def test_alarms_are_stored_of_the_device_or_of_its_channels(transactional_db: None) -> None:
    del transactional_db
    add_things([NewThing(name, "CAMERA", "", (), path="/1/") for name in (DEVICE, "CAM5")], now=NOW)
    channel = ALARM.replace(b"<DeviceID>" + DEVICE.encode(), b"<DeviceID>37158100001320000002")
    stranger = ALARM.replace(b"<DeviceID>" + DEVICE.encode(), b"<DeviceID>37158100001320000003")

    async def scenario() -> None:
        ears = Ears(lambda: NOW)
        said = Gb28181Settings(cameras={DEVICE: Camera(password=PASSWORD, channels={"37158100001320000002": "CAM5"})})
        async with lines(ears.hearer("camera_gb28181", said, patient=False)) as line:
            device = await line("UDP")
            await device.sign_in()
            for number, body in enumerate((ALARM, channel, stranger), 3):
                assert first(await device.ask(request("MESSAGE", body, number=number))) == "SIP/2.0 200 OK"
                await device.hear()
        await ears.end()

    run(scenario())
    assert [DEVICE, "CAM5"] == list(DeviceEvent.objects.order_by("pk").values_list("thing__external_id", flat=True))


@given(data=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_datagram_crashes_the_desk(data: bytes) -> None:
    desk = sip.Desk({}, "3715000000", "secret", 3_600)
    found = sip.read_request(data)
    if found is not None:
        desk.hear(found, host="192.0.2.1", at_s=0)


def test_no_damaged_request_crashes_the_listener() -> None:
    chance = random.Random(7)

    async def scenario() -> None:
        heard = Heard()
        async with lines(heard.hear) as line:
            device = await line("UDP")
            await device.sign_in()
            for number in range(500):
                data = bytearray(request("MESSAGE", ALARM, number=number + 100))
                for _ in range(4):
                    at = chance.randrange(len(data))
                    data[at : at + chance.randint(0, 9)] = chance.randbytes(chance.randint(0, 6))
                device.send(bytes(data))
                await asyncio.sleep(0)
            device.send(request("OPTIONS", number=9_999))
            while "9999 OPTIONS" not in await device.hear():
                pass

    run(scenario())
