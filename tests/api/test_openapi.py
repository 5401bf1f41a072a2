"""The OpenAPI file is complete and true: every operation is in it, and each answers as it says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from shouwang.config.api import openapi
from shouwang.notify.actions import save_setting
from shouwang.notify.queries import forget
from shouwang.people.actions import issue_credential
from shouwang.people.rules.scope import RIGHTS_OF_TOKEN
from shouwang.telemetry.cameras.running import families
from shouwang.telemetry.sources import PUSH, sources_found
from shouwang.ui.answers import FAILURES, Failure
from tests.journeys.conftest import County, county
from tests.telemetry.sources.contract import Read, line_of
from tests.telemetry.test_camera_push import answered

__all__ = ["county"]
pytestmark = pytest.mark.django_db
FILE = json.loads(json.dumps(openapi()))
POSTS = {path: item["post"] for path, item in FILE["paths"].items() if "post" in item}
TOKEN = "gateway-token-of-the-tests"
SECRET = "whsec_dGhpcyBpcyBhbiBpbnZlbnRlZCBzZWNyZXQh"
PASSWORD = "invented-password"
TOO_LARGE = 5 * 1024 * 1024
TOO_LARGE_WITH_PICTURES = 26 * 1024 * 1024


@dataclass(frozen=True)
class Caller:
    """Tokens by the name of the scheme they serve."""

    tokens: dict[str, str]
    asked: str = ""

    def headers(self, scheme: str, body: bytes) -> dict[str, str]:
        token, said = self.tokens[scheme], FILE["components"]["securitySchemes"][scheme]
        if said.get("name") == "signature":
            at = str(int(time.time()))
            return {"timestamp": at, "nonce": "e", "signature": hashlib.sha256("".join(sorted((token, at, "e"))).encode()).hexdigest()}
        if said["type"] == "apiKey":
            at = str(int(time.time()))
            digest = hmac.digest(base64.b64decode(token.removeprefix("whsec_")), f"e.{at}.".encode() + body, "sha256")
            return {"webhook-id": "e", "webhook-timestamp": at, said["name"]: "v1," + base64.b64encode(digest).decode()}
        if said["scheme"] == "digest":
            return {"Authorization": answered(token, user="WM1", password=PASSWORD, uri=self.asked)}
        if said["scheme"] == "basic":
            return {"Authorization": "Basic " + base64.b64encode(f"WM1:{token}".encode()).decode()}
        return {"Authorization": f"Bearer {token}"}

    def post(self, client: Client, path: str, body: object, *, scheme: str) -> Any:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        if scheme == "CameraDigest":
            challenge = client.post(path, b"", content_type="application/json")["WWW-Authenticate"]
            return Caller({scheme: challenge}, path).send(client, path, sent, scheme=scheme)
        return self.send(client, path, sent, scheme=scheme)

    def send(self, client: Client, path: str, sent: bytes, *, scheme: str) -> Any:
        return client.post(path, sent, content_type="application/json", headers=self.headers(scheme, sent))


@pytest.fixture
def caller(county: County, now: datetime, settings: Any) -> Iterator[Caller]:
    platform = issue_credential("INTEGRATION", subject="platform", paths=[county.path], now=now)
    settings.SHOUWANG_SOURCES = {
        name: {**getattr(line_of(name), "settings", {}), "token": platform} for name, source in sources_found().items() if source.direction == PUSH
    }
    device = issue_credential("DEVICE", subject="WM1", paths=[county.path], now=now)
    login = {"cameras": {"WM1": {"password": PASSWORD, "token": device}}}
    settings.SHOUWANG_SOURCES |= {name: login for name, family in families().items() if family.is_pushed}
    save_setting("sms", {"url": "https://sms.example/", "callback_token": TOKEN}, enabled=True, by=None, now=now)
    save_setting("voice", {"callback_secret": SECRET}, enabled=True, by=None, now=now)
    forget()
    yield Caller({
        "DeviceToken": device, "DeviceBasic": device, "GatewayToken": TOKEN, "GatewaySignature": SECRET,
        "IntegrationToken": issue_credential("INTEGRATION", subject="x", paths=[county.path], now=now), "PlatformSignature": platform,
        "CameraDigest": "",
    })
    forget()


def schemes(operation: dict[str, Any]) -> list[str]:
    return [name for each in operation["security"] for name in each]


def references(said: object) -> Iterator[str]:
    if isinstance(said, dict):
        for key, value in said.items():
            if key == "$ref":
                yield value
            yield from references(value)
    elif isinstance(said, list):
        for value in said:
            yield from references(value)


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, prefix + str(each.pattern))
        else:
            yield prefix + str(each.pattern)


def test_every_address_under_the_interface_is_described() -> None:
    served = {f"/{route}" for route in routes(get_resolver().url_patterns) if route.startswith("api/v1/")}
    assert served == {path for path in FILE["paths"] if path.startswith("/api/v1/")}
    assert served


def test_every_reference_leads_somewhere() -> None:
    for reference in references(FILE):
        found: Any = FILE
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


@pytest.mark.parametrize("path", POSTS)
def test_an_operation_says_who_may_call_and_what_fails(path: str) -> None:
    operation = POSTS[path]
    assert set(schemes(operation)) <= set(FILE["components"]["securitySchemes"])
    assert {"200", "401", "413", "422", "503", "507"} <= {str(status) for status in operation["responses"]}
    assert all(operation["x-zh"][key] for key in ("summary", "description"))
    assert operation["description"]


@pytest.mark.parametrize("path", POSTS)
def test_the_example_is_taken_by_every_caller_and_answered_as_described(path: str, caller: Caller, county: County, client: Client) -> None:
    operation = POSTS[path]
    example = example_of(path)
    said = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    for scheme in schemes(operation):
        if scheme == "IntegrationToken" and path == "/api/v1/readings":
            example = {"readings": [{**each, "device": "WM1"} for each in example["readings"]]}
        answer = caller.post(client, path, example, scheme=scheme)
        assert answer.status_code == 200
        schema = FILE["components"]["schemas"][said]
        assert set(answer.json()) == set(schema["properties"]) == set(schema["required"])
        assert all(isinstance(value, int) for value in answer.json().values())


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("header", [None, "Bearer", "Bearer ", "Bearer wrong", "Basic ?", "Basic d3Jvbmc=", "Digest x"])
def test_without_a_valid_token_nothing_is_read(path: str, header: str | None, client: Client) -> None:
    answer = client.post(path, b"{", content_type="application/json", headers={"Authorization": header} if header else {})
    assert_failure(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", [path for path, each in POSTS.items() if "x-right" in each])
def test_a_token_without_the_right_is_refused(path: str, caller: Caller, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("DEVICE", "INTEGRATION"):
        monkeypatch.setitem(RIGHTS_OF_TOKEN, kind, frozenset({"stream.read"}))  # type: ignore[arg-type]
    for scheme in schemes(POSTS[path]):
        assert_failure(caller.post(client, path, b"{", scheme=scheme), 403)


@pytest.mark.parametrize("path", POSTS)
def test_a_body_that_is_too_large_is_refused(path: str, caller: Caller, client: Client) -> None:
    size = TOO_LARGE_WITH_PICTURES if path.startswith("/api/v1/events/") else TOO_LARGE
    assert_failure(caller.post(client, path, b" " * size, scheme=schemes(POSTS[path])[0]), 413)


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"7", b'"x"', b'{"a": 1}', b'[{"out_id": 5}]'])
def test_what_cannot_be_read_is_told_which_field(path: str, body: bytes, caller: Caller, client: Client) -> None:
    assert assert_failure(caller.post(client, path, body, scheme=schemes(POSTS[path])[0]), 422).field


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(("code", "status"), [(sqlite3.SQLITE_FULL, 507), (sqlite3.SQLITE_IOERR, 503)])
def test_what_cannot_be_kept_is_not_acknowledged(
    path: str, code: int, status: int, caller: Caller, client: Client, monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(*_: object, **__: object) -> None:
        said = sqlite3.OperationalError("not written")
        said.sqlite_errorcode = code
        raise OperationalError(*said.args) from said

    body = example_of(path)
    for name in ("alerts.actions.open_cases", "telemetry.actions._store", "telemetry.actions._record", "notify.actions.report_delivery", "notify.actions.take_reply"):
        monkeypatch.setattr(f"shouwang.{name}", away)
    if path == "/api/v1/alerts":
        monkeypatch.setattr("shouwang.alerts.api.take_posts", away)
    answer = caller.post(client, path, body, scheme=schemes(POSTS[path])[0])
    assert_failure(answer, status)
    assert answer["Retry-After"]


def test_an_unknown_address_is_told_in_json(client: Client) -> None:
    assert_failure(client.post("/api/v1/nothing"), 404)


def test_an_alert_about_a_subject_elsewhere_opens_nothing(caller: Caller, county: County, client: Client, now: datetime) -> None:
    alert = {
        "kind": "WATER_HIGH_USE", "subject_kind": "datastream", "subject_id": county.datastream, "severity": 2, "reason": "X",
    }
    elsewhere = Caller({"IntegrationToken": issue_credential("INTEGRATION", subject="y", paths=["/999/"], now=now)})
    opened = [each.post(client, "/api/v1/alerts", {"alerts": [alert]}, scheme="IntegrationToken").json()["opened"] for each in (elsewhere, caller)]
    assert opened == [0, 1]


def example_of(path: str) -> Any:
    """Return the example of an operation; of a source's own shape, what the line of its tests sends for the meter they know."""
    source = path.removeprefix("/api/v1/readings/")
    if source in sources_found():
        return json.loads(line_of(source).message(Read("WM1", datetime(2026, 1, 15, 2, tzinfo=UTC), 36412.0)))
    return POSTS[path]["requestBody"]["content"]["application/json"]["example"]


def assert_failure(answer: Any, status: int) -> Any:
    """Assert the one shape of error and return it."""
    assert answer.status_code == status, answer.content
    failure = msgspec.json.decode(answer.content, type=Failure)
    assert failure.error.code
    assert failure.error.message
    assert failure.error.message_zh
    assert status in FAILURES
    return failure.error


def test_rooms_are_found_by_their_api_module() -> None:
    assert {"telemetry", "alerts", "notify", "web"} <= {tag for item in FILE["paths"].values() for each in item.values() for tag in each["tags"]}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_shows_every_operation_without_inline_code(client: Client, language: str) -> None:
    page = client.get("/api/docs", headers={"Cookie": f"sw_language={language}"}).content.decode()
    for path, item in FILE["paths"].items():
        for method, operation in item.items():
            assert f"{method.upper()} {path}" in page
            title = operation["x-zh"]["summary"] if language == "zh" else operation["summary"]
            assert title in page
    assert "style=" not in page
    assert "<script>" not in page
    assert client.get("/api/openapi.json").json() == FILE
