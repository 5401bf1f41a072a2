"""Turns an error of ours into a page or JSON that says what to do."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from shouwang.kernel.errors import ShouwangError


class SayWhatIsWrong:
    """Answers a ShouwangError that a page let pass with its own status and message."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the answer to an error of ours; leave others to Django."""
        if not isinstance(exception, ShouwangError):
            return None
        language = str(getattr(request, "language", "zh"))
        text = exception.text(language)
        if request.path.startswith("/api/"):
            return JsonResponse({"error": exception.code, "detail": text}, status=exception.status)
        return render(request, "web/problem.html", {"problem": text}, status=exception.status)
