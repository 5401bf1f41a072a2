"""The notify room as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class NotifyConfig(AppConfig):
    """Registers the outbox, the channels by which persons are reached, and what areas may set of them."""

    name = "shouwang.notify"
    label = "notify"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tell the rooms below which channels there are."""
        from shouwang.notify.queries.own_texts import specs  # noqa: PLC0415
        from shouwang.notify.queries.reaching import RING_MINUTES, RING_RED_MINUTES  # noqa: PLC0415 - models load first
        from shouwang.notify.queries.sounding import CHECK_HOUR  # noqa: PLC0415
        from shouwang.notify.registry import manifests  # noqa: PLC0415
        from shouwang.people.rules.codes import register_channels  # noqa: PLC0415
        from shouwang.places.registry import declare  # noqa: PLC0415

        register_channels({code: manifest.short or manifest.name for code, manifest in manifests().items()})
        declare(RING_MINUTES)
        declare(RING_RED_MINUTES)
        declare(CHECK_HOUR)
        for spec in specs():
            declare(spec)
