"""The alerts room as a Django app."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """Registers the tables of alerts."""

    name = "shouwang.alerts"
    label = "alerts"
    default_auto_field = "django.db.models.BigAutoField"
