"""`POST /api/v1/readings`: a plain view, for speed. It reads the token and the bytes; `sources.http` does the rest."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from shouwang.journal.clock import clock
from shouwang.people.queries import scope_of_token
from shouwang.people.rules import Scope
from shouwang.telemetry.sources.http import MAX_BODY_BYTES, Response, receive
from shouwang.telemetry.sources.http.receive import too_large

_encode = msgspec.json.Encoder().encode


@csrf_exempt
@require_POST
def readings(request: HttpRequest) -> HttpResponse:
    """Store a batch of readings; answers 200 only after the commit."""
    now = clock().now()
    said = request.headers.get("Content-Length", "")
    if said.isdecimal() and int(said) > MAX_BODY_BYTES:
        return _answer(too_large(int(said)))
    scope = scope_of(request.headers.get("Authorization", ""), now=now)
    return _answer(receive(request.read(MAX_BODY_BYTES + 1) if scope else b"", scope, now=now))


def _answer(response: Response) -> HttpResponse:
    answer = HttpResponse(_encode(response.body), status=response.status, content_type="application/json")
    if response.status == 401:
        answer["WWW-Authenticate"] = 'Bearer realm="shouwang"'
    if response.status == 503:
        answer["Retry-After"] = "5"
    return answer


def scope_of(authorization: str, *, now: datetime) -> Scope | None:
    """Return what an Authorization header allows: `Bearer TOKEN`, or Basic with device id and token; None if not valid."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        token = rest.strip()
        return scope_of_token(token, "DEVICE", now) or scope_of_token(token, "INTEGRATION", now)
    if scheme.lower() == "basic":
        device, _, token = _basic(rest).partition(":")
        scope = scope_of_token(token, "DEVICE", now) if token else None
        return scope if scope is not None and scope.subject == device else None
    return None


def _basic(encoded: str) -> str:
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""
