"""The settings page, the gateway's callbacks, and who is told on which channel."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest
from django.test import Client

from shouwang.journal.queries import events_after
from shouwang.journal.rules import Lease
from shouwang.notify import actions, jobs, queries, registry
from shouwang.notify.contract import Outcome, Outgoing, Sent, Unknown
from shouwang.notify.models import Message
from shouwang.notify.rules import State
from shouwang.people import actions as people
from shouwang.people.queries import forget
from shouwang.people.rules import SYSTEM
from shouwang.places.actions import add_area
from tests.notify.conftest import GATEWAY, PHONE, Queue, Scripted, served

SECRET = "whsec_dGhpcyBpcyBhbiBpbnZlbnRlZCBzZWNyZXQh"
TOKEN = "an-invented-token"


@pytest.fixture
def person(db: None, now: datetime) -> int:
    area = add_area(parent_id=None, name="示范市", level="PREFECTURE", now=now)
    return people.add_person(SYSTEM, name="李兰英", area_id=area, phone=PHONE, now=now)


def officer(client: Client, person: int, duty: str, now: datetime) -> Client:
    area = add_area(parent_id=None, name="示范县", level="PREFECTURE", now=now)
    people.assign_duty(SYSTEM, person_id=person, code=duty, area_id=area, rank="PRIMARY", from_date=date(2020, 1, 1), now=now)
    account = people.add_account(SYSTEM, username="officer", person_id=person, now=now)
    forget()
    client.force_login(account)
    return client


@pytest.fixture
def administrator(client: Client, person: int, now: datetime) -> Client:
    return officer(client, person, "ADMINISTRATOR", now)


def switch_on(channel: str, now: datetime, **settings: Any) -> None:
    actions.save_setting(channel, settings, enabled=True, by=None, now=now)


def test_persons_are_told_on_their_own_channels_where_these_are_on(person: int, now: datetime) -> None:
    people.set_contact(SYSTEM, person_id=person, channel="sms")
    assert {person: ("inbox",), 99: ("inbox",)} == queries.channels_of([person, 99])
    switch_on("sms", now)
    assert {person: ("inbox", "sms"), 99: ("inbox",)} == queries.channels_of([person, 99])
    assert {person: queries.Contact(PHONE, "zh")} == queries.contacts([person], "sms")
    assert {person: queries.Contact("", "zh")} == queries.contacts([person], "webhook")


def test_only_channels_that_are_on_are_opened(db: None, now: datetime) -> None:
    assert {} == jobs.open_channels()
    switch_on("webhook", now, url="https://example.org/", secret=SECRET)
    assert ["webhook"] == list(jobs.open_channels())


def test_the_worker_makes_a_pass(put_in: Queue, lease: Lease, now: datetime) -> None:
    put_in()
    assert 1 == jobs.send_due(now + timedelta(seconds=1), lease=lease)
    assert 0 == jobs.send_due(now + timedelta(seconds=1), lease=lease)


def test_the_page_keeps_a_secret_and_never_shows_it(administrator: Client) -> None:
    given = {"enabled": "on", "url": "http://example.org/", "secret": SECRET}
    assert 302 == administrator.post("/settings/channels/webhook/", given).status_code
    administrator.post("/settings/channels/webhook/", {"enabled": "on", "url": "http://example.org/hook", "secret": ""})
    assert queries.Setting({"url": "http://example.org/hook", "secret": SECRET}, enabled=True) == queries.settings()["webhook"]
    page = administrator.get("/settings/channels/").content.decode()
    assert SECRET not in page
    assert "http://example.org/hook" in page
    assert "NOT_HTTPS" in page  # what is wrong is said
    payloads = [event.payload for event in events_after(0, kinds=["notify.channel_changed"])]
    assert ["webhook", "webhook"] == [payload["channel"] for payload in payloads]
    assert "example" not in str(payloads)


@pytest.mark.parametrize(("outcome", "said"), [(Sent(), "已被接收"), (Unknown("TIMEOUT"), "不确定")])
def test_the_test_button_says_what_came_of_it(
    administrator: Client, monkeypatch: pytest.MonkeyPatch, outcome: Outcome, said: str
) -> None:
    channel = Scripted([outcome])
    monkeypatch.setattr(registry, "make", lambda code, settings, *, allowed: channel)
    page = administrator.post("/settings/channels/sms/test/", {"address": PHONE}, follow=True).content.decode()
    assert said in page
    assert [PHONE] == [outgoing.address for outgoing in channel.taken]


@pytest.mark.parametrize("address", ["/settings/channels/inbox/", "/settings/channels/carrier_pigeon/"])
def test_other_channels_cannot_be_set(administrator: Client, address: str) -> None:
    assert 404 == administrator.post(address, {}).status_code


def test_the_page_needs_the_right(client: Client, person: int, now: datetime) -> None:
    assert 302 == client.get("/settings/channels/").status_code
    assert 403 == officer(client, person, "TOWNSHIP_DUTY", now).get("/settings/channels/").status_code


def call(client: Client, what: str, body: Any, token: str = TOKEN) -> Any:
    return client.post(
        f"/api/v1/sms/{what}", body, content_type="application/json", headers={"Authorization": f"Bearer {token}"},
    )


class Accepting(Scripted):
    """A gateway that takes everything and reports later."""

    def send(self, outgoing: Outgoing, *, http: httpx.Client) -> Outcome:
        return Sent()


@pytest.fixture
def sent(put_in: Queue, lease: Lease, senders: jobs.InlineSenders, book: Any, now: datetime) -> str:
    """Return the key of an SMS that waits for its report."""
    switch_on("sms", now, callback_token=TOKEN)
    (key,) = put_in(channel="sms")
    jobs.make_pass(now + timedelta(seconds=1), channels={"sms": served(Accepting(), GATEWAY)}, senders=senders, lease=lease)
    return key


def test_a_gateways_report_is_taken(client: Client, sent: str) -> None:
    rows = [{"out_id": sent, "status": "DELIVERED"}, {"out_id": "nobody's", "status": "DELIVERED"}, {"out_id": sent, "status": "ODD"}]
    assert {"taken": 1, "ignored": 2} == call(client, "reports", rows).json()
    assert State.DELIVERED == Message.objects.get().state


@pytest.mark.parametrize(("text", "code"), [(" 1 ", "ACCEPT"), ("我不去", "OTHER")])
def test_a_reply_is_published_without_its_words(client: Client, sent: str, text: str, code: str) -> None:
    assert {"taken": 1, "ignored": 0} == call(client, "replies", [{"out_id": sent, "text": text}]).json()
    (event,) = events_after(0, kinds=["notify.reply_received"])
    assert code == event.payload["code"]
    assert text not in str(event.payload)


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize(
    ("body", "token", "status"),
    [
        ([], "wrong", 401),
        ([], "", 401),
        ("{", TOKEN, 422),
        ([{"out_id": 3}], TOKEN, 422),
        ([{"out_id": "x", "status": "DELIVERED"}] * 1_001, TOKEN, 413),
        ("[" + " " * 600_000 + "]", TOKEN, 413),
    ],
)
def test_a_bad_report_gets_a_clear_answer(client: Client, body: Any, token: str, status: int) -> None:
    answer = call(client, "reports", body, token)
    assert status == answer.status_code
    assert answer.json()["error"]["message_zh"]


def test_nothing_is_taken_while_the_channel_is_off(client: Client, db: None) -> None:
    assert 401 == call(client, "reports", [], "").status_code
