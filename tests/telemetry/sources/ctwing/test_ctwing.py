"""Messages as CTWing pushes them."""

from __future__ import annotations

import base64
import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from shouwang.kernel.errors import ShouwangError
from shouwang.telemetry.placing import Reading
from shouwang.telemetry.rules import Unmapped
from shouwang.telemetry.sources import SourceSettingsInvalid
from shouwang.telemetry.sources.ctwing import EXAMPLE, decode
from shouwang.telemetry.sources.mqtt.talk import address_of
from shouwang.ui.answers import BodyInvalid
from tests.telemetry.sources.contract import Read
from tests.telemetry.sources.ctwing.line import SET, bare, pushed

AT = datetime(2026, 1, 15, 2, tzinfo=UTC)
READ = Read("0f3c5a7e9b1d4f60", AT, 36412.0)
EXPECTED = [Reading("register_l", AT, 36412.0, "0f3c5a7e9b1d4f60")]


@pytest.fixture(autouse=True)
def _set(settings: Any) -> None:
    settings.SHOUWANG_SOURCES = {"ctwing": copy.deepcopy(SET)}


def decoded(said: object) -> list[Reading]:
    return decode(json.dumps(said).encode())


SHAPES = [
    pushed(READ),
    EXAMPLE,
    pushed(READ, serviceId="1"),
    pushed(READ, payload={"volume": "36.412", "battery": 3.6, "note": "x"}),  # numbers come as text, and beside others
    pushed(READ, serviceId="", topic="v1/up/ad19prof", payload={"serviceId": 1, "serviceData": {"volume": 36.412}}),
    bare(READ),
]


@pytest.mark.parametrize("said", SHAPES)
def test_every_shape_of_a_report_is_a_register_in_litres(said: object) -> None:
    assert decoded(said) == EXPECTED


@pytest.mark.parametrize("kind", ["deviceOnlineOfflineReport", "commandResponse", "eventReport", "x"])
def test_what_is_no_report_is_acknowledged_and_left(kind: str) -> None:
    assert decoded({"messageType": kind}) == []
    assert decoded(pushed(READ, messageType=kind)) == []


def test_what_is_known_and_wanted_by_nobody_is_left() -> None:
    assert decoded(pushed(READ, payload={"battery": 3.6})) == []


UNKNOWN = [
    pushed(READ, payload={"flow": 1}),
    pushed(READ, serviceId=2),  # another service's volume
    pushed(READ, payload={"APPdata": base64.b64encode(b"\x68\x10\xff").decode()}),
]


@pytest.mark.parametrize("said", UNKNOWN)
def test_a_report_of_which_nothing_is_known_says_what_it_holds(said: dict[str, object]) -> None:
    with pytest.raises(Unmapped) as caught:
        decoded(said)
    assert caught.value.params["device"] == READ.device
    assert str(caught.value.params["found"]) in {"flow", "volume", "APPdata"}


WRONG = [
    # what is changed, the field that is told
    ({"messageType": 7}, "messageType"),
    ({"deviceId": ""}, "deviceId"),
    ({"deviceId": "x" * 65}, "deviceId"),
    ({"deviceId": None}, "deviceId"),
    ({"timestamp": "2026-01-15"}, "timestamp"),
    ({"timestamp": -1}, "timestamp"),
    ({"timestamp": 10**17}, "timestamp"),
    ({"payload": "volume"}, "payload"),
    ({"payload": {"volume": None}}, "payload.volume"),
    ({"payload": {"volume": True}}, "payload.volume"),
    ({"payload": {"volume": "many"}}, "payload.volume"),
    ({"payload": {"volume": "nan"}}, "payload.volume"),
    ({"payload": {"volume": 10**400}}, "payload.volume"),
    ({"payload": {"APPdata": "?"}}, "payload.APPdata"),
    ({"payload": {"serviceId": 1, "serviceData": {"volume": []}}}, "payload.serviceData.volume"),
]


@pytest.mark.parametrize(("changed", "field"), WRONG)
def test_what_is_wrong_is_named(changed: dict[str, object], field: str) -> None:
    with pytest.raises(BodyInvalid) as caught:
        decoded(pushed(READ, **{"serviceId": "1", **changed}))
    assert caught.value.params["field"] == field


def test_the_imei_is_the_device_where_it_is_so_set(settings: Any) -> None:
    settings.SHOUWANG_SOURCES = {"ctwing": {**SET, "device": "IMEI"}}
    assert [each.device for each in decoded(EXAMPLE)] == ["860000000000017"]
    for wrong in ("", "8" * 16):
        with pytest.raises(BodyInvalid):
            decoded({**EXAMPLE, "IMEI": wrong})


def test_a_multiplier_and_a_product_are_followed(settings: Any) -> None:
    registers = [
        {"product": "7", "property": "pulses", "multiplier": 10.0}, {"property": "pulses", "product": "8", "multiplier": 0.1},
        {"property": "valve", "datastream": "valve_state"},
    ]
    settings.SHOUWANG_SOURCES = {"ctwing": {"registers": registers}}
    found = decoded(pushed(READ, productId="7", payload={"pulses": 3, "valve": 1}))
    assert [("register_l", 30.0), ("valve_state", 1.0)] == [(each.datastream, each.result) for each in found]


BAD_SETTINGS = [{"registers": [{"unit": "m3"}]}, {"device": "IMSI"}, {"regsters": []}, {"registers": [{"property": "a", "unit": "gallon"}]}]


@pytest.mark.parametrize("bad", BAD_SETTINGS)
def test_wrong_settings_refuse_a_message_rather_than_lose_it(bad: dict[str, object], settings: Any) -> None:
    settings.SHOUWANG_SOURCES = {"ctwing": bad}
    with pytest.raises(SourceSettingsInvalid) as caught:
        decoded(EXAMPLE)
    assert caught.value.status == 503


WHOLE = json.dumps(EXAMPLE).encode()


def test_no_part_of_a_message_is_taken_for_one() -> None:
    for cut in range(len(WHOLE)):
        with pytest.raises(BodyInvalid):
            decode(WHOLE[:cut])


@hypothesis(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.integers(0, len(WHOLE)))
def test_no_bytes_crash_it(noise: bytes, place: int) -> None:
    for body in (noise, WHOLE[:place] + noise + WHOLE[place:]):
        try:
            assert len(decode(body)) <= 1
        except ShouwangError as error:
            assert error.text("zh")


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["volume", "APPdata", "serviceId", "serviceData"]), inner, max_size=3), max_leaves=6)


@hypothesis(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(EXAMPLE)), JSON)
def test_no_value_crashes_it(name: str, value: object) -> None:
    try:
        decoded({**EXAMPLE, name: value})
    except ShouwangError as error:
        assert error.text("en")


def test_mqtt_carries_it_too() -> None:
    assert decode is address_of("v1/gateway/ctwing").decode
