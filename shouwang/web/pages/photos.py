"""Photos that came with a result: listed on the case's page, opened one by one, each opening in the access log."""

from __future__ import annotations

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shouwang.cases.queries import case_in_scope, evidence_of
from shouwang.files.queries import file, open_file
from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound
from shouwang.people.actions import note_access
from shouwang.people.guard import needs, scope_of
from shouwang.people.queries import person_cards
from shouwang.web.pages.desk import language_of


@require_GET
@needs("case.read")
def photos(request: HttpRequest, case_id: int) -> HttpResponse:
    """List the photos of a case, as a part of its page."""
    case_in_scope(case_id, scope_of(request))
    found = [item for item in evidence_of(case_id) if item.file_id is not None]
    cards = person_cards({item.person_id for item in found if item.person_id}, language=language_of(request))
    shown = [(item.file_id, item.at, cards[item.person_id].name if item.person_id in cards else "") for item in found]
    return render(request, "web/_photos.html", {"case_id": case_id, "photos": shown})


@never_cache
@require_GET
@needs("case.read")
def photo(request: HttpRequest, case_id: int, file_id: int) -> HttpResponseBase:
    """Show one photo of a case: always the cleaned copy, never what the phone sent. Raises NotFound out of scope."""
    scope = scope_of(request)
    case = case_in_scope(case_id, scope)
    if not any(item.file_id == file_id for item in evidence_of(case_id)) or file(file_id).derived_from_id is None:
        raise NotFound(what=f"照片 {file_id}")
    content = open_file(file_id)
    note_access(scope, action="PHOTO", object=("case", case_id), path=case.path, now=clock().now())
    return FileResponse(content, content_type="image/jpeg")
