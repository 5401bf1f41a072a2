"""Telemetry as a Django app."""

from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    """Registers the tables of things, datastreams and observations."""

    name = "shouwang.telemetry"
    label = "telemetry"
    default_auto_field = "django.db.models.BigAutoField"
