"""Rows that keep the path of an area follow it when it is moved."""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Concat, Length, Substr


def move_paths(rows: QuerySet[Any], *, old: str, new: str) -> int:
    """Give the rows at or below the path `old` their path below `new`; return how many there were."""
    inside = rows.filter(path__gte=old, path__lt=old[:-1] + "0")
    return inside.update(path=Concat(Value(new), Substr(F("path"), Length(Value(old)) + 1)))
