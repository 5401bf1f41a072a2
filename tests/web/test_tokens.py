"""An administrator gives devices and other systems their tokens: shown once, working, replaced, ended, by area."""

from __future__ import annotations

import html
import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import DatabaseError
from django.test import Client

from shouwang.kernel.moments import local
from shouwang.people import actions, queries
from shouwang.people.actions import NewDuty, assign_duties, issue_credential
from shouwang.people.models import Credential
from shouwang.people.queries.scopes import forget_tokens
from shouwang.people.rules import SYSTEM
from shouwang.places import actions as places
from shouwang.telemetry import queries as telemetry
from tests.journeys.conftest import County
from tests.web.test_pages import as_holder

pytestmark = pytest.mark.django_db
ADDRESS = "/setup/tokens/"


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    forget_tokens()
    telemetry.forget()


@pytest.fixture
def office(county: County, now: datetime) -> Client:
    """Return the browser of the county's administrator."""
    since = local(now).date() - timedelta(days=2)
    assign_duties(SYSTEM, [NewDuty(county.county_officer, "ADMINISTRATOR", int(county.path.split("/")[2]), since)], now=now)
    return as_holder(county.county_officer, now)


def shown(answer: Any) -> tuple[str, list[str]]:
    """Return the token and the words of the command that an answer shows."""
    said = answer.content.decode()
    token = re.search(r'id="token"[^>]*value="([^"]+)"', said)
    command = re.search(r'<code id="command">(.*?)</code>', said, re.DOTALL)
    assert token is not None
    assert command is not None
    return token[1], shlex.split(html.unescape(command[1]))


def posted(words: list[str]) -> Any:
    """Post what the command says, as curl would."""
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    assert words[:3] == ["curl", "-X", "POST"]
    assert words[3] == "http://testserver/api/v1/readings"
    body = words[words.index("-d") + 1]
    return Client().post("/api/v1/readings", body, content_type=headers.pop("Content-Type"), headers=headers)


def test_an_empty_list_says_what_to_do_next(office: Client) -> None:
    page = office.get(ADDRESS).content.decode()
    assert "还没有令牌" in page
    assert "在上方签发一个" in page
    assert 'href="/setup/tokens/"' in office.get("/setup/").content.decode()


@pytest.mark.parametrize("form", [
    {"kind": "DEVICE", "subject": "WM1"},
    {"kind": "INTEGRATION", "subject": "抄表平台", "area": "柳河镇"},
])
def test_the_command_shown_posts_a_reading(office: Client, form: dict[str, str]) -> None:
    answer = office.post(f"{ADDRESS}issue/", form)
    token, words = shown(answer)
    assert (answer.status_code, answer["Cache-Control"].split(",")[0]) == (200, "max-age=0")
    stored = posted(words)
    assert (stored.status_code, stored.json()["accepted"]) == (200, 1)
    again = office.get(ADDRESS).content.decode()
    assert token not in again
    assert form["subject"] in again
    assert "从未使用" not in again
    assert token not in str(list(Credential.objects.unscoped().values()))


def test_the_command_repeats_the_last_result(office: Client, county: County, now: datetime) -> None:
    from shouwang.detectors.contract import Columns  # noqa: PLC0415 - only here
    from shouwang.telemetry.actions import ingest  # noqa: PLC0415 - only here

    at_us = [int(datetime.now(UTC).timestamp() * 1e6) - 3_600_000_000]
    ingest(Columns(np.array([county.datastream]), np.array(at_us), np.array([36_412.0])), now=datetime.now(UTC), source="test")
    _, words = shown(office.post(f"{ADDRESS}issue/", {"kind": "DEVICE", "subject": "WM1"}))
    assert [36_412] == [each["result"] for each in json.loads(words[-1])["readings"]]


def test_the_token_stands_in_no_address_and_no_event(office: Client) -> None:
    from shouwang.journal.queries import events_after  # noqa: PLC0415 - only here

    answer = office.post(f"{ADDRESS}issue/", {"kind": "DEVICE", "subject": "WM1"})
    token, _ = shown(answer)
    assert not re.search(rf'(href|action|src)="[^"]*{re.escape(token)}', answer.content.decode())
    assert not [event for event in events_after(0, limit=1000) if token in json.dumps(event.payload)]


def test_a_rotated_token_replaces_the_old_and_a_revoked_one_ends(office: Client) -> None:
    _, old = shown(office.post(f"{ADDRESS}issue/", {"kind": "DEVICE", "subject": "WM1"}))
    (pk,) = Credential.objects.unscoped().exclude(kind="LINK").values_list("pk", flat=True)
    _, new = shown(office.post(f"{ADDRESS}{pk}/rotate/"))
    assert [posted(words).status_code for words in (old, new)] == [401, 200]
    assert "已停用" in office.post(f"{ADDRESS}{pk}/revoke/", follow=True).content.decode()
    assert posted(new).status_code == 401
    assert office.post(f"{ADDRESS}{pk}/rotate/").status_code == 409


@pytest.mark.parametrize(("form", "said"), [
    ({"kind": "DEVICE", "subject": "WM404"}, "没有编号为“WM404”的设备"),
    ({"kind": "INTEGRATION", "subject": "平台"}, "请写明这个系统在哪个地区上报"),
    ({"kind": "INTEGRATION", "subject": "平台", "area": "示范市"}, "示范市"),
    ({"kind": "LINK", "subject": "x"}, "请核对填写的内容"),
])
def test_what_is_wrong_is_said_and_nothing_issued(office: Client, form: dict[str, str], said: str) -> None:
    answer = office.post(f"{ADDRESS}issue/", form)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Credential.objects.unscoped().exclude(kind="LINK").exists()


def test_a_second_token_for_one_device_is_refused(office: Client) -> None:
    office.post(f"{ADDRESS}issue/", {"kind": "DEVICE", "subject": "WM1"})
    answer = office.post(f"{ADDRESS}issue/", {"kind": "DEVICE", "subject": "WM1"})
    assert answer.status_code == 422
    assert "已有有效令牌" in answer.content.decode()


def test_tokens_of_other_areas_and_links_are_out_of_reach(county: County, office: Client, now: datetime) -> None:
    other = places.add_area(parent_id=None, name="另一市", level="PREFECTURE", now=now)
    mine = f"/{'/'.join(county.path.split('/')[1:3])}/"
    issue_credential("INTEGRATION", subject="别处平台", paths=[f"/{other}/"], now=now)
    issue_credential("INTEGRATION", subject="两处平台", paths=[mine, f"/{other}/"], now=now)
    issue_credential("INTEGRATION", subject="无处平台", now=now)
    issue_credential("LINK", person_id=county.worker, object=("task", 1), expires_at=now + timedelta(days=1), now=now)
    page = office.get(ADDRESS).content.decode()
    assert not re.search("别处|两处|无处", page)
    for pk in Credential.objects.unscoped().values_list("pk", flat=True):
        assert [office.post(f"{ADDRESS}{pk}/{what}/").status_code for what in ("rotate", "revoke")] == [404, 404]
    assert as_holder(county.worker, now).get(ADDRESS).status_code == 403


def test_tokens_follow_their_area_when_it_moves(county: County, now: datetime) -> None:
    token = actions.issue_token(SYSTEM, "INTEGRATION", subject="p", path=county.path, now=now)
    for _ in range(2):
        actions.follow_move(county.path, "/9/8/")
        scope = queries.scope_of_token(token, "INTEGRATION", now)
        assert scope is not None
        assert scope.paths == ("/9/8/",)


def test_the_use_of_a_token_is_noted_once_a_day(county: County, now: datetime) -> None:
    token = actions.issue_token(SYSTEM, "DEVICE", subject="WM1", path=county.path, now=now)

    def used(at: datetime) -> datetime | None:
        forget_tokens()
        assert queries.scope_of_token(token, "DEVICE", at) is not None
        return queries.tokens(SYSTEM, now=at)[0][0].used_at

    assert queries.tokens(SYSTEM, now=now)[0][0].used_at is None
    assert used(now) == now
    assert used(now + timedelta(hours=23)) == now
    assert used(now + timedelta(hours=24)) == now + timedelta(hours=24)


def test_a_use_that_cannot_be_noted_holds_up_nobody(county: County, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    token = actions.issue_token(SYSTEM, "DEVICE", subject="WM1", path=county.path, now=now)

    def broken() -> None:
        raise DatabaseError

    monkeypatch.setattr("shouwang.people.queries.scopes.transaction.atomic", broken)
    assert queries.scope_of_token(token, "DEVICE", now) is not None
