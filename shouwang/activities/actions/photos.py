"""Photos of an activity, never asked for: the cleaned copy is shown in scope, the original is sealed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import BinaryIO

from django.db import transaction

from shouwang.activities import events as kinds
from shouwang.activities.actions.holding import held, require_state, tell
from shouwang.activities.models import Photo
from shouwang.activities.queries.scoped import activity_in
from shouwang.activities.rules.checks import require
from shouwang.files.actions import store_photo
from shouwang.kernel.errors import NotFound
from shouwang.kernel.texts import Text
from shouwang.people.rules import Scope

KEPT = timedelta(days=3 * 366)
MOST = 60
ADDING = Text("添加照片", "add photos")


def add_photo(scope: Scope, activity_id: int, source: bytes | BinaryIO, *, now: datetime) -> int:
    """Add a photo and return its file's id; the same picture again is kept once.

    Raises NotFound, Refused, NotUsed, MoveRefused, ActivityWrong and what `store_photo` raises.
    """
    activity_in(scope, activity_id)
    with transaction.atomic():
        require_state(held(scope, activity_id, use="PHOTOS"), "RUNNING", "ENDED", doing=ADDING)
    stored = store_photo(source, now=now, keep_for=KEPT)
    with transaction.atomic():
        row = held(scope, activity_id, use="PHOTOS")
        photos = Photo.objects.filter(activity_id=row.pk)
        if photos.filter(file_id=stored.id).exists():
            return stored.id
        require(photos.count() < MOST, ("照片数", "The number of photos"), str(MOST), (f"少于 {MOST}", f"fewer than {MOST}"))
        Photo.objects.create(activity_id=row.pk, file_id=stored.id, added_at=now, added_by=scope.person_id)
        tell(row, kinds.PHOTO_ADDED, now=now, file=stored.id, by=scope.person_id)
    return stored.id


def remove_photo(scope: Scope, activity_id: int, file_id: int, *, now: datetime) -> None:
    """Take a photo off an activity; the file goes when its time is over. Raises NotFound, Refused."""
    with transaction.atomic():
        row = held(scope, activity_id)
        if not Photo.objects.filter(activity_id=row.pk, file_id=file_id).delete()[0]:
            raise NotFound(what=f"照片 {file_id}")
        tell(row, kinds.PHOTO_REMOVED, now=now, file=file_id, by=scope.person_id)
