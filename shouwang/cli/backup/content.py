"""The content of uploaded files in a backup: read after the database's snapshot, put back before its rows.

Content reaches the disk before its row is committed, so whatever the snapshot names is there, unless it has been dropped
since because its time had passed: then its row is dropped again after a restore. What is missing otherwise was lost
before, and is named.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from shouwang.cli.backup.archive import CHUNK, sync
from shouwang.cli.errors import BackupUnreadable
from shouwang.kernel.moments import to_us

TABLE = "files_file"
FOLDER = "files/"
ROWS = f"SELECT sha256, retain_until_us FROM {TABLE} ORDER BY sha256"  # noqa: S608 - a constant
Row = tuple[str, int | None]


def write_content(archive: zipfile.ZipFile, rows: Iterable[Row], *, now: datetime) -> tuple[int, list[str]]:
    """Write the content of the files that a snapshot names; return how many there were and which are lost."""
    from shouwang.files.queries import place_of  # noqa: PLC0415 - needs Django started

    written, lost = 0, []
    for sha256, retain_until_us in rows:
        try:
            with place_of(sha256).open("rb") as source, archive.open(_entry(sha256), "w", force_zip64=True) as out:
                while data := source.read(CHUNK):
                    out.write(data)
        except FileNotFoundError:
            if retain_until_us is None or retain_until_us > to_us(now):
                lost.append(sha256)
        else:
            written += 1
    return written, lost


@contextmanager
def content_put_back(archive: zipfile.ZipFile, file: Path) -> Iterator[None]:
    """Put the content of a backup in place; take it away again when the rest of the restore fails.

    Raises BackupUnreadable when a content is not what its name says.
    """
    made: list[Path] = []
    try:
        for name in archive.namelist():
            if name.startswith(FOLDER):
                _put_back(archive, name, file, made)
        yield
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise


def _put_back(archive: zipfile.ZipFile, name: str, file: Path, made: list[Path]) -> None:
    from shouwang.files.queries import place_of  # noqa: PLC0415 - needs Django started

    sha256 = name.removeprefix(FOLDER)
    target = place_of(sha256)
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(sha256 + ".restoring")
    digest = hashlib.sha256()
    try:
        with archive.open(name) as source, part.open("wb") as out:
            while data := source.read(CHUNK):
                digest.update(data)
                out.write(data)
        if digest.hexdigest() != sha256:
            raise BackupUnreadable(name=file, found=f"{name}: SHA-256 {digest.hexdigest()[:16]}…", expected=f"{sha256[:16]}…")
        sync(part)
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    made.append(target)
    sync(target.parent)


def _entry(sha256: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(FOLDER + sha256)  # stored, not deflated: uploads are pictures and documents, packed already
