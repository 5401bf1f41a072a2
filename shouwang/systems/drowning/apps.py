"""The drowning system as a Django app; at the start it registers its kinds of alerts and its words."""

from django.apps import AppConfig


class DrowningConfig(AppConfig):
    """Registers the tables, alert kinds, resolvers, settings and words of the system."""

    name = "shouwang.systems.drowning"
    label = "drowning"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what the rooms below need to know of this system."""
        from shouwang.alerts.registry import register_kind, register_resolver  # noqa: PLC0415 - models load first
        from shouwang.notify.rules import register, register_words  # noqa: PLC0415
        from shouwang.places.registry import declare  # noqa: PLC0415
        from shouwang.systems.drowning.queries import resolve_cameras, resolve_waters  # noqa: PLC0415
        from shouwang.systems.drowning.rules import KINDS, REASONS, hazards, parties, patrols  # noqa: PLC0415
        from shouwang.systems.drowning.rules.settings import ALL  # noqa: PLC0415

        for kind in KINDS:
            register_kind(kind)
        register_words({**REASONS, **hazards.WORDS, **parties.WORDS})
        for code, text in ((each.LATE, each.LATE_TEXT) for each in (hazards, parties, patrols)):
            register(code, text)
        for spec in ALL:
            declare(spec)
        register_resolver("water", resolve_waters)
        register_resolver("camera", resolve_cameras)
