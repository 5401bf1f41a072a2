"""The notify room as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class NotifyConfig(AppConfig):
    """Registers the outbox."""

    name = "shouwang.notify"
    label = "notify"
    default_auto_field = "django.db.models.BigAutoField"
