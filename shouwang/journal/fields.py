"""Column types every room uses: a moment as integer microseconds."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models

from shouwang.kernel.moments import from_us, to_us

if TYPE_CHECKING:
    _Base = models.BigIntegerField[datetime, datetime]
else:
    _Base = models.BigIntegerField


class MomentField(_Base):
    """A moment, stored as integer microseconds since 1970 UTC, seen as an aware datetime."""

    def from_db_value(self, value: int | None, *_: object) -> datetime | None:
        """Return the stored microseconds as a datetime."""
        return None if value is None else from_us(value)

    def to_python(self, value: Any) -> datetime | None:
        """Return `value` as a datetime."""
        if value is None or isinstance(value, datetime):
            return value
        return from_us(int(value))

    def get_prep_value(self, value: Any) -> int | None:
        """Return `value` as microseconds."""
        if value is None or isinstance(value, int):
            return value
        return to_us(value)
