"""The room of what everyone sees: tokens, base pages, parts, lists and browser modules."""

from __future__ import annotations

from django.apps import AppConfig


class UiConfig(AppConfig):
    """The ui room; it holds no tables."""

    name = "shouwang.ui"
    label = "ui"
    default_auto_field = "django.db.models.BigAutoField"
