"""Triggers that note every change of every table, with its transaction: the reference of `promises_restore`.

A change is [number, transaction, table, I(nsert) or U(pdate) or D(elete), key, row as the database prints it].
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

AUDIT = "bench_audit"
BASE = "base"
_POSTGRES_FUNCTION = f"""
CREATE FUNCTION bench_note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE old_key text; new_key text;
BEGIN
  IF TG_OP <> 'INSERT' THEN old_key := (SELECT string_agg(to_jsonb(OLD) ->> k, ',') FROM unnest(TG_ARGV) k); END IF;
  IF TG_OP <> 'DELETE' THEN new_key := (SELECT string_agg(to_jsonb(NEW) ->> k, ',') FROM unnest(TG_ARGV) k); END IF;
  IF old_key IS NOT NULL AND old_key IS DISTINCT FROM new_key THEN
    INSERT INTO {AUDIT} (tx, tab, op, key) VALUES (txid_current()::text, TG_TABLE_NAME, 'D', old_key);
  END IF;
  IF new_key IS NOT NULL THEN
    INSERT INTO {AUDIT} (tx, tab, op, key, line) VALUES (txid_current()::text, TG_TABLE_NAME, left(TG_OP, 1), new_key, NEW::text);
  END IF;
  RETURN NULL;
END $$
"""


def begin() -> dict[str, Any]:
    """Note every row that is there, and from now on every change."""
    from django.db import connection, transaction

    tagged()
    receive()
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRES_FUNCTION)
        for table in _tables(cursor):
            key, line = _key_and_line(cursor, table, "t")
            cursor.execute(f"INSERT INTO {AUDIT} (tx, tab, op, key, line) SELECT '{BASE}', '{table}', 'I', {key}, {line} FROM \"{table}\" t")
            for statement in _triggers(cursor, table):
                cursor.execute(statement)
    return {}


def receive() -> dict[str, Any]:
    """Make the table of changes without any trigger: where a backup is restored."""
    from django.db import connection

    number = "bigserial PRIMARY KEY" if connection.vendor == "postgresql" else "INTEGER PRIMARY KEY AUTOINCREMENT"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {AUDIT} (id {number}, tx text, tab text, op text, key text, line text)")
    return {}


def tagged() -> None:
    """Let SQLite's triggers ask `bench_tx()` in which transaction they are; PostgreSQL knows it itself."""
    from django.db import connection
    from django.db.backends.signals import connection_created

    def tag(connection: Any, **_: Any) -> None:
        if connection.vendor != "sqlite":
            return
        at = {"number": 0, "inside": 0}

        def seen(sql: str) -> None:
            if sql.startswith("BEGIN"):
                at["number"] += 1
                at["inside"] = 1
            elif sql.startswith(("COMMIT", "ROLLBACK")) and "SAVEPOINT" not in sql.upper():
                at["inside"] = 0

        def transaction() -> str:
            if not at["inside"]:
                at["number"] += 1  # a statement of its own is a transaction of its own
            return f"{os.getpid()}-{id(at)}-{at['number']}"

        connection.connection.create_function("bench_tx", 0, transaction)
        connection.connection.set_trace_callback(seen)

    connection_created.connect(tag, weak=False)
    if connection.connection is not None:
        tag(connection)


def changes() -> dict[str, Any]:
    """Write the changes to a file and return its name."""
    return {"file": _written("changes", f"SELECT id, tx, tab, op, key, line FROM {AUDIT} ORDER BY id")}


def rows() -> dict[str, Any]:
    """Write every row of every table, as [table, key, row], to a file and return its name."""
    from django.db import connection

    with connection.cursor() as cursor:
        asked = []
        for table in _tables(cursor):
            key, line = _key_and_line(cursor, table, "t")
            asked.append(f"SELECT '{table}', {key}, {line} FROM \"{table}\" t")
    return {"file": _written("rows", *asked)}


def _written(name: str, *asked: str) -> str:
    from django.conf import settings
    from django.db import connection

    path = Path(settings.SHOUWANG_DATA_DIR) / f"{name}.jsonl"
    with path.open("w", encoding="utf-8") as out, connection.cursor() as cursor:
        for sql in asked:
            cursor.execute(sql)
            for row in cursor:
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
    return str(path)


def _tables(cursor: Any) -> list[str]:
    from django.db import connection

    return [name for name in sorted(connection.introspection.table_names(cursor)) if name != AUDIT]


def _key_and_line(cursor: Any, table: str, row: str) -> tuple[str, str]:
    """Return the SQL of a row's key and of the whole row, as the database prints them."""
    from django.db import connection

    if connection.vendor == "postgresql":
        return " || ',' || ".join(f'{row}."{name}"::text' for name in _key(cursor, table)), f"{row}::text"
    cursor.execute(f'PRAGMA table_info("{table}")')
    columns = [column[1] for column in cursor.fetchall()]
    return (
        " || ',' || ".join(f'CAST({row}."{name}" AS TEXT)' for name in _key(cursor, table)),
        " || ',' || ".join(f'quote({row}."{name}")' for name in columns),
    )


def _key(cursor: Any, table: str) -> list[str]:
    from django.db import connection

    return list(connection.introspection.get_primary_key_columns(cursor, table) or ())


def _triggers(cursor: Any, table: str) -> Iterator[str]:
    from django.db import connection

    if connection.vendor == "postgresql":
        names = ", ".join(f"'{name}'" for name in _key(cursor, table))
        yield f'CREATE TRIGGER bench_note AFTER INSERT OR UPDATE OR DELETE ON "{table}" FOR EACH ROW EXECUTE FUNCTION bench_note({names})'
        return
    (new_key, new_line), (old_key, _) = _key_and_line(cursor, table, "NEW"), _key_and_line(cursor, table, "OLD")
    note = f"INSERT INTO {AUDIT} (tx, tab, op, key, line)"
    added = f"{note} VALUES (bench_tx(), '{table}', '%s', {new_key}, {new_line});"
    moved = f"{note} SELECT bench_tx(), '{table}', 'D', {old_key}, NULL WHERE {old_key} <> {new_key};"
    ended = f"{note} VALUES (bench_tx(), '{table}', 'D', {old_key}, NULL);"
    for word, body in (("INSERT", added % "I"), ("UPDATE", moved + added % "U"), ("DELETE", ended)):
        yield f'CREATE TRIGGER bench_{word.lower()}_{table} AFTER {word} ON "{table}" BEGIN {body} END'
