"""PostgreSQL in a backup: read with COPY in one snapshot while others write, and restored in one transaction."""

from __future__ import annotations

import zipfile
from datetime import datetime
from typing import Any

from shouwang.cli.backup.archive import (
    CHUNK,
    FILLED_BY_MIGRATE,
    FORMAT,
    MIGRATIONS,
    Manifest,
    Report,
    Sequence,
    Table,
    check_migrations,
    compare,
    count,
)
from shouwang.cli.backup.content import ROWS, write_content

KIND = "POSTGRESQL"


def write_postgresql(archive: zipfile.ZipFile, *, now: datetime, report: Report) -> Manifest:
    """Write every table and the files it names into `archive`, all of one snapshot."""
    from django.db import connection, transaction  # noqa: PLC0415 - needs Django started

    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        names = sorted(connection.introspection.table_names(cursor))
        tables = {name: Table(_columns(cursor, name), count(cursor, name)) for name in names}
        for number, (name, table) in enumerate(tables.items(), 1):
            _copy_out(cursor, archive, name, table)
            report(number, len(tables) + 1)
        cursor.execute(ROWS)
        files, lost = write_content(archive, cursor.fetchall(), now=now)
        cursor.execute(f"SELECT app, name FROM {MIGRATIONS} ORDER BY id")  # noqa: S608 - a constant
        manifest = Manifest(FORMAT, KIND, now, cursor.fetchall(), tables, _sequences(cursor), files, lost)
    report(len(tables) + 1, len(tables) + 1)
    return manifest


def read_postgresql(archive: zipfile.ZipFile, manifest: Manifest, *, report: Report) -> int:
    """Fill the database in use from a backup and return the length of the checked log.

    Raises OtherVersion, RestoreDiffers, LogBroken; nothing is kept then.
    """
    from django.db import connection, transaction  # noqa: PLC0415 - needs Django started

    from shouwang.journal.queries import verify  # noqa: PLC0415

    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(f"SELECT app, name FROM {MIGRATIONS}")  # noqa: S608 - a constant
        check_migrations(manifest.migrations, set(cursor.fetchall()))
        _load(cursor, archive, manifest, report=report)
        return verify()


def _columns(cursor: Any, table: str) -> list[str]:
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' "
        "ORDER BY attnum", [f'"{table}"'],
    )
    return [name for (name,) in cursor.fetchall()]


def _sequences(cursor: Any) -> list[Sequence]:
    """Return how far every numbering has gone; it may be ahead of the snapshot, never behind."""
    cursor.execute(
        "SELECT t.relname, a.attname, s.last_value FROM pg_depend d "
        "JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S' JOIN pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_sequences s ON s.schemaname = n.nspname AND s.sequencename = c.relname "
        "JOIN pg_class t ON t.oid = d.refobjid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid "
        "WHERE d.deptype IN ('a', 'i') AND n.nspname = current_schema() AND s.last_value IS NOT NULL ORDER BY 1, 2",
    )
    return [Sequence(*row) for row in cursor.fetchall()]


def _copy_statement(table: str, columns: list[str], direction: str) -> str:
    names = ", ".join(f'"{column}"' for column in columns)
    return f'COPY "{table}" ({names}) {direction}'


def _copy_out(cursor: Any, archive: zipfile.ZipFile, name: str, table: Table) -> None:
    entry = zipfile.ZipInfo(_entry(name))
    entry.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(entry, "w", force_zip64=True) as out, cursor.copy(_copy_statement(name, table.columns, "TO STDOUT")) as copy:
        for data in copy:
            out.write(data)


def _entry(table: str) -> str:
    return f"tables/{table}.copy"


def _load(cursor: Any, archive: zipfile.ZipFile, manifest: Manifest, *, report: Report) -> None:
    """Fill every table, compare its rows, and set the numberings, in the caller's transaction."""
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    for filled in FILLED_BY_MIGRATE:
        cursor.execute(f'DELETE FROM "{filled}"')  # noqa: S608 - a constant
    for number, (name, table) in enumerate(manifest.tables.items(), 1):
        with archive.open(_entry(name)) as source, cursor.copy(_copy_statement(name, table.columns, "FROM STDIN")) as copy:
            while data := source.read(CHUNK):
                copy.write(data)
        compare({name: table.rows}, {name: count(cursor, name)})
        report(number, len(manifest.tables))
    for each in manifest.sequences:
        cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", [f'"{each.table}"', each.column, each.last])
