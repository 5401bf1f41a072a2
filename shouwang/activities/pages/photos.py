"""Photos of an activity: added, opened one by one, each opening in the access log, taken off again."""

from __future__ import annotations

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from shouwang.activities import actions
from shouwang.activities.pages.parts import told
from shouwang.activities.queries import MANAGE, READ, activity_in
from shouwang.activities.queries.pages import photo_of
from shouwang.files.queries import file, open_file
from shouwang.files.rules import FileMissing
from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound
from shouwang.kernel.texts import Text
from shouwang.people.actions import note_access
from shouwang.people.guard import needs, scope_of

MOST_AT_ONCE = 5
ADDED = Text("照片已添加。", "Photos added.")
REMOVED = Text("照片已移除。", "The photo was taken off.")


@require_POST
@needs(*MANAGE)
def add(request: HttpRequest, activity_id: int) -> HttpResponse:
    """Add photos, at most five at once."""
    scope = scope_of(request)
    activity_in(scope, activity_id)

    def store() -> None:
        photos = request.FILES.getlist("photo")[:MOST_AT_ONCE]
        if not photos:
            raise FileMissing
        for photo in photos:
            actions.add_photo(scope, activity_id, photo.read(), now=clock().now())

    told(request, store, done=ADDED)
    return HttpResponseRedirect(reverse("activities:activity", args=[activity_id]) + "#photos")


@never_cache
@require_GET
@needs(READ)
def show(request: HttpRequest, activity_id: int, file_id: int) -> HttpResponseBase:
    """Show one photo: always the cleaned copy, never what the phone sent. Raises NotFound out of scope."""
    scope = scope_of(request)
    row = photo_of(scope, activity_id, file_id)
    if row is None or file(file_id).derived_from_id is None:
        raise NotFound(what=f"照片 {file_id}")
    content = open_file(file_id)
    note_access(scope, action="PHOTO", object=("activity", activity_id), path=row.path, now=clock().now())
    return FileResponse(content, content_type="image/jpeg")


@require_POST
@needs(*MANAGE)
def remove(request: HttpRequest, activity_id: int, file_id: int) -> HttpResponse:
    """Take a photo off an activity."""
    scope = scope_of(request)
    told(request, lambda: actions.remove_photo(scope, activity_id, file_id, now=clock().now()), done=REMOVED)
    return HttpResponseRedirect(reverse("activities:activity", args=[activity_id]) + "#photos")
