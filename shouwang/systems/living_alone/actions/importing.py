"""A list of homes from a workbook: checked first, then enrolled in portions, so that a long list shows how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import lru_cache

from django.db import transaction

from shouwang.documents.sheets import SheetUnreadable, find_columns, read_sheet
from shouwang.files.actions import move_upload
from shouwang.files.queries import UploadRow, file, open_file
from shouwang.kernel.errors import ShouwangError
from shouwang.people.actions import find_area, note_access
from shouwang.people.queries import members_of, person_cards
from shouwang.people.rules import Scope
from shouwang.people.rules.lines import Found
from shouwang.systems.living_alone.actions.enrolling import EDIT, REGISTER, enrol_home
from shouwang.systems.living_alone.models import Enrolment
from shouwang.systems.living_alone.rules.lines import HEADINGS, REQUIRED, BadRow, Line, Problem, check_rows
from shouwang.telemetry.queries import ThingSpot, things_named

PORTION = 200
PER_TRANSACTION = 20
FAILURES_KEPT = 500
END = 1 << 40
Rows = list[tuple[int, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a list holds: its heading, the homes that can be enrolled and the rows that cannot."""

    head: tuple[str, ...]
    good: list[Line]
    bad: list[BadRow]


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of a list so far; `failed` are rows that were good in the preview and were refused when enrolled."""

    enrolled: int = 0
    changed: int = 0
    failed: tuple[tuple[int, str], ...] = ()


def tally_of(upload: UploadRow) -> Tally:
    """Return what came of an upload so far."""
    note = upload.note
    return Tally(note.get("enrolled", 0), note.get("changed", 0), tuple((row, why) for row, why in note.get("failed", ())))


def check_upload(scope: Scope, upload: UploadRow, *, anew: bool = True) -> Checked:
    """Return what an uploaded list would do; writes nothing. `anew` looks areas up again. Raises Refused, SheetUnreadable."""
    scope.require(EDIT)
    sha256 = file(upload.file_id).sha256
    rows = _rows(upload.file_id, sha256, upload.name)
    head = rows[0][1] if rows else ()
    columns = find_columns(head, HEADINGS)
    missing = [HEADINGS[field][0] for field in REQUIRED if field not in columns]
    if missing:
        raise SheetUnreadable(file=upload.name, problem=f"第一行缺少列：{'、'.join(missing)}")
    if anew:
        _areas.cache_clear()
    good, bad = check_rows(rows[1:], columns, _areas(scope, upload.file_id, sha256, upload.name, columns["area"]))
    cells = dict(rows)
    good, taken = _split(scope, good)
    bad += [BadRow(line.row, cells[line.row], (Problem("METER_TAKEN", line.home.meter),)) for line in taken]
    return Checked(head, good, sorted(bad, key=lambda row: row.row))


def import_portion(scope: Scope, upload: UploadRow, *, now: datetime) -> UploadRow:
    """Enrol the next homes of an uploaded list and return how far it is; `done` is END at the end.

    Each home is enrolled whole or not at all, few to a transaction, so that others can write in between. Called twice at
    once, one call does the work. Raises Refused, SheetUnreadable.
    """
    checked = check_upload(scope, upload, anew=False)
    waiting = [line for line in checked.good if line.row > upload.done]
    portion = waiting[:PORTION]
    for start in range(0, max(len(portion), 1), PER_TRANSACTION):
        part = portion[start : start + PER_TRANSACTION]
        is_last = start + PER_TRANSACTION >= len(waiting)
        moved = _take(scope, upload, part, done=END if is_last else part[-1].row, now=now)
        if moved is None:
            return upload
        upload = moved
    return upload


def _take(scope: Scope, upload: UploadRow, lines: Sequence[Line], *, done: int, now: datetime) -> UploadRow | None:
    """Enrol a few homes in one transaction with the upload's mark; None when another has taken them."""
    with transaction.atomic():
        tally = tally_of(upload)
        for line in lines:
            tally = _enrol(scope, line, tally, source=upload.name, now=now)
        note = asdict(tally)
        if not move_upload(upload.id, was=upload.done, done=done, note=note):
            transaction.set_rollback(True)
            return None
        if done == END:
            reason = f"{tally.enrolled} + {tally.changed}"
            note_access(scope, action="IMPORT", object=("household", None), reason=reason, now=now)
    return replace(upload, done=done, note=note)


def _enrol(scope: Scope, line: Line, tally: Tally, *, source: str, now: datetime) -> Tally:
    try:
        with transaction.atomic():
            done = enrol_home(scope, line.home, source=source, now=now)
    except ShouwangError as error:
        return replace(tally, failed=(*tally.failed, (line.row, error.text("zh")))[:FAILURES_KEPT])
    if done.is_new:
        return replace(tally, enrolled=tally.enrolled + 1)
    return replace(tally, changed=tally.changed + 1)


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
    return {text: find_area(scope, text) for text in texts if text}


def _split(scope: Scope, lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """Return the homes whose meter is free or their own, and those whose meter is another's."""
    spots = things_named([line.home.meter for line in lines])
    owners = _owners(spots)
    good: list[Line] = []
    taken: list[Line] = []
    for line in lines:
        spot = spots.get(line.home.meter)
        names = owners.get(line.home.meter)
        fits = spot is None or (scope.may(EDIT, spot.path) and (names is None or line.home.name in names))
        (good if fits else taken).append(line)
    return good, taken


def _owners(spots: Mapping[str, ThingSpot]) -> dict[str, set[str]]:
    """Return the names of those who live where each of these meters watches already."""
    streams = {spot.datastreams[REGISTER]: meter for meter, spot in spots.items() if REGISTER in spot.datastreams}
    homes = dict(Enrolment.objects.filter(datastream_id__in=streams).values_list("household_id", "datastream_id"))
    residents = _residents_of(homes)
    cards = person_cards({person for persons in residents.values() for person in persons}, language="zh")
    return {streams[stream]: {cards[person].name for person in residents.get(home, ())} for home, stream in homes.items()}


def _residents_of(household_ids: Mapping[int, int]) -> dict[int, set[int]]:
    return {
        home: {member.person_id for member in members if member.role == "RESIDENT"}
        for home, members in members_of(list(household_ids)).items()
    }
