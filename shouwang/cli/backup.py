"""`shouwang backup` and `shouwang restore`: the whole database into one file, and back into an empty one.

SQLite by its online backup, PostgreSQL by COPY in one snapshot; both while the installation works. Uploaded files lie in
the data folder and are not in the backup.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import Progress

from shouwang.cli.app import DATABASE_HELP, app, bring_up_to_date, console, start_django, told
from shouwang.cli.errors import BackupExists, BackupUnreadable, OtherVersion, RestoreDiffers, TargetInUse

FORMAT = 1
CHUNK = 1024 * 1024
MANIFEST = "manifest.json"
MIGRATIONS = "django_migrations"
FILLED_BY_MIGRATE = (MIGRATIONS, "auth_permission", "django_content_type")
SQLITE_MAGIC = b"SQLite format 3\x00"
ZIP_MAGIC = b"PK"
Report = Callable[[int, int], None]


class Table(msgspec.Struct, frozen=True):
    """One table of a backup: its columns in the order of the copy, and its rows."""

    columns: list[str]
    rows: int


class Sequence(msgspec.Struct, frozen=True):
    """The numbering of one column, as far as it had gone."""

    table: str
    column: str
    last: int


class Manifest(msgspec.Struct, frozen=True):
    """What a PostgreSQL backup holds."""

    format: int
    made_at: datetime
    migrations: list[tuple[str, str]]
    tables: dict[str, Table]
    sequences: list[Sequence]


@dataclass(frozen=True)
class Done:
    """What a backup or restore moved; `events` is the length of the checked log, None when it was not checked."""

    tables: int
    rows: int
    events: int | None = None


def back_up(file: Path, *, now: datetime, report: Report = lambda *_: None) -> Done:
    """Write the database in use into `file`, with its SHA-256 beside it, complete or not at all. Raises BackupExists."""
    from django.db import connection  # noqa: PLC0415 - needs Django started

    if file.exists():
        raise BackupExists(name=file)
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    try:
        if connection.vendor == "postgresql":
            done = _back_up_postgresql(part, now=now, report=report)
        else:
            done = _back_up_sqlite(part, report=report)
        _write_sum(file, sum_of(part))
        _sync(part)
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)
    _sync(file.absolute().parent)
    return done


def restore_from(file: Path, *, report: Report = lambda *_: None) -> Done:
    """Fill the empty database in use from `file`, and check sum, row counts and the hash chain; nothing is kept if one fails.

    Raises BackupUnreadable, TargetInUse, OtherVersion, RestoreDiffers, LogBroken.
    """
    from django.db import connection  # noqa: PLC0415 - needs Django started

    postgresql = connection.vendor == "postgresql"
    _check_kind(file, postgresql=postgresql)
    _check_sum(file)
    _check_empty()
    return _restore_postgresql(file, report=report) if postgresql else _restore_sqlite(file, report=report)


def sum_file(file: Path) -> Path:
    """Return where the SHA-256 of a backup is written."""
    return file.with_name(file.name + ".sha256")


def sum_of(file: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write_sum(file: Path, digest: str) -> None:
    sum_file(file).write_text(f"{digest}  {file.name}\n", "utf-8")
    _sync(sum_file(file))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_kind(file: Path, *, postgresql: bool) -> None:
    expected = "PostgreSQL" if postgresql else "SQLite"
    if not file.is_file():
        raise BackupUnreadable(name=file, found="文件不存在 · no such file", expected=expected)
    with file.open("rb") as stream:
        head = stream.read(len(SQLITE_MAGIC))
    found = "SQLite" if head == SQLITE_MAGIC else "PostgreSQL" if head.startswith(ZIP_MAGIC) else "? " + head[:8].hex()
    if found != expected:
        raise BackupUnreadable(name=file, found=found, expected=expected)


def _check_sum(file: Path) -> None:
    beside = sum_file(file)
    if not beside.is_file():
        raise BackupUnreadable(name=file, found=f"缺少 {beside.name} · missing", expected=beside.name)
    expected, found = beside.read_text("utf-8").split()[:1], sum_of(file)
    if expected != [found]:
        raise BackupUnreadable(name=file, found=f"SHA-256 {found[:16]}…", expected=f"{''.join(expected)[:16]}…")


def _check_empty() -> None:
    from django.db import connection  # noqa: PLC0415 - needs Django started

    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            rows = 0 if table in FILLED_BY_MIGRATE else _count(cursor, table)
            if rows:
                raise TargetInUse(table=table, rows=rows)


def _count(cursor: Any, table: str) -> int:
    cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608 - the database's own table name
    return int(cursor.fetchone()[0])


def _migrations_differ(made_with: set[tuple[str, str]], ours: set[tuple[str, str]]) -> OtherVersion | None:
    """Return the error that names some migrations which only one side has, None when there are none."""
    differing = sorted(made_with ^ ours)
    return OtherVersion(found=", ".join(f"{room}.{name}" for room, name in differing[:5])) if differing else None


# SQLite


def _back_up_sqlite(part: Path, *, report: Report) -> Done:
    from django.db import connection  # noqa: PLC0415 - needs Django started

    # All pages in one step read one snapshot; the write-ahead log lets the others write meanwhile.
    with closing(_open(str(connection.settings_dict["NAME"]))) as source, closing(_open(str(part))) as target:
        source.backup(target, pages=-1)
        target.execute("PRAGMA journal_mode = DELETE")
        found = _checked_counts(target, part)
    report(len(found), len(found))
    return Done(len(found), sum(found.values()))


def _open(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=30, uri=name.startswith("file:"), isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _checked_counts(opened: sqlite3.Connection, file: Path) -> dict[str, int]:
    """Return the rows of every table. Raises BackupUnreadable when a page is damaged."""
    (said,) = opened.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise BackupUnreadable(name=file, found=said, expected="quick_check ok")
    names = opened.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall()
    return {name: _count(opened.execute(f'SELECT count(*) FROM "{name}"'), name) for (name,) in names}  # noqa: S608


def _restore_sqlite(file: Path, *, report: Report) -> Done:
    from django.db import connection  # noqa: PLC0415 - needs Django started

    target = str(connection.settings_dict["NAME"])
    with _scratch(Path(target).with_name(Path(target).name + ".restoring")) as trial:
        expected = _copied(file, trial)
        report(1, 3)
        events = _verified_at(trial)
        report(2, 3)
        connection.close()
        with closing(_open(str(trial))) as source, closing(_open(target)) as opened:
            source.backup(opened, pages=-1)
            _compare(expected, _checked_counts(opened, file))
    report(3, 3)
    return Done(len(expected), sum(expected.values()), events)


@contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """Give a file that is gone afterwards, with all that SQLite and the gate put beside it."""
    try:
        yield path
    finally:
        for ending in ("", "-wal", "-shm", "-turnstile", "-gate"):
            path.with_name(path.name + ending).unlink(missing_ok=True)


def _copied(file: Path, trial: Path) -> dict[str, int]:
    """Copy a backup beside the target and return its rows by table. Raises OtherVersion when it comes from another version."""
    try:
        with closing(_open(f"{file.absolute().as_uri()}?mode=ro")) as source, closing(_open(str(trial))) as opened:
            source.backup(opened, pages=-1)
            expected = _checked_counts(source, file)
            _compare(expected, _checked_counts(opened, trial))
            made_with = set(opened.execute(f"SELECT app, name FROM {MIGRATIONS}"))  # noqa: S608 - a constant
    except sqlite3.DatabaseError as error:
        raise BackupUnreadable(name=file, found=str(error), expected="SQLite") from error
    if differ := _migrations_differ(made_with, _known_migrations()):
        raise differ
    return expected


def _known_migrations() -> set[tuple[str, str]]:
    from django.db.migrations.loader import MigrationLoader  # noqa: PLC0415 - needs Django started

    return set(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def _verified_at(trial: Path) -> int:
    """Return the length of the log in the file `trial`. Raises LogBroken."""
    from django.db import connection  # noqa: PLC0415 - needs Django started

    from shouwang.journal.queries import verify  # noqa: PLC0415

    kept = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(trial)
    try:
        return verify()
    finally:
        connection.close()
        connection.settings_dict["NAME"] = kept


def _compare(expected: Mapping[str, int], found: Mapping[str, int]) -> None:
    for table, rows in expected.items():
        if found.get(table, 0) != rows:
            raise RestoreDiffers(table=table, found=found.get(table, 0), expected=rows)


# PostgreSQL


def _back_up_postgresql(part: Path, *, now: datetime, report: Report) -> Done:
    from django.db import connection, transaction  # noqa: PLC0415 - needs Django started

    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        names = sorted(connection.introspection.table_names(cursor))
        tables = {name: Table(_columns(cursor, name), _count(cursor, name)) for name in names}
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for number, (name, table) in enumerate(tables.items(), 1):
                _copy_out(cursor, archive, name, table)
                report(number, len(tables))
            cursor.execute(f"SELECT app, name FROM {MIGRATIONS} ORDER BY id")  # noqa: S608 - a constant
            manifest = Manifest(FORMAT, now, cursor.fetchall(), tables, _sequences(cursor))
            archive.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    return Done(len(tables), sum(table.rows for table in tables.values()))


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
    with archive.open(_entry(name), "w", force_zip64=True) as out, cursor.copy(_copy_statement(name, table.columns, "TO STDOUT")) as copy:
        for data in copy:
            out.write(data)


def _entry(table: str) -> str:
    return f"tables/{table}.copy"


def _restore_postgresql(file: Path, *, report: Report) -> Done:
    from django.db import connection, transaction  # noqa: PLC0415 - needs Django started

    from shouwang.journal.queries import verify  # noqa: PLC0415

    with _archive(file) as archive:
        manifest = _manifest(archive, file)
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(f"SELECT app, name FROM {MIGRATIONS}")  # noqa: S608 - a constant
            if differ := _migrations_differ(set(manifest.migrations), set(cursor.fetchall())):
                raise differ
            _load(cursor, archive, manifest, report=report)
            events = verify()
    return Done(len(manifest.tables), sum(table.rows for table in manifest.tables.values()), events)


@contextmanager
def _archive(file: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (zipfile.BadZipFile, KeyError) as error:
        raise BackupUnreadable(name=file, found=str(error), expected="zip") from error


def _manifest(archive: zipfile.ZipFile, file: Path) -> Manifest:
    try:
        manifest = msgspec.json.decode(archive.read(MANIFEST), type=Manifest)
    except msgspec.MsgspecError as error:
        raise BackupUnreadable(name=file, found=str(error), expected=MANIFEST) from error
    if manifest.format != FORMAT:
        raise BackupUnreadable(name=file, found=f"format {manifest.format}", expected=f"format {FORMAT}")
    return manifest


def _load(cursor: Any, archive: zipfile.ZipFile, manifest: Manifest, *, report: Report) -> None:
    """Fill every table, compare its rows, and set the numberings, in the caller's transaction."""
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    for filled in FILLED_BY_MIGRATE:
        cursor.execute(f'DELETE FROM "{filled}"')  # noqa: S608 - a constant
    for number, (name, table) in enumerate(manifest.tables.items(), 1):
        with archive.open(_entry(name)) as source, cursor.copy(_copy_statement(name, table.columns, "FROM STDIN")) as copy:
            while data := source.read(CHUNK):
                copy.write(data)
        _compare({name: table.rows}, {name: _count(cursor, name)})
        report(number, len(manifest.tables))
    for each in manifest.sequences:
        cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", [f'"{each.table}"', each.column, each.last])


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="备份文件 · the file to write", dir_okay=False)],
    database: Annotated[str, typer.Option(help=DATABASE_HELP)] = "",
) -> None:
    """Write the whole database into one file with its SHA-256 beside, while everything goes on working."""
    start_django(database=database)
    with told(), Progress(console=console, transient=True) as progress:
        bar = progress.add_task("备份 · backup", total=None)
        done = back_up(file, now=datetime.now(UTC), report=lambda n, total: progress.update(bar, completed=n, total=total))
    console.print(f"{file}: {done.tables} 张表，{done.rows} 行 · {done.tables} tables, {done.rows} rows")
    console.print("上传的文件在数据文件夹的 files/ 中，请另行复制 · uploaded files lie in files/ of the data folder: copy them too")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="备份文件 · the backup", dir_okay=False)],
    database: Annotated[str, typer.Option(help=DATABASE_HELP)] = "",
) -> None:
    """Fill an empty database from a backup, then check row counts and the hash chain of the log."""
    start_django(database=database)
    bring_up_to_date()
    with told(), Progress(console=console, transient=True) as progress:
        bar = progress.add_task("恢复 · restore", total=None)
        done = restore_from(file, report=lambda n, total: progress.update(bar, completed=n, total=total))
    console.print(f"已恢复 {done.tables} 张表，{done.rows} 行；日志 {done.events} 条校验一致 · {done.tables} tables, {done.rows} rows; {done.events} events, the chain holds")
