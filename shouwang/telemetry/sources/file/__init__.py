"""Readings from files: look first, then import; every bad row is listed with what was found and what was expected."""

from shouwang.telemetry.sources.file.load import (
    ImportResult,
    Portion,
    Preview,
    bad_rows,
    how_many,
    import_file,
    import_portion,
    note_import,
    preview,
    write_bad_rows,
)
from shouwang.telemetry.sources.file.read import MAX_ROWS, BadRow, Sheet, read

__all__ = [
    "MAX_ROWS", "BadRow", "ImportResult", "Portion", "Preview", "Sheet", "bad_rows", "how_many", "import_file", "import_portion",
    "note_import", "preview", "read", "write_bad_rows",
]
