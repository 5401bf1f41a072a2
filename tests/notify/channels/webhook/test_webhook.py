from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from shouwang.notify import outside, registry
from shouwang.notify.contract import Channel, Rejected, Sent, Unknown
from tests.notify.channels.contract import ChannelContract, Provider, Request, outgoing

SECRET = "whsec_dGhpcyBpcyBhbiBpbnZlbnRlZCBzZWNyZXQh"


class TestWebhook(ChannelContract):
    code: ClassVar[str] = "webhook"
    secrets: ClassVar[tuple[str, ...]] = (SECRET,)

    def settings(self, provider: Provider) -> dict[str, Any]:
        return {"url": f"{provider.url}/office", "secret": SECRET}

    def key_of(self, request: Request) -> str:
        return request.headers["webhook-id"]

    def test_the_receiver_can_verify_it(self, channel: Channel, provider: Provider, http: httpx.Client) -> None:
        now = datetime.now(UTC)
        assert Sent() == channel.send(outgoing(at=now, count=3), http=http)
        (request,) = provider.accepted
        said = Webhook(SECRET).verify(request.body, request.headers)
        assert "shouwang.message" == said["type"]
        assert {
            "key": "812:1:0", "template": "TASK_OFFERED", "params": {"reason": "TOO_LITTLE"}, "text": "新任务", "language": "zh",
            "severity": 3, "count": 3, "exercise": False,
        } == said["data"]
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(request.body + b" ", request.headers)

    def test_a_persons_own_address_comes_before_the_offices(self, channel: Channel, provider: Provider, http: httpx.Client) -> None:
        channel.send(outgoing(address=f"{provider.url}/own"), http=http)
        channel.send(outgoing(), http=http)
        assert ["/own", "/office"] == [request.path for request in provider.requests]

    def test_no_address_and_no_secret_are_refused_and_shown(self, provider: Provider, http: httpx.Client) -> None:
        bare = registry.make("webhook", {"secret": SECRET}, allowed=[])
        assert Rejected("NO_ADDRESS") == bare.send(outgoing(), http=http)
        unsigned = registry.make("webhook", {"url": provider.url, "secret": "whsec_"}, allowed=[])
        assert Rejected("NO_SECRET") == unsigned.send(outgoing(), http=http)
        assert 2 == len(unsigned.problems())

    def test_a_webhook_cannot_be_asked(self, channel: Channel, http: httpx.Client) -> None:
        assert Unknown("NO_QUERY") == channel.query("812:1:0", http=http)

    @pytest.mark.parametrize("address", ["10.0.0.7", "127.0.0.1", "::1", "169.254.169.254"])
    def test_a_name_that_resolves_to_a_private_address_is_refused(self, http: httpx.Client, address: str) -> None:
        outcome = outside.call(http, "POST", "https://example.org/", allowed=[], resolve=lambda host, port: ["93.184.216.34", address])
        assert Rejected("ADDRESS_PRIVATE") == outcome

    def test_the_call_goes_to_the_address_that_was_checked(self, provider: Provider, http: httpx.Client) -> None:
        allowed = [f"gateway.local:{provider.port}"]
        url = f"http://gateway.local:{provider.port}/hook"
        answer = outside.call(http, "POST", url, allowed=allowed, resolve=lambda host, port: ["127.0.0.1"])
        assert isinstance(answer, outside.Answer)
        assert f"gateway.local:{provider.port}" == provider.requests[0].headers["host"]
