"""Photos that come with reports, and how they are shown: to officers by request and scope, to a task's holder by a link."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shouwang.files.actions import keep_until, store_photo
from shouwang.files.queries import open_file
from shouwang.journal.clock import clock
from shouwang.people.actions import note_access
from shouwang.people.guard import needs, scope_of
from shouwang.requests.links import read_photo
from shouwang.requests.queries import photo_in_scope
from shouwang.requests.rules.intake import MOST_PHOTOS

FIELD = "photo"
UNTIL_TAKEN = timedelta(days=1)
KEPT = timedelta(days=3 * 366)


def photos_in(request: HttpRequest, *, now: datetime) -> list[int]:
    """Return the cleaned copies of a form's photos, at most three; what comes beyond is left out. Raises what `store_photo` raises."""
    sent = [photo for photo in request.FILES.getlist(FIELD) if photo.size][:MOST_PHOTOS]
    return [store_photo(photo, now=now, keep_for=UNTIL_TAKEN).id for photo in sent]  # type: ignore[arg-type] # a file to read


def keep(photos: Sequence[int], *, now: datetime) -> None:
    """Keep the photos of a report that was taken for three years."""
    keep_until(photos, now + KEPT)


@never_cache
@require_GET
@needs("case.read")
def photo(request: HttpRequest, request_id: int, file_id: int) -> HttpResponseBase:
    """Show one photo of a request to an officer; each look is in the access log. Raises NotFound out of scope."""
    scope = scope_of(request)
    found = photo_in_scope(scope, request_id, file_id)
    content = open_file(file_id)
    note_access(scope, action="PHOTO", object=("request", request_id), path=found.path, now=clock().now())
    return FileResponse(content, content_type="image/jpeg")


@never_cache
@require_GET
def linked_photo(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show one photo to whoever was shown the page with its link within the last hour."""
    del request
    return FileResponse(open_file(read_photo(token)), content_type="image/jpeg")
