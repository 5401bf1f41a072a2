"""The activities room as a Django app; at the start it registers the words of its matters."""

from django.apps import AppConfig


class ActivitiesConfig(AppConfig):
    """Registers the tables of activities and the reasons of their cases."""

    name = "shouwang.activities"
    label = "activities"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what the rooms below need to know of activities."""
        from shouwang.activities.queries.catalogue import matters  # noqa: PLC0415 - models load first
        from shouwang.activities.rules.procedures import words  # noqa: PLC0415
        from shouwang.notify.rules import register_words  # noqa: PLC0415

        register_words(words(matters()))
