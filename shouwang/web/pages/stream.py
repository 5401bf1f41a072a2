"""Who listens to the live stream: a person who is signed in, or an integration with a token."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from shouwang.journal.clock import clock
from shouwang.kernel.errors import Refused, ShouwangError
from shouwang.people.queries import scope_of_token
from shouwang.people.rules import Scope
from shouwang.ui.answers import NotSignedIn, TokenInvalid, answer, failure

CASES, PUSHES, READING = "stream.read", "push.read", "case.read"


@require_GET
def who(request: HttpRequest) -> HttpResponse:
    """Say what the listener hears: cases below which areas, how they stand below which, whose inbox, and inboxes of people below which.

    401 for nobody and for a dead token, 403 for a principal without a right to listen.
    """
    try:
        scope = _listener(request)
    except ShouwangError as error:
        return failure(error)
    return answer({
        "paths": scope.paths_for(CASES), "person": scope.person_id if scope.kind == "ACCOUNT" else None,
        "push_paths": scope.paths_for(PUSHES), "read_paths": scope.paths_for(READING),
    })


def _listener(request: HttpRequest) -> Scope:
    authorization = request.headers.get("Authorization", "")
    scope: Scope | None = _of_token(authorization) if authorization else getattr(request, "scope", None)
    if scope is None:
        raise NotSignedIn
    if not scope.rights & {CASES, PUSHES}:
        raise Refused(right=CASES)
    return scope


def _of_token(authorization: str) -> Scope:
    scheme, _, token = authorization.partition(" ")
    scope = scope_of_token(token.strip(), "INTEGRATION", clock().now()) if scheme.lower() == "bearer" else None
    if scope is None:
        raise TokenInvalid
    return scope
