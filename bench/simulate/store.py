"""An empty database for every run: in memory on SQLite, truncated on PostgreSQL; and a process that remembers nothing.

Durability is what `make faults` measures. Here a commit is kept or rolled back as a whole, which is all that the
simulator's faults ask of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from copy import deepcopy
from typing import TypeVar

from django.db import connection

from shouwang.journal.sql import here

Made = TypeVar("Made")
_KEPT_TABLES = ("django_migrations", "django_content_type", "auth_permission")
_kept: dict[tuple[int, int], tuple[sqlite3.Connection, object]] = {}


def fresh(variant: int, *, days: int, make: Callable[[], Made]) -> Made:
    """Empty the database, let `make` fill it, and return what that returned; a SQLite one that was made before is copied."""
    forget()
    connection.ensure_connection()
    key = (variant, days)
    if connection.vendor == "sqlite" and key in _kept:
        template, made = _kept[key]
        template.backup(connection.connection)
        return deepcopy(made)  # type: ignore[return-value]
    _empty()
    made_now = make()
    if connection.vendor == "sqlite":
        template = sqlite3.connect(":memory:", check_same_thread=False)
        connection.connection.backup(template)
        _kept[key] = (template, deepcopy(made_now))
    forget()
    return made_now


def _empty() -> None:
    tables = [name for name in connection.introspection.django_table_names(only_existing=True) if name not in _KEPT_TABLES]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA foreign_keys = OFF")
            for table in tables:
                cursor.execute(f'DELETE FROM "{table}"')
            cursor.execute("DELETE FROM sqlite_sequence")
            cursor.execute("PRAGMA foreign_keys = ON")
        return
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(connection.ops.quote_name(table) for table in tables)} RESTART IDENTITY CASCADE")


def forget() -> None:
    """Forget what this process remembers of the database, as a process that has just started."""
    from shouwang.cases import queries as cases
    from shouwang.notify import queries as notify
    from shouwang.people.queries import roster, scopes
    from shouwang.places import queries as places
    from shouwang.telemetry import queries as telemetry

    cases.forget()
    notify.forget()
    roster.forget()
    scopes.forget_tokens()
    places.forget()
    telemetry.forget()


def rows(statement: str, params: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Return the rows of one statement: the simulator's own reads, apart from the product's."""
    wrapper = here()
    if wrapper.vendor == "sqlite" and wrapper.connection is not None:
        return wrapper.connection.execute(statement.replace("%s", "?"), params).fetchall()  # type: ignore[no-any-return]
    with wrapper.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()
