"""The little of SIP (RFC 3261) that alarms of GB/T 28181 need: requests in, answers out. Pure."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shouwang.telemetry.cameras import digest
from shouwang.telemetry.cameras.family import Camera

MESSAGE_BYTES = 64 * 1024
HEADERS_MOST = 100
REMEMBERED = 1_000
REMEMBERED_S = 32.0
"""How long the other side may send the same request again (timer F)."""
COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type"}
COPIED = (("via", "Via"), ("from", "From"), ("to", "To"), ("call-id", "Call-ID"), ("cseq", "CSeq"))
REASONS = {
    200: "OK", 401: "Unauthorized", 403: "Forbidden", 400: "Bad Request", 405: "Method Not Allowed", 503: "Service Unavailable",
}
_USER = re.compile(r"<?sips?:([^@;>\s]{1,64})@", re.IGNORECASE)
_TAG = re.compile(r";\s*tag=", re.IGNORECASE)
_EXPIRES = re.compile(r";\s*expires=(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """One request: headers in the order they came, names in lower case and long."""

    method: str
    uri: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """Return the first header of this name, empty for none."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def device(self) -> str:
        """Return who sends, as From says."""
        found = _USER.search(self.header("from"))
        return found.group(1) if found else ""

    @property
    def transaction(self) -> tuple[str, str, str]:
        """Return what a request that is sent again has in common with the first."""
        return self.header("via"), self.header("call-id"), self.header("cseq")


def split(buffer: bytes) -> tuple[bytes | None, bytes]:
    """Return the first whole message of a TCP stream, None while it has not come, and the rest. Raises ValueError past the limits."""
    buffer = buffer.lstrip(b"\r\n")
    head, mark, rest = buffer.partition(b"\r\n\r\n")
    if not mark:
        if len(buffer) > MESSAGE_BYTES:
            raise ValueError(f"headers of over {MESSAGE_BYTES} B")
        return None, buffer
    length = content_length(head)
    if length > MESSAGE_BYTES or len(head) > MESSAGE_BYTES:
        raise ValueError(f"a message of over {MESSAGE_BYTES} B")
    if len(rest) < length:
        return None, buffer
    return head + mark + rest[:length], rest[length:]


def content_length(head: bytes) -> int:
    """Return the declared length of the body, 0 where none is."""
    found = re.search(rb"^(?:content-length|l)\s*:\s*(\d{1,9})\s*$", head, re.IGNORECASE | re.MULTILINE)
    return int(found.group(1)) if found else 0


def read_request(data: bytes) -> Request | None:
    """Return the request in a message, None for an answer or for what is no SIP."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "replace").lstrip("\r\n").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or words[2] != "SIP/2.0" or not words[0].isalpha():
        return None
    pairs = (line.partition(":") for line in lines[1 : HEADERS_MOST + 1])
    headers = [(COMPACT.get(name.strip().lower(), name.strip().lower()), value.strip()) for name, colon, value in pairs if colon]
    length = content_length(head)
    return Request(words[0].upper(), words[1], headers, body[:length] if length else body)


def answer(request: Request, status: int, *, tag: str, extra: Sequence[tuple[str, str]] = ()) -> bytes:
    """Return an answer to a request, with what it must repeat of it."""
    lines = [f"SIP/2.0 {status} {REASONS[status]}"]
    for name, shown in COPIED:
        mark = f";tag={tag}" if name == "to" and not _TAG.search(request.header("to")) else ""
        lines += [f"{shown}: {value}{mark}" for key, value in request.headers if key == name]
    lines += [f"{name}: {value}" for name, value in extra]
    return ("\r\n".join([*lines, "Content-Length: 0", "", ""])).encode("utf-8", "replace")


def message(body: bytes, *, to: str, me: str, at: str, transport: str, number: int, tag: str) -> bytes:
    """Return a MESSAGE of our own with a MANSCDP body; `at` is our host and port, `number` counts them."""
    realm = me[:10]
    lines = (
        f"MESSAGE sip:{to}@{realm} SIP/2.0", f"Via: SIP/2.0/{transport} {at};rport;branch=z9hG4bK{tag}{number}", f"From: <sip:{me}@{realm}>;tag={tag}",
        f"To: <sip:{to}@{realm}>", f"Call-ID: {tag}{number}@{at.partition(':')[0]}", f"CSeq: {number} MESSAGE", "Max-Forwards: 70",
        "Content-Type: Application/MANSCDP+xml", f"Content-Length: {len(body)}", "", "",
    )
    return "\r\n".join(lines).encode() + body


@dataclass(frozen=True)
class Step:
    """What follows from a request: an answer that can be given at once, or a device's notice that must be kept first."""

    reply: bytes | None = None
    device: str = ""
    body: bytes = b""


@dataclass
class Desk:
    """Who has registered from where, until when. Devices that send without having registered are refused: they register then."""

    devices: Mapping[str, Camera]
    realm: str
    secret: str
    expires_s: int
    _here: dict[str, tuple[str, float]] = field(default_factory=dict)
    _done: OrderedDict[tuple[str, ...], tuple[float, bytes | None]] = field(default_factory=OrderedDict)

    def hear(self, request: Request, *, host: str, at_s: float) -> Step | None:
        """Return what follows from a request, None for one that is in work already or needs no answer."""
        key = (host, *request.transaction)
        known = self._done.get(key)
        if request.method == "ACK" or (known is not None and at_s - known[0] < REMEMBERED_S):
            return Step(known[1]) if known is not None and known[1] else None
        step = self._step(request, host=host, at_s=at_s)
        self._remember(key, step.reply, at_s=at_s)
        return step

    def _step(self, request: Request, *, host: str, at_s: float) -> Step:
        if request.method == "REGISTER":
            return Step(self._register(request, host, at_s))
        if request.method == "OPTIONS":
            return Step(answer(request, 200, tag=self._tag(request)))
        if request.method not in {"MESSAGE", "NOTIFY"}:
            return Step(answer(request, 405, tag=self._tag(request), extra=[("Allow", "REGISTER, MESSAGE, NOTIFY, OPTIONS")]))
        if not self.is_here(request.device, host=host, at_s=at_s):
            return Step(answer(request, 403, tag=self._tag(request)))
        return Step(device=request.device, body=request.body)

    def settle(self, request: Request, status: int, *, host: str, at_s: float) -> bytes:
        """Return the answer to a notice, which is given again when it is sent again."""
        reply = answer(request, status, tag=self._tag(request))
        if status == 200:
            self._remember((host, *request.transaction), reply, at_s=at_s)
        else:
            self._done.pop((host, *request.transaction), None)
        return reply

    def is_here(self, device: str, *, host: str, at_s: float) -> bool:
        """Return whether a device has registered from this host and is still."""
        where = self._here.get(device)
        return where is not None and where[0] == host and at_s < where[1]

    def _register(self, request: Request, host: str, at_s: float) -> bytes:
        camera, given = self.devices.get(request.device), digest.read_answer(request.header("authorization"))
        if camera is None:
            return answer(request, 403, tag=self._tag(request))
        is_right = given is not None and given.username == request.device and digest.is_right(
            given, password=camera.password, method="REGISTER", uri=given.uri, secret=self.secret, at_s=at_s, realm=self.realm,
        )
        if not is_right:
            asked = digest.challenge(self.secret, at_s=at_s, realm=self.realm, qop="")
            return answer(request, 401, tag=self._tag(request), extra=[("WWW-Authenticate", asked)])
        expires_s = self._expires(request)
        if expires_s:
            self._here[request.device] = (host, at_s + expires_s)
        else:
            self._here.pop(request.device, None)
        date = datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.000")
        return answer(request, 200, tag=self._tag(request), extra=[("Contact", request.header("contact")), ("Expires", str(expires_s)), ("Date", date)])

    def _expires(self, request: Request) -> int:
        said = _EXPIRES.search(request.header("contact"))
        value = said.group(1) if said else request.header("expires")
        return min(int(value), self.expires_s) if value.isascii() and value.isdigit() and len(value) < 10 else self.expires_s

    def _remember(self, key: tuple[str, ...], reply: bytes | None, *, at_s: float) -> None:
        self._done[key] = (at_s, reply)
        self._done.move_to_end(key)
        while len(self._done) > REMEMBERED:
            self._done.popitem(last=False)

    def _tag(self, request: Request) -> str:
        return digest.make_nonce(self.secret + request.header("call-id"), at_s=0)[:16]
