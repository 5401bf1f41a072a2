"""Imports of divisions (CSV) and outlines (GeoJSON): which coordinate system is asked, never guessed; then a preview on a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouwang.files import actions as files
from shouwang.files.queries import UploadRow, path_of, upload
from shouwang.files.rules import FileMissing
from shouwang.kernel.errors import Refused, ShouwangError
from shouwang.kernel.texts import Text
from shouwang.places import actions, queries
from shouwang.places.actions import Plan
from shouwang.places.pages.areas import EDIT, SYSTEMS, may_import, now_of, sight_of, signed_in
from shouwang.places.rules import tree
from shouwang.places.rules.coordinates import system_of
from shouwang.places.rules.divisions import BadRow
from shouwang.ui.lists import Column, ListSpec, xlsx_response
from shouwang.ui.reader import reader

PURPOSE = "places"
SHOWN = 50
POINTS = 500
REVIEW_NUMBER = "审图号 GS(2024)0650号"
DONE = Text("新增 {added}，改动 {changed}，不变 {unchanged}，未导入 {bad}。", "{added} added, {changed} changed, {unchanged} unchanged, {bad} left out.")
BAD: ListSpec[tuple[int, str]] = ListSpec(
    title=Text("未导入的行", "Rows left out"),
    columns=(
        Column("row", Text("行", "Row"), lambda row: row[0], numeric=True),
        Column("why", Text("原因", "Why"), lambda row: row[1]),
    ),
)


@require_http_methods(["GET", "POST"])
@signed_in
def bring_in(request: HttpRequest) -> HttpResponse:
    """Take a file and the coordinate system it is in, and go to its preview; nothing is written yet."""
    _require_import(request)
    problem = ""
    if request.method == "POST":
        try:
            system = system_of(request.POST.get("system", ""))
            number = _keep(request, system=system)
            _plan(_upload(request, number))
        except ShouwangError as error:
            problem = error.text(reader(request).language)
        else:
            return HttpResponseRedirect(reverse("places:preview", args=[number]))
    context = {"systems": SYSTEMS, "problem": problem, "chosen": request.POST.get("system", ""), "now": now_of(request)}
    return render(request, "places/import.html", context, status=422 if problem else 200)


@never_cache
@require_GET
@signed_in
def preview(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Show what a file would add and change, where its points lie, and the rows that cannot be used."""
    _require_import(request)
    row = _upload(request, upload_id)
    plan = _plan(row)
    title = dict(SYSTEMS)[system_of(row.options["system"])]
    context = {
        "upload": row, "plan": plan, "shown": SHOWN, "system": title, "level_names": tree.LEVEL_NAMES, "now": now_of(request),
        "added": [(area, tree.LEVEL_NAMES[area.level]) for area in plan.added[:SHOWN]],
        "changed": [(area, tree.LEVEL_NAMES[area.level]) for area in plan.changed[:SHOWN]],
        "bad": _said(plan.bad[:SHOWN], request), "map": _map(plan),
    }
    return render(request, "places/preview.html", context)


@require_POST
@signed_in
def decide(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Import a previewed file, or drop it."""
    _require_import(request)
    row = _upload(request, upload_id)
    if request.POST.get("do") != "import":
        files.drop_upload(row.id)
        return HttpResponseRedirect(reverse("places:import"))
    path, system, now = path_of(row.file_id), system_of(row.options["system"]), now_of(request)
    if row.options["outlines"]:
        done = actions.import_outlines(path, system=system, now=now)
    else:
        done = actions.import_divisions(path, system=system, now=now)
    files.drop_upload(row.id)
    words = {"added": done.added, "changed": done.changed, "unchanged": done.unchanged, "bad": len(done.bad)}
    messages.success(request, DONE.render(reader(request).language, words))
    return HttpResponseRedirect(reverse("places:tree"))


@never_cache
@require_GET
@signed_in
def bad_rows(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Give all rows that cannot be used, with why, as a workbook."""
    _require_import(request)
    language = reader(request).language
    return xlsx_response(BAD, _said(_plan(_upload(request, upload_id)).bad, request), language=language, name="bad")


def _require_import(request: HttpRequest) -> None:
    if not may_import(sight_of(request)):
        raise Refused(right=EDIT)


def _keep(request: HttpRequest, *, system: str) -> int:
    file = request.FILES.get("file")
    if file is None or not file.size:
        raise FileMissing
    name = file.name or "areas.csv"
    return files.keep_upload(
        file.read(actions.MAX_IMPORT_BYTES + 1), account_id=_account(request), purpose=PURPOSE, name=name,
        limit_bytes=actions.MAX_IMPORT_BYTES, now=now_of(request),
        options={"system": str(system), "outlines": name.lower().endswith(("json", "geojson"))},
    )


def _upload(request: HttpRequest, upload_id: int) -> UploadRow:
    return upload(_account(request), upload_id, purpose=PURPOSE)


def _account(request: HttpRequest) -> int:
    """Return the account of the reader, whose scope this room knows by its sight only."""
    return int(getattr(sight_of(request), "account_id", None) or 0)


def _plan(row: UploadRow) -> Plan:
    path, system = path_of(row.file_id), system_of(row.options["system"])
    return actions.plan_outlines(path, system=system) if row.options["outlines"] else actions.plan_divisions(path, system=system)


def _said(bad: Sequence[BadRow], request: HttpRequest) -> list[tuple[int, str]]:
    language = reader(request).language
    return [(row.line, row.error.text(language)) for row in bad]


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
