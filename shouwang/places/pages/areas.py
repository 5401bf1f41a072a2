"""Pages of places: the tree with search and export, its changes, an area's settings with their source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound, Refused, ShouwangError
from shouwang.kernel.texts import Text
from shouwang.places import actions, queries, registry
from shouwang.places.queries import AreaRow, SettingValue
from shouwang.places.rules import tree
from shouwang.places.rules.coordinates import CoordinateSystem, system_of
from shouwang.places.rules.errors import RowInvalid
from shouwang.places.rules.settings import EXPECTED, SettingSpec, read_value, write_value
from shouwang.places.rules.tree import Sight
from shouwang.ui.lists import Choice, Column, Filter, ListQuery, ListSpec, list_response
from shouwang.ui.reader import reader

EDIT = "places.edit"
SET = "settings.edit"
SYSTEMS = (
    (CoordinateSystem.WGS84, Text("WGS-84 / CGCS2000（天地图、卫星定位）", "WGS-84 / CGCS2000 (Tianditu, GPS)")),
    (CoordinateSystem.GCJ02, Text("GCJ-02（高德、腾讯）", "GCJ-02 (Amap, Tencent)")),
    (CoordinateSystem.BD09, Text("BD-09（百度）", "BD-09 (Baidu)")),
)
SPEC = ListSpec[AreaRow](
    title=Text("区划", "Areas"),
    columns=(
        Column("name", Text("名称", "Name"), lambda row: row.name, sortable=True),
        Column("level", Text("级别", "Level"), lambda row: tree.LEVEL_NAMES[row.level]),
        Column("code", Text("区划代码", "Division code"), lambda row: row.code, sortable=True),
        Column("lon", Text("经度", "Longitude"), lambda row: row.lon, numeric=True),
        Column("lat", Text("纬度", "Latitude"), lambda row: row.lat, numeric=True),
        Column("point", Text("位置", "Position"), lambda row: POSITIONS[_position_kind(row)]),
    ),
    filters=(Filter("level", Text("级别", "Level"), [Choice(level, title) for level, title in tree.LEVEL_NAMES.items()]),),
    link=lambda row: reverse("places:area", args=[row.id]),
    searched=Text("名称、拼音或代码", "Name, pinyin or code"),
)
POSITIONS: Mapping[str, Text] = {
    "NONE": Text("无", "none"),
    "SCHEMATIC": Text("示意", "schematic"),
    "SURVEYED": Text("实测", "surveyed"),
}
SAVED = Text("已保存。", "Saved.")
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


@dataclass(frozen=True)
class SettingLine:
    """One setting of an area as the page shows it."""

    spec: SettingSpec
    value: str
    source: AreaRow | None
    is_own: bool
    expected: Text


def signed_in(view: View[P]) -> View[P]:
    """Return the view for whoever has a scope; nobody is sent to the sign-in page."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if getattr(request, "scope", None) is None:
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)

    return guarded


@require_GET
@signed_in
def areas(request: HttpRequest, area_id: int | None = None) -> HttpResponse:
    """Show what the reader sees, or one area and what lies just below it; a search looks through everything below."""
    sight = sight_of(request)
    row = None if area_id is None else _seen(sight, area_id)

    def fetch(query: ListQuery) -> tuple[list[AreaRow], int]:
        return queries.listed(
            sight.paths, parent_id=area_id, text=query.text, level=query.chosen.get("level", ""), sort=query.sort,
            offset=query.offset, limit=query.limit,
        )

    context: dict[str, object] = {"now": now_of(request), "may_import": may_import(sight)}
    if row is not None:
        context |= _about(row, sight)
    return list_response(request, spec=SPEC, fetch=fetch, template="places/area.html", context=context)


@require_POST
@signed_in
def change(request: HttpRequest, area_id: int, what: str) -> HttpResponse:
    """Add below the area, rename it, move it or set its point; then show it again, or why it cannot be done."""
    sight = sight_of(request)
    row = _seen(sight, area_id)
    if what not in _CHANGES:
        raise NotFound(what=what)
    _require(sight, EDIT, row.path)
    try:
        area_id = _CHANGES[what](row, request, sight)
        messages.success(request, SAVED.render(reader(request).language, {}))
    except ShouwangError as error:
        if isinstance(error, Refused):
            raise
        messages.error(request, error.text(reader(request).language))
    return HttpResponseRedirect(reverse("places:area", args=[area_id]))


@require_http_methods(["GET", "POST"])
@signed_in
def settings(request: HttpRequest, area_id: int) -> HttpResponse:
    """Show every setting at an area with the area each value comes from; change one, or give it up."""
    sight = sight_of(request)
    row = _seen(sight, area_id)
    if request.method == "POST":
        _require(sight, SET, row.path)
        try:
            spec = registry.spec_of(request.POST.get("key", ""))
            value = None if "inherit" in request.POST else read_value(spec, request.POST.get("value", ""))
            actions.set_setting(area_id, spec.key, value, now=now_of(request))
            messages.success(request, SAVED.render(reader(request).language, {}))
        except ShouwangError as error:
            messages.error(request, error.text(reader(request).language))
        return HttpResponseRedirect(reverse("places:settings", args=[area_id]))
    found = queries.settings_of(area_id, [spec.key for spec in registry.specs() if not spec.is_apart])
    sources = queries.areas({each.source_area_id for each in found.values() if each.source_area_id is not None})
    lines = [_line(registry.spec_of(key), value, sources, area_id) for key, value in found.items()]
    context = {"area": row, "line": queries.ancestors_of(row.path), "lines": lines, "may_set": sight.may(SET, row.path), "now": now_of(request)}
    return render(request, "places/settings.html", context)


def _add(row: AreaRow, request: HttpRequest, _: Sight) -> int:
    post = request.POST
    actions.add_area(
        parent_id=row.id, name=post.get("name", ""), level=post.get("level", ""), code=post.get("code", ""), now=now_of(request),
    )
    return row.id


def _rename(row: AreaRow, request: HttpRequest, _: Sight) -> int:
    actions.rename_area(row.id, name=request.POST.get("name", ""), now=now_of(request))
    return row.id


def _move(row: AreaRow, request: HttpRequest, sight: Sight) -> int:
    parent = _seen(sight, int(_digits(request.POST.get("parent", ""))))
    _require(sight, EDIT, parent.path)
    actions.move_area(row.id, parent_id=parent.id, now=now_of(request))
    return row.id


def _point(row: AreaRow, request: HttpRequest, _: Sight) -> int:
    lon, lat = request.POST.get("lon", ""), request.POST.get("lat", "")
    try:
        point = (float(lon), float(lat))
    except ValueError:
        raise RowInvalid(column="lon, lat", found=f"{lon}, {lat}"[:40], expected=Text("十进制度数", "decimal degrees")) from None
    actions.set_point(row.id, point=point, system=system_of(request.POST.get("system", "")), now=now_of(request))
    return row.id


_CHANGES: Mapping[str, Callable[[AreaRow, HttpRequest, Sight], int]] = {
    "add": _add, "rename": _rename, "move": _move, "point": _point,
}


def _about(row: AreaRow, sight: Sight) -> dict[str, object]:
    may_edit = sight.may(EDIT, row.path)
    parents = queries.possible_parents(row, sight.paths) if may_edit and row.parent_id is not None else []
    names = queries.full_names([each.id for each in parents])
    levels = tree.LEVELS[tree.depth(row.level) + 1 :]
    return {
        "area": row,
        "line": queries.ancestors_of(row.path),
        "level": tree.LEVEL_NAMES[row.level],
        "position": POSITIONS[_position_kind(row)],
        "may_edit": may_edit,
        "levels": [(level, tree.LEVEL_NAMES[level]) for level in levels],
        "parents": [(each.id, names[each.id]) for each in parents if sight.may(EDIT, each.path)],
        "systems": SYSTEMS,
    }


def _line(spec: SettingSpec, found: SettingValue, sources: Mapping[int, AreaRow], area_id: int) -> SettingLine:
    source = None if found.source_area_id is None else sources.get(found.source_area_id)
    return SettingLine(spec, write_value(spec, found.value), source, found.source_area_id == area_id, EXPECTED[spec.kind])


def sight_of(request: HttpRequest) -> Sight:
    sight: Sight = request.scope  # type: ignore[attr-defined] # set by people's middleware; `signed_in` let it through
    return sight


def _seen(sight: Sight, area_id: int) -> AreaRow:
    row = queries.area(area_id)
    if not sight.sees(row.path):
        raise NotFound(what=f"区域 {area_id}")
    return row


def _require(sight: Sight, right: str, path: str) -> None:
    if not sight.may(right, path):
        raise Refused(right=right)


def may_import(sight: Sight) -> bool:
    """Return whether the reader may edit every root: an import may touch any of them."""
    roots = queries.roots()
    return bool(roots) and all(sight.may(EDIT, root.path) for root in roots)


def _position_kind(row: AreaRow) -> str:
    return "NONE" if row.lon is None else "SCHEMATIC" if row.point_is_schematic else "SURVEYED"


def _digits(text: str) -> str:
    return text if text.isascii() and text.isdigit() and len(text) < 16 else "0"


def now_of(request: HttpRequest) -> datetime:
    now: Any = getattr(request, "now", None)
    return now if isinstance(now, datetime) else clock().now()
