"""E-mail by the office's mail server: one text part, encrypted on the way.

- Set up: server, port, the sender's address, and a user name and password where the server wants them. Port 465 speaks TLS
  from the start; every other port must offer STARTTLS, but for a server named in `SHOUWANG_WEBHOOK_ALLOW` (a relay inside
  the house). The certificate is checked against the server's name; the server must have a public address or be named there.
- Sends From, To, Subject, Date, Message-ID and `Auto-Submitted: auto-generated`, with `Importance: high` for red. The
  **Message-ID is made of the key**: a message that came twice, from elsewhere or by hand, is recognised as one.
- A refusal before the text, or a code after it, is certain: 4xx later, 5xx never. No answer after the text leaves it
  unknown. There is no receipt; mail servers do not drop a second message of the same Message-ID, so none is sent.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from ipaddress import ip_address
from typing import Any

import httpx

from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text
from shouwang.notify.contract import Outcome, Outgoing, Rejected, Retry, Sent, Unknown
from shouwang.notify.outside import DEFAULT_RETRY_S, TIMEOUT_S, Resolve, address_of, resolve
from shouwang.notify.rules.hosts import is_allowed, is_public
from shouwang.notify.rules.wording import headline

DEFAULT_PORT = 587
TLS_PORT = 465
SUBJECT_LENGTH = 60
LATER_S = 60.0
FOOT = Text("此邮件由守望自动发出，请勿回复。", "Sent by Shouwang; replies are not read.")
_ADDRESS = re.compile(r"[^@\s<>,;:\"()]{1,64}@[A-Za-z0-9.-]{1,190}", re.ASCII)


class _Refused(Exception):
    """The server has said no, or the way to it is not as it must be; nothing was taken."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class _Smtp(smtplib.SMTP):
    """Speaks to the very address that was checked, and never longer than `until`."""

    def __init__(self, host: str, port: int, *, address: str, until: float, context: ssl.SSLContext | None) -> None:
        self._address, self._until, self._context, self._name = address, until, context, host
        super().__init__(host, port, local_hostname="localhost", timeout=max(until - time.monotonic(), 0.01))

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002 - smtplib's own hook
        plain = socket.create_connection((self._address, port), timeout)
        return plain if self._context is None else self._context.wrap_socket(plain, server_hostname=self._name)

    def getreply(self) -> tuple[int, bytes]:
        """Return the server's next answer. Raises SMTPServerDisconnected when it does not come in time."""
        if self.sock is not None:
            self.sock.settimeout(max(self._until - time.monotonic(), 0.01))
        return super().getreply()


class EmailRelay:
    """Sends by one mail server."""

    def __init__(
        self, *, host: str, port: int, sender: str, user: str, password: str, allowed: Collection[str], resolve: Resolve = resolve,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._host, self._port, self._sender, self._user, self._password = host, port, sender, user, password
        self._is_inside = is_allowed(host, port, allowed)
        self._resolve = resolve
        self._context = context or ssl.create_default_context()

    def send(self, outgoing: Outgoing, *, http: httpx.Client) -> Outcome:
        """Send `outgoing` and return Sent once the server has taken it. Takes at most twice the client's patience."""
        if not (_ADDRESS.fullmatch(outgoing.address) and _ADDRESS.fullmatch(self._sender)):
            return Rejected("ADDRESS_INVALID")
        address = address_of(self._host, self._port, is_private_allowed=self._is_inside, resolve=self._resolve)
        if not isinstance(address, str):
            return address
        until = time.monotonic() + 2 * (http.timeout.read or TIMEOUT_S)
        try:
            smtp = self._ready(address, until, recipient=outgoing.address)
        except _Refused as refused:
            return refused.outcome
        outcome = _hand_over(smtp, message_of(outgoing, sender=self._sender).as_bytes(policy=WIRE))
        with suppress(OSError, smtplib.SMTPException):
            smtp.quit()
        smtp.close()
        return outcome

    def query(self, key: str, *, http: httpx.Client) -> Outcome:  # noqa: ARG002 - the contract
        """Return Unknown: a mail server cannot be asked."""
        return Unknown("NO_QUERY")

    def problems(self) -> list[Text]:
        """Return what is wrong with the settings, as far as it shows without calling the server."""
        found = []
        if not self._host or not _ADDRESS.fullmatch(self._sender):
            found.append(Text("请填写发信服务器和发件地址。", "Fill in the mail server and the sender's address."))
        if _is_private(self._host) and not self._is_inside:
            found.append(Text(
                "发信服务器是内网地址；请由维护人员把它写入 webhook_allow。",
                "The mail server is at a private address; whoever maintains the system must name it in webhook_allow.",
            ))
        return found

    def _ready(self, address: str, until: float, *, recipient: str) -> smtplib.SMTP:
        """Return a connection that waits for the text. Raises _Refused: whatever goes wrong before it, nothing was taken."""
        tls = self._context if self._port == TLS_PORT else None
        with _nothing_taken():
            smtp = _Smtp(self._host, self._port, address=address, until=until, context=tls)
        try:
            with _nothing_taken():
                self._greet(smtp)
                _require_ok(smtp.mail(self._sender))
                _require_ok(smtp.rcpt(recipient))
        except _Refused:
            smtp.close()
            raise
        return smtp

    def _greet(self, smtp: smtplib.SMTP) -> None:
        smtp.ehlo_or_helo_if_needed()
        if self._port != TLS_PORT:
            if smtp.has_extn("starttls"):
                smtp.starttls(context=self._context)
                smtp.ehlo()
            elif not self._is_inside:
                raise _Refused(Rejected("NO_STARTTLS"))
        if self._user:
            smtp.login(self._user, self._password)


def make(settings: Mapping[str, Any], *, allowed: Collection[str]) -> EmailRelay:
    """Return the e-mail channel with `settings`."""
    port = str(settings.get("port", ""))
    return EmailRelay(
        host=settings.get("host", ""), port=int(port) if port.isascii() and port.isdigit() else DEFAULT_PORT,
        sender=settings.get("sender", ""), user=settings.get("user", ""), password=settings.get("password", ""), allowed=allowed,
    )


def message_of(outgoing: Outgoing, *, sender: str) -> EmailMessage:
    """Return the mail: one text part, known by its key."""
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, outgoing.address
    first = outgoing.text.split("\n", 1)[0]
    mail["Subject"] = f"{headline(outgoing.severity, language=outgoing.language)}：{first[:SUBJECT_LENGTH]}"
    mail["Date"] = format_datetime(outgoing.at)
    mail["Message-ID"] = f"<shouwang.{outgoing.key.replace(':', '.')}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    if outgoing.severity >= Severity.RED:
        mail["Importance"] = "high"
    parts = [outgoing.text, outgoing.link, FOOT.render(outgoing.language, {})]
    mail.set_content("\n\n".join(part for part in parts if part), charset="utf-8")
    return mail


@contextmanager
def _nothing_taken() -> Iterator[None]:
    """Turn whatever goes wrong before the text into a refusal: nothing was taken, so nothing is left open."""
    try:
        yield
    except ssl.SSLError:
        raise _Refused(Rejected("TLS_FAILED")) from None
    except smtplib.SMTPAuthenticationError:
        raise _Refused(Rejected("WRONG_PASSWORD")) from None
    except smtplib.SMTPResponseException as error:
        raise _Refused(_refused(error.smtp_code)) from None
    except (OSError, smtplib.SMTPException):
        raise _Refused(Retry(DEFAULT_RETRY_S, "NO_CONNECTION")) from None


def _require_ok(reply: tuple[int, bytes]) -> None:
    if reply[0] // 100 != 2:
        raise _Refused(_refused(reply[0]))


def _hand_over(smtp: smtplib.SMTP, raw: bytes) -> Outcome:
    """Give the text and return what came of it; without an answer nobody knows."""
    try:
        code, _ = smtp.data(raw)
    except smtplib.SMTPDataError as error:
        return _refused(error.smtp_code)
    except (OSError, smtplib.SMTPException) as error:
        return Unknown("TIMEOUT" if TimeoutError in {type(error), type(error.__context__)} else "REPLY_LOST")
    if code == 250:
        return Sent()
    return _refused(code) if 400 <= code < 600 else Unknown("REPLY_LOST")


def _refused(code: int) -> Outcome:
    return Retry(LATER_S, f"SMTP_{code}") if 400 <= code < 500 else Rejected(f"SMTP_{code}")


def _is_private(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return not is_public(host)
