"""Pure rules of places: the tree, the working calendar, coordinate systems, settings, and what an imported row must be."""

from __future__ import annotations

from shouwang.places.rules.calendar import (
    Calendar,
    Working,
    add_working_days,
    add_working_time,
    is_provisional,
    is_working_day,
    working_days_between,
    working_time_between,
)
from shouwang.places.rules.coordinates import CoordinateSystem, from_wgs84, to_wgs84
from shouwang.places.rules.tree import LEVELS, ancestors, full_name, is_code, short_name, subtree

__all__ = [
    "LEVELS", "Calendar", "CoordinateSystem", "Working", "add_working_days", "add_working_time", "ancestors", "from_wgs84",
    "full_name", "is_code", "is_provisional", "is_working_day", "short_name", "subtree", "to_wgs84", "working_days_between",
    "working_time_between",
]
