"""Readings from files: three formats, two encodings, offices' spellings; a preview; and every bad row listed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from shouwang.kernel.errors import Refused
from shouwang.people.rules import Scope
from shouwang.telemetry import queries
from shouwang.telemetry.models import Observation
from shouwang.telemetry.rules import ColumnMissing, FileUnreadable
from shouwang.telemetry.sources.file import import_file, preview, read

EIGHT = datetime(2026, 1, 15, 0, 0, tzinfo=UTC)


def stored() -> list[tuple[int, datetime, float]]:
    return list(Observation.objects.order_by("datastream_id", "at").values_list("datastream_id", "at", "result"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_read_in_either_encoding(tmp_path: Path, meters: dict[str, int], officer: Scope, now: datetime, encoding: str) -> None:
    file = tmp_path / "抄表.csv"
    file.write_text('表号,抄表时间,读数\nM1,2026/1/15 8:00,"1,036"\nM2,2026-01-15T00:00:00Z,7\n', encoding)
    told: list[tuple[int, int]] = []
    result = import_file(file, scope=officer, now=now, progress=lambda done, total: told.append((done, total)))
    assert (result.rows, result.stored.accepted, result.bad_count) == (2, 2, 0)
    assert [(meters["M1"], EIGHT, 1036.0), (meters["M2"], EIGHT, 7.0)] == stored()
    assert told == [(2, 2)]


def test_a_workbook_is_read(tmp_path: Path, meters: dict[str, int], officer: Scope, now: datetime) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["meter_id", "ts", "register_l"], ["M1", datetime(2026, 1, 15, 8), 12], ["M2", "2026年1月15日 08:00", 3.5]):  # noqa: DTZ001 - as a workbook holds it
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    import_file(tmp_path / "a.xlsx", scope=officer, now=now)
    assert [(meters["M1"], EIGHT, 12.0), (meters["M2"], EIGHT, 3.5)] == stored()


def test_litres_become_each_meters_register(tmp_path: Path, meters: dict[str, int], officer: Scope, now: datetime) -> None:
    frame = pl.DataFrame({
        "meter_id": ["M1", "M1", "M2"], "ts": [EIGHT, EIGHT + timedelta(hours=1), EIGHT], "litres": [4.0, 2.5, 9.0],
    }).with_columns(pl.col("litres").cast(pl.Float32))
    frame.write_parquet(tmp_path / "a.parquet")
    import_file(tmp_path / "a.parquet", scope=officer, now=now)
    assert [(meters["M1"], EIGHT, 4.0), (meters["M1"], EIGHT + timedelta(hours=1), 6.5), (meters["M2"], EIGHT, 9.0)] == stored()
    later = frame.with_columns(pl.col("ts") + timedelta(hours=5))
    later.write_parquet(tmp_path / "b.parquet")
    import_file(tmp_path / "b.parquet", scope=officer, now=now)
    assert (meters["M1"], EIGHT + timedelta(hours=6), 13.0) in stored()


BAD = [
    # row, what is told: (row number, column, found)
    (",2026-01-15 08:00,5", (2, "meter_id", "")),
    ("M1,someday,5", (2, "ts", "someday")),
    ("M1,1970-01-15 08:00,5", (2, "ts", "1970-01-15 08:00")),
    ("M1,2026-01-15 08:00,much", (2, "register_l", "much")),
    ("M1,2026-01-15 08:00,-1", (2, "register_l", "-1")),
    ("M1,2026-01-15 08:00,", (2, "register_l", "")),
    ("M9,2026-01-15 08:00,5", (2, "meter_id", "M9")),
]


@pytest.mark.parametrize(("row", "told"), BAD)
def test_a_bad_row_is_told_with_its_number(
    tmp_path: Path, meters: dict[str, int], officer: Scope, now: datetime, row: str, told: tuple[int, str, str],
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"meter_id,ts,register_l\n{row}\nM2,2026-01-15 08:00,6\n")
    seen = preview(file, scope=officer)
    assert (seen.rows, seen.good, seen.bad_count, seen.first_at) == (2, 1, 1, EIGHT)
    assert seen.first == [("M2", EIGHT, 6.0)]
    (bad,) = seen.bad
    assert told == (bad.row, bad.column, bad.found)
    assert not stored()
    import_file(file, scope=officer, now=now, bad_path=tmp_path / "bad.xlsx")
    assert [(meters["M2"], EIGHT, 6.0)] == stored()
    listed = openpyxl.load_workbook(tmp_path / "bad.xlsx").active
    assert listed is not None
    assert listed.cell(2, 1).value == 2


def test_importing_again_changes_nothing(tmp_path: Path, meters: dict[str, int], officer: Scope, now: datetime) -> None:
    assert meters
    file = tmp_path / "a.csv"
    file.write_text("meter_id,ts,register_l\nM1,2026-01-15 08:00,5\n")
    import_file(file, scope=officer, now=now)
    again = import_file(file, scope=officer, now=now)
    assert (again.stored.accepted, again.stored.duplicates) == (0, 1)


def test_a_broken_file_says_what_is_wrong(tmp_path: Path) -> None:
    for name, content in (("a.xlsx", b"no workbook"), ("a.parquet", b"no parquet"), ("a.csv", b"a,b\n\xff\xff\xff"), ("a.doc", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FileUnreadable):
            read(tmp_path / name)
    (tmp_path / "b.csv").write_text("meter_id,register_l\nM1,5\n")
    with pytest.raises(ColumnMissing, match="ts"):
        read(tmp_path / "b.csv")


def test_who_may_not_import_is_refused(tmp_path: Path, meters: dict[str, int], now: datetime) -> None:
    assert meters
    (tmp_path / "a.csv").write_text("meter_id,ts,register_l\nM1,2026-01-15 08:00,5\n")
    with pytest.raises(Refused):
        import_file(tmp_path / "a.csv", scope=Scope(7, ("/1/",), frozenset()), now=now)
    assert not stored()
    assert queries.last_batch() == 0
