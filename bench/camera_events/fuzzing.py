"""Damages fixtures in many ways and gives them to every reader: nothing but an error of Shouwang's own may come out."""

from __future__ import annotations

import random
import time
import traceback
from typing import Any

from bench.camera_events.reading import OWN, Reader, bodies, content_type_of

SLOW_S = 5.0
CONTENT_TYPES = ("", "application/json", "application/xml", "multipart/form-data; boundary=boundary", "multipart/mixed", "application/json; map=platform", "application/json; map=several")
TOKENS = (
    b"<", b">", b"&", b"&#0;", b"&amp;", b"<![CDATA[", b"]]>", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"{", b"}", b"[" * 200, b'"', b"\\u0000", b"\\ud800", b"\0", b"\xff", b"\xf0\x9f",
    b"NaN", b"1e999", b"-1", b"9" * 400, b"\r\n\r\n", b"--boundary", b"--boundary--", b"--myboundary", b"Content-Length: 99999999999", b"Code=", b";data={", b"null", b"true", b"[]", b"{}",
    b"0000-00-00T00:00:00", b"9999-12-31T23:59:59-14:00", b"encoding='utf-16'", b"encoding='gb2312'",
)


def fuzz(*, inputs: int, seed: int, broken: bool) -> dict[str, Any]:
    """Give damaged inputs to the readers and return how many escaped, with the first of them."""
    chance, reader = random.Random(seed), Reader()
    samples = [(family, path.read_bytes(), content_type_of(path)) for path, family in bodies(OWN.glob("camera_*/fixtures"))]
    escapes, read, slowest_s, first = 0, 0, 0.0, []
    for number in range(inputs):
        family, body, content_type = chance.choice(samples)
        data = damaged(body, chance, [each[1] for each in samples])
        if chance.random() < 0.05:
            content_type = chance.choice(CONTENT_TYPES)
        if chance.random() < 0.05:
            family = chance.choice(samples)[0]
        if broken and number == inputs // 2:
            data, family = None, "camera_dahua"  # type: ignore[assignment] # what no reader can be given: the self-test must notice
        began_s = time.perf_counter()
        try:
            read += give(reader, family, data, content_type, chance)
        except BaseException as error:  # noqa: BLE001 - whatever escapes is what is counted
            escapes += 1
            first.append(f"{family}: {type(error).__name__}: {error} {traceback.format_exc(limit=-2)[-300:]}"[:500])
        taken_s = time.perf_counter() - began_s
        slowest_s = max(slowest_s, taken_s)
        if taken_s > SLOW_S:
            escapes += 1
            first.append(f"{family}: took {taken_s:.1f} s")
    return {"inputs": inputs, "escapes": escapes, "read": read, "slowest_ms": round(slowest_s * 1_000, 1), "first": first[:5]}


def give(reader: Reader, family: str, data: bytes, content_type: str, chance: random.Random) -> bool:
    """Give one input to a family: whole, or in two pieces to what reads streams. Return whether it was read."""
    from zoneinfo import ZoneInfo

    from shouwang.kernel.errors import ShouwangError
    from shouwang.telemetry.actions import stranger
    from shouwang.telemetry.rules import dated, dedupe_key
    from shouwang.telemetry.sources.camera_dahua.decode import Stream
    from shouwang.telemetry.sources.camera_gb28181 import sip
    from shouwang.telemetry.sources.camera_hikvision.follow import Gathering

    try:
        for record in reader.read(family, data, content_type):
            when = dated(record.device_at, received_at=NOW)
            assert dedupe_key(record, at=when.at)
            assert record.box is None or all(0 <= each <= 1 for each in record.box)
            stranger(record)
        at = chance.randrange(len(data) + 1)
        zone = ZoneInfo("Asia/Shanghai")
        if family == "camera_dahua":
            stream = Stream(zone=zone)
            assert all(True for piece in (data[:at], data[at:]) for _ in stream.feed(piece))
        elif family == "camera_hikvision":
            gathering = Gathering(b"boundary", zone=zone)
            gathering.feed(data[:at])
            gathering.feed(data[at:])
            gathering.release()
        elif family == "camera_gb28181":
            request = sip.read_request(data)
            if request is not None:
                sip.Desk({}, "3715000000", "secret", 3_600).hear(request, host="192.0.2.1", at_s=0.0)
    except ShouwangError:
        return False
    return True


def damaged(body: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    """Return a body damaged: cut, spliced with another, changed here and there, or nothing of it left."""
    way = chance.random()
    if way < 0.02:
        return chance.randbytes(chance.randrange(200))
    if way < 0.10:
        return body[: chance.randrange(len(body) + 1)]
    if way < 0.15:
        other = chance.choice(others)
        return body[: chance.randrange(len(body) + 1)] + other[chance.randrange(len(other) + 1) :]
    data = bytearray(body)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        end = at + chance.choice((0, 0, 1, 2, 9, 60))
        data[at:end] = chance.choice(TOKENS) if chance.random() < 0.5 else chance.randbytes(chance.randrange(4))
    return bytes(data)


def _now() -> Any:
    from datetime import UTC, datetime

    return datetime(2026, 1, 15, 2, tzinfo=UTC)


NOW = _now()
