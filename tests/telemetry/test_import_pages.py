"""The page that imports files of readings: preview first, bad rows listed, progress, harmless repeats."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from openpyxl import Workbook, load_workbook

from shouwang.journal.queries import events_after
from shouwang.kernel.clock import ManualClock
from shouwang.kernel.errors import NotFound, Refused
from shouwang.people.rules import Scope
from shouwang.telemetry import pages, queries
from shouwang.telemetry.events import FILE_IMPORTED
from shouwang.telemetry.sources.file import load

OFFICER = Scope(7, ("/1/",), frozenset({"telemetry.import"}), account_id=3)
ROWS = [("M1", "2026-01-15 08:00", "100"), ("M2", "2026-01-15 08:00", "50"), ("M1", "2026-01-15 09:00", "112"), ("M9", "2026-01-15 09:00", "1"), ("M1", "昨天", "3")]
HEAD = ("表号", "抄表时间", "读数")


@pytest.fixture(autouse=True)
def _here(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    settings.SHOUWANG_DATA_DIR = tmp_path
    monkeypatch.setattr("shouwang.telemetry.pages.importing.clock", lambda: ManualClock(now))


def csv(encoding: str) -> bytes:
    return "\n".join(",".join(row) for row in (HEAD, *ROWS)).encode(encoding)


def xlsx() -> bytes:
    book, kept = Workbook(), io.BytesIO()
    assert book.active is not None
    for row in (HEAD, *ROWS):
        book.active.append(row)
    book.save(kept)
    return kept.getvalue()


def parquet() -> bytes:
    kept = io.BytesIO()
    pl.DataFrame({name: [row[place] for row in ROWS] for place, name in enumerate(HEAD)}).write_parquet(kept)
    return kept.getvalue()


def ask(rf: RequestFactory, view: Any, *args: Any, scope: Scope = OFFICER, post: dict[str, Any] | None = None, **headers: str) -> HttpResponse:
    request: HttpRequest = rf.get("/") if post is None else rf.post("/", post, headers=headers)
    request.scope = scope  # type: ignore[attr-defined]
    answer: HttpResponse = view(request, *args)
    return answer


def upload(rf: RequestFactory, name: str, content: bytes) -> int:
    answer = ask(rf, pages.bring_in, post={"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 302, answer.content.decode()
    return int(answer["Location"].split("/")[-2])


@pytest.mark.parametrize(("name", "content"), [("a.csv", csv("utf-8-sig")), ("a.csv", csv("gb18030")), ("a.XLSX", xlsx()), ("a.parquet", parquet())])
def test_every_kind_of_file_is_previewed_then_imported(meters: dict[str, int], rf: RequestFactory, name: str, content: bytes, now: datetime) -> None:
    number = upload(rf, name, content)
    page = ask(rf, pages.preview, number).content.decode()
    assert "共 5 行，可以导入 3 行，有问题 2 行" in page
    assert "管辖范围内已登记的水表" in page
    assert queries.observations_stored() == 0
    assert ask(rf, pages.decide, number, post={"do": "import"})["Location"].endswith(f"{number}/progress/")
    assert "已处理 0 / 3 行" in ask(rf, pages.progress, number).content.decode()
    assert ask(rf, pages.progress, number, post={}).status_code == 302
    assert "3 条，重复 0 条，未导入 2 行" in ask(rf, pages.progress, number).content.decode()
    assert queries.series(meters["M1"], now - timedelta(days=1), now + timedelta(days=1)).result.tolist() == [100, 112]
    sheet = load_workbook(io.BytesIO(ask(rf, pages.bad, number).content)).active
    assert sheet is not None
    assert [row[0] for row in sheet.iter_rows(values_only=True)] == ["行号 row", 5, 6]
    assert [event.payload for event in events_after(0, kinds=[FILE_IMPORTED])] == [{"rows": 5, "accepted": 3, "bad": 2}]
    assert ask(rf, pages.preview, number).status_code == 302


def test_a_long_file_is_stored_in_parts_and_nothing_is_stored_twice(meters: dict[str, int], rf: RequestFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    assert meters
    monkeypatch.setattr(load, "PORTION_ROWS", 2)
    number = upload(rf, "a.csv", csv("utf-8"))
    bar = ask(rf, pages.progress, number, post={}, **{"HX-Request": "true"}).content.decode()
    assert 'value="2" max="3"' in bar
    assert "<html" not in bar
    assert 'hx-trigger="load' in bar
    done = ask(rf, pages.progress, number, post={}, **{"HX-Request": "true"}).content.decode()
    assert "3 条，重复 0 条" in done
    again = upload(rf, "a.csv", csv("utf-8"))
    for _ in range(2):
        ask(rf, pages.progress, again, post={})
    assert "0 条，重复 3 条" in ask(rf, pages.progress, again).content.decode()


BROKEN = [("a.csv", b"\xff\xff"), ("a.xlsx", b"no workbook"), ("a.parquet", b"PAR1"), ("a.docx", b"x"), ("a.csv", b"a,b\n1,2\n")]


@pytest.mark.parametrize(("name", "content"), BROKEN)
def test_a_file_that_cannot_be_read_says_what_to_do(meters: dict[str, int], rf: RequestFactory, name: str, content: bytes) -> None:
    assert meters
    answer = ask(rf, pages.bring_in, post={"file": SimpleUploadedFile(name, content)})
    assert (answer.status_code, "重试" in answer.content.decode()) == (422, True)
    assert "没有选择文件" in ask(rf, pages.bring_in, post={}).content.decode()


def test_files_are_for_those_who_import_and_an_upload_for_its_own_account(meters: dict[str, int], rf: RequestFactory) -> None:
    assert meters
    number = upload(rf, "a.csv", csv("utf-8"))
    for view in (pages.preview, pages.progress, pages.bad):
        with pytest.raises(Refused):
            ask(rf, view, number, scope=Scope(8, ("/1/",), frozenset()))
        with pytest.raises(NotFound):
            ask(rf, view, number, scope=Scope(8, ("/1/",), frozenset({"telemetry.import"}), account_id=4))
    assert ask(rf, pages.decide, number, post={"do": "drop"}).status_code == 302
    with pytest.raises(NotFound):
        ask(rf, pages.preview, number)


def test_the_quarantine_says_how_much_waits_for_which_reason(meters: dict[str, int], rf: RequestFactory, platform: Scope, now: datetime) -> None:
    from shouwang.telemetry.sources.http import receive  # noqa: PLC0415

    assert meters
    body = b'{"readings": [{"device": "M8", "datastream": "register_l", "phenomenon_time": "2026-01-15T02:00:00Z", "result": 5}]}'
    for device in (b"M8", b"M9"):
        receive(body.replace(b"M8", device), platform, now=now)
    page = ask(rf, pages.quarantine).content.decode()
    assert "2 条（2 批）" in page
    assert page.count("没有登记的设备") == 3  # once counted, twice listed
    assert page.count(">放行<") == 2
