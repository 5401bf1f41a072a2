"""I6: nobody sees outside their scope. Every principal asks every address with the ids of both counties; no canary may show.

Addresses come from the URL configuration and the OpenAPI file, tables and columns from the models: what is new joins by itself.
"""

from __future__ import annotations

import html
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pytest
from django.apps import apps
from django.db import models, transaction
from django.test import Client

from shouwang.config.api import openapi
from shouwang.people.guard import scope_of
from shouwang.people.queries import scope_of_account
from shouwang.web.demo import Role
from tests.scope.routes import Route, forms, queries, routes
from tests.scope.world import CODES, HARMLESS, LEVELS, PLANTED, ROLES, Side, World, build, canaries_of, masked, rooms_models

pytestmark = pytest.mark.django_db
PERSONS = [f"{role} {level}" for role in ROLES for level in LEVELS]
NO_PERSONS = ["ANONYMOUS", "DEVICE", "INTEGRATION", "LINK"]
PRINCIPALS = [*NO_PERSONS, *PERSONS]
THOROUGH = [*NO_PERSONS, *(name for name in PERSONS if name.endswith("COUNTY"))]
"""Those who try every query and every form: a level changes where a right holds, not what is asked."""
# What a poster says of an activity is for everybody who has its address.
PUBLIC = frozenset({"activities.Activity.title", "activities.Activity.about", "activities.Activity.place"})


_CHANGING = re.compile(r'(value|content)="[\w-]{16,}"|data-now="[^"]*"|q=[^"&]*|\d\d:\d\d(:\d\d)?|[0-9]{10,}')


@dataclass
class Principal:
    """Somebody of the eastern county who asks."""

    name: str
    client: Client

    @property
    def is_thorough(self) -> bool:
        """Return whether every query is tried: at the county's level and for those who are no person."""
        return self.name in THOROUGH


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Build both counties once for all principals, in a transaction that is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        made = build()
        for side in (made.east, made.west):
            side.ids["file"] = side.ids["photo"]
            codes = apps.get_model("activities", "Activity").objects.filter(path__startswith=side.path)
            side.codes = [*codes.values_list("code", flat=True), *_shared_codes()]
        yield made
        transaction.set_rollback(True)


def _shared_codes() -> list[str]:
    """Return codes that both counties share: of a procedure, figures and a channel."""
    procedure = apps.get_model("cases", "ProcedureVersion").objects.values_list("code", flat=True).first()
    return [str(procedure), "opened", "activities_held", "meter_alerts_handled", "help_day_matters", "sms"]


@pytest.fixture
def principal(world: World, request: pytest.FixtureRequest) -> Principal:
    name = request.param
    tokens = {"DEVICE": world.east.device, "INTEGRATION": world.east.integration}
    client = Client(headers={"Authorization": f"Bearer {tokens[name]}"} if name in tokens else None, raise_request_exception=False)
    if name in PERSONS:
        role, level = name.split(" ")
        client.force_login(world.east.accounts[role, level])
    return Principal(name, client)


def leaks(answer: Any, world: World, address: str) -> list[str]:
    """Return what of the western county an answer shows, in whichever spelling, and what it shows nobody may see at all."""
    said = _said(answer)
    found = [f"{address} ({answer.status_code}): masked {mask}" for mask in masked(world.west.tag) if mask in said]
    for canary, what in world.canaries.items():
        is_secret = canary in world.secret
        if not (what.startswith(world.west.tag) or is_secret):
            continue
        if canary not in said and json.dumps(canary)[1:-1] not in said:
            continue
        of = what.split(" ")[1]
        if of in PUBLIC and not is_secret and any(code in address for code in world.west.codes[:1]):
            continue
        found.append(f"{address} ({answer.status_code}): {what}")
    return found


def _said(answer: Any) -> str:
    body = b"".join(answer.streaming_content) if getattr(answer, "streaming", False) else answer.content
    if body.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            body = b"\n".join(book.read(name) for name in book.namelist())
    headers = "\n".join(f"{name}: {unquote(value)}" for name, value in answer.items())
    return html.unescape(body.decode("utf-8", "replace")) + headers


@pytest.mark.parametrize("principal", PRINCIPALS, indirect=True)
def test_i06_no_page_shows_the_other_county(principal: Principal, world: World) -> None:
    found, broken, seen = [], [], 0
    for route in routes():
        for address in route.addresses(world, own=world.east, other=world.west, tried=2 if principal.is_thorough else 1):
            for query in _asked(route, principal, world.west):
                answer = principal.client.get(address + query)
                seen += answer.status_code == 200
                found += leaks(answer, world, address + query)
                if answer.status_code >= 500:
                    broken.append(f"{address}{query}: {answer.status_code}")
    assert found == []
    assert broken == []
    assert seen > 3


def _asked(route: Route, principal: Principal, other: Side) -> list[str]:
    if not route.parameters:
        return queries(other, thorough=principal.is_thorough)
    return ["", "?format=xlsx"] if principal.is_thorough else [""]


def test_i06_the_tour_of_a_demo_shows_no_canary(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shouwang.web.pages.tour.roles", lambda: (Role("city", "市级", "City", "/enter/x/"),))
    answer = Client().get("/tour/")
    assert answer.status_code == 200
    assert [what for canary, what in world.canaries.items() if canary in _said(answer)] == []


@pytest.mark.parametrize("principal", THOROUGH, indirect=True)
def test_i06_no_form_shows_or_changes_the_other_county(principal: Principal, world: World) -> None:
    found, broken, changed = [], [], []
    before = print_of(world.west)
    for route in routes():
        for address in route.addresses(world, own=world.east, other=world.west, tried=1):
            for form in forms(world.west):
                with transaction.atomic():
                    answer = principal.client.post(address, form)
                    found += leaks(answer, world, f"POST {address}")
                    if answer.status_code >= 500:
                        broken.append(f"POST {address}: {answer.status_code}")
                    if answer.status_code < 400 and "/sign-in/" not in answer.get("Location", "") and print_of(world.west) != before:
                        changed.append(f"POST {address} {sorted(set(form.values()))}")
                    transaction.set_rollback(True)
    assert found == []
    assert changed == []
    assert broken == []


def print_of(side: Side) -> list[Any]:
    """Return the rows of a county, as they are now."""
    return [
        (label, list(apps.get_model(label)._base_manager.filter(pk__in=side.ids[label]).order_by("pk").values_list()))
        for label in sorted(side.ids)
        if "." in label and label not in {"people.Account", "notify.Message"}
    ]


@pytest.mark.parametrize("name", ["DEVICE", "INTEGRATION"])
def test_i06_no_token_reaches_the_other_county_through_the_interface(name: str, world: World) -> None:
    token = {"DEVICE": world.east.device, "INTEGRATION": world.east.integration}[name]
    client = Client(headers={"Authorization": f"Bearer {token}"})
    before = print_of(world.west)
    for path, item in openapi()["paths"].items():
        if "post" not in item:
            continue
        example = json.dumps(item["post"]["requestBody"]["content"]["application/json"]["example"])
        stream = world.west.ids["datastream"][0]
        body = json.loads(example.replace('"subject_id": 1', f'"subject_id": {stream}'))
        for each in body.get("readings", []) if isinstance(body, dict) else []:
            each["device"] = "WM2"
        with transaction.atomic():
            answer = client.post(path, json.dumps(body).encode(), content_type="application/json")
            assert leaks(answer, world, path) == []
            assert answer.status_code < 500
            assert print_of(world.west) == before
            assert not apps.get_model("alerts", "Alert").objects.filter(path__startswith=world.west.path).exclude(pk__in=world.west.ids["alerts.Alert"])
            assert not apps.get_model("telemetry", "Observation").objects.filter(datastream_id=stream).exists()
            transaction.set_rollback(True)


@pytest.mark.parametrize("principal", PERSONS, indirect=True)
def test_i06_the_stream_tells_of_the_own_county_only(principal: Principal, world: World) -> None:
    from shouwang.config.gateway import audience_of  # noqa: PLC0415 - starts the web process's parts
    from shouwang.web.stream import Position, read_after  # noqa: PLC0415

    answer = principal.client.get("/stream/who/")
    items = read_after(Position(0, 0)).items
    assert items
    audience = audience_of(answer.content) if answer.status_code == 200 else None
    heard = "".join(item.data for item in items if audience is not None and item.is_for(audience))
    for case_id in world.west.ids["cases.Case"]:
        assert f'"id":{case_id},' not in heard
    assert not any(canary in heard for canary in canaries_of(world.west.tag, world))


def test_i06_a_search_finds_nothing_of_the_other_county(world: World) -> None:
    """A phone, a name or a number of the other county answers as one that does not exist."""
    client = Client()
    client.force_login(world.east.accounts["COUNTY_DUTY", "COUNTY"])
    west = [canary for canary in canaries_of(world.west.tag, world) if len(canary) == 11 or canary.startswith(world.west.tag)]
    searched = 0
    for route in routes():
        if route.parameters:
            continue
        address = route.fill(())
        if b'name="q"' not in client.get(address).content:
            continue
        searched += 1
        for canary in west[::7]:
            unknown = "".join(str((int(c) + 1) % 10) if c.isdigit() else c for c in canary)
            one, two = (_without(client.get(address, {"q": word}), word) for word in (canary, unknown))
            assert one == two, f"{address}?q={canary}"
    assert searched >= 3


def _without(answer: Any, word: str) -> str:
    """Return an answer without what was asked, its tokens and its moment."""
    return _CHANGING.sub("", _said(answer).replace(word, "Q"))


def test_every_table_and_column_is_classified() -> None:
    unknown = [
        f"{model._meta.label}.{each.name}"
        for model in rooms_models()
        for each in model._meta.concrete_fields
        if isinstance(each, models.CharField | models.TextField)
        and each.name not in PLANTED.get(model._meta.label, ())
        and each.name not in CODES
        and f"{model._meta.label}.{each.name}" not in HARMLESS
    ]
    assert unknown == []


@pytest.mark.parametrize("label", PLANTED)
def test_both_counties_hold_a_canary_in_every_column(label: str, world: World) -> None:
    for side in (world.east, world.west):
        planted = {what for what in world.canaries.values() if what.startswith(f"{side.tag} {label}.")}
        assert {f"{side.tag} {label}.{column}" for column in PLANTED[label]} == planted


def test_the_own_county_is_seen(world: World) -> None:
    """A matrix of pages that show nothing would prove nothing."""
    client = Client()
    client.force_login(world.east.accounts["COUNTY_DUTY", "COUNTY"])
    scope = scope_of_account(world.east.accounts["COUNTY_DUTY", "COUNTY"], world.now)
    assert scope.sees(world.east.path)
    assert callable(scope_of)
    said = "".join(
        _said(client.get(address)) for route in routes() for address in route.addresses(world, own=world.east, other=world.east)
    )
    shown = {what for canary, what in world.canaries.items() if what.startswith(world.east.tag) and canary in said}
    assert {f"{world.east.tag} {name}" for name in ("cases.Note.text", "cases.Evidence.value", "people.Household.address", "people.Organisation.name")} & shown
