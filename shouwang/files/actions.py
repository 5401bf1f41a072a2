"""Writes of files: content first reaches the disk for certain, then the table; what has passed its time is dropped."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from django.db import transaction
from django.db.models import ProtectedError, Q, RestrictedError

from shouwang.files.models import File, Upload
from shouwang.files.queries import CHUNK_BYTES, StoredFile, file, folder, place_of, stored
from shouwang.files.rules import Sensitivity, check_size, later, stricter
from shouwang.kernel.moments import to_us

DROP_LIMIT = 500
UPLOAD_LIFE = timedelta(days=1)
NAME_LENGTH = 120
PHOTO_BYTES = 10 * 1024 * 1024


def store(
    source: bytes | BinaryIO,
    *,
    limit_bytes: int,
    now: datetime,
    media_type: str = "application/octet-stream",
    sensitivity: Sensitivity = Sensitivity.INTERNAL,
    retain_until: datetime | None = None,
    derived_from: int | None = None,
    derivation: str = "",
) -> StoredFile:
    """Store content once and return its file; on return it is on the disk. Call it before your own transaction begins.

    Content that is there already keeps its file, with the stricter sensitivity and the later retention (None: for ever).
    Raises FileTooLarge past `limit_bytes`, FileEmpty, NotFound for the original of a copy.
    """
    if derived_from is not None:
        file(derived_from)
    incoming, sha256, size = _receive(io.BytesIO(source) if isinstance(source, bytes) else source, limit_bytes)
    target = place_of(sha256)
    try:
        _make_folder(target.parent)
        with transaction.atomic():
            row, made = File.objects.select_for_update().get_or_create(
                sha256=sha256,
                defaults={
                    "size": size, "media_type": media_type, "sensitivity": sensitivity, "stored_at_us": to_us(now),
                    "retain_until_us": _us(retain_until), "derived_from_id": derived_from, "derivation": derivation,
                },
            )
            if not made:
                known = stored(row)
                row.sensitivity = stricter(known.sensitivity, sensitivity)
                row.retain_until_us = _us(later(known.retain_until, retain_until))
                row.save(update_fields=["sensitivity", "retain_until_us"])
            incoming.replace(target)
            _sync(target.parent)
    finally:
        incoming.unlink(missing_ok=True)
    return stored(row)


def store_photo(source: bytes | BinaryIO, *, now: datetime, keep_for: timedelta) -> StoredFile:
    """Store a photo and return the copy that may be shown; the original is sealed, with all the phone wrote into it.

    Raises FileTooLarge, FileEmpty, PictureUnreadable, PictureTooLarge.
    """
    content = source if isinstance(source, bytes) else source.read(PHOTO_BYTES + 1)
    check_size(len(content), PHOTO_BYTES)
    from shouwang.files.pictures import plain_jpeg  # noqa: PLC0415 - a worker shall start without a library for pictures

    copy = plain_jpeg(content)
    original = store(
        content, limit_bytes=PHOTO_BYTES, now=now, media_type="application/octet-stream", sensitivity=Sensitivity.SEALED,
        retain_until=now + keep_for,
    )
    return store(
        copy, limit_bytes=PHOTO_BYTES, now=now, media_type="image/jpeg", sensitivity=Sensitivity.PERSONAL,
        retain_until=now + keep_for, derived_from=original.id, derivation="JPEG_1600",
    )


def keep_upload(
    source: bytes | BinaryIO, *, account_id: int, purpose: str, name: str, limit_bytes: int, now: datetime,
    options: Mapping[str, Any] | None = None,
) -> int:
    """Keep a file somebody has uploaded until it is finished with, at most a day; return the upload's number.

    Raises FileTooLarge, FileEmpty.
    """
    kept = store(source, limit_bytes=limit_bytes, now=now, sensitivity=Sensitivity.SEALED, retain_until=now + UPLOAD_LIFE)
    with transaction.atomic():
        row = Upload.objects.create(
            account_id=account_id, purpose=purpose, name=name[:NAME_LENGTH], file_id=kept.id, options=dict(options or {}),
            made_at_us=to_us(now),
        )
    return row.pk


def move_upload(upload_id: int, *, was: int, done: int, note: Mapping[str, Any]) -> bool:
    """Note how far an upload is worked through, inside the work's own transaction; False when another has gone on from `was`."""
    return bool(Upload.objects.filter(pk=upload_id, done=was).update(done=done, note=dict(note)))


def drop_upload(upload_id: int) -> None:
    """Forget an upload; its content goes when its retention has passed."""
    with transaction.atomic():
        Upload.objects.filter(pk=upload_id).delete()


def drop_old_uploads(*, now: datetime) -> int:
    """Forget uploads that nobody has finished with in a day, and return how many."""
    with transaction.atomic():
        return Upload.objects.filter(made_at_us__lt=to_us(now - UPLOAD_LIFE)).delete()[0]


def keep_until(file_ids: Collection[int], moment: datetime) -> None:
    """Keep these files, and the originals they come from, at least until `moment`: they have become part of something."""
    with transaction.atomic():
        originals = File.objects.filter(pk__in=file_ids).values("derived_from_id")
        for row in File.objects.select_for_update().filter(Q(pk__in=file_ids) | Q(pk__in=originals)):
            row.retain_until_us = _us(later(stored(row).retain_until, moment))
            row.save(update_fields=["retain_until_us"])


def drop_expired(*, now: datetime, limit: int = DROP_LIMIT) -> int:
    """Drop at most `limit` files whose retention has passed and that nothing refers to; return how many.

    The content goes inside the transaction, as it comes in `store`: each waits for the other at the row.
    """
    dropped = 0
    expired = File.objects.filter(retain_until_us__lte=to_us(now))
    for file_id in list(expired.order_by("-id").values_list("id", flat=True)[:limit]):
        try:
            with transaction.atomic():
                row = expired.select_for_update().filter(pk=file_id).first()
                if row is None:
                    continue
                row.delete()
                place_of(row.sha256).unlink(missing_ok=True)
                dropped += 1
        except (ProtectedError, RestrictedError):
            continue
    return dropped


def _receive(source: BinaryIO, limit_bytes: int) -> tuple[Path, str, int]:
    """Write the content to a synced file beside its place; return it, its SHA-256 and size. Refused, nothing is left."""
    folder().mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=folder(), prefix="incoming-", delete=False) as incoming:
        path = Path(incoming.name)
        try:
            while chunk := source.read(CHUNK_BYTES):
                size += len(chunk)
                check_size(size, limit_bytes)
                digest.update(chunk)
                incoming.write(chunk)
            check_size(size, limit_bytes)
            incoming.flush()
            os.fsync(incoming.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return path, digest.hexdigest(), size


def _make_folder(path: Path) -> None:
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        _sync(path.parent)
        _sync(folder())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _us(moment: datetime | None) -> int | None:
    return None if moment is None else to_us(moment)
