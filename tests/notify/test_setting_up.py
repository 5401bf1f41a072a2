"""Setting up how persons are reached: robots of areas, a person's own page, and answers in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from shouwang.journal.queries import events_after
from shouwang.notify import actions, queries, registry
from shouwang.notify.contract import Outcome, Rejected, Retry, Robot, Sent, Unknown
from shouwang.notify.rules.errors import QuietHoursInvalid, RobotInvalid
from shouwang.notify.rules.rates import Rate, Target
from shouwang.notify.rules.reasons import WORDS, reason_words
from shouwang.notify.rules.wishes import Quiet, Wishes
from shouwang.people import actions as people
from shouwang.people.queries import forget, own_contacts, person_cards
from shouwang.people.rules import SYSTEM
from shouwang.places.actions import add_area
from tests.notify.conftest import PHONE, Scripted

ROOT = Path(__file__).parents[2] / "shouwang/notify"
URL = "https://oapi.example.org/robot/send?access_token=invented-token-9876"


class Town:
    """A city, a county and a township in it, another county, and somebody in each."""

    def __init__(self, now: datetime) -> None:
        self.city = add_area(parent_id=None, name="示范市", level="PREFECTURE", now=now)
        self.county = add_area(parent_id=self.city, name="示范县", now=now)
        self.township = add_area(parent_id=self.county, name="柳河镇", now=now)
        self.elsewhere = add_area(parent_id=self.city, name="邻县", now=now)
        self.officer = people.add_person(SYSTEM, name="县班丁", area_id=self.county, phone=PHONE, now=now)
        self.worker = people.add_person(SYSTEM, name="网格甲", area_id=self.township, phone="10000000002", now=now)


@pytest.fixture
def town(db: None, now: datetime) -> Iterator[Town]:
    yield Town(now)
    queries.forget()


def sign_in(client: Client, person: int, duty: str, area: int, now: datetime) -> Client:
    people.assign_duty(SYSTEM, person_id=person, code=duty, area_id=area, rank="PRIMARY", from_date=date(2020, 1, 1), now=now)
    client.force_login(people.add_account(SYSTEM, username="somebody", person_id=person, now=now))
    forget()
    return client


@pytest.fixture
def administrator(client: Client, town: Town, now: datetime) -> Client:
    return sign_in(client, town.officer, "ADMINISTRATOR", town.county, now)


def save(town_area: int, now: datetime, *, url: str = URL, secret: str = "SEC-invented") -> int:
    return actions.save_robot("dingtalk", area_id=town_area, url=url, secret=secret, allowed=[], by=None, now=now)


def test_a_person_is_told_through_the_nearest_robot(town: Town, now: datetime) -> None:
    save(town.city, now, url=URL + "-city")
    assert queries.contacts([town.worker], "dingtalk")[town.worker].robot == Robot(URL + "-city", "SEC-invented")
    save(town.township, now)
    found = queries.contacts([town.worker, town.officer], "dingtalk")
    assert (URL, URL + "-city") == tuple(found[each].robot.url for each in (town.worker, town.officer))  # type: ignore[union-attr]
    assert ("", "10000000002") == (found[town.worker].address, found[town.worker].phone)
    assert queries.contacts([town.worker], "feishu")[town.worker].robot is None  # it has none of that kind
    assert queries.contacts([town.worker], "sms")[town.worker].phone == ""  # only a group needs it beside the address


def test_robots_entered_twice_share_their_rate(town: Town, now: datetime) -> None:
    save(town.county, now)
    save(town.township, now)
    found = queries.targets([town.worker, town.officer], registry.manifests()["dingtalk"])
    assert found[town.worker] == found[town.officer]
    assert "invented" not in str(found)
    assert {} == queries.targets([town.worker], registry.manifests()["sms"])  # has no rate
    assert {} == queries.targets([town.worker], registry.manifests()["feishu"])  # has no robot


def test_an_administrator_gives_the_own_areas_robots_and_never_sees_their_tokens(administrator: Client, town: Town, now: datetime) -> None:
    save(town.elsewhere, now, url=URL + "-elsewhere")
    given = {"area": "柳河镇", "url": URL, "secret": "SEC-invented"}
    page = administrator.post("/settings/channels/dingtalk/robots/", given, follow=True).content.decode()
    assert "已保存" in page
    assert "示范县 柳河镇" in page
    assert "oapi.example.org …9876" in page
    assert not [secret for secret in ("invented-token", "SEC-invented", "邻县") if secret in page]
    payloads = [event.payload for event in events_after(0, kinds=["notify.robot_changed"])]
    assert {"channel": "dingtalk", "kept": True, "by": town.officer} == payloads[-1]
    assert "example" not in str(payloads)
    (robot,) = [each for each in queries.robots("dingtalk") if each.area_id == town.township]
    administrator.post(f"/settings/channels/dingtalk/robots/{robot.id}/remove/")
    assert [town.elsewhere] == [each.area_id for each in queries.robots("dingtalk")]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"area": "没有这个镇", "url": URL}, "没有找到唯一的区域"),
        ({"area": "邻县", "url": URL}, "没有找到唯一的区域"),  # another's
        ({"area": "柳河镇", "url": "http://oapi.example.org/"}, "机器人地址不可用（NOT_HTTPS）"),
        ({"area": "柳河镇", "url": ""}, "机器人地址不可用"),
    ],
)
def test_a_robot_that_cannot_be_is_refused(administrator: Client, given: dict[str, str], said: str) -> None:
    page = administrator.post("/settings/channels/dingtalk/robots/", given, follow=True).content.decode()
    assert (True, []) == (said in page, queries.robots("dingtalk"))


@pytest.mark.usefixtures("town")
def test_anothers_robot_and_a_channel_without_robots_are_not_found(administrator: Client, town: Town, now: datetime) -> None:
    robot = save(town.elsewhere, now)
    for path in (f"dingtalk/robots/{robot}/test/", f"dingtalk/robots/{robot}/remove/", "sms/robots/", "dingtalk/robots/999/test/"):
        assert 404 == administrator.post(f"/settings/channels/{path}").status_code
    assert 1 == len(queries.robots("dingtalk"))


def test_a_private_address_is_a_robot_only_where_the_office_allows_it(town: Town, now: datetime) -> None:
    with pytest.raises(RobotInvalid):
        save(town.county, now, url="http://127.0.0.1:9/robot")
    actions.save_robot("dingtalk", area_id=town.county, url="http://127.0.0.1:9/", secret="", allowed=["127.0.0.1"], by=None, now=now)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Sent(), "测试消息已被接收"),
        (Rejected("WRONG_SIGNATURE"), "没有发出：签名不匹配"),  # the channel's own words
        (Retry(5, "NO_CONNECTION"), "没有发出：连接不上对方服务器"),
        (Unknown("TIMEOUT"), "不确定测试消息是否发出：对方没有在规定时间内应答"),
        (Rejected("E40035"), "没有发出：对方拒绝了请求（E40035）"),
    ],
)
def test_a_robot_is_tried_and_its_answer_said_in_plain_words(
    administrator: Client, town: Town, now: datetime, monkeypatch: pytest.MonkeyPatch, outcome: Outcome, said: str
) -> None:
    robot, channel = save(town.county, now), Scripted([outcome])
    monkeypatch.setattr(registry, "make", lambda code, settings, *, allowed: channel)
    page = administrator.post(f"/settings/channels/dingtalk/robots/{robot}/test/", {"address": PHONE}, follow=True).content.decode()
    assert said in page
    (sent,) = channel.taken
    assert (Robot(URL, "SEC-invented"), PHONE) == (sent.robot, sent.mentions[0].phone)


def test_the_test_button_takes_a_turn_too(administrator: Client, town: Town, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    robot, channel = save(town.county, now), Scripted()
    monkeypatch.setattr(registry, "make", lambda code, settings, *, allowed: channel)
    monkeypatch.setitem(registry.manifests(), "dingtalk", _slow(registry.manifests()["dingtalk"]))  # type: ignore[arg-type]
    pages = [administrator.post(f"/settings/channels/dingtalk/robots/{robot}/test/", follow=True).content.decode() for _ in range(2)]
    assert [False, True] == ["发送次数已用完" in page for page in pages]
    assert 1 == len(channel.taken)


def _slow(manifest: Any) -> Any:
    return replace(manifest, rate=Rate(1, 600.0, "robot"))


def test_a_test_without_an_address_is_not_sent(administrator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = Scripted()
    monkeypatch.setattr(registry, "make", lambda code, settings, *, allowed: channel)
    page = administrator.post("/settings/channels/voice/test/", {"address": ""}, follow=True).content.decode()
    assert ("没有可用的地址或号码" in page, []) == (True, channel.taken)


def test_the_page_says_what_each_channel_can_do(administrator: Client, now: datetime) -> None:
    actions.save_setting("dingtalk", {}, enabled=True, by=None, now=now)
    page = administrator.get("/settings/channels/").content.decode()
    for words in ("会响铃", "静默", "每个机器人每 60 秒最多 20 条", "不会重复送达", "不确定时不重发", "都没有机器人"):
        assert words in page


def own(client: Client, **given: str) -> Any:
    return client.post("/account/channels/", {"tongue": "zh", "quiet_from": "", "quiet_until": "", **given})


@pytest.fixture
def worker(client: Client, town: Town, now: datetime) -> Client:
    for code in ("sms", "voice", "email", "dingtalk"):
        actions.save_setting(code, {}, enabled=True, by=None, now=now)
    return sign_in(client, town.worker, "GRID_WORKER", town.township, now)


def test_a_person_chooses_channels_order_quiet_hours_and_language(worker: Client, town: Town) -> None:
    given = {
        "sms-on": "on", "sms-step": "1", "voice-on": "on", "voice-step": "2", "email-on": "on", "email-address": "jia@example.org",
        "email-step": "0", "dingtalk-step": "0", "tongue": "en", "quiet_from": "22:00", "quiet_until": "07:00",
    }
    assert 302 == own(worker, **given).status_code
    assert (("email",), ("sms",), ("voice",)) == queries.plans_of([town.worker])[town.worker].steps
    assert Quiet(22 * 60, 7 * 60) == queries.wishes_of([town.worker])[town.worker].quiet
    assert "en" == person_cards([town.worker], language="zh")[town.worker].language
    assert {"sms": ("", True), "voice": ("", True), "email": ("jia@example.org", True)} == own_contacts(town.worker)
    page = worker.get("/account/channels/").content.decode()
    assert [True] * 3 == [each in page for each in ('value="jia@example.org"', 'value="22:00"', 'value="07:00"')]
    own(worker, **{**given, "email-on": ""})
    assert ("jia@example.org", False) == own_contacts(town.worker)["email"]  # kept for another day
    assert ((), ("sms",), ("voice",)) == queries.plans_of([town.worker])[town.worker].steps


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"quiet_from": "22:00"}, "不完整"),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "不完整"),
        ({"quiet_from": "25:00", "quiet_until": "07:00"}, "不完整"),
        ({"email-on": "on", "email-address": "nobody"}, "邮件的地址“nobody”格式不对"),
        ({"email-on": "on"}, "邮件的地址“”格式不对"),
        ({"sms-on": "on", "sms-address": "12"}, "短信的地址“12”格式不对"),
        ({"tongue": "fr"}, "fr"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_changed(worker: Client, town: Town, given: dict[str, str], said: str) -> None:
    answer = own(worker, **given)
    assert (422, True) == (answer.status_code, said in answer.content.decode())
    assert {} == own_contacts(town.worker)
    if "tongue" not in given:
        assert {} == queries.wishes_of([town.worker])


def test_the_own_page_is_the_own(client: Client, town: Town, now: datetime) -> None:
    assert 302 == client.get("/account/channels/").status_code
    sign_in(client, town.worker, "GRID_WORKER", town.township, now)
    own(client, quiet_from="22:00", quiet_until="07:00", person_id=str(town.officer))
    assert [town.worker] == list(queries.wishes_of([town.worker, town.officer]))
    assert "还没有开启其他渠道" in client.get("/account/channels/").content.decode()


def test_wishes_are_kept_within_their_bounds(town: Town) -> None:
    actions.set_wishes(town.worker, steps={"sms": 7, "voice": -3}, quiet=None)
    assert {town.worker: Wishes({"sms": 2, "voice": 0})} == queries.wishes_of([town.worker])
    with pytest.raises(QuietHoursInvalid):
        actions.set_wishes(town.worker, steps={}, quiet=Quiet(60, 60))


def test_turns_of_a_channel_as_a_whole(town: Town) -> None:
    whole = replace(registry.manifests()["sms"], rate=Rate(1, 60.0, "channel"))
    assert {town.worker: Target("sms", "", Rate(1, 60.0, "channel"), is_shared=False)} == queries.targets([town.worker], whole)


CODES = re.compile(r'(?:Rejected|Unknown)\("([A-Z_]+)"\)|Retry\([^()]*"([A-Z_]+)"\)|return "([A-Z_]{4,})"')


def test_every_reason_that_stands_in_the_source_has_words() -> None:
    lacking = []
    for file in ROOT.rglob("*.py"):
        channel = file.parent.name if file.parent.parent.name == "channels" else ""
        own_words = registry.manifests()[channel].reasons if channel else {}
        for found in CODES.findall(file.read_text("utf-8")):
            code = next(each for each in found if each)
            if code not in WORDS and code not in own_words and code != "SENDER_DIED":
                lacking.append(f"{channel or file.name}: {code}")
    assert [] == lacking


@pytest.mark.parametrize(
    ("reason", "language", "said"),
    [
        ("NO_ROBOT", "en", "No area at or above the person's has a robot"),
        ("HTTP_502", "zh", "对方服务器出错（HTTP_502），不知是否收到"),
        ("HTTP_403", "zh", "对方拒绝了请求（HTTP_403）"),
        ("SMTP_571", "en", "The provider refused the request (SMTP_571)"),
    ],
)
def test_a_reason_is_said_in_words(reason: str, language: str, said: str) -> None:
    assert said == reason_words(reason, {}, language=language)


def test_a_turn_that_is_taken_comes_back(town: Town, now: datetime) -> None:
    target = Target("voice", "p", Rate(1, 60.0, "address"), is_shared=False)
    assert actions.take_turn(target, now=now, pace=60.0) is None
    assert now + timedelta(seconds=65 * 60) == actions.take_turn(target, now=now, pace=60.0)  # on a clock sixty times as fast
