"""The indicators room as a Django app."""

from django.apps import AppConfig


class IndicatorsConfig(AppConfig):
    """Registers the tables of the figures."""

    name = "shouwang.indicators"
    label = "indicators"
    default_auto_field = "django.db.models.BigAutoField"
