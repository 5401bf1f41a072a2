"""Any datagram at all: nothing escapes, nothing is logged for it, and the others are answered."""

from __future__ import annotations

import asyncio
import logging
import random

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.telemetry.sources.coap.device import CHANGED, Device, Said, encode
from tests.telemetry.sources.coap.line import devices
from tests.telemetry.sources.coap.test_listen import PATH, reading, token
from tests.telemetry.sources.loops import run

__all__ = ["token"]


async def still_works(device: Device, token: str) -> None:
    assert (await device.post(PATH, reading(), token=token)).code == CHANGED


def test_random_datagrams_and_broken_requests_leave_it_at_work(token: str, caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(20261128)

    async def scenario() -> None:
        async with devices() as another:
            device = await another()
            device.says_kept = False
            whole = encode(device.request(PATH, reading(), token=token))
            for _ in range(3_000):
                spoiled = bytearray(whole)
                for _ in range(chance.randint(1, 4)):
                    spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
                device.send(bytes(spoiled) if chance.random() < 0.7 else chance.randbytes(chance.randint(0, 200)))
                if chance.random() < 0.02:
                    await asyncio.sleep(0)
                    device.heard.clear()
            for cut in range(len(whole)):
                device.send(whole[:cut])
            await still_works(await another(), token)

    run(scenario())
    assert [] == [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]


OPTION = st.tuples(st.integers(0, 70), st.binary(max_size=20))


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=100),
            st.builds(
                lambda kind, code, mid, token, options, payload: encode(Said(kind, code, mid, token, options, payload)),
                st.integers(0, 3), st.integers(0, 255), st.integers(0, 65_535), st.binary(max_size=8), st.lists(OPTION, max_size=6), st.binary(max_size=60),
            ),
        ),
        max_size=30,
    ),
)
@hypothesis_settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_message_of_the_protocol_stops_it(token: str, caplog: pytest.LogCaptureFixture, datagrams: list[bytes]) -> None:
    async def scenario() -> None:
        async with devices() as another:
            noisy, good = await another(), await another()
            noisy.says_kept = False
            for each in datagrams:
                noisy.send(each)
            await still_works(good, token)

    run(scenario())
    assert [] == [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
