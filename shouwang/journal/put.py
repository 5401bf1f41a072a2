"""Rows in bulk: one of the five places that speak SQL themselves, because the ORM is five times slower there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, models


def put(model: type[models.Model], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert `rows` of database values into `columns` (database names) of the model's table.

    Runs inside the caller's transaction; executemany on SQLite, COPY on PostgreSQL. Values are stored as given: moments
    as microseconds, JSON as text.
    """
    if not rows:
        return
    table = connection.ops.quote_name(model._meta.db_table)  # noqa: SLF001 - Django's own name for it
    names = ", ".join(connection.ops.quote_name(column) for column in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        places = ", ".join(["%s"] * len(columns))
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)  # noqa: S608 - names come from the model


def amend(model: type[models.Model], pk: int, **columns: Any) -> None:
    """Set `columns` (database names and values) of one row inside the caller's transaction."""
    table = connection.ops.quote_name(model._meta.db_table)  # noqa: SLF001
    changes = ", ".join(f"{connection.ops.quote_name(column)} = %s" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {changes} WHERE id = %s", [*columns.values(), pk])  # noqa: S608 - names come from the code


def reserve_ids(model: type[models.Model], count: int) -> Sequence[int]:
    """Return `count` fresh ids of the model's table, ascending; they are spent even if no row follows.

    Must run inside a transaction: on SQLite the gate makes the numbering safe.
    """
    if count == 0:
        return ()
    table = model._meta.db_table  # noqa: SLF001
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count])
            return [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        found = cursor.fetchone()
        last = found[0] if found else 0
        if found:
            cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s", [last + count, table])
        else:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, count])
        return range(last + 1, last + count + 1)
