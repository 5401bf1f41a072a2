"""Reads of files: what is stored, and its content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings

from shouwang.files.models import File, Upload
from shouwang.files.rules import FileLost, Sensitivity, shard
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import from_us

CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One stored content; `derived_from_id` names the original of a derived copy."""

    id: int
    sha256: str
    size: int
    media_type: str
    sensitivity: Sensitivity
    stored_at: datetime
    retain_until: datetime | None
    derived_from_id: int | None
    derivation: str


@dataclass(frozen=True, slots=True)
class UploadRow:
    """An upload that waits for its reader's word, or is being worked through."""

    id: int
    name: str
    file_id: int
    options: Mapping[str, Any]
    done: int
    note: Mapping[str, Any]


def upload(account_id: int, upload_id: int, *, purpose: str) -> UploadRow:
    """Return what this account has uploaded for `purpose`. Raises NotFound for another's."""
    row = Upload.objects.filter(pk=upload_id, account_id=account_id, purpose=purpose).first()
    if row is None:
        raise NotFound(what=f"上传 {upload_id}")
    return UploadRow(row.pk, row.name, row.file_id, row.options, row.done, row.note)


def path_of(file_id: int) -> Path:
    """Return where the content of a file lies, for readers that want a path. Raises NotFound, FileLost."""
    open_file(file_id).close()
    return place_of(file(file_id).sha256)


def folder() -> Path:
    """Return the folder that holds all content of this installation."""
    return Path(settings.SHOUWANG_DATA_DIR) / "files"


def place_of(sha256: str) -> Path:
    """Return where the content with this hash lies."""
    return folder() / shard(sha256)


def file(file_id: int) -> StoredFile:
    """Return the file `file_id`. Raises NotFound."""
    found = File.objects.filter(pk=file_id).first()
    if found is None:
        raise NotFound(what=f"文件 {file_id}")
    return stored(found)


def copies(file_id: int) -> list[StoredFile]:
    """Return the copies derived from a file, oldest first."""
    return [stored(row) for row in File.objects.filter(derived_from_id=file_id).order_by("id")]


def open_file(file_id: int) -> BinaryIO:
    """Return the content of a file, open for reading; the caller has checked who may see it. Raises NotFound, FileLost."""
    found = file(file_id)
    try:
        return place_of(found.sha256).open("rb")
    except FileNotFoundError:
        raise FileLost(file=file_id, sha256=found.sha256) from None


def verify(file_id: int) -> None:
    """Read a file whole. Raises FileLost when its content is missing or is not what was stored."""
    found = file(file_id)
    digest = hashlib.sha256()
    with open_file(file_id) as content:
        while chunk := content.read(CHUNK_BYTES):
            digest.update(chunk)
    if digest.hexdigest() != found.sha256:
        raise FileLost(file=file_id, sha256=found.sha256)


def stored(row: File) -> StoredFile:
    """Return a row as other rooms see it."""
    until = None if row.retain_until_us is None else from_us(row.retain_until_us)
    return StoredFile(
        row.pk, row.sha256, row.size, row.media_type, Sensitivity(row.sensitivity), from_us(row.stored_at_us), until,
        row.derived_from_id, row.derivation,
    )
