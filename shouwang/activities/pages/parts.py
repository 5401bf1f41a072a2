"""What the pages share: the frame, keys of submissions, QR pictures, and how a refusal is told."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import segno
from django.contrib import messages
from django.http import HttpRequest

from shouwang.activities.links import public, whole
from shouwang.activities.queries import MANAGE
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.texts import Text
from shouwang.people.rules import Scope
from shouwang.ui.reader import reader

AT_DESK = frozenset({"case.dispatch", "settings.edit", "people.edit"})
LONGEST_NUMBER = 7


def frame_of(scope: Scope) -> dict[str, object]:
    """Return the frame of these pages: the desk's, or the phone's for those who only go out."""
    at_desk = bool(scope.rights & AT_DESK)
    return {"frame": "ui/base.html" if at_desk else "ui/phone.html", "at_desk": at_desk, "can_plan": bool(scope.rights & set(MANAGE))}


def new_key() -> str:
    """Return a fresh key for one submission of a form."""
    return uuid.uuid4().hex


def number_in(text: str) -> int | None:
    """Return the whole number written in `text`, None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER else None


def qr_of(code: str, page: str = "") -> tuple[str, str]:
    """Return the whole public address of one of an activity's pages and its QR as an image's address."""
    address = whole(public(code, page))
    return address, str(segno.make(address, error="m").svg_data_uri(scale=4, border=2))


def told(request: HttpRequest, do: Callable[[], object], *, done: Text | None = None) -> bool:
    """Do something and tell the reader what came of it; what the activity itself refuses is said, not raised."""
    language = reader(request).language
    try:
        do()
    except ShouwangError as error:
        if error.status in {403, 404}:
            raise
        messages.error(request, error.text(language))
        return False
    if done is not None:
        messages.success(request, done.render(language, {}))
    return True
