from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from shouwang.notify import registry
from shouwang.notify.contract import Channel, Delivered, Missing, Outcome, Rejected, Retry, Sent, Unknown
from tests.notify.channels.contract import ChannelContract, Provider, Request

PHONE = "10000000001"
SECRET = "whsec_dGhpcyBpcyBhbiBpbnZlbnRlZCBzZWNyZXQh"


class TestVoice(ChannelContract):
    code: ClassVar[str] = "voice"
    secrets: ClassVar[tuple[str, ...]] = ("invented-token", PHONE, SECRET)

    def settings(self, provider: Provider) -> dict[str, Any]:
        return {
            "url": f"{provider.url}/call", "status_url": f"{provider.url}/status?v=1", "token": "invented-token",
            "callback_secret": SECRET,
        }

    def address(self, provider: Provider) -> str:
        return PHONE

    def accept(self, request: Request) -> tuple[int, bytes]:
        return (200, b'{"code":"OK","ref":"c-1"}') if request.method == "POST" else (404, b"")

    def test_it_rings_and_speaks_no_address(self) -> None:
        manifest = registry.manifests()["voice"]
        assert (True, "NONE", True) == (manifest.rings, manifest.link, manifest.by_phone)
        assert [] == [code for code in ("NO_ANSWER", "LINE_BUSY", "THROTTLED") if code not in manifest.reasons]

    @pytest.mark.parametrize(
        ("template", "language", "text", "answers"),
        [
            ("TASK_OFFERED", "zh", "新任务。签收请按 1。", {"1": "ACCEPT"}),
            ("TASK_REMINDER", "en", "新任务。Press 1 to accept.", {"1": "ACCEPT"}),
            ("TASK_OVERDUE", "zh", "新任务。", {}),  # nothing to accept
            ("CHANNEL_TEST", "zh", "新任务。", {}),
        ],
    )
    def test_what_is_spoken_and_which_keys_mean_something(
        self, channel: Channel, provider: Provider, http: httpx.Client, template: str, language: str, text: str, answers: dict[str, str]
    ) -> None:
        assert Sent("c-1") == self.send(channel, provider, http, template=template, language=language, text="新任务。")
        (request,) = provider.accepted
        expected = {"phone": PHONE, "text": text, "language": language, "answers": answers, "out_id": "812:1:0"}
        assert expected == msgspec.json.decode(request.body)
        assert "Bearer invented-token" == request.headers["authorization"]

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            (b'{"code":"OK"}', Sent()),
            (b'{"code":"THROTTLED"}', Retry(5.0, "THROTTLED")),
            (b'{"code":"NUMBER_INVALID"}', Rejected("NUMBER_INVALID")),
            (b"{}", Unknown("ANSWER_UNREADABLE")),
            (b"<html>", Unknown("ANSWER_UNREADABLE")),
        ],
    )
    def test_what_the_gateway_says(
        self, channel: Channel, provider: Provider, http: httpx.Client, body: bytes, expected: Outcome
    ) -> None:
        provider.accept = lambda request: (200, body)
        assert expected == self.send(channel, provider, http)

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            ((404, b""), Missing()),
            ((200, b'{"status":"ACCEPTED"}'), Sent()),  # it rings
            ((200, b'{"status":"ANSWERED","ref":"c"}'), Delivered("c")),
            ((200, b'{"status":"UNANSWERED"}'), Rejected("NO_ANSWER")),
            ((200, b'{"status":"BUSY"}'), Rejected("LINE_BUSY")),
            ((200, b'{"status":"FAILED","err_code":"NO_ROUTE"}'), Rejected("NO_ROUTE")),
            ((200, b'{"status":"ODD"}'), Unknown("STATUS_UNKNOWN")),
            ((200, b"nothing"), Unknown("HTTP_200")),
            ((403, b""), Unknown("HTTP_403")),
        ],
    )
    def test_what_the_gateway_knows_of_a_call(
        self, channel: Channel, provider: Provider, http: httpx.Client, answer: tuple[int, bytes], expected: Outcome
    ) -> None:
        provider.accept = lambda request: answer
        assert expected == channel.query("812:1:0", http=http)
        assert {"v": ["1"], "out_id": ["812:1:0"]} == parse_qs(urlsplit(provider.requests[0].path).query)

    def test_a_question_without_an_answer_says_nothing_of_the_call(
        self, channel: Channel, provider: Provider, hasty: httpx.Client
    ) -> None:
        provider.behaviour = "slow"
        assert Unknown("NO_STATUS") == channel.query("812:1:0", http=hasty)

    def test_a_secret_that_is_none_is_shown(self, provider: Provider) -> None:
        bare = registry.make("voice", {**self.settings(provider), "callback_secret": "guess!"}, allowed=[f"127.0.0.1:{provider.port}"])
        assert 1 == len(bare.problems())
