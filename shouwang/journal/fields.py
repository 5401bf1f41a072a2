"""Column types every room uses: a moment as integer microseconds, a path of area ids."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic

from django.db import models
from typing_extensions import TypeVar

from shouwang.kernel.moments import from_us, to_us

_Set = TypeVar("_Set", default=Any)
_Get = TypeVar("_Get", default=Any)

if TYPE_CHECKING:

    _Text = models.CharField[str, str]

    class _WholeNumber(models.BigIntegerField[_Set, _Get], Generic[_Set, _Get]):
        """A whole number in the table, a moment to Python: what the types of models are read from."""

        _pyi_private_set_type: datetime  # type: ignore[assignment]
        _pyi_private_get_type: datetime  # type: ignore[assignment]
        _pyi_lookup_exact_type: datetime  # type: ignore[assignment]

else:
    _Text = models.CharField

    class _WholeNumber(models.BigIntegerField):
        """A whole number in the table."""

        def __class_getitem__(cls, _: object) -> type:
            return cls


class MomentField(_WholeNumber[_Set, _Get]):
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


class RowNumberField(models.BigIntegerField[int, int] if TYPE_CHECKING else models.BigIntegerField):  # type: ignore[misc]
    """A given number that is the primary key; on SQLite the table itself is ordered by it, with no index beside."""

    def db_type(self, connection: Any) -> str:
        """Return the column's type: only "integer" makes a key the order of a SQLite table."""
        return "integer" if connection.vendor == "sqlite" else "bigint"


class PathField(_Text):
    """A path of area ids ("/1/5/77/"), compared byte by byte on every database, so that a subtree is one range."""

    def db_parameters(self, connection: Any) -> Any:
        """Return the column's parameters, with C collation on PostgreSQL; SQLite compares bytes anyway."""
        parameters = super().db_parameters(connection)
        return {**parameters, "collation": "C" if connection.vendor == "postgresql" else None}
