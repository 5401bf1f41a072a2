from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from shouwang.notify.channels.dingtalk import DingtalkRobot, body_of, signed
from shouwang.notify.contract import Channel, Mention, Outcome, Rejected, Retry, Robot, Sent, Unknown
from tests.notify.channels.contract import Provider, Request, RobotContract, outgoing

LINK = "https://shouwang.example/tasks/"
MENTIONS = (Mention("lan", "10000000001"), Mention("", "10000000002"))


class TestDingtalk(RobotContract):
    code: ClassVar[str] = "dingtalk"
    path: ClassVar[str] = "/robot/send?access_token=invented-token"
    worded: ClassVar[tuple[str, ...]] = (
        "TOO_FAST", "BUSY", "WRONG_SIGNATURE", "WRONG_CLOCK", "NO_KEYWORD", "WRONG_IP", "NO_TOKEN", "STOPPED", "BAD_CONTENT",
    )

    def accept(self, request: Request) -> tuple[int, bytes]:
        return 200, b'{"errcode":0,"errmsg":"ok"}'

    def test_a_robot_that_checks_signatures_takes_ours(self, provider: Provider, http: httpx.Client) -> None:
        channel = DingtalkRobot(allowed=[f"127.0.0.1:{provider.port}"], now_s=lambda: 1_768_442_400.5)
        assert Sent() == self.send(channel, provider, http)
        asked = parse_qs(urlsplit(provider.accepted[0].path).query)
        assert (["invented-token"], ["1768442400500"]) == (asked["access_token"], asked["timestamp"])
        expected = hmac.new(b"invented-secret", b"1768442400500\ninvented-secret", hashlib.sha256).digest()
        assert expected == base64.b64decode(asked["sign"][0], validate=True)

    def test_a_robot_without_a_secret_is_sent_no_signature(self) -> None:
        assert "https://oapi.dingtalk.com/robot/send?access_token=x" == signed(
            Robot("https://oapi.dingtalk.com/robot/send?access_token=x"), timestamp_ms=1,
        )

    def test_the_card_has_a_button_and_the_persons_are_really_mentioned(
        self, channel: Channel, provider: Provider, http: httpx.Client
    ) -> None:
        self.send(channel, provider, http, mentions=MENTIONS, link=LINK, text="新任务\n第二行", severity=4)
        said: dict[str, Any] = msgspec.json.decode(provider.accepted[0].body)
        assert {
            "msgtype": "actionCard",
            "actionCard": {
                "title": "守望 · 红色", "text": "### 守望 · 红色\n\n新任务\n\n第二行\n\n@lan @10000000002", "singleTitle": "打开守望", "singleURL": LINK,
            },
            "at": {"atMobiles": ["10000000002"], "atUserIds": ["lan"], "isAtAll": False},
        } == said

    def test_without_an_address_to_open_it_is_a_text(self) -> None:
        said = body_of(outgoing(mentions=MENTIONS[1:], language="en", severity=3))
        assert ("markdown", "Shouwang · orange", "### Shouwang · orange\n\n新任务\n\n@10000000002") == (
            said["msgtype"], said["markdown"]["title"], said["markdown"]["text"],
        )
        assert ["10000000002"] == said["at"]["atMobiles"]

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (b'{"errcode":0,"errmsg":"ok"}', Sent()),
            (b'{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}', Retry(600.0, "TOO_FAST")),
            (b'{"errcode":410100,"errmsg":"x"}', Retry(600.0, "TOO_FAST")),
            (b'{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"u"}', Retry(600.0, "TOO_FAST")),  # no code at all
            (b'{"errcode":-1,"errmsg":"busy"}', Retry(30.0, "BUSY")),
            (b'{"errcode":310000,"errmsg":"sign not match"}', Rejected("WRONG_SIGNATURE")),
            ('{"errcode":310000,"errmsg":"description:机器人发送签名不匹配"}'.encode(), Rejected("WRONG_SIGNATURE")),
            (b'{"errcode":310000,"errmsg":"invalid timestamp"}', Rejected("WRONG_CLOCK")),
            (b'{"errcode":310000,"errmsg":"keywords not in content"}', Rejected("NO_KEYWORD")),
            (b'{"errcode":310000,"errmsg":"ip 192.0.2.1 not in whitelist"}', Rejected("WRONG_IP")),
            (b'{"errcode":310000,"errmsg":"something new"}', Rejected("E310000")),
            (b'{"errcode":300005,"errmsg":"token is not exist"}', Rejected("NO_TOKEN")),
            (b'{"errcode":400102,"errmsg":"bot is stopped"}', Rejected("STOPPED")),
            (b'{"errcode":430101,"errmsg":"x"}', Rejected("BAD_CONTENT")),
            (b'{"errcode":40035,"errmsg":"x"}', Rejected("E40035")),
            (b"{}", Unknown("ANSWER_UNREADABLE")),
            (b'{"errcode":"0"}', Unknown("ANSWER_UNREADABLE")),
        ],
    )
    def test_what_dingtalk_says(
        self, channel: Channel, provider: Provider, http: httpx.Client, answer: bytes, expected: Outcome
    ) -> None:
        assert expected == self.said_to(channel, provider, http, answer)
