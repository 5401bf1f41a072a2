"""Every family of cameras keeps the same promises: each documented shape is read, and no bytes whatever crash it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.kernel.errors import ShouwangError
from shouwang.telemetry.cameras.running import families
from shouwang.telemetry.rules import RAW_BYTES
from tests.telemetry.sources.cameras import Fixture, decoded, fixtures, said_for, shown

ALL = fixtures()
NAMES = sorted(families())


@pytest.mark.parametrize("fixture", ALL, ids=lambda each: f"{each.family}-{each.name}")
def test_each_documented_shape_is_read(fixture: Fixture) -> None:
    found = decoded(fixture)
    assert fixture.expected == [shown(record, fields) for record, fields in zip(found, fixture.expected, strict=False)]
    assert len(found) == len(fixture.expected)


def test_there_are_enough_shapes_of_each_family() -> None:
    assert set(NAMES) == {fixture.family for fixture in ALL}
    assert len(ALL) >= 40


@pytest.mark.parametrize("fixture", ALL, ids=lambda each: f"{each.family}-{each.name}")
def test_what_is_kept_of_a_message_is_bounded_and_holds_no_picture(fixture: Fixture) -> None:
    for record in decoded(fixture):
        assert 0 < len(record.raw) <= RAW_BYTES
        assert all(each.content not in record.raw for each in record.snapshots)


@pytest.mark.parametrize("name", NAMES)
@given(body=st.binary(max_size=400) | st.text(max_size=200).map(str.encode), content_type=st.sampled_from(["", "application/json", "multipart/form-data; boundary=b", "text/xml"]))
def test_no_bytes_crash_a_family(name: str, body: bytes, content_type: str) -> None:
    family = families()[name]
    try:
        family.decode(body, content_type, said_for(family))
    except ShouwangError:
        return


@pytest.mark.parametrize("fixture", ALL, ids=lambda each: f"{each.family}-{each.name}")
def test_no_change_of_a_message_crashes_its_family(fixture: Fixture) -> None:
    family, chance = families()[fixture.family], random.Random(fixture.name)
    said = said_for(family)
    for _ in range(60):
        body = bytearray(fixture.body)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(body))
            body[at : at + chance.randint(0, 9)] = chance.randbytes(chance.randint(0, 5))
            body = body or bytearray(b"x")
        try:
            family.decode(bytes(body), fixture.content_type, said)
        except ShouwangError:
            continue
