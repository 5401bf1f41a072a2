"""A mail server on 127.0.0.1 that misbehaves as the contract's providers do; STARTTLS with a certificate made for these tests."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.environment import folder
from tests.notify.channels.contract import HOLD_S, Provider, Request

NAME = "mail.example.org"


@cache
def certificate() -> Path:
    """Make this run's own key and certificate, and return the file that holds both; it is gone after the run."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    begin = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(begin + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = Path(folder("shouwang-mail-")) / "server.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def trusting() -> ssl.SSLContext:
    """Return what a machine has that knows the certificate's maker."""
    return ssl.create_default_context(cafile=str(certificate()))


@dataclass
class Manners:
    """What the server offers, and the password it takes."""

    starttls: bool = False
    password: str = ""


class _Handler(socketserver.StreamRequestHandler):
    provider: ClassVar[Provider]
    manners: ClassVar[Manners]
    encrypted: ssl.SSLSocket | None = None

    def handle(self) -> None:
        self.said: dict[str, str] = {}
        self._say("220 mail.example.org")
        while line := self.rfile.readline().decode(errors="replace").strip():
            self.provider.requests.append(Request("SMTP", line, {}, b"")) if line.upper() == "DATA" else None
            if not self._answer(line):
                return

    def _answer(self, line: str) -> bool:
        word, behaviour = line.split(" ", 1)[0].upper(), self.provider.behaviour
        match word:
            case "EHLO":
                offers = [*(["STARTTLS"] if self.manners.starttls else []), *(["AUTH PLAIN"] if self.manners.password else [])]
                self._say(*(f"250-{each}" for each in ["mail.example.org", *offers]), "250 OK")
            case "STARTTLS":
                self._say("220 go")
                return self._encrypt()
            case "AUTH":
                self._say("235 ok" if self.manners.password in _plain(line) else "535 wrong")
            case "MAIL":
                self._say("250 OK")
            case "RCPT":
                self._say({"429": "451 later", "400": "550 no such mailbox", "redirect": "551 not here"}.get(behaviour, "250 OK"))
            case "DATA":
                return self._data()
            case _:
                self._say("221 bye")
                return False
        return True

    def _data(self) -> bool:
        self._say("354 go on")
        text = b""
        while not text.endswith(b"\r\n.\r\n"):
            text += self.rfile.readline()
        provider, request = self.provider, Request("SMTP", "DATA", {}, text)
        match provider.behaviour:
            case "500":
                self._say("554 refused")
            case "slow" | "timeout after accepting":
                if provider.behaviour != "slow":
                    provider.accepted.append(request)
                provider.released.wait(HOLD_S)
                return False
            case "reply lost":
                provider.accepted.append(request)
                return False
            case "half way":
                provider.accepted.append(request)
                self.wfile.write(b"25")
                return False
            case _:
                provider.accepted.append(request)
                status, body = provider.accept(request)
                self._say(f"{status} {body.decode()}")
        return True

    def _encrypt(self) -> bool:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate())
        try:
            self.request = context.wrap_socket(self.request, server_side=True)
        except OSError:
            return False
        self.encrypted = self.request
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)  # type: ignore[assignment]
        return True

    def finish(self) -> None:
        super().finish()
        if self.encrypted is not None:
            self.encrypted.close()

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing of a client that has gone away: that is what the tests do."""


@contextmanager
def serving(provider: Provider, manners: Manners) -> Iterator[Provider]:
    """Run the server while the test lasts."""
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"provider": provider, "manners": manners}))
    provider.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield provider
    finally:
        provider.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _plain(line: str) -> str:
    return base64.b64decode(line.rpartition(" ")[2]).decode()
