"""What cameras push: each with its own token or digest, stored before it is answered, never for another device."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

from shouwang.journal.clock import clock
from shouwang.people.actions import issue_credential
from shouwang.people.rules.codes import DEVICE, INTEGRATION
from shouwang.telemetry import queries
from shouwang.telemetry.actions import add_things
from shouwang.telemetry.cameras import digest
from shouwang.telemetry.models import DeviceEvent, Quarantine, Thing
from shouwang.telemetry.rules import NewThing
from tests.telemetry.sources.cameras import MAPS, fixtures

HIKVISION, JSON = "/api/v1/events/camera_hikvision", "/api/v1/events/camera_json"
OWN = {"kind": "ENTER", "state": "START", "rule": "enter", "zone": "shore", "object": "HUMAN", "object_id": "17"}
PUSHED = {each.name: each for each in fixtures() if each.family == "camera_hikvision"}


@pytest.fixture(autouse=True)
def _data_dir(tmp_path: Path, settings: object) -> None:
    settings.SHOUWANG_DATA_DIR = tmp_path  # type: ignore[attr-defined]


@pytest.fixture
def cameras(db: None) -> dict[str, int]:
    """Register cameras and a recorder."""
    del db
    added = add_things([NewThing(name, "CAMERA", name, (), path=path) for name, path in (("CAM1", "/1/1/"), ("CAM2", "/1/2/"), ("NVR1", "/1/1/"))], now=clock().now())
    return {each.external_id: each.thing_id for each in added}


def token_of(device: str) -> str:
    return issue_credential(DEVICE, subject=device, paths=["/1/"], now=clock().now())


def post(path: str, body: bytes | Mapping[str, Any], *, token: str = "", content_type: str = "application/json", **headers: str) -> Any:
    said = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Authorization": f"Bearer {token}"} if token else {}
    return Client().post(path, said, content_type=content_type, headers={**given, **headers})


@pytest.mark.parametrize("name", sorted(PUSHED))
def test_each_shape_of_hikvision_is_taken_and_stored(cameras: dict[str, int], name: str) -> None:
    fixture = PUSHED[name]
    answer = post(HIKVISION, fixture.body, token=token_of("CAM1"), content_type=fixture.content_type)
    assert answer.status_code == 200
    assert {"recorded": len(fixture.expected), "repeated": 0, "quarantined": 0} == answer.json()
    assert {cameras["CAM1"]} >= set(DeviceEvent.objects.values_list("thing_id", flat=True))
    assert queries.last_heard([cameras["CAM1"]])
    again = post(HIKVISION, fixture.body, token=token_of("CAM1"), content_type=fixture.content_type).json()
    assert len(fixture.expected) == again["recorded"] + again["repeated"]


def test_a_picture_comes_along_sealed(cameras: dict[str, int]) -> None:
    fixture = PUSHED["multipart_with_picture"]
    post(HIKVISION, fixture.body, token=token_of("CAM1"), content_type=fixture.content_type)
    event = queries.last_event(cameras["CAM1"])
    assert event is not None
    assert len(event.snapshots) == 1


def test_a_device_tells_of_itself_alone(cameras: dict[str, int]) -> None:
    token = token_of("CAM1")
    assert post(JSON, {**OWN, "device": "CAM2"}, token=token).json() == {"recorded": 0, "repeated": 0, "quarantined": 1}
    assert post(HIKVISION + "?device=CAM2", PUSHED["fielddetection_active"].body, token=token).json()["quarantined"] == 1
    assert {"FOREIGN_DEVICE"} == set(Quarantine.objects.values_list("reason", flat=True))
    assert not DeviceEvent.objects.exists()
    assert Thing.objects.get(pk=cameras["CAM2"]).last_at is None  # nor is it said to live


def test_an_integration_names_the_device_and_stays_in_its_area(cameras: dict[str, int]) -> None:
    token = issue_credential(INTEGRATION, subject="platform", paths=["/1/1/"], now=clock().now())
    assert post(JSON, {**OWN, "device": "CAM1"}, token=token).json()["recorded"] == 1
    assert post(JSON + "?device=CAM1", {**OWN, "object_id": "18"}, token=token).json()["recorded"] == 1
    assert post(JSON, {**OWN, "device": "CAM2"}, token=token).json()["quarantined"] == 1
    assert post(JSON, OWN, token=token).json()["quarantined"] == 1
    assert [("", "NO_DEVICE"), ("CAM2", "UNKNOWN_DEVICE")] == sorted(Quarantine.objects.values_list("device", "reason"))
    assert post(JSON + "?device=CAM2", {"health": {}}, token=token).status_code == 200
    assert list(queries.last_heard(cameras.values())) == [cameras["CAM1"]]


def test_the_channels_of_a_recorder_are_things_of_their_own(cameras: dict[str, int]) -> None:
    fixture = PUSHED["recorder_psialliance_channel_35"]
    with override_settings(SHOUWANG_SOURCES={"camera_hikvision": {"cameras": {"NVR1": {"channels": {"3": "CAM2"}}}}}):
        assert post(HIKVISION, fixture.body, token=token_of("NVR1"), content_type=fixture.content_type).json()["recorded"] == 1
    event = queries.last_event(cameras["CAM2"])
    assert event is not None
    assert event.channel == "3"
    assert set(queries.last_heard(cameras.values())) == {cameras["NVR1"], cameras["CAM2"]}


def test_a_template_reads_another_systems_push(cameras: dict[str, int]) -> None:
    (fixture,) = (each for each in fixtures() if each.name == "mapped_push_of_a_platform")
    with override_settings(SHOUWANG_SOURCES={"camera_json": {"maps": MAPS}}):
        assert post(JSON + "?map=platform", fixture.body, token=token_of("CAM1")).json()["recorded"] == 1
        answer = post(JSON + "?map=unknown", fixture.body, token=token_of("CAM1"))
    assert answer.status_code == 503
    assert "unknown" in answer.json()["error"]["message"]
    assert cameras


@pytest.mark.parametrize("body", [b"", b"<a", b"<a/>", b"--b\r\n\r\n", b'<!DOCTYPE x [<!ENTITY a "b">]><EventNotificationAlert><eventType>&a;</eventType></EventNotificationAlert>'])
def test_what_cannot_be_read_is_refused_and_says_so(cameras: dict[str, int], body: bytes) -> None:
    answer = post(HIKVISION, body, token=token_of("CAM1"), content_type="application/xml")
    assert answer.status_code == 422
    assert answer.json()["error"]["field"]
    assert cameras


# Digest -------------------------------------------------------------------------------------------------------------


def said(challenge: str) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]*)"', challenge))


def answered(challenge: str, *, user: str, password: str, uri: str, qop: bool = True, method: str = "POST") -> str:
    """Return the header a camera answers a challenge with, computed by hand."""
    given = said(challenge)

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    secret, asked = md5(f"{user}:{given['realm']}:{password}"), md5(f"{method}:{uri}")
    middle = f"{given['nonce']}:00000001:0a4f113b:auth" if qop else given["nonce"]
    more = ', qop=auth, nc=00000001, cnonce="0a4f113b"' if qop else ""
    return f'Digest username="{user}", realm="{given["realm"]}", nonce="{given["nonce"]}", uri="{uri}", response="{md5(f"{secret}:{middle}:{asked}")}"{more}'


@pytest.mark.parametrize("qop", [True, False])
def test_a_camera_pushes_by_digest(cameras: dict[str, int], qop: bool) -> None:
    body, login = PUSHED["fielddetection_active"].body, {"user": "admin", "password": "invented-1", "token": token_of("CAM1")}
    with override_settings(SHOUWANG_SOURCES={"camera_hikvision": {"cameras": {"CAM1": login}}}):
        first = post(HIKVISION, body, content_type="application/xml")
        challenge = first["WWW-Authenticate"]
        assert (first.status_code, first.json()["error"]["code"], challenge.split()[0]) == (401, "TokenInvalid", "Digest")

        def attempt(**changed: str) -> int:
            header = answered(challenge, **{"user": "admin", "password": "invented-1", "uri": HIKVISION, **changed}, qop=qop)  # type: ignore[arg-type]
            return post(HIKVISION, body, content_type="application/xml", Authorization=header).status_code  # type: ignore[no-any-return]

        assert attempt() == 200
        assert [401] * 5 == [
            attempt(password="wrong"), attempt(user="other"), attempt(uri="/elsewhere"), attempt(method="GET"), attempt(user="CAM1"),
        ]
        for broken in ("Digest", "Digest x", "Digest username=admin", f"Digest {'a' * 9000}", 'Digest username="admin", algorithm="SHA-512"'):
            assert post(HIKVISION, body, Authorization=broken).status_code == 401
    assert set(DeviceEvent.objects.values_list("thing_id", flat=True)) == {cameras["CAM1"]}


def test_a_digest_of_a_revoked_token_is_refused(cameras: dict[str, int]) -> None:
    login = {"password": "invented-1", "token": "no token of ours"}
    with override_settings(SHOUWANG_SOURCES={"camera_hikvision": {"cameras": {"CAM1": login}}}):
        challenge = post(HIKVISION, b"x")["WWW-Authenticate"]
        assert post(HIKVISION, b"x", Authorization=answered(challenge, user="CAM1", password="invented-1", uri=HIKVISION)).status_code == 401
    assert cameras


def test_basic_does_as_well(cameras: dict[str, int]) -> None:
    header = "Basic " + base64.b64encode(f"CAM1:{token_of('CAM1')}".encode()).decode()
    assert post(HIKVISION, PUSHED["fielddetection_active"].body, Authorization=header).status_code == 200
    assert cameras


def test_a_nonce_lives_five_minutes_and_is_ours() -> None:
    nonce = digest.make_nonce("secret", at_s=1_000)
    assert [digest.is_fresh(nonce, "secret", at_s=at) for at in (1_000, 1_300, 1_301, 600)] == [True, True, False, False]
    assert not digest.is_fresh(nonce, "other", at_s=1_000)
    for broken in ("", "x", "é", "====", nonce[:-3], "A" * 500):
        assert not digest.is_fresh(broken, "secret", at_s=1_000)
