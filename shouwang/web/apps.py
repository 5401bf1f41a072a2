"""The web room as a Django app; at the start it registers the main navigation, the search and its one setting."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Makes the room's templates known and registers the ways through the site; it has no tables."""

    name = "shouwang.web"
    label = "web"

    def ready(self) -> None:
        """Register the main navigation, the search, and which first steps an office does without; this room is the last to load."""
        from shouwang.kernel.collecting import collect_seldom  # noqa: PLC0415
        from shouwang.places.registry import declare  # noqa: PLC0415 - queries load after the models
        from shouwang.ui.navigation import offer_search, register  # noqa: PLC0415
        from shouwang.web.checklist import SKIPPED  # noqa: PLC0415
        from shouwang.web.navigation import SEARCH, WAYS  # noqa: PLC0415

        declare(SKIPPED)
        register(*WAYS)
        offer_search(SEARCH)
        collect_seldom()
