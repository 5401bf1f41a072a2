"""Readings from a file: upload, preview with what is wrong row by row, import with progress."""

from __future__ import annotations

import io
from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouwang.documents.sheets import refuse_bomb
from shouwang.files import actions as files
from shouwang.files.queries import UploadRow, path_of, upload
from shouwang.files.rules import FileMissing
from shouwang.journal.clock import clock
from shouwang.kernel.errors import ShouwangError
from shouwang.people.guard import needs, scope_of
from shouwang.telemetry.sources import file as source
from shouwang.ui.lists import XLSX_TYPE
from shouwang.ui.reader import reader

RIGHT = "telemetry.import"
PURPOSE = "readings"
FILE_BYTES = 20 * 1024 * 1024
SHOWN = 50
TALLY = ("accepted", "duplicates", "future", "late")


@require_http_methods(["GET", "POST"])
@needs(RIGHT)
def bring_in(request: HttpRequest) -> HttpResponse:
    """Take a file, check that it can be read and go to its preview; nothing is stored yet."""
    problem = ""
    if request.method == "POST":
        try:
            number = _keep(request)
            row = _upload(request, number)
            source.preview(path_of(row.file_id), scope=scope_of(request), name=row.name)
        except ShouwangError as error:
            problem = error.text(reader(request).language)
        else:
            return HttpResponseRedirect(reverse("telemetry:preview", args=[number]))
    context = {"problem": problem, "limit_mb": FILE_BYTES // 1024 // 1024, "rows": source.MAX_ROWS}
    return render(request, "telemetry/import.html", context, status=422 if problem else 200)


@never_cache
@require_GET
@needs(RIGHT)
def preview(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Show what a file holds: its span, its first rows, and what cannot be imported."""
    row = _upload(request, upload_id)
    if row.done:
        return HttpResponseRedirect(reverse("telemetry:progress", args=[upload_id]))
    found = source.preview(path_of(row.file_id), scope=scope_of(request), name=row.name)
    place = 0 if reader(request).language == "zh" else -1
    bad = [(each.row, each.column, each.found, each.expected.split(" / ")[place]) for each in found.bad[:SHOWN]]
    return render(request, "telemetry/preview.html", {"upload": row, "found": found, "bad": bad, "shown": SHOWN})


@require_POST
@needs(RIGHT)
def decide(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Begin to import a previewed file, or drop it."""
    row = _upload(request, upload_id)
    if request.POST.get("do") == "drop":
        files.drop_upload(row.id)
        return HttpResponseRedirect(reverse("telemetry:import"))
    return HttpResponseRedirect(reverse("telemetry:progress", args=[upload_id]))


@never_cache
@require_http_methods(["GET", "POST"])
@needs(RIGHT)
def progress(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Show how far a file is stored; each POST stores the next part, and the page posts by itself until the end."""
    row = _upload(request, upload_id)
    path, scope = path_of(row.file_id), scope_of(request)
    total, _, left_out = source.how_many(path, scope=scope, name=row.name)
    if request.method == "POST" and row.done < total:
        _go_on(request, row, total=total)
        row = _upload(request, upload_id)
        if "HX-Request" not in request.headers:
            return HttpResponseRedirect(reverse("telemetry:progress", args=[upload_id]))
    context = {"upload": row, "total": total, "finished": row.done >= total, "tally": _tally(row.note), "left_out": left_out}
    whole = "HX-Request" not in request.headers
    return render(request, "telemetry/progress.html" if whole else "telemetry/_progress.html", context)


@never_cache
@require_GET
@needs(RIGHT)
def bad(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Give every row that cannot be imported, with what was found and what was expected, as bad.xlsx."""
    row = _upload(request, upload_id)
    kept = io.BytesIO()
    source.write_bad_rows(source.bad_rows(path_of(row.file_id), scope=scope_of(request), name=row.name), kept)
    response = HttpResponse(kept.getvalue(), content_type=XLSX_TYPE)
    response["Content-Disposition"] = 'attachment; filename="bad.xlsx"'
    return response


def _go_on(request: HttpRequest, row: UploadRow, *, total: int) -> None:
    path, scope, now = path_of(row.file_id), scope_of(request), clock().now()
    part = source.import_portion(path, scope=scope, name=row.name, begin=row.done, now=now)
    before = _tally(row.note)
    tally = {name: before[name] + getattr(part.stored, name) for name in TALLY}
    if files.move_upload(row.id, was=row.done, done=part.done, note=tally) and part.done >= total:
        _, rows, left_out = source.how_many(path, scope=scope, name=row.name)
        source.note_import(scope, rows=rows, accepted=tally["accepted"], bad=left_out, now=now)


def _tally(note: Mapping[str, int]) -> dict[str, int]:
    return {name: note.get(name, 0) for name in TALLY}


def _keep(request: HttpRequest) -> int:
    file = request.FILES.get("file")
    if file is None or not file.size:
        raise FileMissing
    name, content = file.name or "readings.csv", file.read(FILE_BYTES + 1)
    if name.lower().endswith(".xlsx"):
        refuse_bomb(content, name=name, limit_bytes=FILE_BYTES)
    return files.keep_upload(
        content, account_id=scope_of(request).account_id or 0, purpose=PURPOSE, name=name, limit_bytes=FILE_BYTES, now=clock().now(),
    )


def _upload(request: HttpRequest, upload_id: int) -> UploadRow:
    return upload(scope_of(request).account_id or 0, upload_id, purpose=PURPOSE)
