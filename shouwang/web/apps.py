"""The web room as a Django app."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Makes the room's templates known; it has no tables."""

    name = "shouwang.web"
    label = "web"
