"""Readings from files: look first, then import; every bad row is listed with what was found and what was expected."""

from shouwang.telemetry.sources.file.load import ImportResult, Preview, import_file, preview
from shouwang.telemetry.sources.file.read import BadRow, Sheet, read

__all__ = ["BadRow", "ImportResult", "Preview", "Sheet", "import_file", "preview", "read"]
