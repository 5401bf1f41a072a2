"""The cases room as a Django app."""

from django.apps import AppConfig


class CasesConfig(AppConfig):
    """Registers the tables of cases."""

    name = "shouwang.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let messages about a task carry the link that opens it, and those to a group the one that asks to sign in."""
        from shouwang.cases.links import address_of_task, address_of_tasks  # noqa: PLC0415 - settings must be ready
        from shouwang.notify.rules import register_home, register_link, register_words  # noqa: PLC0415
        from shouwang.people.rules import ROLES  # noqa: PLC0415

        register_link(address_of_task)
        register_words({f"ROLE_{code}": title for code, title in ROLES.items()})
        register_home(address_of_tasks)
