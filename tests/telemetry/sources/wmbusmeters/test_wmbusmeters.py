"""Telegrams as wmbusmeters prints them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.telemetry.placing import Reading
from shouwang.telemetry.sources.mqtt.talk import address_of
from shouwang.telemetry.sources.wmbusmeters import EXAMPLE, decode
from shouwang.ui.answers import BodyInvalid

WHOLE = json.dumps(EXAMPLE).encode()


def test_a_telegram_is_a_register_in_litres() -> None:
    assert [Reading("register_l", datetime(2026, 1, 15, 2, tzinfo=UTC), 36412.0, "00000001")] == decode(WHOLE)
    assert decode(json.dumps({**EXAMPLE, "_": "telegram", "total_m3": 0}).encode())[0].result == 0
    assert decode(json.dumps({**EXAMPLE, "total_m3": 2.3679}).encode())[0].result == 2367.9


WRONG = [
    # what is changed, the field that is told
    ({"total_m3": None}, "total_m3"),
    ({"total_m3": "36.4"}, "total_m3"),
    ({"timestamp": "2026-01-15 02:00"}, "timestamp"),
    ({"timestamp": "2026-01-15T02:00:00"}, "timestamp"),
    ({"id": ""}, "id"),
    ({"id": 7}, "id"),
]


@pytest.mark.parametrize(("changed", "field"), WRONG)
def test_what_is_wrong_is_named(changed: dict[str, object], field: str) -> None:
    with pytest.raises(BodyInvalid) as caught:
        decode(json.dumps({**EXAMPLE, **changed}).encode())
    assert field == caught.value.params["field"]


def test_a_meter_without_volume_is_refused() -> None:
    heat = {"media": "heat cost allocation", "id": "00000002", "current_consumption_hca": 251, "timestamp": "2026-01-15T02:00:00Z"}
    with pytest.raises(BodyInvalid):
        decode(json.dumps(heat).encode())


def test_no_part_of_a_telegram_is_taken_for_one() -> None:
    for cut in range(len(WHOLE)):
        with pytest.raises(BodyInvalid):
            decode(WHOLE[:cut])


@given(st.binary(max_size=300), st.integers(0, len(WHOLE)))
def test_no_bytes_crash_it(noise: bytes, place: int) -> None:
    for body in (noise, WHOLE[:place] + noise + WHOLE[place:]):
        try:
            assert len(decode(body)) == 1
        except BodyInvalid as error:
            assert error.text("zh")


def test_mqtt_carries_it_too() -> None:
    assert decode is address_of("v1/gateway/wmbusmeters").decode
