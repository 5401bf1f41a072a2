from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from shouwang.notify.contract import Channel, Delivered, Missing, Outcome, Rejected, Retry, Sent, Unknown
from tests.notify.channels.contract import ChannelContract, Provider, Request

PHONE = "10000000001"


class TestSms(ChannelContract):
    code: ClassVar[str] = "sms"
    secrets: ClassVar[tuple[str, ...]] = ("invented", PHONE)
    sending: ClassVar[tuple[int, bytes]] = (200, b'{"code":"OK","ref":"r-1"}')
    status: ClassVar[tuple[int, bytes]] = (404, b"")

    def settings(self, provider: Provider) -> dict[str, Any]:
        return {"url": f"{provider.url}/send", "status_url": f"{provider.url}/status?v=1", "token": "invented"}

    def address(self, provider: Provider) -> str:
        return PHONE

    def accept(self, request: Request) -> tuple[int, bytes]:
        return self.sending if request.method == "POST" else self.status

    def test_the_gateway_gets_codes_not_sentences(self, channel: Channel, provider: Provider, http: httpx.Client) -> None:
        assert Sent("r-1") == self.send(channel, provider, http)
        (request,) = provider.accepted
        expected = {"phone": PHONE, "template": "TASK_OFFERED", "params": {"reason": "TOO_LITTLE"}, "out_id": "812:1:0"}
        assert expected == msgspec.json.decode(request.body)
        assert "Bearer invented" == request.headers["authorization"]

    def test_a_bundle_names_its_count_and_an_exercise_is_marked(self, channel: Channel, provider: Provider, http: httpx.Client) -> None:
        self.send(channel, provider, http, count=5, is_exercise=True)
        said = msgspec.json.decode(provider.accepted[0].body)
        assert ("BUNDLE", {"count": 5, "first": "TASK_OFFERED"}, True) == (said["template"], said["params"], said["exercise"])

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            (b'{"code":"OK"}', Sent()),
            (b'{"code":"THROTTLED"}', Retry(5.0, "THROTTLED")),
            (b'{"code":"NUMBER_INVALID"}', Rejected("NUMBER_INVALID")),
            (b"<html>", Unknown("ANSWER_UNREADABLE")),
            (b'{"code":7}', Unknown("ANSWER_UNREADABLE")),
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
            ((200, b'{"status":"DELIVERED","ref":"r"}'), Delivered("r")),
            ((200, b'{"status":"ACCEPTED"}'), Sent()),
            ((200, b'{"status":"FAILED","err_code":"EXPIRED"}'), Rejected("EXPIRED")),
            ((200, b'{"status":"ODD"}'), Unknown("STATUS_UNKNOWN")),
            ((200, b"nothing"), Unknown("HTTP_200")),
            ((403, b""), Unknown("HTTP_403")),
        ],
    )
    def test_what_the_gateway_knows_of_a_key(
        self, channel: Channel, provider: Provider, http: httpx.Client, answer: tuple[int, bytes], expected: Outcome
    ) -> None:
        provider.accept = lambda request: answer
        assert expected == channel.query("812:1:0", http=http)
        assert {"v": ["1"], "out_id": ["812:1:0"]} == parse_qs(urlsplit(provider.requests[0].path).query)

    def test_a_question_without_an_answer_says_nothing_of_the_message(
        self, channel: Channel, provider: Provider, hasty: httpx.Client
    ) -> None:
        provider.behaviour = "slow"
        assert Unknown("NO_STATUS") == channel.query("812:1:0", http=hasty)
