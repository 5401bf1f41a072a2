"""Who listens to the live stream."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from shouwang.ui.answers import NotSignedIn, failure


@require_GET
def who(request: HttpRequest) -> HttpResponse:
    """Say which areas the listener hears of; 401 for nobody."""
    scope = getattr(request, "scope", None)
    if scope is None or "stream.read" not in scope.rights:
        return failure(NotSignedIn())
    return JsonResponse({"paths": list(scope.paths_for("stream.read")), "person": scope.person_id})
