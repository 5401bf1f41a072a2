"""The cases room as a Django app."""

from django.apps import AppConfig


class CasesConfig(AppConfig):
    """Registers the tables of cases."""

    name = "shouwang.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"
