"""The web room as a Django app; at the start it registers the main navigation and the search."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Makes the room's templates known and registers the ways through the site; it has no tables."""

    name = "shouwang.web"
    label = "web"

    def ready(self) -> None:
        """Register the main navigation and the search."""
        from shouwang.ui.navigation import offer_search, register  # noqa: PLC0415 - queries load after the models
        from shouwang.web.navigation import SEARCH, WAYS  # noqa: PLC0415

        register(*WAYS)
        offer_search(SEARCH)
