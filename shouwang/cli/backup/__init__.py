"""`shouwang backup` and `shouwang restore`: database and uploaded files into one file, and back into an empty place.

The file is a zip: `manifest.json`, the database as `database.sqlite3` or `tables/NAME.copy`, and `files/SHA256`.
"""

from __future__ import annotations

from shouwang.cli.backup.archive import Done, sum_file, sum_of
from shouwang.cli.backup.commands import back_up, restore_from

__all__ = ["Done", "back_up", "restore_from", "sum_file", "sum_of"]
