"""Server-side lists: filters, search, sorting and paging in the address; the same list as XLSX and for print.

The page gives a `ListSpec` and a `fetch`; the address is the state: every link keeps what was chosen.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.http import content_disposition_header
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from shouwang.kernel.moments import local
from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text
from shouwang.ui.reader import moment_of, reader

PAGE_SIZE = 50
EXPORT_LIMIT = 20_000
SEARCH_LENGTH = 80
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

ALL = Text("全部", "All")
NOTHING = Text("", "")
Row = TypeVar("Row")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True)
class Choice:
    """One value a filter may take, and its words."""

    value: str
    title: Text


@dataclass(frozen=True)
class Filter:
    """A named filter of a list; without a choice it is open, which `otherwise` says in words."""

    name: str
    title: Text
    choices: Sequence[Choice]
    otherwise: Text = ALL


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column: a title and how its value is read from a row. A sortable column's key may stand in `?sort=`."""

    key: str
    title: Text
    value: Callable[[Row], object]
    sortable: bool = False
    numeric: bool = False


@dataclass(frozen=True)
class Marked:
    """A cell that says how grave something is, by colour and word, in `words` what, to which `link` leads, and then `more`; neither is broken."""

    severity: Severity
    words: Text
    link: str = ""
    more: Text = NOTHING

    def render(self, language: str, params: Mapping[str, Any]) -> str:
        """Return the cell in one language, the severity as its character."""
        return f"{self.severity.zh} {self.words.render(language, params)} {self.more.render(language, params)}".rstrip()


@dataclass(frozen=True)
class ListSpec(Generic[Row]):
    """What a list is made of. `link` gives the address a row opens; `searched` says what the search looks at, if there is one."""

    title: Text
    columns: Sequence[Column[Row]]
    filters: Sequence[Filter] = ()
    sort: str = ""
    link: Callable[[Row], str] | None = None
    searched: Text | None = None
    page_size: int = PAGE_SIZE


@dataclass(frozen=True)
class ListQuery:
    """What the address asks of a list: search text, chosen filters, sort key ("-due" descends), and the slice."""

    text: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""
    page: int = 1
    offset: int = 0
    limit: int = PAGE_SIZE

    def address(self, **changes: object) -> str:
        """Return the query string of this list with `changes`; a filter, search or sort change goes back to page 1."""
        values = {**self.chosen, "q": self.text, "sort": self.sort, "page": self.page}
        if set(changes) - {"page", "format"}:
            values["page"] = 1
        values.update(changes)
        kept = [
            (name, str(value))
            for name, value in values.items()
            if value not in ("", None) and not (name == "page" and value == 1)
        ]
        return "?" + urlencode(kept)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list and how to reach the others."""

    rows: Sequence[Row]
    total: int
    query: ListQuery

    @property
    def pages(self) -> int:
        """Return the number of pages, at least 1."""
        return max(1, -(-self.total // self.query.limit))

    @property
    def first(self) -> int:
        """Return the ordinal of the first row shown, 0 for none."""
        return self.query.offset + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """Return the ordinal of the last row shown."""
        return self.query.offset + len(self.rows)

    @property
    def previous_link(self) -> str:
        """Return the address of the page before, or nothing."""
        return self.query.address(page=min(self.query.page - 1, self.pages)) if self.query.page > 1 else ""

    @property
    def next_link(self) -> str:
        """Return the address of the page after, or nothing."""
        return self.query.address(page=self.query.page + 1) if self.query.page < self.pages else ""

    @property
    def links(self) -> list[tuple[int, str]]:
        """Return numbered links: the first, the last and two on either side; 0 stands for a gap."""
        wanted = sorted({1, self.pages, *range(max(1, self.query.page - 2), min(self.pages, self.query.page + 2) + 1)})
        found: list[tuple[int, str]] = []
        for number in wanted:
            if found and number - found[-1][0] > 1:
                found.append((0, ""))
            found.append((number, self.query.address(page=number)))
        return found


Fetch = Callable[[ListQuery], tuple[Sequence[Row], int]]


def parse(query: QueryDict, spec: ListSpec[Any]) -> ListQuery:
    """Return what the address asks of the list `spec`; what the list does not know is ignored."""
    chosen = {
        each.name: value
        for each in spec.filters
        if (value := query.get(each.name, "")) in {choice.value for choice in each.choices}
    }
    sortable = {column.key for column in spec.columns if column.sortable}
    sort = query.get("sort", "")
    page = _page_number(query.get("page", ""))
    return ListQuery(
        text=_UNPRINTABLE.sub("", query.get("q", "")).strip()[:SEARCH_LENGTH],
        chosen=chosen,
        sort=sort if sort.removeprefix("-") in sortable else spec.sort,
        page=page,
        offset=(page - 1) * spec.page_size,
        limit=spec.page_size,
    )


def list_response(
    request: HttpRequest, *, spec: ListSpec[Row], fetch: Fetch[Row], template: str, context: Mapping[str, object] | None = None
) -> HttpResponse:
    """Return the list as a page, or as `?format=xlsx` or `?format=print` asks; exports hold at most EXPORT_LIMIT rows.

    `fetch(query)` returns the rows of the slice `query.offset`, `query.limit` and the total, inside the reader's scope.
    """
    query = parse(request.GET, spec)
    extra = dict(context or {})
    language = reader(request).language
    form = request.GET.get("format", "")
    if form not in {"xlsx", "print"}:
        rows, total = fetch(query)
        return render(request, template, {**extra, **_shown(spec, Page(rows, total, query), language)})
    rows, total = fetch(replace(query, page=1, offset=0, limit=EXPORT_LIMIT))
    if form == "xlsx":
        at = local(moment_of({"request": request, "now": extra.get("now")}))
        return xlsx_response(spec, rows, language=language, name=f"{spec.title.render(language, {})} {at:%Y-%m-%d %H%M}")
    shown = _shown(spec, Page(rows, total, replace(query, limit=EXPORT_LIMIT)), language)
    return render(request, "ui/print.html", {**extra, **shown, "cut_at": EXPORT_LIMIT if total > EXPORT_LIMIT else 0})


def xlsx_response(spec: ListSpec[Row], rows: Sequence[Row], *, language: str, name: str) -> HttpResponse:
    """Return the rows as a workbook: a heading line, text cells that are never formulas, moments on the local clock."""
    response = HttpResponse(workbook(spec, rows, language=language), content_type=XLSX_TYPE)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=f"{name}.xlsx") or "attachment"
    response["Cache-Control"] = "no-store"
    return response


def workbook(spec: ListSpec[Row], rows: Sequence[Row], *, language: str) -> bytes:
    """Return the rows as the bytes of an XLSX workbook."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", spec.title.render(language, {}))[:31])
    sheet.freeze_panes = "A2"
    titles = [column.title.render(language, {}) for column in spec.columns]
    for index, title in enumerate(titles, start=1):
        sheet.column_dimensions[get_column_letter(index)].width = max(12, 2 * len(title) + 4)
    heads = [_cell(sheet, title, language) for title in titles]
    for head in heads:
        head.font = Font(bold=True)
    sheet.append(heads)
    for row in rows:
        sheet.append([_cell(sheet, column.value(row), language) for column in spec.columns])
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(titles))}{len(rows) + 1}"
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def plain(value: object, language: str) -> object:
    """Return a cell's value as words, number, moment or day: what XLSX holds and print shows."""
    if isinstance(value, Text | Marked):
        return value.render(language, {})
    if isinstance(value, Severity):
        return value.zh
    if isinstance(value, bool):
        return {("zh", True): "是", ("zh", False): "否", ("en", True): "yes", ("en", False): "no"}[language, value]
    if isinstance(value, datetime):
        return local(value).replace(tzinfo=None)
    if value is None or isinstance(value, int | float | date):
        return value
    return _UNPRINTABLE.sub("", str(value))


def _cell(sheet: Any, value: object, language: str) -> Any:
    said = plain(value, language)
    cell = WriteOnlyCell(sheet, value=said)
    if isinstance(said, str):
        cell.data_type = "s"
        cell.number_format = "@"
    elif isinstance(said, datetime):
        cell.number_format = "yyyy-mm-dd hh:mm"
    elif isinstance(said, date):
        cell.number_format = "yyyy-mm-dd"
    return cell


def _shown(spec: ListSpec[Row], page: Page[Row], language: str) -> dict[str, object]:
    query = page.query
    heads = [
        {
            "title": column.title,
            "numeric": column.numeric,
            "link": query.address(sort=f"-{column.key}" if query.sort == column.key else column.key) if column.sortable else "",
            "sorted": "ascending" if query.sort == column.key else "descending" if query.sort == f"-{column.key}" else "",
        }
        for column in spec.columns
    ]
    lines = [
        {
            "row": row,
            "link": spec.link(row) if spec.link else "",
            "cells": [
                {"title": column.title, "value": column.value(row), "numeric": column.numeric} for column in spec.columns
            ],
        }
        for row in page.rows
    ]
    filters = [
        {
            "filter": each,
            "options": [{"choice": choice, "selected": query.chosen.get(each.name) == choice.value} for choice in each.choices],
        }
        for each in spec.filters
    ]
    return {
        "spec": spec,
        "page": page,
        "query": query,
        "heads": heads,
        "lines": lines,
        "filters": filters,
        "filtered": bool(query.text or query.chosen),
        "xlsx_link": query.address(page=1, format="xlsx"),
        "print_link": query.address(page=1, format="print"),
        "language": language,
    }


def _page_number(text: str) -> int:
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,5}", text, re.ASCII) else 1
