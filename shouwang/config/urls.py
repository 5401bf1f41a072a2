"""Root addresses: every room that has a `urls` module is mounted at the root, so a room's addresses live in the room."""

from __future__ import annotations

import importlib.util

from django.conf import settings
from django.urls import include, path

urlpatterns = [
    path("", include(f"shouwang.{room}.urls")) for room in settings.ROOMS if importlib.util.find_spec(f"shouwang.{room}.urls")
]
handler403 = "shouwang.ui.pages.forbidden"
handler404 = "shouwang.ui.pages.not_found"
handler500 = "shouwang.ui.pages.broken"
