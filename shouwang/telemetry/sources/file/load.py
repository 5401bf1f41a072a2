"""Look at a file of readings, then import it: known meters inside the scope are stored, every other row is listed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from django.db import transaction
from openpyxl import Workbook

from shouwang.detectors.contract import Columns, Float64s, Int64s
from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.kernel.moments import from_us
from shouwang.people.rules import Scope
from shouwang.telemetry import actions, queries
from shouwang.telemetry.events import FILE_IMPORTED
from shouwang.telemetry.rules import IngestResult
from shouwang.telemetry.sources.file.read import METER, REGISTER, BadRow, Sheet, read

SOURCE = "file"
RIGHT = "telemetry.import"
ROWS_AT_ONCE = 20_000
PORTION_ROWS = 40_000
ROWS_SHOWN = 10
BAD_SHOWN = 200
BAD_LISTED = 100_000
Progress = Callable[[int, int], None]


def _silent(done: int, total: int) -> None:
    del done, total


@dataclass(frozen=True)
class Preview:
    """What a file holds: its first rows (meter, moment, litres), and what cannot be imported."""

    first: list[tuple[str, datetime, float]]
    rows: int
    good: int
    from_register: bool
    bad: list[BadRow]
    bad_count: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True)
class ImportResult:
    """What became of a file."""

    rows: int
    stored: IngestResult
    bad_count: int


@dataclass(frozen=True)
class Ready:
    """A file's readings as they will be stored, in time order, and what cannot be."""

    columns: Columns
    rows: int
    bad: list[BadRow]


@dataclass(frozen=True)
class Portion:
    """How far a file is stored, in rows of those that can be, and what came of this part of it."""

    done: int
    total: int
    stored: IngestResult


def preview(path: Path, *, scope: Scope, name: str = "") -> Preview:
    """Return what importing the file would do, storing nothing; `name` as in `read`. Raises FileUnreadable, ColumnMissing, Refused."""
    scope.require(RIGHT)
    _ready_once.cache_clear()
    sheet = read(path, name=name)
    streams, bad = _matched(sheet, scope)
    good = np.flatnonzero(streams > 0)
    first = [(sheet.meter[place], from_us(int(sheet.at_us[place])), float(sheet.value[place])) for place in good[:ROWS_SHOWN].tolist()]
    at_us = sheet.at_us[good]
    span = (from_us(int(at_us.min())), from_us(int(at_us.max()))) if len(good) else (None, None)
    return Preview(first, sheet.rows, len(good), sheet.from_register, bad[:BAD_SHOWN], len(bad), *span)


def import_file(
    path: Path, *, scope: Scope, now: datetime, progress: Progress = _silent, bad_path: Path | None = None,
) -> ImportResult:
    """Store the file's readings and write its bad rows to the workbook `bad_path`; safe to repeat.

    `progress(done, total)` is told rows. Raises FileUnreadable, ColumnMissing, Refused.
    """
    scope.require(RIGHT)
    ready = _ready(path, scope, path.name)
    stored = IngestResult()
    for begin in range(0, len(ready.columns), ROWS_AT_ONCE):
        part = _store(ready.columns, begin, begin + ROWS_AT_ONCE, now=now)
        stored = stored.plus(part.stored)
        progress(part.done, part.total)
    if ready.bad and bad_path is not None:
        write_bad_rows(ready.bad, bad_path)
    note_import(scope, rows=ready.rows, accepted=stored.accepted, bad=len(ready.bad), now=now)
    return ImportResult(ready.rows, stored, len(ready.bad))


def import_portion(path: Path, *, scope: Scope, name: str, begin: int, now: datetime) -> Portion:
    """Store the next rows of a file from `begin` on, and return how far it is; safe to repeat.

    The file is read and matched once for all its portions. Raises FileUnreadable, ColumnMissing, Refused.
    """
    scope.require(RIGHT)
    ready = _ready_once(path, scope, name)
    return _store(ready.columns, begin, begin + PORTION_ROWS, now=now)


def how_many(path: Path, *, scope: Scope, name: str) -> tuple[int, int, int]:
    """Return how many rows of a file can be stored, how many it has, and how many cannot; as `import_portion` counts them."""
    scope.require(RIGHT)
    ready = _ready_once(path, scope, name)
    return len(ready.columns), ready.rows, len(ready.bad)


def bad_rows(path: Path, *, scope: Scope, name: str) -> list[BadRow]:
    """Return every row of a file that cannot be stored, in the file's order. Raises FileUnreadable, ColumnMissing, Refused."""
    scope.require(RIGHT)
    return _matched(read(path, name=name), scope)[1]


def note_import(scope: Scope, *, rows: int, accepted: int, bad: int, now: datetime) -> None:
    """Publish that a file was imported."""
    with transaction.atomic():
        append([NewEvent(FILE_IMPORTED, scope.account_id, {"rows": rows, "accepted": accepted, "bad": bad})], now=now)


def _store(columns: Columns, begin: int, end: int, *, now: datetime) -> Portion:
    part = columns.where(np.arange(begin, min(end, len(columns))))
    stored = actions.ingest(part, now=now, source=SOURCE) if len(part) else IngestResult()
    return Portion(min(end, len(columns)), len(columns), stored)


def _ready(path: Path, scope: Scope, name: str) -> Ready:
    sheet = read(path, name=name)
    streams, bad = _matched(sheet, scope)
    good = np.flatnonzero(streams > 0)
    good = good[np.lexsort((streams[good], sheet.at_us[good]))]
    columns = Columns(streams[good], sheet.at_us[good], sheet.value[good])
    if not sheet.from_register and len(columns):
        columns = Columns(columns.stream, columns.at_us, _register(columns))
    return Ready(columns, sheet.rows, bad)


_ready_once = lru_cache(maxsize=1)(_ready)


def _matched(sheet: Sheet, scope: Scope) -> tuple[Int64s, list[BadRow]]:
    """Return the datastream of each row (0 where there is none in the scope) and all bad rows in the file's order."""
    visible = queries.newer_catalogue().visible(scope)
    ids = {meter: visible.get(meter, {}).get(REGISTER, 0) for meter in set(sheet.meter)}
    streams = np.array([ids[meter] for meter in sheet.meter], np.int64)
    unknown = [
        BadRow(int(sheet.row[place]), METER, sheet.meter[place][:80], "管辖范围内已登记的水表 / a registered meter in your area")
        for place in np.flatnonzero(streams == 0).tolist()
    ]
    return streams, sorted([*sheet.bad, *unknown], key=lambda bad: bad.row)


def _register(columns: Columns) -> Float64s:
    """Return litres since the row before, in time order, as each meter's running register, going on from what is stored."""
    order = np.argsort(columns.stream, kind="stable")
    stream, litres = columns.stream[order], columns.value[order]
    first = np.flatnonzero(np.append(True, stream[1:] != stream[:-1]))
    known = queries.results_before(stream[first].tolist(), from_us(int(columns.at_us[0])))
    total = np.cumsum(litres)
    base = np.array([known.get(each, 0.0) for each in stream[first].tolist()]) - total[first] + litres[first]
    register = np.empty(len(columns))
    register[order] = total + np.repeat(base, np.diff(np.append(first, len(stream))))
    return register


def write_bad_rows(bad: Sequence[BadRow], path: Path | BinaryIO) -> None:
    """Write at most 100,000 bad rows to a workbook: row, column, found, expected."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("bad")
    sheet.append(["行号 row", "列 column", "实际 found", "应为 expected"])
    for each in bad[:BAD_LISTED]:
        sheet.append([each.row, each.column, f"'{each.found}" if each.found.startswith(("=", "+", "-", "@")) else each.found, each.expected])
    book.save(path)
