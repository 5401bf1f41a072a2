"""Writes of places. Each is one transaction whose last statement appends its event.

Every change of the tree first takes the lock of commit order: a path is never built on a parent that is just moving.
The caller has checked the right `places.edit` or `settings.edit` at the place.
"""

from __future__ import annotations

from shouwang.places.actions.imports import (
    MAX_IMPORT_BYTES,
    Imported,
    Plan,
    import_divisions,
    import_outlines,
    load_liaocheng,
    plan_divisions,
    plan_outlines,
)
from shouwang.places.actions.settings import set_setting
from shouwang.places.actions.tree import add_area, move_area, rename_area, set_point

__all__ = [
    "MAX_IMPORT_BYTES", "Imported", "Plan", "add_area", "import_divisions", "import_outlines", "load_liaocheng", "move_area",
    "plan_divisions", "plan_outlines", "rename_area", "set_point", "set_setting",
]
