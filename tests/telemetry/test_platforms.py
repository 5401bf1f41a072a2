"""What platforms have in common: signatures, settings, and what becomes of messages nobody has mapped."""

from __future__ import annotations

import hashlib
import json
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from shouwang.config.environment import Environment
from shouwang.people.actions import issue_credential
from shouwang.people.queries.scopes import forget_tokens
from shouwang.telemetry import queries
from shouwang.telemetry.models import Observation, Quarantine
from shouwang.telemetry.platforms import Platform, is_signed
from shouwang.telemetry.receiving import release
from shouwang.telemetry.sources import problems_of_settings
from tests.telemetry.sources.contract import Read
from tests.telemetry.sources.ctwing.line import SET, pushed

AT_S = 1_768_442_400


def signed(token: str, *, at: int | str = AT_S, nonce: str = "n1", digest: str = "sha256") -> dict[str, str]:
    joined = "".join(sorted((token, str(at), nonce))).encode()
    return {"signature": hashlib.new(digest, joined).hexdigest(), "timestamp": str(at), "nonce": nonce}


SIGNED = [
    # headers, whether they are taken
    (signed("t"), True),
    (signed("t", at=AT_S * 1_000), True),
    ({**signed("t"), "signature": signed("t")["signature"].upper()}, True),
    (signed("t", at=AT_S - 300), True),
    (signed("t", at=AT_S - 301), False),
    (signed("t", at=AT_S + 301), False),
    (signed("other"), False),
    (signed(""), False),
    (signed("t", digest="sha1"), False),
    (signed("t", nonce=""), False),
    (signed("t", at="soon"), False),
    (signed("t", at="١"), False),
    (signed("t", at="9" * 400), False),
    ({**signed("t"), "nonce": "n2"}, False),
    ({**signed("t"), "signature": "é"}, False),
    ({}, False),
]


@pytest.mark.parametrize(("headers", "taken"), SIGNED)
def test_a_signature_is_of_the_token_and_of_now(headers: dict[str, str], taken: bool) -> None:
    assert is_signed(headers, Platform(token="t"), at_s=AT_S) is taken
    assert not is_signed(headers, Platform(), at_s=AT_S)


def test_the_digest_is_the_one_that_is_set() -> None:
    assert is_signed(signed("t", digest="sha1"), Platform(token="t", signature="SHA1"), at_s=AT_S)


@pytest.fixture
def token(meters: dict[str, int], now: datetime, settings: Any) -> str:
    assert meters
    found = issue_credential("INTEGRATION", subject="ctwing", paths=["/1/"], now=now)
    settings.SHOUWANG_SOURCES = {"ctwing": {**SET, "token": found}}
    return found


def post(client: Client, said: object, headers: dict[str, str]) -> int:
    return client.post("/api/v1/readings/ctwing", json.dumps(said), "application/json", headers=headers).status_code


def test_a_signed_push_is_stored_until_its_token_is_revoked(token: str, now: datetime, client: Client) -> None:
    from shouwang.people.models import Credential  # noqa: PLC0415 - reaches past the actions to revoke

    said, headers = pushed(Read("M1", now, 36412.0)), signed(token, at=int(time.time()))
    assert post(client, said, {**headers, "nonce": "other"}) == 401
    assert post(client, said, headers) == 200
    assert Observation.objects.count() == 1
    Credential.objects.unscoped().update(revoked_at=now)
    forget_tokens()
    assert post(client, said, headers) == 401


def test_a_message_nobody_mapped_is_kept_acknowledged_and_released_later(token: str, now: datetime, client: Client, settings: Any) -> None:
    headers = {"authorization": f"Bearer {token}"}
    assert post(client, pushed(Read("M1", now, 36412.0), payload={"total": 36.412}), headers) == 200
    ((row,), _) = queries.quarantine()
    assert ("UNMAPPED", "M1", 1) == (row.reason, row.device, row.rows)
    assert release(row.id, raw=row.raw, device=row.device, source=row.source, now=now) is None
    settings.SHOUWANG_SOURCES = {"ctwing": {"registers": [{"property": "total", "unit": "m3"}]}}
    released = release(row.id, raw=row.raw, device=row.device, source=row.source, now=now)
    assert released is not None
    assert released.accepted == 1
    assert [36412.0] == list(Observation.objects.values_list("result", flat=True))


def test_a_name_no_database_takes_is_kept_all_the_same(token: str, now: datetime, client: Client) -> None:
    headers = {"authorization": f"Bearer {token}"}
    assert post(client, pushed(Read("M\0", now, 5.0)), headers) == 200
    assert post(client, pushed(Read("M\0", now, 5.0), payload={"flow": 1}), headers) == 200
    assert [("UNKNOWN_DEVICE", "M\ufffd"), ("UNMAPPED", "M\ufffd")] == list(Quarantine.objects.order_by("pk").values_list("reason", "device"))


def test_what_is_too_large_or_set_wrongly_is_not_acknowledged(token: str, now: datetime, client: Client, settings: Any) -> None:
    headers, said = {"authorization": f"Bearer {token}"}, pushed(Read("M1", now, 36412.0))
    assert post(client, {**said, "note": "x" * 262_144}, headers) == 413
    settings.SHOUWANG_SOURCES = {"ctwing": {"registers": 5}}
    assert post(client, said, headers) == 503
    assert not Observation.objects.exists()
    assert not Quarantine.objects.exists()


def test_the_release_of_another_devices_message_places_nothing(token: str, now: datetime) -> None:
    raw = json.dumps(pushed(Read("M2", now - timedelta(hours=1), 5.0)))
    assert token
    assert release(1, raw=raw, device="M1", source="ctwing", now=now) is None


def test_the_settings_of_sources_are_checked_by_name(settings: Any) -> None:
    settings.SHOUWANG_SOURCES = {"ctwing": SET, "huawei": {"device": 5}, "http": {}, "nobody": {}}
    assert {"ctwing": 0, "huawei": 1, "http": 1, "nobody": 1} == {name: len(found) for name, found in problems_of_settings().items()}


def test_settings_of_sources_come_from_the_variable_or_the_file(tmp_path: Path) -> None:
    file = tmp_path / "shouwang.toml"
    file.write_text('[sources.ctwing]\ndevice = "IMEI"\n[[sources.ctwing.registers]]\nproperty = "volume"\nunit = "m3"\n')
    said = {"SHOUWANG_CONFIG": str(file)}
    assert {"ctwing": {"device": "IMEI", "registers": [{"property": "volume", "unit": "m3"}]}} == Environment(said).tables("sources")
    assert {"huawei": {}} == Environment({**said, "SHOUWANG_SOURCES": '{"huawei": {}}'}).tables("sources")
    assert Environment({"SHOUWANG_CONFIG": "/nonexistent"}).tables("sources") == {}
    for wrong in ("{", "[]", '{"a": 1}'):
        with pytest.raises(ValueError, match="SHOUWANG_SOURCES"):
            Environment({"SHOUWANG_SOURCES": wrong}).tables("sources")
