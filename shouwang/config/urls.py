"""Root addresses: every room that has a `urls` module is mounted at the root, so a room's addresses live in the room."""

from __future__ import annotations

import importlib.util

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from shouwang.config.api import api, openapi
from shouwang.web.pages import api_docs

# What machines ask for comes first: it is asked for most often.
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/docs", api_docs.docs, {"openapi": openapi}, name="api_docs"),
    path("api/openapi.json", api_docs.openapi_json, {"openapi": openapi}, name="openapi"),
    path("api/", api.urls),
    *(path("", include(f"shouwang.{room}.urls")) for room in settings.ROOMS if importlib.util.find_spec(f"shouwang.{room}.urls")),
]
handler403 = "shouwang.ui.pages.forbidden"
handler404 = "shouwang.ui.pages.not_found"
handler500 = "shouwang.ui.pages.broken"
