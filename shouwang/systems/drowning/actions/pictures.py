"""The copies of cameras' pictures that may be shown: heads cannot be made out; the original stays sealed."""

from __future__ import annotations

from datetime import datetime

from shouwang.files.actions import PHOTO_BYTES, store
from shouwang.files.queries import copies, file, open_file
from shouwang.files.rules import Sensitivity
from shouwang.systems.drowning.rules.zones import Box

DERIVATION = "HEADS_COARSE"


def shown_copy(file_id: int, *, box: Box | None, now: datetime) -> int:
    """Return the copy of a picture that may be shown, made at its first showing; kept as long as its original. Raises NotFound, FileLost.

    `box` is where somebody stands. Raises PictureUnreadable, PictureTooLarge for what is no picture.
    """
    made = next((each.id for each in copies(file_id) if each.derivation == DERIVATION), None)
    if made is not None:
        return made
    from shouwang.files.pictures import coarse_heads  # noqa: PLC0415 - a worker shall start without a library for pictures

    original = file(file_id)
    with open_file(file_id) as content:
        copy = coarse_heads(content.read(), [box] if box is not None else [])
    kept = store(
        copy, limit_bytes=PHOTO_BYTES, now=now, media_type="image/jpeg", sensitivity=Sensitivity.PERSONAL, retain_until=original.retain_until,
        derived_from=file_id, derivation=DERIVATION,
    )
    return kept.id
