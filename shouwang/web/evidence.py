"""What a phone sends with a result: the chosen codes and texts, and photos, which no result ever asks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.http import HttpRequest

from shouwang.cases.rules.evidence import Given
from shouwang.files.actions import keep_until, store_photo
from shouwang.kernel.errors import ShouwangError

PHOTO = "photo"
MOST_PHOTOS = 3
LONGEST_TEXT = 2_000
BEFORE_CLOSED = timedelta(days=7)
KEPT = timedelta(days=3 * 366)


class TooManyPhotos(ShouwangError):
    """More photos came with a result than are kept."""

    zh = "一次有 {found} 张照片，最多 {most} 张；请减少后再提交。"
    en = "There are {found} photos, at most {most} are taken at once; send fewer."
    status = 413


def given_in(request: HttpRequest, *, now: datetime) -> list[Given]:
    """Return the evidence of a form; its photos are on the disk by then. Raises TooManyPhotos and what `store_photo` raises."""
    texts = [Given(name[2:], str(value)[:LONGEST_TEXT]) for name, value in request.POST.items() if name.startswith("e_") and value]
    photos = request.FILES.getlist(PHOTO)
    if len(photos) > MOST_PHOTOS:
        raise TooManyPhotos(found=len(photos), most=MOST_PHOTOS)
    stored = [store_photo(photo, now=now, keep_for=BEFORE_CLOSED) for photo in photos]  # type: ignore[arg-type] # a file to read
    return [*texts, *(Given(PHOTO, "", each.id) for each in stored)]


def keep(evidence: Sequence[Given], *, now: datetime) -> None:
    """Keep the photos of a result that was taken for as long as the access log: three years."""
    keep_until([given.file_id for given in evidence if given.file_id is not None], now + KEPT)
