"""The living-alone system as a Django app; at the start it registers its kinds of alerts and its words."""

from django.apps import AppConfig


class LivingAloneConfig(AppConfig):
    """Registers the tables, alert kinds, resolver and words of the system."""

    name = "shouwang.systems.living_alone"
    label = "living_alone"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what the rooms below need to know of this system."""
        from shouwang.alerts.registry import register_kind, register_resolver  # noqa: PLC0415 - models load first
        from shouwang.cases.registry import register_facts  # noqa: PLC0415
        from shouwang.notify.rules import register_words  # noqa: PLC0415
        from shouwang.places.registry import declare  # noqa: PLC0415
        from shouwang.systems.living_alone.queries import facts_now, resolve_datastreams  # noqa: PLC0415
        from shouwang.systems.living_alone.rules import KINDS, RATES, REASONS, SAID, SYSTEM  # noqa: PLC0415
        from shouwang.systems.living_alone.rules.hospital import FORCED_ENTRY, HOSPITAL  # noqa: PLC0415

        for kind in KINDS:
            register_kind(kind)
        register_words({**REASONS, **RATES, **SAID})
        register_facts(SYSTEM, facts_now)
        declare(HOSPITAL)
        declare(FORCED_ENTRY)
        register_resolver("datastream", resolve_datastreams)
