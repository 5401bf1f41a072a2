"""The watch as a Django app."""

from django.apps import AppConfig


class WatchConfig(AppConfig):
    """Registers the tables of the watch."""

    name = "shouwang.watch"
    label = "watch"
    default_auto_field = "django.db.models.BigAutoField"
