"""The two commands, and what they do whatever the kind of database."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from shouwang.cli.app import DATABASE_HELP, app, bring_up_to_date, console, start_django, told
from shouwang.cli.backup.archive import (
    Done,
    Manifest,
    Report,
    check_empty,
    check_sum,
    done,
    opened,
    read_manifest,
    sum_of,
    sync,
    write_manifest,
    write_sum,
)
from shouwang.cli.backup.content import content_put_back
from shouwang.cli.backup.postgresql import KIND as POSTGRESQL
from shouwang.cli.backup.postgresql import read_postgresql, write_postgresql
from shouwang.cli.backup.sqlite import KIND as SQLITE
from shouwang.cli.backup.sqlite import read_sqlite, write_sqlite
from shouwang.cli.errors import BackupExists


def back_up(file: Path, *, now: datetime, report: Report = lambda *_: None) -> Done:
    """Write the database in use and its files into `file`, its SHA-256 beside it, complete or not at all. Raises BackupExists."""
    if file.exists():
        raise BackupExists(name=file)
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    try:
        manifest = _write(part, now=now, report=report)
        digest = sum_of(part)
        sync(part)
        write_sum(file, digest)
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)
    sync(file.absolute().parent)
    return done(manifest)


def _write(part: Path, *, now: datetime, report: Report) -> Manifest:
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        if _kind() == POSTGRESQL:
            manifest = write_postgresql(archive, now=now, report=report)
        else:
            manifest = write_sqlite(archive, beside=part, now=now, report=report)
        write_manifest(archive, manifest)
    return manifest


def restore_from(file: Path, *, report: Report = lambda *_: None) -> Done:
    """Fill the empty database in use and its folder of files from `file`, checking sum, row counts, contents and hash chain.

    Nothing is kept if one fails. Raises BackupUnreadable, TargetInUse, OtherVersion, RestoreDiffers, LogBroken.
    """
    kind = _kind()
    check_sum(file)
    with opened(file) as archive:
        manifest = read_manifest(archive, file, kind=kind)
        check_empty()
        with content_put_back(archive, file):
            if kind == POSTGRESQL:
                events = read_postgresql(archive, manifest, report=report)
            else:
                events = read_sqlite(archive, manifest, file=file, report=report)
    return done(manifest, events=events)


def _kind() -> str:
    from django.db import connection  # noqa: PLC0415 - needs Django started

    return POSTGRESQL if connection.vendor == "postgresql" else SQLITE


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="备份文件 · the file to write", dir_okay=False)],
    database: Annotated[str, typer.Option(help=DATABASE_HELP)] = "",
) -> None:
    """Write the database and the uploaded files into one file with its SHA-256 beside, while everything goes on working."""
    start_django(database=database)
    with told(), Progress(console=console, transient=True) as progress:
        bar = progress.add_task("备份 · backup", total=None)
        made = back_up(file, now=datetime.now(UTC), report=lambda n, total: progress.update(bar, completed=n, total=total))
    console.print(f"{file}: {_counted(made)}")
    if made.lost:
        console.print(f"有 {len(made.lost)} 个文件的内容已不在磁盘上，未能备份 · the content of {len(made.lost)} files is gone from the disk: {made.lost[0][:16]}…", style="red")
    console.print("签名密钥 secret_key 不在备份中，请另行保管 · secret_key is not in the backup: keep it elsewhere")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="备份文件 · the backup", dir_okay=False)],
    database: Annotated[str, typer.Option(help=DATABASE_HELP)] = "",
) -> None:
    """Fill an empty database and its folder of files from a backup, then check row counts and the hash chain of the log."""
    start_django(database=database)
    bring_up_to_date()
    with told(), Progress(console=console, transient=True) as progress:
        bar = progress.add_task("恢复 · restore", total=None)
        made = restore_from(file, report=lambda n, total: progress.update(bar, completed=n, total=total))
    console.print(f"已恢复 {_counted(made)}；日志 {made.events} 条校验一致 · {made.events} events, the chain holds")


def _counted(made: Done) -> str:
    return f"{made.tables} 张表，{made.rows} 行，{made.files} 个文件 · {made.tables} tables, {made.rows} rows, {made.files} files"
