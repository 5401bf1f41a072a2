"""The places room as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class PlacesConfig(AppConfig):
    """Registers the tables of places."""

    name = "shouwang.places"
    label = "places"
    default_auto_field = "django.db.models.BigAutoField"
