"""The file of a backup: its manifest, its sum beside it, and what every kind of database checks. No SQL dialect here."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from shouwang.cli.errors import BackupUnreadable, OtherVersion, RestoreDiffers, TargetInUse

FORMAT = 2
CHUNK = 1024 * 1024
MANIFEST = "manifest.json"
MIGRATIONS = "django_migrations"
FILLED_BY_MIGRATE = (MIGRATIONS, "auth_permission", "django_content_type")
Report = Callable[[int, int], None]
Migrations = list[tuple[str, str]]


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
    """What a backup holds; `lost` names the files whose content was not on the disk though nothing had dropped them."""

    format: int
    kind: str
    made_at: datetime
    migrations: Migrations
    tables: dict[str, Table]
    sequences: list[Sequence]
    files: int
    lost: list[str]

    @property
    def rows(self) -> int:
        """Return the rows of all tables."""
        return sum(table.rows for table in self.tables.values())


@dataclass(frozen=True)
class Done:
    """What a backup or restore moved; `events` is the length of the checked log, None when it was not checked."""

    tables: int
    rows: int
    files: int
    lost: tuple[str, ...] = ()
    events: int | None = None


def done(manifest: Manifest, *, events: int | None = None) -> Done:
    """Return what the manifest counts."""
    return Done(len(manifest.tables), manifest.rows, manifest.files, tuple(manifest.lost), events)


@contextmanager
def opened(file: Path) -> Iterator[zipfile.ZipFile]:
    """Give the zip of a backup. Raises BackupUnreadable when it is none, or lacks what its manifest names."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (zipfile.BadZipFile, KeyError) as error:
        raise BackupUnreadable(name=file, found=str(error), expected="zip") from error


def read_manifest(archive: zipfile.ZipFile, file: Path, *, kind: str) -> Manifest:
    """Return the manifest of a backup of `kind`. Raises BackupUnreadable."""
    try:
        found = msgspec.json.decode(archive.read(MANIFEST), type=Manifest)
    except msgspec.MsgspecError as error:
        raise BackupUnreadable(name=file, found=str(error), expected=MANIFEST) from error
    for name, here, expected in (("format", found.format, FORMAT), ("kind", found.kind, kind)):
        if here != expected:
            raise BackupUnreadable(name=file, found=f"{name} {here}", expected=f"{name} {expected}")
    return found


def write_manifest(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Write the manifest, the last entry of a backup."""
    archive.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))


def sum_file(file: Path) -> Path:
    """Return where the SHA-256 of a backup is written."""
    return file.with_name(file.name + ".sha256")


def sum_of(file: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_sum(file: Path, digest: str) -> None:
    """Write the sum in the form that `sha256sum --check` reads."""
    sum_file(file).write_text(f"{digest}  {file.name}\n", "utf-8")
    sync(sum_file(file))


def check_sum(file: Path) -> None:
    """Raise BackupUnreadable unless the file is there, with its own sum beside it."""
    beside = sum_file(file)
    for needed in (file, beside):
        if not needed.is_file():
            raise BackupUnreadable(name=file, found=f"缺少 {needed.name} · {needed.name} is missing", expected=needed.name)
    expected, found = beside.read_text("utf-8").split()[:1], sum_of(file)
    if expected != [found]:
        raise BackupUnreadable(name=file, found=f"SHA-256 {found[:16]}…", expected=f"{''.join(expected)[:16]}…")


def sync(path: Path) -> None:
    """Have a file or folder reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_empty() -> None:
    """Raise TargetInUse when a table of the database in use holds more than `migrate` puts there."""
    from django.db import connection  # noqa: PLC0415 - needs Django started

    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            rows = 0 if table in FILLED_BY_MIGRATE else count(cursor, table)
            if rows:
                raise TargetInUse(table=table, rows=rows)


def count(cursor: Any, table: str) -> int:
    """Return how many rows a table has."""
    cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608 - the database's own table name
    return int(cursor.fetchone()[0])


def compare(expected: Mapping[str, int], found: Mapping[str, int]) -> None:
    """Raise RestoreDiffers for the first table whose rows are not as many as expected."""
    for table, rows in expected.items():
        if found.get(table, 0) != rows:
            raise RestoreDiffers(table=table, found=found.get(table, 0), expected=rows)


def check_migrations(made_with: Migrations, ours: set[tuple[str, str]]) -> None:
    """Raise OtherVersion naming some migrations that only one side has."""
    differing = sorted(set(made_with) ^ ours)
    if differing:
        raise OtherVersion(found=", ".join(f"{room}.{name}" for room, name in differing[:5]))
