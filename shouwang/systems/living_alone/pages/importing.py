"""A list of homes from a workbook: template, upload, preview, enrol with progress, and the rows that were not enrolled."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouwang.documents.sheets import FILE_BYTES, ROWS, find_columns, write_bad_rows, write_template
from shouwang.files import actions as files
from shouwang.files.queries import UploadRow, upload
from shouwang.files.rules import FileMissing
from shouwang.journal.clock import clock
from shouwang.kernel.errors import ShouwangError
from shouwang.people.guard import needs, scope_of
from shouwang.people.queries import area_names
from shouwang.people.rules import mask_name, mask_phone
from shouwang.systems.living_alone import actions
from shouwang.systems.living_alone.actions.importing import END, tally_of
from shouwang.systems.living_alone.pages.homes import EDIT, frame_of
from shouwang.systems.living_alone.rules.lines import EXAMPLE, HEADINGS, REQUIRED, BadRow, Problem
from shouwang.ui.bad_rows import bad_table
from shouwang.ui.lists import XLSX_TYPE
from shouwang.ui.reader import reader

PURPOSE = "living_alone"
SHOWN = 50


@require_http_methods(["GET", "POST"])
@needs(EDIT)
def bring_in(request: HttpRequest) -> HttpResponse:
    """Take a workbook, check that it can be read and go to its preview; nothing is enrolled yet."""
    scope, problem = scope_of(request), ""
    if request.method == "POST":
        try:
            number = _keep(request)
            actions.check_upload(scope, _upload(request, number))
        except ShouwangError as error:
            problem = error.text(reader(request).language)
        else:
            return HttpResponseRedirect(reverse("living_alone:preview", args=[number]))
    columns = [(names[0], field in REQUIRED) for field, names in HEADINGS.items()]
    context = {"problem": problem, "columns": columns, "rows": ROWS, **frame_of(scope)}
    return render(request, "living_alone/import.html", context, status=422 if problem else 200)


@require_GET
@needs(EDIT)
def template(request: HttpRequest) -> HttpResponse:
    """Give an empty list with its heading and one invented row."""
    place = 0 if reader(request).language == "zh" else -1
    heads = [names[place] + ("*" if field in REQUIRED else "") for field, names in HEADINGS.items()]
    return _workbook(write_template(heads, EXAMPLE), "homes.xlsx")


@never_cache
@require_GET
@needs(EDIT)
def preview(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Show what a list would enrol and what is wrong with it, row by row."""
    scope, language = scope_of(request), reader(request).language
    row = _upload(request, upload_id)
    if row.done:
        return HttpResponseRedirect(reverse("living_alone:progress", args=[upload_id]))
    checked = actions.check_upload(scope, row)
    names = area_names({line.home.area_id for line in checked.good[:SHOWN]})
    good = [
        (line.row, mask_name(line.home.name), mask_phone(line.home.phone), names.get(line.home.area_id, ""), line.home.address, line.home.meter)
        for line in checked.good[:SHOWN]
    ]
    bad = bad_table(checked.head, checked.bad, columns=find_columns(checked.head, HEADINGS), language=language)
    context = {
        "upload": row, "good": good, "bad": bad, "good_total": len(checked.good), "bad_total": len(checked.bad), "shown": SHOWN,
        **frame_of(scope),
    }
    return render(request, "living_alone/preview.html", context)


@require_POST
@needs(EDIT)
def decide(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Begin to enrol a previewed list, or drop it."""
    row = _upload(request, upload_id)
    if request.POST.get("do") == "drop":
        files.drop_upload(row.id)
        return HttpResponseRedirect(reverse("living_alone:import"))
    return HttpResponseRedirect(reverse("living_alone:progress", args=[upload_id]))


@never_cache
@require_http_methods(["GET", "POST"])
@needs(EDIT)
def progress(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Show how far a list is enrolled; each POST does the next part, and the page posts by itself until the end."""
    scope = scope_of(request)
    row = _upload(request, upload_id)
    if request.method == "POST" and row.done != END:
        row = actions.import_portion(scope, row, now=clock().now())
        if "HX-Request" not in request.headers:
            return HttpResponseRedirect(reverse("living_alone:progress", args=[upload_id]))
    context = {**_how_far(scope, row), **frame_of(scope)}
    whole = "HX-Request" not in request.headers
    return render(request, "living_alone/progress.html" if whole else "living_alone/_progress.html", context)


@never_cache
@require_GET
@needs(EDIT)
def bad_rows(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Give the rows that were not enrolled, with what is wrong, as bad.xlsx."""
    row = _upload(request, upload_id)
    checked = actions.check_upload(scope_of(request), row)
    failed = [BadRow(number, (), (Problem("FAILED", why),)) for number, why in tally_of(row).failed]
    return _workbook(write_bad_rows(checked.head, [*checked.bad, *failed], language=reader(request).language), "bad.xlsx")


def _how_far(scope: Any, row: UploadRow) -> dict[str, object]:
    checked = actions.check_upload(scope, row, anew=False)
    tally = tally_of(row)
    return {
        "upload": row, "total": len(checked.good), "done": len([line for line in checked.good if line.row <= row.done]),
        "finished": row.done == END, "tally": tally, "left_out": len(checked.bad) + len(tally.failed),
    }


def _keep(request: HttpRequest) -> int:
    file = request.FILES.get("file")
    if file is None or not file.size:
        raise FileMissing
    return files.keep_upload(
        file.read(FILE_BYTES + 1), account_id=scope_of(request).account_id or 0, purpose=PURPOSE, name=file.name or "list.xlsx",
        limit_bytes=FILE_BYTES, now=clock().now(),
    )


def _upload(request: HttpRequest, upload_id: int) -> UploadRow:
    return upload(scope_of(request).account_id or 0, upload_id, purpose=PURPOSE)


def _workbook(data: bytes, name: str) -> HttpResponse:
    response = HttpResponse(data, content_type=XLSX_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
