"""Pages of imports: upload a list, see what would be added and what is wrong, then add it or not."""

from __future__ import annotations

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouwang.documents.sheets import FILE_BYTES, ROWS, find_columns, write_bad_rows, write_template
from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound, ShouwangError
from shouwang.kernel.texts import Text
from shouwang.people import actions, queries
from shouwang.people.guard import needs, scope_of
from shouwang.people.rules.codes import DUTIES
from shouwang.people.rules.lines import EXAMPLE, HEADINGS, REQUIRED
from shouwang.people.rules.masking import mask_name, mask_phone
from shouwang.ui.bad_rows import bad_table
from shouwang.ui.lists import XLSX_TYPE
from shouwang.ui.reader import reader

SHOWN = 50
MISSING = Text("请选择一个 .xlsx 文件。", "Choose an .xlsx file.")
IMPORTED = Text("已添加 {persons} 人、{duties} 项职责。", "Added {persons} persons and {duties} duties.")


@require_http_methods(["GET", "POST"])
@needs("people.edit")
def upload(request: HttpRequest) -> HttpResponse:
    """Take a workbook, check it and go to its preview; nothing is added yet."""
    language, scope, problem = reader(request).language, scope_of(request), ""
    if request.method == "POST":
        file = request.FILES.get("file")
        if not isinstance(file, UploadedFile) or not file.size:
            problem = MISSING.render(language, {})
        else:
            name = file.name or "list.xlsx"
            try:
                head, good, bad = actions.check_sheet(scope, file.read(FILE_BYTES + 1), name=name)
            except ShouwangError as error:
                problem = error.text(language)
            else:
                draft = actions.keep_draft(scope, name=name, head=head, good=good, bad=bad, now=clock().now())
                return HttpResponseRedirect(reverse("people:import_preview", args=[draft]))
    context = {
        "problem": problem, "columns": [(names[0], field in REQUIRED) for field, names in HEADINGS.items()],
        "duties": list(DUTIES.values()), "rows": ROWS,
    }
    return render(request, "people/import.html", context, status=422 if problem else 200)


@require_GET
@needs("people.edit")
def template(request: HttpRequest) -> HttpResponse:
    """Give an empty list with its heading and one invented row."""
    place = 0 if reader(request).language == "zh" else -1
    heads = [names[place] + ("*" if field in REQUIRED else "") for field, names in HEADINGS.items()]
    return _workbook(write_template(heads, EXAMPLE), "people.xlsx")


@never_cache
@require_GET
@needs("people.edit")
def preview(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Show what a list would add and what is wrong with it."""
    scope, language = scope_of(request), reader(request).language
    draft = queries.import_draft(scope.account_id or 0, draft_id)
    names = queries.area_names({line.area_id for line in draft.good[:SHOWN]})
    good = [
        (line.row, mask_name(line.name), mask_phone(line.phone), names.get(line.area_id, ""), DUTIES.get(line.duty))
        for line in draft.good[:SHOWN]
    ]
    bad = bad_table(draft.head, draft.bad, columns=find_columns(draft.head, HEADINGS), language=language)
    context = {"draft": draft, "good": good, "bad": bad, "good_total": len(draft.good), "bad_total": len(draft.bad), "shown": SHOWN}
    return render(request, "people/import_preview.html", context)


@require_POST
@needs("people.edit")
def confirm(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Add the good rows of a list, or drop the list."""
    scope, language = scope_of(request), reader(request).language
    account_id = scope.account_id or 0
    draft = queries.import_draft(account_id, draft_id)
    if request.POST.get("do") == "add":
        persons, duties = actions.import_draft(scope, draft.id, draft.good, now=clock().now())
        messages.success(request, IMPORTED.render(language, {"persons": persons, "duties": duties}))
    elif not actions.drop_draft(draft.id, account_id=account_id):
        raise NotFound(what=f"导入清单 {draft_id}")
    return HttpResponseRedirect(reverse("people:persons"))


@never_cache
@require_GET
@needs("people.edit")
def bad_rows(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Give the bad rows of a list as bad.xlsx, with what is wrong."""
    draft = queries.import_draft(scope_of(request).account_id or 0, draft_id)
    return _workbook(write_bad_rows(draft.head, draft.bad, language=reader(request).language), "bad.xlsx")


def _workbook(data: bytes, name: str) -> HttpResponse:
    response = HttpResponse(data, content_type=XLSX_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
