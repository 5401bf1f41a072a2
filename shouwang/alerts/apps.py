"""The alerts room as a Django app."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """Registers the tables of alerts."""

    name = "shouwang.alerts"
    label = "alerts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let an alert be about an area."""
        from shouwang.alerts.queries import resolve_areas  # noqa: PLC0415 - models load first
        from shouwang.alerts.registry import register_resolver  # noqa: PLC0415

        register_resolver("area", resolve_areas)
