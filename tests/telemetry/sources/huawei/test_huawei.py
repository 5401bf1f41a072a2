"""Notices as Huawei's platform pushes them."""

from __future__ import annotations

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
from shouwang.telemetry.sources.huawei import EXAMPLE, decode
from shouwang.ui.answers import BodyInvalid
from tests.telemetry.sources.contract import Read
from tests.telemetry.sources.huawei.line import SET, older, pushed

AT = datetime(2026, 1, 15, 2, tzinfo=UTC)
READ = Read("example_860000000000017", AT, 36412.0)


@pytest.fixture(autouse=True)
def _set(settings: Any) -> None:
    settings.SHOUWANG_SOURCES = {"huawei": copy.deepcopy(SET)}


def decoded(said: object) -> list[Reading]:
    return decode(json.dumps(said).encode())


@pytest.mark.parametrize("said", [EXAMPLE, pushed(READ), pushed(READ, battery=3.6), older(READ), older(READ, "deviceDatasChanged")])
def test_every_shape_of_a_report_is_a_register_in_litres(said: object) -> None:
    assert decoded(said) == [Reading("register_l", AT, 36412.0, READ.device)]


def test_the_older_moment_of_the_notice_counts_where_a_service_has_none() -> None:
    said: Any = pushed(READ)
    del said["notify_data"]["body"]["services"][0]["event_time"]
    assert [each.phenomenon_time for each in decoded(said)] == [AT]


def test_the_node_is_the_device_where_it_is_so_set(settings: Any) -> None:
    settings.SHOUWANG_SOURCES = {"huawei": {**SET, "device": "node_id"}}
    assert [each.device for each in decoded(EXAMPLE)] == ["860000000000017"]


@pytest.mark.parametrize("said", [
    {"resource": "device.status", "event": "update"}, {"resource": "device.property", "event": "x"}, {"notifyType": "deviceAdded"},
    pushed(READ, battery=1) | {"resource": "device"},
])
def test_what_is_no_report_is_acknowledged_and_left(said: object) -> None:
    assert decoded(said) == []


def test_a_report_of_which_nothing_is_known_says_what_it_holds() -> None:
    said: Any = pushed(READ)
    said["notify_data"]["body"]["services"][0]["properties"] = {"flow": 1, "SNR": 3}
    with pytest.raises(Unmapped) as caught:
        decoded(said)
    assert caught.value.params == {"device": READ.device, "found": "SNR, flow"}


def changed(path: str, value: object, said: Any = None) -> Any:
    said = copy.deepcopy(said or pushed(READ))
    at: Any = said
    *before, last = [int(each) if each.isdigit() else each for each in path.split("/")]
    for each in before:
        at = at[each]
    at[last] = value
    return said


SERVICE = "notify_data/body/services/0"
WRONG = [
    # what is sent, the field that is told
    ({}, "resource"),
    (changed("notify_data", None), "notify_data"),
    (changed("notify_data/header/device_id", ""), "notify_data.header.device_id"),
    (changed("notify_data/header/device_id", "x" * 65), "notify_data.header.device_id"),
    (changed("notify_data/body/services", {}), "notify_data.body.services"),
    (changed(f"{SERVICE}/properties", []), "notify_data.body.services[0].properties"),
    (changed(f"{SERVICE}/properties/volume", "x"), "notify_data.body.services[0].properties.volume"),
    (changed(f"{SERVICE}/event_time", "2026-01-15T02:00:00Z"), "notify_data.body.services[0].event_time"),
    (changed(f"{SERVICE}/event_time", "20261315T020000Z"), "notify_data.body.services[0].event_time"),
    (changed("service/eventTime", "20260115T020000", older(READ)), "service.eventTime"),
    (changed("service/data/volume", None, older(READ)), "service.data.volume"),
    (changed("services/0/data", None, older(READ, "deviceDatasChanged")), "services[0].data"),
    (changed("deviceId", 7, older(READ)), "deviceId"),
]


@pytest.mark.parametrize(("said", "field"), WRONG)
def test_what_is_wrong_is_named(said: object, field: str) -> None:
    with pytest.raises(BodyInvalid) as caught:
        decoded(said)
    assert caught.value.params["field"] == field


WHOLE = [json.dumps(each).encode() for each in (pushed(READ), older(READ), older(READ, "deviceDatasChanged"))]


@pytest.mark.parametrize("whole", WHOLE)
def test_no_part_of_a_notice_is_taken_for_one(whole: bytes) -> None:
    for cut in range(len(whole)):
        with pytest.raises(BodyInvalid):
            decode(whole[:cut])


@hypothesis(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.sampled_from(WHOLE), st.integers(0, 400))
def test_no_bytes_crash_it(noise: bytes, whole: bytes, place: int) -> None:
    for body in (noise, whole[:place] + noise + whole[place:]):
        try:
            assert len(decode(body)) <= 1
        except ShouwangError as error:
            assert error.text("zh")
