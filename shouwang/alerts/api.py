"""Alerts from other systems: batches of at most 500, answered 200 only after the commit."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from shouwang.alerts.actions import take_findings
from shouwang.alerts.rules import FoundFinding
from shouwang.journal.clock import clock
from shouwang.kernel.moments import to_us
from shouwang.people.queries import scope_of_token


class Incoming(msgspec.Struct, forbid_unknown_fields=True):
    """One alert as another system sends it; the same (kind, subject) while open is the same alert."""

    kind: str
    subject_kind: str
    subject_id: int
    severity: Literal[1, 2, 3, 4]
    reason: str
    params: dict[str, Any] = {}


class Batch(msgspec.Struct, forbid_unknown_fields=True):
    """What is posted."""

    alerts: list[Incoming]


_decoder = msgspec.json.Decoder(Batch)


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Take a batch of alerts; 401 without a valid token, 422 with the field that is wrong, 200 after the commit."""
    now = clock().now()
    token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    scope = scope_of_token(token, "INTEGRATION", now)
    if scope is None or "alerts.write" not in scope.rights:
        return JsonResponse({"error": "TokenInvalid", "detail": "令牌无效 / the token is not valid"}, status=401)
    try:
        batch = _decoder.decode(request.body)
    except msgspec.DecodeError as error:
        return JsonResponse({"error": "BodyInvalid", "detail": str(error)}, status=422)
    now_us = to_us(now)
    findings = [
        FoundFinding(each.kind, each.subject_kind, each.subject_id, now_us, "OPEN", each.severity, now_us, each.reason, each.params)
        for each in batch.alerts
    ]
    opened = take_findings(findings, now=now)
    return JsonResponse({"accepted": len(findings), "opened": len(opened)})
