"""Signed links of pictures: who was shown a page may see its pictures for an hour. Nothing about anybody stands in them."""

from __future__ import annotations

from django.core import signing

from shouwang.kernel.errors import NotFound

PICTURE_S = 3600
LAST = -1
_PICTURE = "shouwang.water-picture"


def picture_link(event_id: int, number: int = LAST) -> str:
    """Return an address that shows the distributed copy of a picture of an event for an hour."""
    return f"/waters/picture/{signing.dumps([event_id, number], salt=_PICTURE)}/"


def read_picture(token: str) -> tuple[int, int]:
    """Return the event and the number of its picture that a link shows. Raises NotFound."""
    try:
        event_id, number = signing.loads(token, salt=_PICTURE, max_age=PICTURE_S)
        return int(event_id), int(number)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise NotFound(what="图片") from error
