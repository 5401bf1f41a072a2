"""Rows in bulk: insert, amend, remove, number, without the ORM."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from django.db import connection, models

from shouwang.journal.sql import is_postgres, is_together, run, run_many

FEW = 16


def put(model: type[models.Model], columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert `rows` of database values into `columns` (database names) of the model's table.

    Runs inside the caller's transaction; executemany on SQLite, COPY on PostgreSQL (one INSERT for a few rows or inside
    `together`). Values are stored as given: moments as microseconds, JSON as text.
    """
    if not rows:
        return
    if len(rows) == 1:
        run(_insert(model, columns, 1), rows[0])
    elif not is_postgres():
        run_many(_insert(model, columns, 1), rows)
    elif len(rows) <= FEW or is_together():
        run(_insert(model, columns, len(rows)), list(chain.from_iterable(rows)))
    else:
        _copy(model, columns, rows)


def _copy(model: type[models.Model], columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(_copy_into(model, columns)) as copy:
        for row in rows:
            copy.write_row(row)


def amend(model: type[models.Model], pk: int, **columns: Any) -> None:
    """Set `columns` (database names and values) of one row inside the caller's transaction."""
    run(_update(model, tuple(columns)), (*columns.values(), pk))


def remove(model: type[models.Model], pks: Collection[int]) -> None:
    """Delete the rows with these primary keys inside the caller's transaction."""
    key = connection.ops.quote_name(str(model._meta.pk.column))  # noqa: SLF001 - Django's own name for it
    if pks and is_postgres():
        run(f"DELETE FROM {_table(model)} WHERE {key} = ANY(%s::bigint[])", (list(pks),))  # noqa: S608 - names come from the model
    elif pks:
        run_many(f"DELETE FROM {_table(model)} WHERE {key} = %s", [(pk,) for pk in pks])  # noqa: S608 - names come from the model


def reserve_ids(model: type[models.Model], count: int) -> Sequence[int]:
    """Return `count` fresh ids of the model's table, ascending; they are spent even if no row follows.

    Must run inside a transaction: on SQLite the gate makes the numbering safe.
    """
    if count == 0:
        return ()
    table = model._meta.db_table  # noqa: SLF001
    if is_postgres():
        found = run("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", (table, count))
        return [row[0] for row in found.fetchall()]
    if run("UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s", (count, table)).rowcount == 0:
        run("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", (table, count))
    (last,) = run("SELECT seq FROM sqlite_sequence WHERE name = %s", (table,)).fetchone()
    return range(last - count + 1, last + 1)


@lru_cache(maxsize=256)
def _insert(model: type[models.Model], columns: tuple[str, ...], rows: int) -> str:
    places = f"({', '.join(['%s'] * len(columns))})"
    return f"INSERT INTO {_into(model, columns)} VALUES {', '.join([places] * rows)}"  # noqa: S608 - names come from the model


@lru_cache(maxsize=256)
def _copy_into(model: type[models.Model], columns: tuple[str, ...]) -> str:
    return f"COPY {_into(model, columns)} FROM STDIN"


@lru_cache(maxsize=256)
def _update(model: type[models.Model], columns: tuple[str, ...]) -> str:
    changes = ", ".join(f"{connection.ops.quote_name(column)} = %s" for column in columns)
    return f"UPDATE {_table(model)} SET {changes} WHERE id = %s"  # noqa: S608 - names come from the code


def _into(model: type[models.Model], columns: tuple[str, ...]) -> str:
    return f"{_table(model)} ({', '.join(connection.ops.quote_name(column) for column in columns)})"


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)  # noqa: SLF001 - Django's own name for it
