"""The description of the JSON interface: as a file for programs, and as a page for those who write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from shouwang.ui.reader import reader
from shouwang.web.openapi import operations

OpenAPI = Callable[[], dict[str, Any]]


@require_GET
def docs(request: HttpRequest, openapi: OpenAPI) -> HttpResponse:
    """Show every operation, in the reader's language; anybody may read it, it holds nothing of this office."""
    said, language = openapi(), reader(request).language
    shown = operations(said, language=language, address=settings.SHOUWANG_ADDRESS)
    about = said["info"]["x-zh"]["description"] if language == "zh" else said["info"]["description"]
    return render(request, "web/api_docs.html", {"operations": shown, "about": about, "version": said["info"]["version"]})


@require_GET
def openapi_json(request: HttpRequest, openapi: OpenAPI) -> HttpResponse:
    """Give the OpenAPI file."""
    del request
    return JsonResponse(openapi(), json_dumps_params={"ensure_ascii": False})
