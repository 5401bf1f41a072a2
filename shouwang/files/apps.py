"""The files room as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class FilesConfig(AppConfig):
    """Registers the table of files."""

    name = "shouwang.files"
    label = "files"
    default_auto_field = "django.db.models.BigAutoField"
