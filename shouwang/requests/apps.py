"""The requests room as a Django app; at the start it registers its words and the address its messages carry."""

from django.apps import AppConfig


class RequestsConfig(AppConfig):
    """Registers the tables, words, links and the setting of requests."""

    name = "shouwang.requests"
    label = "requests"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what the rooms below need to know of requests."""
        from shouwang.notify.rules import register, register_page, register_words  # noqa: PLC0415 - models load first
        from shouwang.places.registry import declare  # noqa: PLC0415
        from shouwang.requests.links import address_in_message  # noqa: PLC0415
        from shouwang.requests.rules.procedures import TEMPLATES, WORDS  # noqa: PLC0415
        from shouwang.requests.rules.promise import PROMISE  # noqa: PLC0415

        declare(PROMISE)
        register_words(WORDS)
        for code, text in TEMPLATES.items():
            register(code, text)
            register_page(code, address_in_message)
