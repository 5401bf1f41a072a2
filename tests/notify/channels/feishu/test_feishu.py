from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any, ClassVar

import httpx
import msgspec
import pytest

from shouwang.notify.channels.feishu import FeishuRobot, body_of, signature
from shouwang.notify.contract import Channel, Mention, Outcome, Rejected, Retry, Sent, Unknown
from tests.notify.channels.contract import Provider, Request, RobotContract, outgoing

LINK = "https://shouwang.example/tasks/"


class TestFeishu(RobotContract):
    code: ClassVar[str] = "feishu"
    path: ClassVar[str] = "/open-apis/bot/v2/hook/invented-token"
    worded: ClassVar[tuple[str, ...]] = ("TOO_FAST", "BUSY", "E9499", "E19001", "E19021", "E19022", "E19024")

    def accept(self, request: Request) -> tuple[int, bytes]:
        return 200, b'{"code":0,"msg":"success","data":{}}'

    def key_of(self, request: Request) -> str:
        """A second later the signature differs, the card does not."""
        return str(msgspec.json.decode(request.body)["card"])

    def test_a_robot_that_checks_signatures_takes_ours(self, provider: Provider, http: httpx.Client) -> None:
        channel = FeishuRobot(allowed=[f"127.0.0.1:{provider.port}"], now_s=lambda: 1_768_442_400.5)
        assert Sent() == self.send(channel, provider, http)
        said: dict[str, Any] = msgspec.json.decode(provider.accepted[0].body)
        expected = hmac.new(b"1768442400\ninvented-secret", b"", hashlib.sha256).digest()
        assert ("1768442400", expected) == (said["timestamp"], base64.b64decode(said["sign"], validate=True))
        assert {} == signature("", timestamp_s=1)

    def test_the_card_says_it_in_colour_and_mentions_whom_it_knows(
        self, channel: Channel, provider: Provider, http: httpx.Client
    ) -> None:
        mentions = (Mention("ou_1", "10000000001"), Mention("", "10000000002"))
        self.send(channel, provider, http, mentions=mentions, link=LINK, severity=4)
        said: dict[str, Any] = msgspec.json.decode(provider.accepted[0].body)
        card = said["card"]
        assert ("interactive", "red", "守望 · 红色") == (
            said["msg_type"], card["header"]["template"], card["header"]["title"]["content"],
        )
        text, action = card["elements"]
        assert "新任务\n<at id=ou_1></at>" == text["text"]["content"]
        (button,) = action["actions"]
        assert ("button", LINK, "打开守望") == (button["tag"], button["url"], button["text"]["content"])

    def test_without_an_address_to_open_there_is_no_button(self) -> None:
        card = body_of(outgoing(language="en", severity=2))["card"]
        assert (1, "Shouwang · yellow") == (len(card["elements"]), card["header"]["title"]["content"])

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (b'{"code":0,"msg":"success","data":{}}', Sent()),
            (b'{"Extra":null,"StatusCode":0,"StatusMessage":"success"}', Sent()),  # the older shape
            (b'{"StatusCode":9499,"StatusMessage":"Bad Request"}', Rejected("E9499")),
            (b'{"code":11232,"msg":"frequency limited"}', Retry(60.0, "TOO_FAST")),
            (b'{"code":2200,"msg":"internal error"}', Retry(5.0, "BUSY")),
            (b'{"code":19021,"data":{},"msg":"sign match fail or timestamp is not within one hour"}', Rejected("E19021")),
            (b'{"code":19024,"msg":"Key Words Not Found"}', Rejected("E19024")),
            (b'{"code":19001,"msg":"param invalid"}', Rejected("E19001")),
            (b"{}", Unknown("ANSWER_UNREADABLE")),
            (b"[]", Unknown("ANSWER_UNREADABLE")),
        ],
    )
    def test_what_feishu_says(
        self, channel: Channel, provider: Provider, http: httpx.Client, answer: bytes, expected: Outcome
    ) -> None:
        assert expected == self.said_to(channel, provider, http, answer)
