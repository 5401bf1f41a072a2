"""SQLite in a backup: copied by its online backup while others write, and restored the same way."""

from __future__ import annotations

import shutil
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from shouwang.cli.backup.archive import CHUNK, FORMAT, MIGRATIONS, Manifest, Report, Table, check_migrations, compare, count
from shouwang.cli.backup.content import ROWS, write_content
from shouwang.cli.errors import BackupUnreadable

KIND = "SQLITE"
DATABASE = "database.sqlite3"


def write_sqlite(archive: zipfile.ZipFile, *, beside: Path, now: datetime, report: Report) -> Manifest:
    """Write a copy of the database and its files into `archive`; the copy lies `beside` the backup meanwhile."""
    from django.db import connection  # noqa: PLC0415 - needs Django started

    with _scratch(beside.with_name(beside.name + ".sqlite3")) as copy:
        # All pages in one step read one snapshot; the write-ahead log lets the others write meanwhile.
        with closing(_open(str(connection.settings_dict["NAME"]))) as source, closing(_open(str(copy))) as target:
            source.backup(target, pages=-1)
            target.execute("PRAGMA journal_mode = DELETE")
            tables = _tables(target, copy)
            migrations = list(target.execute(f"SELECT app, name FROM {MIGRATIONS} ORDER BY id"))  # noqa: S608 - a constant
            report(1, 3)
            files, lost = write_content(archive, list(target.execute(ROWS)), now=now)
        report(2, 3)
        archive.write(copy, DATABASE, zipfile.ZIP_DEFLATED, compresslevel=1)
    report(3, 3)
    return Manifest(FORMAT, KIND, now, migrations, tables, [], files, lost)


def read_sqlite(archive: zipfile.ZipFile, manifest: Manifest, *, file: Path, report: Report) -> int:
    """Fill the database in use from a backup, once a trial copy is whole; return the length of the checked log.

    Raises BackupUnreadable, OtherVersion, RestoreDiffers, LogBroken.
    """
    from django.db import connection  # noqa: PLC0415 - needs Django started

    target = str(connection.settings_dict["NAME"])
    expected = {name: table.rows for name, table in manifest.tables.items()}
    check_migrations(manifest.migrations, _known_migrations())
    with _scratch(Path(target).with_name(Path(target).name + ".restoring")) as trial:
        with archive.open(DATABASE) as source, trial.open("wb") as out:
            shutil.copyfileobj(source, out, CHUNK)
        report(1, 3)
        compare(expected, _counts_of(trial, file))
        events = _verified_at(trial)
        report(2, 3)
        connection.close()
        with closing(_open(str(trial))) as whole, closing(_open(target)) as opened:
            whole.backup(opened, pages=-1)
            compare(expected, _counts(opened, file))
    report(3, 3)
    return events


def _open(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=30, uri=name.startswith("file:"), isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _tables(opened: sqlite3.Connection, file: Path) -> dict[str, Table]:
    return {
        name: Table([column[1] for column in opened.execute(f'PRAGMA table_info("{name}")')], rows)
        for name, rows in _counts(opened, file).items()
    }


def _counts(opened: sqlite3.Connection, file: Path) -> dict[str, int]:
    """Return the rows of every table. Raises BackupUnreadable when a page is damaged."""
    (said,) = opened.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise BackupUnreadable(name=file, found=said, expected="quick_check ok")
    names = opened.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall()
    return {name: count(opened.cursor(), name) for (name,) in names}


def _counts_of(trial: Path, file: Path) -> dict[str, int]:
    try:
        with closing(_open(str(trial))) as opened:
            return _counts(opened, file)
    except sqlite3.DatabaseError as error:
        raise BackupUnreadable(name=file, found=str(error), expected="SQLite") from error


@contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """Give a file that is gone afterwards, with all that SQLite and the gate put beside it."""
    endings = ("", "-wal", "-shm", "-journal", "-turnstile", "-gate")
    try:
        path.unlink(missing_ok=True)
        yield path
    finally:
        for ending in endings:
            path.with_name(path.name + ending).unlink(missing_ok=True)


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
