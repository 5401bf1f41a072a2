"""Lists: the address is the state, exports hold text and never formulas."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import pytest
from django.http import HttpResponse, QueryDict
from django.test import RequestFactory
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text
from shouwang.ui.lists import EXPORT_LIMIT, Choice, Column, Filter, ListQuery, ListSpec, Page, list_response, parse, workbook

SPEC: ListSpec[tuple[object, ...]] = ListSpec(
    title=Text("事件/表", "Cases"),
    columns=(
        Column("name", Text("名称", "Name"), lambda row: row[0], sortable=True),
        Column("at", Text("时间", "Moment"), lambda row: row[1]),
    ),
    filters=(Filter("state", Text("状态", "State"), [Choice("OPEN", Text("未办结", "Open"))]),),
    sort="name",
    page_size=10,
)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("", ListQuery(sort="name", limit=10)),
        ("q=%20东塘%20&page=3", ListQuery(text="东塘", sort="name", page=3, offset=20, limit=10)),
        ("state=OPEN&sort=-name", ListQuery(chosen={"state": "OPEN"}, sort="-name", limit=10)),
        ("state=NOWHERE&sort=secret&page=-1", ListQuery(sort="name", limit=10)),  # unknown values are ignored
        ("page=99999999999999999999", ListQuery(sort="name", limit=10)),
        ("page=٣", ListQuery(sort="name", limit=10)),
    ],
)
def test_the_address_is_read(address: str, expected: ListQuery) -> None:
    assert parse(QueryDict(address), SPEC) == expected


def test_links_keep_what_was_chosen_and_a_new_choice_starts_at_page_one() -> None:
    query = parse(QueryDict("q=东&state=OPEN&page=3"), SPEC)
    assert parse(QueryDict(query.address(page=4)[1:]), SPEC).page == 4
    changed = parse(QueryDict(query.address(sort="-name")[1:]), SPEC)
    assert (changed.text, changed.chosen, changed.sort, changed.page) == ("东", {"state": "OPEN"}, "-name", 1)


@given(total=st.integers(0, 5000), page=st.integers(1, 700))
def test_the_pager_always_offers_the_ends_and_only_real_pages(total: int, page: int) -> None:
    shown: Page[object] = Page([], total, ListQuery(page=page, offset=(page - 1) * 10, limit=10))
    numbers = [number for number, _ in shown.links if number]
    assert numbers[0] == 1
    assert numbers[-1] == shown.pages == max(1, -(-total // 10))
    assert numbers == sorted(set(numbers))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=20))
def test_no_cell_of_an_export_is_a_formula(names: list[str]) -> None:
    rows = [(name, None) for name in [*names, "=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("x")']]
    sheet = load_workbook(io.BytesIO(workbook(SPEC, rows, language="zh"))).worksheets[0]
    assert {cell.data_type for line in sheet.iter_rows(min_row=2, max_col=1) for cell in line} <= {"s", "inlineStr", "n"}
    assert sheet["A" + str(len(names) + 2)].value == "=1+1"


def test_an_export_shows_local_moments_days_and_severities() -> None:
    rows = [(Severity.RED, datetime(2026, 1, 15, 2, 0, tzinfo=UTC)), (Text("平安", "Well"), date(2026, 1, 15)), ("a\x00b", 3.5)]
    sheet = load_workbook(io.BytesIO(workbook(SPEC, rows, language="en"))).worksheets[0]
    assert [[cell.value for cell in line] for line in sheet.iter_rows()] == [
        ["Name", "Moment"],
        ["红", datetime(2026, 1, 15, 10, 0)],  # noqa: DTZ001 - a workbook has no time zones
        ["Well", datetime(2026, 1, 15, 0, 0)],  # noqa: DTZ001
        ["ab", 3.5],
    ]


def respond(address: str) -> tuple[HttpResponse, list[ListQuery]]:
    """Answer the list at `address`; return the response and what was asked of the rows."""
    asked: list[ListQuery] = []

    def fetch(query: ListQuery) -> tuple[list[tuple[object, ...]], int]:
        asked.append(query)
        return [("东塘", None)], 25

    return list_response(RequestFactory().get(address), spec=SPEC, fetch=fetch, template="ui/guide_list.html"), asked


def test_an_export_asks_for_all_rows_of_the_same_filters(ui_settings: None) -> None:
    response, asked = respond("/?state=OPEN&page=2&format=xlsx")
    assert (asked[0].chosen, asked[0].offset, asked[0].limit) == ({"state": "OPEN"}, 0, EXPORT_LIMIT)
    assert "filename*=utf-8''" in response["Content-Disposition"]
    assert response["Cache-Control"] == "no-store"


def test_a_list_shows_its_page_and_its_print(ui_settings: None) -> None:
    page, asked = respond("/?page=2")
    assert (asked[0].offset, asked[0].limit) == (10, 10)
    assert "第 11–11 条，共 25 条" in page.content.decode()
    printed, _ = respond("/?format=print")
    assert "共 25 条" in printed.content.decode()
