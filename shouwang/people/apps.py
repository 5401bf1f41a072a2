"""The people room as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """Registers the tables of people."""

    name = "shouwang.people"
    label = "people"
    default_auto_field = "django.db.models.BigAutoField"
