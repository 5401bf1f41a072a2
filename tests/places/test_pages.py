"""Pages of places: what a reader sees and may change, and what others may not."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shouwang.kernel.errors import NotFound, Refused
from shouwang.places import actions, pages, queries

pytestmark = pytest.mark.django_db
Ask = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Scope:
    """A reader who sees `paths` and has `rights` at all of them."""

    paths: tuple[str, ...]
    rights: frozenset[str] = frozenset({"places.edit", "settings.edit"})

    def sees(self, path: str) -> bool:
        """Return whether the reader sees `path`."""
        return path.startswith(self.paths)

    def may(self, right: str, path: str) -> bool:
        """Return whether the reader has `right` at `path`."""
        return right in self.rights and self.sees(path)


@pytest.fixture
def ids(now: datetime) -> dict[str, int]:
    """Return a small tree by name."""
    found: dict[str, int] = {}
    for name, parent in (("甲市", ""), ("乙县", "甲市"), ("丙县", "甲市"), ("丁镇", "乙县"), ("戊村", "丁镇")):
        found[name] = actions.add_area(parent_id=found.get(parent), name=name, code="" if parent else "371500", now=now)
    return found


@pytest.fixture
def ask(rf: RequestFactory, now: datetime, ids: dict[str, int]) -> Ask:
    """Return a function that asks a view as the administrator of `at` (of 甲市 unless told)."""

    def asked(view: Any, *args: Any, at: str = "甲市", rights: frozenset[str] | None = None, get: dict[str, Any] | None = None,
              post: dict[str, Any] | None = None, nobody: bool = False) -> HttpResponse:
        request: HttpRequest = rf.get("/places/", get or {}) if post is None else rf.post("/places/", post)
        paths = (queries.area(ids[at]).path,)
        scope = None if nobody else Scope(paths) if rights is None else Scope(paths, rights)
        for name, value in {"scope": scope, "now": now, "language": "zh", "_messages": CookieStorage(request)}.items():
            setattr(request, name, value)
        response = view(request, *args)
        response.said = [str(message) for message in request._messages]  # type: ignore[attr-defined]
        assert isinstance(response, HttpResponse)
        return response

    return asked


def text(response: HttpResponse) -> str:
    """Return a response's page."""
    return response.content.decode()


def test_nobody_is_sent_to_the_sign_in_page(ask: Ask, ids: dict[str, int]) -> None:
    for view, arguments in ((pages.areas, ()), (pages.settings, (ids["甲市"],)), (pages.bring_in, ())):
        response = ask(view, *arguments, nobody=True)
        assert (response.status_code, "sign-in" in response["Location"]) == (302, True)


def test_the_tree_shows_the_readers_own_area_and_search_stays_inside(ask: Ask) -> None:
    assert "乙县" in text(ask(pages.areas, at="乙县"))
    found = text(ask(pages.areas, at="乙县", get={"q": "村"}))
    assert "戊村" in found
    assert "丙县" not in text(ask(pages.areas, at="乙县", get={"q": "县"}))


def test_an_area_shows_what_lies_below_and_where_it_lies(ask: Ask, ids: dict[str, int]) -> None:
    page = text(ask(pages.areas, ids["乙县"]))
    assert "丁镇" in page
    assert "甲市" in page
    assert "增加下级" in page
    assert "增加下级" not in text(ask(pages.areas, ids["乙县"], rights=frozenset()))


def test_an_area_out_of_sight_is_not_found(ask: Ask, ids: dict[str, int]) -> None:
    for view, arguments in ((pages.areas, (ids["丙县"],)), (pages.settings, (ids["丙县"],))):
        with pytest.raises(NotFound):
            ask(view, *arguments, at="乙县")
    with pytest.raises(NotFound):
        ask(pages.change, ids["丙县"], "rename", at="乙县", post={"name": "夺来的县"})


def test_the_list_is_exported_as_a_workbook(ask: Ask, ids: dict[str, int]) -> None:
    response = ask(pages.areas, ids["甲市"], get={"format": "xlsx"})
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    assert sheet is not None
    assert [row[0] for row in sheet.iter_rows(values_only=True)] == ["名称", "乙县", "丙县"]


def test_an_area_is_added_renamed_moved_and_placed(ask: Ask, ids: dict[str, int]) -> None:
    assert ask(pages.change, ids["丁镇"], "add", post={"name": "己村", "level": "VILLAGE", "code": ""}).status_code == 302
    assert [row.name for row in queries.children(ids["丁镇"])] == ["戊村", "己村"]
    ask(pages.change, ids["丁镇"], "rename", post={"name": "庚镇"})
    ask(pages.change, ids["丁镇"], "move", post={"parent": str(ids["丙县"])})
    ask(pages.change, ids["丁镇"], "point", post={"lon": "115.9", "lat": "36.4", "system": "WGS84"})
    row = queries.area(ids["丁镇"])
    assert (row.name, row.parent_id, row.lon, row.point_is_schematic) == ("庚镇", ids["丙县"], 115.9, False)


@pytest.mark.parametrize(
    ("what", "post", "said"),
    [
        ("rename", {"name": ""}, "名称"),
        ("add", {"name": "x", "code": "12"}, ""),  # a code of two digits is filled up, so this one is fine
        ("add", {"name": "x", "code": "1x"}, "区划代码"),
        ("move", {"parent": "none"}, "没有找到"),
        ("point", {"lon": "east", "lat": "36", "system": "WGS84"}, "十进制度数"),
        ("point", {"lon": "115", "lat": "36", "system": ""}, "坐标系"),
    ],
)
def test_what_cannot_be_done_is_said(ask: Ask, ids: dict[str, int], what: str, post: dict[str, str], said: str) -> None:
    response = ask(pages.change, ids["丁镇"], what, post=post)
    assert said in " ".join(response.said)  # type: ignore[attr-defined]


def test_without_the_right_nothing_changes(ask: Ask, ids: dict[str, int]) -> None:
    none: frozenset[str] = frozenset()
    with pytest.raises(Refused):
        ask(pages.change, ids["丁镇"], "rename", rights=none, post={"name": "庚镇"})
    with pytest.raises(Refused):
        ask(pages.settings, ids["丁镇"], rights=none, post={"key": "office.hours", "value": "09:00-10:00"})
    with pytest.raises(Refused):
        ask(pages.bring_in, at="乙县")
    with pytest.raises(NotFound):
        ask(pages.change, ids["丁镇"], "burn", post={})
    assert queries.area(ids["丁镇"]).name == "丁镇"


def test_settings_show_where_each_value_comes_from(ask: Ask, ids: dict[str, int], now: datetime) -> None:
    actions.set_setting(ids["甲市"], "office.hours", [["08:00", "12:00"]], now=now)
    page = text(ask(pages.settings, ids["丁镇"]))
    assert "08:00-12:00" in page
    assert "来自" in page
    assert "默认值" in page
    ask(pages.settings, ids["丁镇"], post={"key": "office.hours", "value": "09:00-12:00"})
    assert queries.setting(ids["戊村"], "office.hours").source_area_id == ids["丁镇"]
    assert "本区域规定" in text(ask(pages.settings, ids["丁镇"]))
    ask(pages.settings, ids["丁镇"], post={"key": "office.hours", "value": "", "inherit": "1"})
    assert queries.setting(ids["戊村"], "office.hours").source_area_id == ids["甲市"]
    assert "应为" in " ".join(ask(pages.settings, ids["丁镇"], post={"key": "office.hours", "value": "x"}).said)  # type: ignore[attr-defined]


ROWS = "code,name,level,parent,lon,lat\n371500,聊城市,city,37,,\n371522,莘县,county,371500,115.676,36.234\n371523,,county,371500,,\n"
OUTLINE = b'{"features":[{"properties":{"code":"371522"},"geometry":{"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2],[1,1]]]}}]}'


@pytest.fixture
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.SHOUWANG_DATA_DIR = tmp_path


def sent(ask: Ask, name: str, content: bytes, **fields: str) -> HttpResponse:
    return ask(pages.bring_in, post={"file": SimpleUploadedFile(name, content), **fields})


def brought_in(ask: Ask, number: int) -> str:
    """Import a previewed file to its end; return the page that says what came of it."""
    assert ask(pages.decide, number, post={"do": "import"})["Location"].endswith(f"/{number}/progress/")
    for _ in range(20):
        ask(pages.progress, number, post={})
        page = text(ask(pages.progress, number))
        if "已导入完" in page:
            return page
    pytest.fail("the import did not end")


@pytest.mark.usefixtures("_own_folder")
def test_an_import_asks_for_the_coordinate_system_and_shows_a_preview_first(ask: Ask) -> None:
    assert "BD-09" in text(ask(pages.bring_in))
    refused = sent(ask, "list.csv", ROWS.encode("gb18030"))
    assert (refused.status_code, "坐标系" in text(refused)) == (422, True)
    assert "没有选择文件" in text(ask(pages.bring_in, post={"system": "WGS84"}))
    number = int(sent(ask, "list.csv", ROWS.encode("gb18030"), system="GCJ02")["Location"].split("/")[-2])
    page = text(ask(pages.preview, number))
    assert "新增 1，改动 0，不变 1，不能导入 1 行" in page
    assert "GCJ-02" in page
    assert "data-map" in page
    assert queries.area_of_code("371522") is None
    sheet = openpyxl.load_workbook(io.BytesIO(ask(pages.bad_rows, number).content)).active
    assert sheet is not None
    assert [row[0] for row in sheet.iter_rows(values_only=True)] == ["行号", "4"]
    assert "新增 1，改动 0，不变 1，未导入 1 行" in brought_in(ask, number)
    county = queries.area_of_code("371522")
    assert county is not None
    assert county.lon is not None
    assert county.lon < 115.672
    assert ask(pages.preview, number)["Location"].endswith("/progress/")


@pytest.mark.usefixtures("_own_folder")
def test_outlines_are_previewed_and_a_preview_is_dropped(ask: Ask) -> None:
    number = int(sent(ask, "list.csv", ROWS.encode(), system="WGS84")["Location"].split("/")[-2])
    assert ask(pages.decide, number, post={"do": "drop"}).status_code == 302
    assert queries.area_of_code("371522") is None
    unknown = int(sent(ask, "a.geojson", OUTLINE, system="WGS84")["Location"].split("/")[-2])
    assert "改动 0，不变 0，不能导入 1 行" in text(ask(pages.preview, unknown))
    again = int(sent(ask, "list.csv", ROWS.encode(), system="WGS84")["Location"].split("/")[-2])
    brought_in(ask, again)
    outline = int(sent(ask, "a.geojson", OUTLINE, system="WGS84")["Location"].split("/")[-2])
    assert "莘县" in text(ask(pages.preview, outline))
    assert "改动 1" in brought_in(ask, outline)


@pytest.mark.usefixtures("_own_folder")
def test_only_who_may_edit_every_root_previews_and_imports(ask: Ask) -> None:
    number = int(sent(ask, "list.csv", ROWS.encode(), system="WGS84")["Location"].split("/")[-2])
    for view, post in ((pages.preview, None), (pages.bad_rows, None), (pages.decide, {"do": "import"}), (pages.progress, {}), (pages.progress, None)):
        with pytest.raises(Refused):
            ask(view, number, at="乙县", post=post)


@given(st.lists(st.sampled_from(["371522,莘县,county,371500", "371523,茌平,county,371500", ",己镇,township,371522", "x,y,z,w"]), max_size=8))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_preview_says_what_the_import_then_does(now: datetime, rows: list[str]) -> None:
    with transaction.atomic():
        actions.add_area(parent_id=None, name="甲市", code="371500", now=now)
        content = "\n".join(["code,name,level,parent", *rows]).encode()
        plan = actions.plan_divisions(content)
        done = actions.import_divisions(content, now=now)
        assert (len(plan.added), len(plan.changed), plan.unchanged, len(plan.bad)) == (done.added, done.changed, done.unchanged, len(done.bad))
        transaction.set_rollback(True)


def workbook(*rows: tuple[str, ...]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


HEAD = ("名称*", "级别*", "上级*", "区划代码")
TREE = (
    HEAD, ("新县", "县（市、区）", "甲市", "371525"), ("东村", "村", "新县 新镇", ""), ("新镇", "乡镇", "新县", ""), ("第一网格", "网格", "新镇 东村", ""),
    ("错村", "村", "没有的镇", ""), ("", "乡镇", "新县", ""), ("戊村", "村", "丁镇", ""),
)


@pytest.mark.usefixtures("_own_folder")
@pytest.mark.parametrize("form", ["xlsx", "utf-8-sig", "gb18030"])
def test_an_office_brings_its_tree_in_by_names_in_any_order(ask: Ask, form: str) -> None:
    content = workbook(*TREE) if form == "xlsx" else "\n".join(map(",".join, TREE)).encode(form)
    number = int(sent(ask, "tree.xlsx" if form == "xlsx" else "tree.csv", content, system="NONE")["Location"].split("/")[-2])
    page = text(ask(pages.preview, number))
    assert "新增 4，改动 0，不变 1，不能导入 2 行" in page
    assert page.count('class="wrong-cell"') == 2
    assert "<strong>没有的镇</strong>" in page
    assert "<strong>（空）</strong>" in page
    done = brought_in(ask, number)
    assert "新增 4，改动 0，不变 1，未导入 2 行" in done
    (grid,) = [row for row in queries.below("/", levels=["GRID"]) if row.name == "第一网格"]
    assert [row.name for row in queries.ancestors_of(grid.path)] == ["甲市", "新县", "新镇", "东村", "第一网格"]


@pytest.mark.usefixtures("_own_folder")
def test_the_bad_rows_mended_are_uploaded_as_they_are(ask: Ask) -> None:
    number = int(sent(ask, "tree.xlsx", workbook(*TREE), system="NONE")["Location"].split("/")[-2])
    brought_in(ask, number)
    book = openpyxl.load_workbook(io.BytesIO(ask(pages.bad_rows, number).content))
    sheet = book.active
    assert sheet is not None
    assert next(row[:3] for row in sheet.iter_rows(values_only=True)) == ("行号", "问题", "名称*")
    sheet["E2"], sheet["C3"] = "新镇", "西镇"
    kept = io.BytesIO()
    book.save(kept)
    again = int(sent(ask, "bad.xlsx", kept.getvalue(), system="NONE")["Location"].split("/")[-2])
    assert "新增 2，改动 0，不变 0，未导入 0 行" in brought_in(ask, again)


@pytest.mark.usefixtures("_own_folder")
def test_the_template_is_a_list_that_can_be_uploaded(ask: Ask) -> None:
    content = ask(pages.template).content
    number = int(sent(ask, "areas.xlsx", content, system="NONE")["Location"].split("/")[-2])
    assert "新增 0，改动 0，不变 0，不能导入 1 行" in text(ask(pages.preview, number))


@pytest.mark.usefixtures("_own_folder")
def test_a_long_list_goes_in_by_portions_and_two_at_once_double_nothing(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shouwang.places.pages.importing.PORTION", 3)
    rows = [HEAD, *((f"村{n}", "村", "丁镇", "") for n in range(8))]
    number = int(sent(ask, "tree.xlsx", workbook(*rows), system="NONE")["Location"].split("/")[-2])
    ask(pages.decide, number, post={"do": "import"})
    ask(pages.progress, number, post={})
    page = text(ask(pages.progress, number))
    assert "已新增 3 / 8 个地区" in page
    assert 'hx-trigger="load, submit"' in page
    assert "新增 8，改动 0，不变 0" in brought_in(ask, number)
    assert len([row for row in queries.below("/", levels=["VILLAGE"]) if row.name.startswith("村")]) == 8
    ask(pages.progress, number, post={})
    assert "新增 8，改动 0，不变 0" in text(ask(pages.progress, number))


@pytest.mark.parametrize("content", [b"PK", b"\x00\x00", "名称\n甲".encode(), b'"' + b"x" * 200_000])
@pytest.mark.usefixtures("_own_folder")
def test_a_file_that_is_no_list_is_said_to_be_none(ask: Ask, content: bytes) -> None:
    for name in ("tree.xlsx", "tree.csv"):
        refused = sent(ask, name, content, system="NONE")
        assert (refused.status_code, 'role="alert"' in text(refused)) == (422, True)
