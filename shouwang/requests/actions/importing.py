"""A hotline's list from a workbook: checked first, then taken in portions, so that a long list shows how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import lru_cache

from django.db import transaction

from shouwang.documents.sheets import SheetUnreadable, find_columns, read_sheet
from shouwang.files.actions import move_upload
from shouwang.files.queries import UploadRow, file, open_file
from shouwang.kernel.errors import ShouwangError
from shouwang.people.actions import find_area, note_access
from shouwang.people.rules import Scope
from shouwang.people.rules.lines import Found
from shouwang.requests.actions.intake import take_call
from shouwang.requests.queries import known_keys
from shouwang.requests.rules.lines import HEADINGS, REQUIRED, BadRow, Line, check_rows, key_of

RIGHT = "case.dispatch"
PORTION = 200
PER_TRANSACTION = 10
FAILURES_KEPT = 500
END = 1 << 40
Rows = list[tuple[int, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a list holds: its heading, the rows that can be taken and those that cannot."""

    head: tuple[str, ...]
    good: list[Line]
    bad: list[BadRow]


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of a list so far; `failed` are rows that were good in the preview and were refused when taken."""

    taken: int = 0
    known: int = 0
    failed: tuple[tuple[int, str], ...] = ()


def tally_of(upload: UploadRow) -> Tally:
    """Return what came of an upload so far."""
    note = upload.note
    return Tally(note.get("taken", 0), note.get("known", 0), tuple((row, why) for row, why in note.get("failed", ())))


def check_upload(scope: Scope, upload: UploadRow, *, now: datetime, anew: bool = True) -> Checked:
    """Return what an uploaded list would do; writes nothing. `anew` looks areas up again. Raises Refused, SheetUnreadable."""
    scope.require(RIGHT)
    sha256 = file(upload.file_id).sha256
    rows = _rows(upload.file_id, sha256, upload.name)
    head = rows[0][1] if rows else ()
    columns = find_columns(head, HEADINGS)
    missing = [HEADINGS[field][0] for field in REQUIRED if field not in columns]
    if missing:
        raise SheetUnreadable(file=upload.name, problem=f"第一行缺少列：{'、'.join(missing)}")
    if anew:
        _areas.cache_clear()
    areas = _areas(scope, upload.file_id, sha256, upload.name, columns["area"])
    tickets = [cells[columns["key"]].strip() for _, cells in rows[1:] if columns["key"] < len(cells)]
    good, bad = check_rows(rows[1:], columns, areas, known=known_keys("HOTLINE_XLSX", [key_of(ticket) for ticket in tickets]), now=now)
    return Checked(head, good, bad)


def import_portion(scope: Scope, upload: UploadRow, *, now: datetime) -> UploadRow:
    """Take the next rows of an uploaded list and return how far it is; `done` is END at the end.

    Each row is taken whole or not at all, few to a transaction, so that others can write in between. Called twice at once,
    one call does the work; a ticket that was imported before changes nothing. Raises Refused, SheetUnreadable.
    """
    checked = check_upload(scope, upload, now=now, anew=False)
    waiting = [line for line in checked.good if line.row > upload.done]
    portion = waiting[:PORTION]
    for start in range(0, max(len(portion), 1), PER_TRANSACTION):
        part = portion[start : start + PER_TRANSACTION]
        is_last = start + PER_TRANSACTION >= len(waiting)
        moved = _take_part(scope, upload, part, done=END if is_last else part[-1].row, now=now)
        if moved is None:
            return upload
        upload = moved
    return upload


def _take_part(scope: Scope, upload: UploadRow, lines: Sequence[Line], *, done: int, now: datetime) -> UploadRow | None:
    """Take a few rows in one transaction with the upload's mark; None when another has taken them."""
    with transaction.atomic():
        tally = tally_of(upload)
        for line in lines:
            tally = _take(scope, line, tally, now=now)
        note = asdict(tally)
        if not move_upload(upload.id, was=upload.done, done=done, note=note):
            transaction.set_rollback(True)
            return None
        if done == END:
            note_access(scope, action="IMPORT", object=("request", None), reason=f"{tally.taken} + {tally.known}", now=now)
    return replace(upload, done=done, note=note)


def _take(scope: Scope, line: Line, tally: Tally, *, now: datetime) -> Tally:
    try:
        with transaction.atomic():
            taken = take_call(scope, line.report, now=now)
    except ShouwangError as error:
        return replace(tally, failed=(*tally.failed, (line.row, error.text("zh")))[:FAILURES_KEPT])
    return replace(tally, taken=tally.taken + 1) if taken.is_new else replace(tally, known=tally.known + 1)


@lru_cache(maxsize=2)
def _rows(file_id: int, sha256: str, name: str) -> Rows:
    """Return a workbook's rows: read once for all the portions of a list. The sum tells one content from another."""
    del sha256
    with open_file(file_id) as content:
        return read_sheet(content.read(), name=name)


@lru_cache(maxsize=2)
def _areas(scope: Scope, file_id: int, sha256: str, name: str, column: int) -> dict[str, Found]:
    """Return what each text of a list's area column means to `scope`."""
    texts = {cells[column].strip() for _, cells in _rows(file_id, sha256, name)[1:] if column < len(cells)}
    return {text: find_area(scope, text, RIGHT) for text in texts if text}
