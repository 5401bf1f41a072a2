"""Signed links of requests: one that follows a report, one that shows a photo. Nothing about anybody stands in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core import signing

from shouwang.kernel.errors import NotFound
from shouwang.requests.rules.errors import FollowLinkInvalid

FOLLOW_S = 180 * 24 * 3600
PHOTO_S = 3600
_FOLLOW, _PHOTO = "shouwang.follow", "shouwang.request-photo"


def follow_link(report_id: int) -> str:
    """Return the address by which whoever made a report follows it and answers."""
    return f"/follow/{signing.dumps(report_id, salt=_FOLLOW)}/"


def address_of_follow(report_id: int) -> str:
    """Return the whole address, as a message or a QR carries it."""
    return f"{settings.SHOUWANG_ADDRESS}{follow_link(report_id)}"


def address_in_message(params: Mapping[str, Any]) -> str:
    """Return the address a message about a report carries."""
    return address_of_follow(int(params["report"]))


def read_follow(token: str) -> int:
    """Return the report a link follows. Raises FollowLinkInvalid."""
    try:
        return int(signing.loads(token, salt=_FOLLOW, max_age=FOLLOW_S))
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise FollowLinkInvalid from error


def photo_link(file_id: int) -> str:
    """Return an address that shows a photo for an hour to whoever was shown its page."""
    return f"/requests/photo/{signing.dumps(file_id, salt=_PHOTO)}/"


def read_photo(token: str) -> int:
    """Return the file a link shows. Raises NotFound."""
    try:
        return int(signing.loads(token, salt=_PHOTO, max_age=PHOTO_S))
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise NotFound(what="照片") from error
