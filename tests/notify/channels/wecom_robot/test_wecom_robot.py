from __future__ import annotations

from typing import Any, ClassVar

import httpx
import msgspec
import pytest

from shouwang.notify.channels.wecom_robot import CONTENT_BYTES, body_of
from shouwang.notify.contract import Channel, Mention, Outcome, Rejected, Retry, Sent, Unknown
from tests.notify.channels.contract import Provider, Request, RobotContract, outgoing

LINK = "https://shouwang.example/tasks/"


def text_of(**changes: Any) -> dict[str, Any]:
    return dict(body_of(outgoing(link=LINK, **changes))["text"])


class TestWecomRobot(RobotContract):
    code: ClassVar[str] = "wecom_robot"
    path: ClassVar[str] = "/cgi-bin/webhook/send?key=invented-token"
    worded: ClassVar[tuple[str, ...]] = ("TOO_FAST", "BUSY", "E93000", "E45002", "E40058")

    def accept(self, request: Request) -> tuple[int, bytes]:
        return 200, b'{"errcode":0,"errmsg":"ok"}'

    def test_the_group_reads_the_text_and_the_persons_are_mentioned(
        self, channel: Channel, provider: Provider, http: httpx.Client
    ) -> None:
        mentions = (Mention("lan", "10000000001"), Mention("", "10000000002"), Mention("", ""))
        assert Sent() == self.send(channel, provider, http, mentions=mentions, link=LINK)
        (request,) = provider.accepted
        assert self.path == request.path
        assert {
            "msgtype": "text",
            "text": {"content": f"新任务\n{LINK}", "mentioned_list": ["lan"], "mentioned_mobile_list": ["10000000002"]},
        } == msgspec.json.decode(request.body)

    @pytest.mark.parametrize("letters", [1, 500, 676, 677, 678, 3000])
    def test_the_text_is_never_longer_than_wecom_takes(self, letters: int) -> None:
        content = text_of(text="任" * letters)["content"]
        assert len(content.encode()) <= CONTENT_BYTES
        assert content.endswith("\n" + LINK)
        assert (letters <= (CONTENT_BYTES - len(LINK) - 1) // 3) == ("…" not in content)

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (b'{"errcode":0,"errmsg":"ok"}', Sent()),
            (b'{"errcode":45009,"errmsg":"api freq out of limit"}', Retry(60.0, "TOO_FAST")),
            (b'{"errcode":-1,"errmsg":"system busy"}', Retry(5.0, "BUSY")),
            (b'{"errcode":93000,"errmsg":"invalid webhook url"}', Rejected("E93000")),
            (b'{"errmsg":"ok"}', Unknown("ANSWER_UNREADABLE")),
            (b"<html>", Unknown("ANSWER_UNREADABLE")),
        ],
    )
    def test_what_wecom_says(
        self, channel: Channel, provider: Provider, http: httpx.Client, answer: bytes, expected: Outcome
    ) -> None:
        assert expected == self.said_to(channel, provider, http, answer)
