from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import httpx
import msgspec
import pytest

from shouwang.notify import registry
from shouwang.notify.channels import wecom
from shouwang.notify.channels.wecom import Tokens, body_of
from shouwang.notify.contract import Channel, Outcome, Rejected, Retry, Sent, Unknown
from tests.notify.channels.contract import ChannelContract, Provider, Request, outgoing

LINK = "https://shouwang.example/t/abc/"
TOKEN = b'{"errcode":0,"errmsg":"ok","access_token":"invented-token","expires_in":7200}'


@pytest.fixture(autouse=True)
def _no_tokens(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(wecom, "_tokens", Tokens())
    yield


class TestWecom(ChannelContract):
    code: ClassVar[str] = "wecom"
    secrets: ClassVar[tuple[str, ...]] = ("invented-secret", "invented-token", "lanying")

    def settings(self, provider: Provider) -> dict[str, Any]:
        return {"url": provider.url, "corp_id": "ww0", "agent_id": "1000002", "secret": "invented-secret"}

    def address(self, provider: Provider) -> str:
        return "lanying"

    def accept(self, request: Request) -> tuple[int, bytes]:
        return 200, b'{"errcode":0,"errmsg":"ok","invaliduser":"","msgid":"m-1"}'

    def key_of(self, request: Request) -> str:
        return request.body.decode()

    def aside(self, request: Request) -> tuple[int, bytes] | None:
        return (200, TOKEN) if request.path.startswith("/cgi-bin/gettoken?") else None

    def test_a_person_gets_a_card_that_opens_the_task(self, channel: Channel, provider: Provider, http: httpx.Client) -> None:
        assert Sent("m-1") == self.send(channel, provider, http, link=LINK, severity=4)
        (request,) = provider.accepted
        assert "/cgi-bin/message/send?access_token=invented-token" == request.path
        assert {
            "touser": "lanying", "agentid": 1000002, "msgtype": "textcard",
            "textcard": {"title": "守望 · 红色", "description": "新任务", "url": f"{LINK}#812:1:0", "btntxt": "打开守望"},
            "enable_duplicate_check": 1, "duplicate_check_interval": 14400,
        } == msgspec.json.decode(request.body)

    def test_two_messages_are_never_the_same_request(self) -> None:
        def said(**changes: Any) -> bytes:
            return msgspec.json.encode(body_of(outgoing(address="lanying", **changes), agent_id=1))

        assert said(link=LINK) == said(link=LINK)
        assert said(link=LINK) != said(link=LINK, key="812:1:1")
        assert said() != said(key="812:1:1")
        long = msgspec.json.decode(said(text="任" * 5000))["text"]["content"]
        assert (True, True) == (len(long.encode()) <= 2048, long.endswith("…〔812:1:0〕"))
        assert len(msgspec.json.decode(said(link=LINK, text="任" * 500))["textcard"]["description"].encode()) <= 512

    def test_a_token_is_asked_for_once(self, channel: Channel, provider: Provider, http: httpx.Client) -> None:
        asked: list[str] = []
        provider.aside = lambda request: (asked.append(request.path), (200, TOKEN))[1] if "gettoken" in request.path else None
        for _ in range(3):
            assert Sent("m-1") == self.send(channel, provider, http)
        assert ["/cgi-bin/gettoken?corpid=ww0&corpsecret=invented-secret"] == asked

    def test_a_token_that_expired_early_is_renewed(self, channel: Channel, provider: Provider, http: httpx.Client) -> None:
        answers = [b'{"errcode":42001,"errmsg":"access_token expired"}', b'{"errcode":0,"msgid":"m-2"}']
        provider.accept = lambda request: (200, answers.pop(0))
        assert Retry(0.0, "TOKEN_EXPIRED") == self.send(channel, provider, http)
        provider.aside = lambda request: (200, TOKEN.replace(b"invented", b"renewed")) if "gettoken" in request.path else None
        assert Sent("m-2") == self.send(channel, provider, http)
        assert provider.accepted[-1].path.endswith("access_token=renewed-token")

    def test_a_token_ends_before_it_expires(self) -> None:
        at_s, given = [0.0], iter("abc")
        tokens = Tokens(now_s=lambda: at_s[0])

        def ask() -> Any:
            return wecom._Token(0, next(given), 7200.0)

        assert ["a", "a"] == [tokens.of(("x",), ask), tokens.of(("x",), ask)]
        at_s[0] = 6900.0
        assert "b" == tokens.of(("x",), ask)

    @pytest.mark.parametrize(
        ("status", "answer", "expected"),
        [
            (200, b'{"errcode":40001,"errmsg":"invalid credential"}', Rejected("E40001")),  # the secret is wrong
            (200, b'{"errcode":-1,"errmsg":"system busy"}', Retry(5.0, "BUSY")),
            (200, b"<html>", Retry(5.0, "ANSWER_UNREADABLE")),
            (200, b'{"errcode":0}', Retry(5.0, "ANSWER_UNREADABLE")),
            (502, b"", Retry(5.0, "HTTP_502")),  # nothing was sent: it is tried again, not left unknown
            (403, b"", Rejected("HTTP_403")),
        ],
    )
    def test_without_a_token_nothing_leaves(
        self, channel: Channel, provider: Provider, http: httpx.Client, status: int, answer: bytes, expected: Outcome
    ) -> None:
        provider.aside = lambda request: (status, answer) if "gettoken" in request.path else None
        assert expected == self.send(channel, provider, http)
        assert [] == provider.requests

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (b'{"errcode":0,"errmsg":"ok","msgid":"m-9"}', Sent("m-9")),
            (b'{"errcode":0,"errmsg":"ok","invaliduser":"lanying"}', Rejected("INVALID_USER")),
            (b'{"errcode":0,"errmsg":"ok","unlicenseduser":"lanying"}', Rejected("INVALID_USER")),
            (b'{"errcode":81013,"errmsg":"user & party & tag all invalid"}', Rejected("INVALID_USER")),
            (b'{"errcode":45009,"errmsg":"api freq out of limit"}', Retry(60.0, "TOO_FAST")),
            (b'{"errcode":60020,"errmsg":"not allow to access from your ip"}', Rejected("E60020")),
            (b'{"errmsg":"ok"}', Unknown("ANSWER_UNREADABLE")),
        ],
    )
    def test_what_wecom_says(
        self, channel: Channel, provider: Provider, http: httpx.Client, answer: bytes, expected: Outcome
    ) -> None:
        provider.accept = lambda request: (200, answer)
        assert expected == self.send(channel, provider, http)

    def test_wrong_settings_are_refused_and_shown(self, http: httpx.Client) -> None:
        bare = registry.make("wecom", {"agent_id": "x", "url": "http://example.org"}, allowed=[])
        assert Rejected("NO_AGENT") == bare.send(outgoing(address="lanying"), http=http)
        assert 2 == len(bare.problems())
        assert [] == registry.make("wecom", {"corp_id": "ww0", "agent_id": "1", "secret": "s"}, allowed=[]).problems()
