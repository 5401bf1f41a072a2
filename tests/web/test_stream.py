"""The live stream: who hears what, and that nothing is missed or heard twice, wherever a connection breaks."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest
from django.db import connection
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from shouwang.cases.actions import NewCase, accept, open_case
from shouwang.cases.models import Task
from shouwang.cases.queries import case_row
from shouwang.config.gateway import LARGEST_BODY, Gateway
from shouwang.config.wiring import work_once
from shouwang.journal.actions import take_lease
from shouwang.people.actions import add_account, issue_credential
from shouwang.people.models import Account, Credential
from shouwang.people.queries import paths_of
from shouwang.people.queries.scopes import forget_tokens
from shouwang.people.rules import SYSTEM
from shouwang.web import hub as hubs
from shouwang.web.desk import WHOLE, words_of
from shouwang.web.hub import Hub, Listener, StreamFull
from shouwang.web.queries import rows_of
from shouwang.web.stream import (
    Audience,
    CaseItem,
    Position,
    PositionUnreadable,
    PushItem,
    Reading,
    beat,
    end_of_logs,
    read_after,
    told,
)
from tests.journeys.conftest import County

T = TypeVar("T")
START = Position(0, 0)


def heard(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the ids and data of a text/event-stream, as a browser reads it."""
    return [(found[0], json.loads(found[1])) for found in re.findall(r"^id: (\S+)\ndata: (.+)\n\n", text, re.MULTILINE)]


def one_case(county: County, now: datetime, *, severity: int = 3) -> int:
    params = {"household": county.household, "datastream": county.datastream, "used_l": 3.0, "window_h": 24, "limit_l": 10}
    return open_case(
        NewCase("WELFARE_CHECK", "living_alone", severity, county.village, county.path, "household", county.household, "WATER_LOW_USE_OPEN", params),
        now=now,
    )


def deliver(now: datetime) -> None:
    lease = take_lease("worker", "test", now=now, ttl=timedelta(days=1))
    assert lease
    work_once(lease, now=now + timedelta(seconds=1))


@pytest.mark.parametrize(("text", "position"), [("1024-77", Position(1024, 77)), (" 0-0 ", START), ("7-123456789012345678", Position(7, 123456789012345678))])
def test_a_position_is_read_as_it_was_written(text: str, position: Position) -> None:
    assert Position.parse(text) == position
    assert Position.parse(str(position)) == position


@pytest.mark.parametrize("text", ["", "12", "12-", "-12", "1-2-3", "a-b", "1 - 2", "１-２", "1-1234567890123456789", "<script>"])
def test_another_position_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(PositionUnreadable, match="1024-77"):
        Position.parse(text)


def test_a_position_beyond_a_shorter_log_begins_at_its_end() -> None:
    assert Position(900, 3).not_beyond(Position(40, 5)) == Position(40, 3)


PATHS = ("/1/2/", "/1/3/", "")
AUDIENCES = (
    Audience(("/1/2/",), person_id=2), Audience(push_paths=("/1/3/",)), Audience(("/1/",), None, ("/1/",)), Audience(),
    Audience(person_id=1),
)


@given(
    cases=st.lists(st.sampled_from(PATHS), max_size=12), pushes=st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from((1, 2, 3))), max_size=12),
    audience=st.sampled_from(AUDIENCES), at_once=st.integers(1, 5), chance=st.randoms(use_true_random=False),
)
def test_each_item_is_heard_exactly_once_wherever_the_connection_breaks(
    cases: list[str], pushes: list[tuple[str, int]], audience: Audience, at_once: int, chance: Any,
) -> None:
    """Read both logs in pieces, cut what was sent anywhere, and resume by the last id that came through."""
    case_items = [CaseItem(3 * n, path, f'{{"case": {n}}}') for n, path in enumerate(cases, 1)]
    push_items = [PushItem(2 * n, person, path, f'{{"push": {n}}}') for n, (path, person) in enumerate(pushes, 1)]
    position, ever = START, []
    for turn in range(100):
        events = [item for item in case_items if item.seq > position.seq][:at_once]
        messages = [item for item in push_items if item.push_seq > position.push_seq][:at_once]
        end = Position(events[-1].seq if events else position.seq, messages[-1].push_seq if messages else position.push_seq)
        behind = Position(max(0, position.seq - chance.choice((0, 3))), max(0, position.push_seq - chance.choice((0, 2))))
        again = [item for item in (*case_items, *push_items) if item.is_news(behind) and not item.is_news(end)]
        text = told(Reading(again, end, is_full=False), audience, after=position)  # a hub may hand out what it has passed
        is_broken = turn < 50 and chance.random() < 0.5
        came = heard(text)[: chance.randint(0, len(heard(text)))] if is_broken else heard(text)
        ever += [data for _, data in came]
        if not is_broken:
            position = position.further(end)
        elif came:
            position = Position.parse(came[-1][0])
    expected = [json.loads(item.data) for item in case_items if item.is_for(audience)], [json.loads(item.data) for item in push_items if item.is_for(audience)]
    assert ([data for data in ever if "case" in data], [data for data in ever if "push" in data]) == expected


@pytest.mark.parametrize(
    ("audience", "cases", "pushes"),
    [
        (Audience(("/1/2/",), 2), {"/1/2/9/"}, {(2, "/1/3/")}),  # a person: cases of the own areas, the own inbox wherever it lies
        (Audience(push_paths=("/1/2/",)), set(), {(1, "/1/2/9/")}),
        (Audience(), set(), set()),
        (Audience((), None, ()), set(), set()),
    ],
)
def test_an_audience_hears_its_own_only(audience: Audience, cases: set[str], pushes: set[tuple[int, str]]) -> None:
    all_cases = ("/1/2/9/", "/1/3/", "/1/20/", "")
    all_pushes = ((1, "/1/2/9/"), (2, "/1/3/"), (3, "/1/20/"), (4, ""))
    assert {path for path in all_cases if CaseItem(1, path, "").is_for(audience)} == cases
    assert {(person, path) for person, path in all_pushes if PushItem(1, person, path, "").is_for(audience)} == pushes


def who(token: str = "", *, username: str = "", scheme: str = "Bearer") -> Any:
    client = Client()
    if username:
        client.force_login(Account.objects.unscoped().get(username=username))
    return client.get("/stream/who/", headers={"Authorization": f"{scheme} {token}"} if token else {})


@pytest.mark.django_db
def test_a_person_hears_the_own_areas_and_inbox(county: County) -> None:
    said = who(username="worker").json()
    assert said == {"paths": [county.path], "person": county.worker, "push_paths": [], "read_paths": [county.path]}


@pytest.mark.django_db
def test_an_integration_hears_inboxes_only_where_that_was_stated(county: County, now: datetime) -> None:
    def says(*rights: str) -> dict[str, Any]:
        token = issue_credential("INTEGRATION", subject="x", paths=[county.path], rights=rights, now=now)
        found: dict[str, Any] = who(token).json()
        return found

    nothing: dict[str, Any] = {"paths": [], "person": None, "push_paths": [], "read_paths": []}
    assert says() == nothing | {"paths": [county.path]}
    assert says("push.read") == nothing | {"push_paths": [county.path]}
    assert says("push.read", "stream.read") == nothing | {"paths": [county.path], "push_paths": [county.path]}


@pytest.mark.django_db
def test_how_a_case_stands_is_heard_where_cases_may_be_read_as_the_desk_shows_it(county: County, now: datetime) -> None:
    case_id = one_case(county, now, severity=4)
    accept(Task.objects.get(case_id=case_id).pk, person_id=county.worker, now=now)
    reading = read_after(START)
    said = [data["case"] for _, data in heard(told(reading, Audience((county.path,), read_paths=(county.path,)), after=START))]
    (shown,) = rows_of([case_row(case_id)], "zh")
    words = words_of(WHOLE, "zh")
    for line in said:
        assert (words["matters"][line["matter"]], line["place"], line["number"]) == (shown.title, shown.place, shown.number)
        assert words["states"][line["task"] or line["state"]] == (shown.state, shown.tone)
        assert datetime.fromisoformat(line["due_at"]) == shown.due_at
        assert (words["levels"][line["severity"]], line["path"], line["exercise"]) == (shown.css, shown.path, None)
    assert len(said) >= 2
    elsewhere = Audience((county.path,), read_paths=(f"{county.path}9/",))
    assert all("case" not in data for audience in (Audience((county.path,)), elsewhere) for _, data in heard(told(reading, audience, after=START)))


@pytest.mark.django_db
def test_nobody_and_a_dead_token_are_told_to_sign_in(county: County, now: datetime) -> None:
    token = issue_credential("INTEGRATION", subject="x", paths=[county.path], now=now)
    device = issue_credential("DEVICE", subject="WM1", paths=[county.path], now=now)
    answers = [who("nonsense"), who(device), who(token, scheme="Basic"), who(token, username="county", scheme="Digest")]
    Credential.objects.unscoped().update(revoked_at=now)
    forget_tokens()
    for answer in (*answers, who(token)):
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")
        assert answer.json()["error"]["code"] == "TokenInvalid"
        assert "令牌" in answer.json()["error"]["message_zh"]
    assert (who().status_code, who().json()["error"]["code"]) == (401, "NotSignedIn")


@pytest.mark.django_db
def test_a_principal_without_a_right_to_listen_is_refused(county: County, now: datetime) -> None:
    token = issue_credential("INTEGRATION", subject="x", paths=[county.path], rights=["alerts.write"], now=now)
    add_account(SYSTEM, username="idle", person_id=county.city_officer + 1, now=now)  # the resident, who has no duty
    for answer in (who(token), who(username="idle")):
        assert answer.status_code == 403
        assert "stream.read" in answer.json()["error"]["message"]


@pytest.mark.django_db
def test_a_push_holds_ids_and_codes_and_reaches_whom_it_is_for(county: County, now: datetime) -> None:
    case_id = one_case(county, now)
    deliver(now)
    reading = read_after(START)
    assert reading.end == end_of_logs()
    village = paths_of([county.worker])[county.worker]
    elsewhere = Audience(push_paths=(village.replace(f"/{county.village}/", f"/{county.other_village}/"),))
    pushes = {
        name: [data for _, data in heard(told(reading, audience, after=START)) if data["topic"] == "push"]
        for name, audience in {
            "own": Audience(person_id=county.worker), "deputy": Audience(person_id=county.deputy), "integration": Audience(push_paths=(village,)),
            "elsewhere": elsewhere, "cases only": Audience((county.path,)),
        }.items()
    }
    (push,) = pushes["own"]
    expected = {"topic": "push", "person": county.worker, "template": "TASK_OFFERED", "severity": 3, "count": 1, "case": case_id, "exercise": None}
    assert {name: push[name] for name in expected} == expected
    assert set(push) == {*expected, "id", "task", "at"}
    assert pushes == {"own": [push], "deputy": [], "integration": [push], "elsewhere": [], "cases only": []}


@pytest.mark.django_db
@pytest.mark.parametrize(("page", "part"), [("/messages/", "inbox"), ("/messages/", "count-push"), ("/tasks/", "tasks"), ("/desk/", "count-push")])
def test_what_a_push_changes_says_where_it_is_fetched_again(county: County, now: datetime, page: str, part: str) -> None:
    one_case(county, now)
    deliver(now)
    client = Client()
    client.force_login(Account.objects.unscoped().get(username="worker"))
    element = re.compile(rf'<\w+ id="{part}"[^>]* data-live="[^"]*push" data-live-from="([^"]+)">')
    shown = element.search(client.get(page).content.decode())
    assert shown
    assert element.search(client.get(shown[1]).content.decode())
    assert 'class="count">1<' in client.get("/messages/unread/").content.decode()
    assert 'data-stream="/stream/"' in client.get(page).content.decode()


@pytest.mark.django_db
def test_what_an_account_does_not_do_itself_keeps_no_session_alive(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    client.force_login(Account.objects.unscoped().get(username="worker"))
    client.get("/stream/who/")
    session = client.session
    session["seen_s"] -= 600
    session.save()
    seen_s = session["seen_s"]
    client.get("/stream/who/", **{"shouwang.unattended": True})  # as the gateway asks, on behalf of an open stream
    assert client.session["seen_s"] == seen_s
    client.get("/tasks/")
    assert client.session["seen_s"] > seen_s


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Callable[[Callable[[Hub], Coroutine[Any, Any, None]]], None]:
    """Return what runs a test beside a hub that need not wait for bells; its threads end with it."""
    monkeypatch.setattr(hubs, "GAP_S", 0.001)
    monkeypatch.setattr(hubs, "POLL_S", 0.01)
    monkeypatch.setattr(hubs, "BEAT_S", 3600)

    def run(test: Callable[[Hub], Coroutine[Any, Any, None]]) -> None:
        async def whole() -> None:
            made = Hub()
            try:
                await asyncio.wait_for(test(made), 20)
            finally:
                await made.close()

        asyncio.run(whole())

    return run


async def apart(call: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """Do it in another thread, as a request does, and close that thread's connection."""

    def doing() -> T:
        try:
            return call(*arguments, **named)
        finally:
            connection.close()

    return await asyncio.to_thread(doing)


async def listen(hub: Hub, listener: Listener, *, until: int) -> list[dict[str, Any]]:
    """Hear as the gateway does, until `until` items have come."""
    found: list[dict[str, Any]] = []
    while len(found) < until:
        text = await listener.unsent()
        found += [data for _, data in heard(text) if data["topic"] != "beat"]
        while not text and not hub.takes(listener):
            reading = await apart(read_after, listener.position)
            found += [data for _, data in heard(told(reading, listener.audience, after=listener.position))]
            listener.position = listener.position.further(reading.end)
    return found


@pytest.mark.writers
def test_a_listener_hears_what_it_missed_and_then_what_comes(county: County, now: datetime, hub: Any) -> None:
    everything = Audience(("/",), None, ("/",))

    async def test(hub: Hub) -> None:
        await apart(one_case, county, now)
        missed = await hub.join(everything, START)
        fresh = await hub.join(everything, None)
        assert hub.takes(fresh)
        deaf = await hub.join(Audience(), None)
        assert hub.takes(deaf)
        second = await apart(one_case, county, now + timedelta(minutes=2), severity=4)
        await apart(deliver, now + timedelta(minutes=3))
        pushes = 2
        cases = {data["id"] for data in await listen(hub, missed, until=2 + pushes) if data["topic"] == "case"}
        assert len(cases) == 2
        late = await listen(hub, fresh, until=1 + pushes)
        assert {data["id"] for data in late if data["topic"] == "case"} == {second}
        assert len([data for data in late if data["topic"] == "push"]) == pushes
        for _ in range(200):
            if deaf.position.reaches(fresh.position):
                break
            await asyncio.sleep(0.01)
        deaf.say(beat(now, deaf.position))  # it has heard nothing, and stands where the others do
        assert await deaf.unsent() == beat(now, fresh.position)

    hub(test)


@pytest.mark.writers
def test_a_slow_listener_falls_out_and_reads_for_itself_without_a_hole(
    county: County, now: datetime, hub: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hubs, "UNSENT_MOST", 2)

    async def test(hub: Hub) -> None:
        slow = await hub.join(Audience(("/",)), None)
        assert hub.takes(slow)
        opened = []
        for n in range(8):
            opened.append(await apart(one_case, county, now + timedelta(minutes=n)))
            for _ in range(200):
                if hub.stands_at(await apart(end_of_logs)):
                    break
                await asyncio.sleep(0.01)
        assert not slow.is_live
        items = (await apart(read_after, START)).items
        found = await listen(hub, slow, until=len(items))
        assert [data["id"] for data in found] == [json.loads(item.data)["id"] for item in items]
        assert [data["id"] for data in found if data["kind"] == "case.opened"] == opened

    hub(test)


@pytest.mark.writers
def test_the_hub_hears_again_after_the_database_has_failed(county: County, now: datetime, hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "AGAIN_S", 0.01)
    failures = iter([OSError("gone"), OSError("gone")])

    def failing(position: Position) -> Reading:
        error = next(failures, None)
        if error:
            raise error
        return read_after(position)

    monkeypatch.setattr(hubs, "read_after", failing)

    async def test(hub: Hub) -> None:
        listener = await hub.join(Audience(("/",)), None)
        assert hub.takes(listener)
        case_id = await apart(one_case, county, now)
        assert (await listen(hub, listener, until=1))[0]["id"] == case_id

    hub(test)


@pytest.mark.writers
def test_a_hub_refuses_more_than_it_carries(county: County, hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "LISTENERS_MOST", 3)
    monkeypatch.setattr(hubs, "SAME_MOST", 2)

    async def test(hub: Hub) -> None:
        same = [await hub.join(Audience(person_id=1), None) for _ in range(2)]
        with pytest.raises(StreamFull, match="2"):
            await hub.join(Audience(person_id=1), None)
        await hub.join(Audience(person_id=2), None)
        with pytest.raises(StreamFull, match="3"):
            await hub.join(Audience(person_id=3), None)
        hub.leave(same[0])
        await hub.join(Audience(person_id=3), None)

    hub(test)


@dataclass
class Asked:
    """A request as the server hands it over."""

    path: str
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "GET"
    query_string: str = ""
    proto: str = "http"
    server: str = "127.0.0.1:80"
    client: str = "127.0.0.1:5"
    scheme: str = "http"


class Answered:
    """The other end of a request: its body, and what was answered."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks, self.read = chunks, 0
        self.status, self.headers, self.content = 0, {}, b""

    async def __call__(self) -> bytes:
        return b"".join([chunk async for chunk in self])

    async def __aiter__(self) -> Any:
        for chunk in self.chunks:
            self.read += len(chunk)
            yield chunk

    def response_bytes(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.status, self.headers, self.content = status, dict(headers), content


def ask(asked: Asked, *chunks: bytes) -> Answered:
    answered = Answered(*chunks)

    async def once() -> None:
        gateway = Gateway()
        try:
            await gateway.__rsgi__(asked, answered)
        finally:
            await gateway.close()

    asyncio.run(once())
    return answered


@pytest.mark.writers
def test_a_position_that_the_stream_never_gave_is_refused(county: County, now: datetime, transactional_db: None) -> None:
    token = issue_credential("INTEGRATION", subject="x", paths=[county.path], now=now)
    headers = {"authorization": f"Bearer {token}", "host": "127.0.0.1"}
    for asked in (Asked("/stream/", {**headers, "last-event-id": "17"}), Asked("/stream/", headers, query_string="last_event_id=x-y")):
        answered = ask(asked)
        assert (answered.status, json.loads(answered.content)["error"]["code"]) == (400, "PositionUnreadable")
    assert ask(Asked("/stream/", {"host": "127.0.0.1"})).status == 401


@pytest.mark.parametrize("said", [True, False])
def test_a_body_over_the_limit_is_not_read_to_its_end(said: bool) -> None:
    chunk = bytes(1024 * 1024)
    headers = {"content-length": str(10 * LARGEST_BODY)} if said else {}
    answered = ask(Asked("/api/v1/alerts", headers, "POST"), *[chunk] * 100)
    assert answered.status == 413
    assert json.loads(answered.content)["error"]["code"] == "BodyTooLarge"
    assert answered.read <= LARGEST_BODY + len(chunk)
