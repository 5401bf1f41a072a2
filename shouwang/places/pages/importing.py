"""Imports of divisions (CSV, XLSX) and outlines (GeoJSON): which coordinate system is asked, never guessed; a preview first.

A long list goes in by portions: the page shows how far it is, and going on after a break is the same as going on.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouwang.documents.sheets import find_columns, write_bad_rows, write_template
from shouwang.files import actions as files
from shouwang.files.queries import UploadRow, path_of, upload
from shouwang.files.rules import FileMissing
from shouwang.kernel.errors import Refused, ShouwangError
from shouwang.places import actions, queries
from shouwang.places.actions import Plan
from shouwang.places.pages.areas import EDIT, SYSTEMS, may_import, now_of, sight_of, signed_in
from shouwang.places.rules import tree
from shouwang.places.rules.coordinates import CoordinateSystem, system_of
from shouwang.places.rules.divisions import EXAMPLE, HEADINGS, REQUIRED, TEMPLATE
from shouwang.places.rules.errors import SystemUnknown
from shouwang.ui.bad_rows import bad_table
from shouwang.ui.lists import XLSX_TYPE
from shouwang.ui.reader import reader

PURPOSE = "places"
SHOWN = 50
POINTS = 500
REVIEW_NUMBER = "审图号 GS(2024)0650号"
PORTION = 2_000
END = 1 << 40
NO_POSITIONS = "NONE"


@require_http_methods(["GET", "POST"])
@signed_in
def bring_in(request: HttpRequest) -> HttpResponse:
    """Take a file and the coordinate system it is in, and go to its preview; nothing is written yet."""
    _require_import(request)
    problem = ""
    if request.method == "POST":
        try:
            number = _keep(request, system=_system(request.POST.get("system", "")))
            _plan(_upload(request, number))
        except ShouwangError as error:
            problem = error.text(reader(request).language)
        else:
            return HttpResponseRedirect(reverse("places:preview", args=[number]))
    columns = [(names[0], field in REQUIRED) for field, names in HEADINGS.items()]
    context = {"systems": SYSTEMS, "problem": problem, "columns": columns, "none": NO_POSITIONS, "chosen": request.POST.get("system", ""), "now": now_of(request)}
    return render(request, "places/import.html", context, status=422 if problem else 200)


@require_GET
@signed_in
def template(request: HttpRequest) -> HttpResponse:
    """Give an empty list with its heading and one invented row."""
    _require_import(request)
    place = 0 if reader(request).language == "zh" else -1
    heads = [HEADINGS[field][place] + ("*" if field in REQUIRED else "") for field in TEMPLATE]
    return _workbook(write_template(heads, EXAMPLE), "areas.xlsx")


@never_cache
@require_GET
@signed_in
def preview(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Show what a file would add and change, where its points lie, and the rows that cannot be used."""
    _require_import(request)
    row = _upload(request, upload_id)
    if row.done:
        return HttpResponseRedirect(reverse("places:progress", args=[upload_id]))
    plan = _plan(row)
    system = _system(row.options["system"])
    title = dict(SYSTEMS)[system] if system else None
    table = bad_table(plan.head, plan.bad, columns=find_columns(plan.head, HEADINGS), language=reader(request).language)
    context = {
        "upload": row, "plan": plan, "shown": SHOWN, "system": title, "level_names": tree.LEVEL_NAMES, "now": now_of(request),
        "added": [(area, tree.LEVEL_NAMES[area.level]) for area in plan.added[:SHOWN]],
        "changed": [(area, tree.LEVEL_NAMES[area.level]) for area in plan.changed[:SHOWN]],
        "bad": table, "map": _map(plan),
    }
    return render(request, "places/preview.html", context)


@require_POST
@signed_in
def decide(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Begin to import a previewed file, or drop it."""
    _require_import(request)
    row = _upload(request, upload_id)
    if request.POST.get("do") != "import":
        files.drop_upload(row.id)
        return HttpResponseRedirect(reverse("places:import"))
    return HttpResponseRedirect(reverse("places:progress", args=[upload_id]))


@never_cache
@require_http_methods(["GET", "POST"])
@signed_in
def progress(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Show how far a file is imported; each POST does the next part, and the page posts by itself until the end."""
    _require_import(request)
    row = _upload(request, upload_id)
    if request.method == "POST" and row.done != END:
        _go_on(row, now=now_of(request))
        row = _upload(request, upload_id)
        if "HX-Request" not in request.headers:
            return HttpResponseRedirect(reverse("places:progress", args=[upload_id]))
    note = row.note
    context = {
        "upload": row, "finished": row.done == END, "note": note, "total": note.get("added", 0) + note.get("waiting", 0), "now": now_of(request),
        "levels": [(title, note["levels"][level]) for level, title in tree.LEVEL_NAMES.items() if note.get("levels", {}).get(level)],
    }
    whole = "HX-Request" not in request.headers
    return render(request, "places/progress.html" if whole else "places/_progress.html", context)


@never_cache
@require_GET
@signed_in
def bad_rows(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Give all rows that cannot be used, as they were and with why, as bad.xlsx: mended there, they can be uploaded again."""
    _require_import(request)
    plan = _plan(_upload(request, upload_id))
    return _workbook(write_bad_rows(plan.head, plan.bad, language=reader(request).language), "bad.xlsx")


def _go_on(row: UploadRow, *, now: datetime) -> None:
    """Import the next portion of a file and note it, in one transaction; of two at once one does the work."""
    path, system, note = path_of(row.file_id), _system(row.options["system"]), row.note
    with transaction.atomic():
        if row.options["outlines"]:
            done = actions.import_outlines(path, system=system or CoordinateSystem.WGS84, now=now)
        else:
            done = actions.import_divisions(path, name=row.name, system=system, now=now, at_most=PORTION)
        levels = Counter(note.get("levels", {})) + Counter(done.levels)
        found = {
            "added": note.get("added", 0) + done.added, "changed": note.get("changed", 0) + done.changed,
            "unchanged": note.get("unchanged", done.unchanged), "bad": len(done.bad), "waiting": done.waiting, "levels": dict(levels),
        }
        if not files.move_upload(row.id, was=row.done, done=found["added"] if done.waiting else END, note=found):
            transaction.set_rollback(True)


def _workbook(data: bytes, name: str) -> HttpResponse:
    response = HttpResponse(data, content_type=XLSX_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _system(code: str) -> CoordinateSystem | None:
    """Return the coordinate system a file is in, None where it holds no positions. Raises SystemUnknown."""
    return None if code == NO_POSITIONS else system_of(code)


def _require_import(request: HttpRequest) -> None:
    if not may_import(sight_of(request)):
        raise Refused(right=EDIT)


def _keep(request: HttpRequest, *, system: CoordinateSystem | None) -> int:
    file = request.FILES.get("file")
    if file is None or not file.size:
        raise FileMissing
    name = file.name or "areas.csv"
    outlines = name.lower().endswith(("json", "geojson"))
    if outlines and system is None:
        raise SystemUnknown(found="")
    return files.keep_upload(
        file.read(actions.MAX_IMPORT_BYTES + 1), account_id=_account(request), purpose=PURPOSE, name=name,
        limit_bytes=actions.MAX_IMPORT_BYTES, now=now_of(request),
        options={"system": str(system or NO_POSITIONS), "outlines": outlines},
    )


def _upload(request: HttpRequest, upload_id: int) -> UploadRow:
    return upload(_account(request), upload_id, purpose=PURPOSE)


def _account(request: HttpRequest) -> int:
    """Return the account of the reader, whose scope this room knows by its sight only."""
    return int(getattr(sight_of(request), "account_id", None) or 0)


def _plan(row: UploadRow) -> Plan:
    path, system = path_of(row.file_id), _system(row.options["system"])
    if row.options["outlines"]:
        return actions.plan_outlines(path, system=system or CoordinateSystem.WGS84)
    return actions.plan_divisions(path, name=row.name, system=system)


def _map(plan: Plan) -> dict[str, Any] | None:
    """Return the points of a plan over the outlines there are, so that a wrong coordinate system is seen; None without points."""
    placed = [area for area in (*plan.added, *plan.changed) if area.lon is not None][:POINTS]
    roots = queries.roots()[:1]
    if not placed or not roots:
        return None
    counties = queries.children(roots[0].id)
    found = queries.outlines([county.id for county in counties])
    features = [
        {"type": "Feature", "geometry": found[county.id][0], "properties": {"name": county.name, "lon": county.lon, "lat": county.lat}}
        for county in counties
        if county.id in found
    ]
    points = [{"id": n, "lon": area.lon, "lat": area.lat, "severity": "blue", "title": area.name} for n, area in enumerate(placed)]
    return {"outlines": {"type": "FeatureCollection", "features": features}, "review": REVIEW_NUMBER, "points": points}
