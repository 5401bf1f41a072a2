from __future__ import annotations

from collections.abc import Iterator, Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, ClassVar

import httpx
import pytest

from shouwang.notify import registry
from shouwang.notify.channels.email import EmailRelay, message_of
from shouwang.notify.contract import Channel, Outcome, Rejected, Retry, Sent, Unknown
from tests.notify.channels.contract import ChannelContract, Provider, Request, outgoing
from tests.notify.channels.email.server import NAME, Manners, serving, trusting

MAILBOX = "lan@example.org"
SENDER = "duty@shouwang.example"


def read(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw.removesuffix(b".\r\n"), policy=policy.SMTP)  # type: ignore[return-value]


class TestEmail(ChannelContract):
    code: ClassVar[str] = "email"
    secrets: ClassVar[tuple[str, ...]] = ("invented-password", MAILBOX)
    refused: ClassVar[Outcome] = Rejected("ADDRESS_PRIVATE")
    said: ClassVar[Mapping[str, Outcome]] = {
        "429": Retry(60.0, "SMTP_451"),
        "400": Rejected("SMTP_550"),
        "redirect": Rejected("SMTP_551"),
        "500": Rejected("SMTP_554"),  # a code after the text is certain: it was not taken
    }

    def settings(self, provider: Provider) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": str(provider.port), "sender": SENDER}

    def address(self, provider: Provider) -> str:
        return MAILBOX

    def accept(self, request: Request) -> tuple[int, bytes]:
        return 250, b"queued"

    def key_of(self, request: Request) -> str:
        return str(read(request.body)["Message-ID"])

    @pytest.fixture
    def manners(self) -> Manners:
        return Manners()

    @pytest.fixture
    def provider(self, manners: Manners) -> Iterator[Provider]:
        with serving(Provider(self.accept), manners) as provider:
            yield provider

    def test_a_person_gets_one_text_known_by_its_key(self, channel: Channel, provider: Provider, http: httpx.Client) -> None:
        assert Sent() == self.send(channel, provider, http, link="https://shouwang.example/t/abc/", severity=4)
        mail = read(provider.accepted[0].body)
        assert {
            "From": SENDER, "To": MAILBOX, "Subject": "守望 · 红色：新任务", "Message-ID": "<shouwang.812.1.0@shouwang.example>",
            "Auto-Submitted": "auto-generated", "Importance": "high",
        } == {name: str(mail[name]) for name in ("From", "To", "Subject", "Message-ID", "Auto-Submitted", "Importance")}
        assert "text/plain" == mail.get_content_type()
        assert ["新任务", "https://shouwang.example/t/abc/", "此邮件由守望自动发出，请勿回复。"] == mail.get_content().split()

    @pytest.mark.parametrize(
        ("status", "expected"), [(250, Sent()), (421, Retry(60.0, "SMTP_421")), (552, Rejected("SMTP_552")), (299, Unknown("REPLY_LOST"))]
    )
    def test_what_the_server_says_of_the_text(
        self, channel: Channel, provider: Provider, http: httpx.Client, status: int, expected: Outcome
    ) -> None:
        provider.accept = lambda request: (status, b"x")
        assert expected == self.send(channel, provider, http)

    @pytest.mark.parametrize("address", ["", "lan", "lan@example.org\r\nBcc: all@example.org", "a@b@c.org", "lan,li@example.org"])
    def test_what_is_no_address_is_not_tried(self, channel: Channel, provider: Provider, http: httpx.Client, address: str) -> None:
        assert Rejected("ADDRESS_INVALID") == self.send(channel, provider, http, address=address)
        assert [] == provider.requests

    def relay(self, provider: Provider, *, trusted: bool = True, password: str = "", resolved: str = "127.0.0.1") -> EmailRelay:
        """Return a channel to the server under its name, which resolves to a public address that stands for this machine."""
        return EmailRelay(
            host=NAME, port=provider.port, sender=SENDER, user="duty" if password else "", password=password,
            allowed=[NAME] if resolved == "127.0.0.1" else [], resolve=lambda host, port: [resolved],
            context=trusting() if trusted else None,
        )

    @pytest.mark.parametrize(("trusted", "expected"), [(True, Sent()), (False, Rejected("TLS_FAILED"))])
    def test_what_is_offered_encrypted_goes_encrypted_to_whom_the_certificate_names(
        self, provider: Provider, manners: Manners, http: httpx.Client, trusted: bool, expected: Outcome
    ) -> None:
        manners.starttls = True
        assert expected == self.relay(provider, trusted=trusted).send(outgoing(address=MAILBOX), http=http)
        assert (1 if trusted else 0) == len(provider.accepted)

    def test_outside_the_house_nothing_goes_unencrypted(
        self, provider: Provider, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("shouwang.notify.channels.email.address_of", lambda *_, **__: "127.0.0.1")
        channel = self.relay(provider, resolved="192.0.2.1")
        assert Rejected("NO_STARTTLS") == channel.send(outgoing(address=MAILBOX), http=http)
        assert [] == provider.requests

    @pytest.mark.parametrize(("password", "expected"), [("invented-password", Sent()), ("guessed", Rejected("WRONG_PASSWORD"))])
    def test_it_signs_in_where_a_user_is_set(
        self, provider: Provider, manners: Manners, http: httpx.Client, password: str, expected: Outcome
    ) -> None:
        manners.starttls, manners.password = True, "invented-password"
        assert expected == self.relay(provider, password=password).send(outgoing(address=MAILBOX), http=http)

    def test_wrong_settings_are_shown(self) -> None:
        assert 1 == len(registry.make("email", {"port": "x"}, allowed=[]).problems())
        assert [] == registry.make("email", {"host": "smtp.example.org", "sender": SENDER}, allowed=[]).problems()

    def test_every_code_it_gives_has_words(self) -> None:
        reasons = registry.manifests()["email"].reasons
        worded = ("ADDRESS_INVALID", "NO_STARTTLS", "TLS_FAILED", "WRONG_PASSWORD", "SMTP_550", "SMTP_551", "SMTP_552", "SMTP_554")
        assert [] == [code for code in worded if code not in reasons]

    def test_a_long_text_has_a_short_subject(self) -> None:
        subject = str(message_of(outgoing(text="任" * 500, language="en"), sender=SENDER)["Subject"])
        assert len(subject) <= len("Shouwang · orange：") + 60
