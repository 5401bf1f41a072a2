"""Lists of persons and duties from a workbook: read and checked first, kept as a draft, written when its reader says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from django.db import transaction
from django.db.models import Q

from shouwang.documents.sheets import SheetUnreadable, find_columns, read_sheet
from shouwang.journal.sealed import fingerprint_of
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import local
from shouwang.people.actions.checks import EDIT
from shouwang.people.actions.disclosure import note_access
from shouwang.people.actions.duties import NewDuty, assign_duties
from shouwang.people.actions.persons import NewPerson, add_persons
from shouwang.people.models import ID_NUMBER, AccessLog, Credential, Duty, ImportDraft, Person
from shouwang.people.rules.codes import LINK
from shouwang.people.rules.lines import HEADINGS, REQUIRED, BadRow, Found, Line, check_rows
from shouwang.people.rules.scope import Scope
from shouwang.places import queries as places

DRAFT_LIFE = timedelta(days=1)
DEAD_LINK_LIFE = timedelta(days=30)
LOG_LIFE = timedelta(days=3 * 366)
SAME_NAMES = 50


def check_sheet(scope: Scope, data: bytes, *, name: str) -> tuple[tuple[str, ...], list[Line], list[BadRow]]:
    """Return a workbook's heading, the rows that can be imported and those that cannot. Writes nothing.

    Raises Refused, SheetUnreadable.
    """
    scope.require(EDIT)
    rows = read_sheet(data, name=name)
    head = rows[0][1] if rows else ()
    columns = find_columns(head, HEADINGS)
    missing = [field for field in REQUIRED if field not in columns]
    if missing:
        raise SheetUnreadable(file=name, problem=f"第一行缺少列：{'、'.join(_HEADING[field] for field in missing)}")
    n = columns["area"]
    areas = _find_areas(scope, {cells[n].strip() for _, cells in rows[1:] if n < len(cells)})
    good, bad = check_rows(rows[1:], columns, areas)
    return head, good, bad


def keep_draft(
    scope: Scope, *, name: str, head: Sequence[str], good: Sequence[Line], bad: Sequence[BadRow], now: datetime,
) -> int:
    """Keep a checked list until its reader decides, at most a day; return its number. Raises Refused."""
    scope.require(EDIT)
    with transaction.atomic():
        row = ImportDraft(
            account_id=scope.account_id or 0, file_name=name[:120], head=_json(list(head)), good=_json(list(good)),
            bad=_json(list(bad)), made_at=now,
        )
        row.save(force_insert=True)
    return int(row.pk)


def drop_draft(draft_id: int, *, account_id: int) -> bool:
    """Drop an account's list and return whether it was still there."""
    with transaction.atomic():
        deleted, _ = ImportDraft.objects.unscoped().filter(pk=draft_id, account_id=account_id).delete()
    return deleted == 1


def import_people(scope: Scope, lines: Sequence[Line], *, now: datetime) -> tuple[int, int]:
    """Add the persons and duties of checked rows, all or none; return how many of each.

    A person already known by identity number, or by name and phone at the same area, is not added again; nor is a duty
    that the person already holds. Raises Refused, NotFound, DutyHeldAlready.
    """
    with transaction.atomic():
        known = _known(scope, lines)
        persons: dict[tuple[str, ...], NewPerson] = {
            _key(line): NewPerson(line.name, line.area_id, line.phone, line.id_number) for line in lines if _key(line) not in known
        }
        added = add_persons(scope, list(persons.values()), now=now) if persons else []
        ids = {**known, **dict(zip(persons, added, strict=True))}
        duties = _missing_duties(
            NewDuty(ids[_key(line)], line.duty, line.area_id, line.from_date or local(now).date(), line.rank, line.until_date)
            for line in lines
            if line.duty
        )
        if duties:
            assign_duties(scope, duties, now=now)
        note_access(scope, action="IMPORT", object=("person", None), reason=f"{len(added)} + {len(duties)}", now=now)
    return len(added), len(duties)


def import_draft(scope: Scope, draft_id: int, lines: Sequence[Line], *, now: datetime) -> tuple[int, int]:
    """Import the rows of a kept list and drop it, once only. Raises NotFound when it is gone, else as `import_people`."""
    with transaction.atomic():
        if not drop_draft(draft_id, account_id=scope.account_id or 0):
            raise NotFound(what=f"导入清单 {draft_id}")
        return import_people(scope, lines, now=now)


def find_area(scope: Scope, text: str, right: str = EDIT) -> Found:
    """Return the one area that a name, a full name or a division code means where `scope` has `right`, or how many it may mean."""
    paths = scope.paths_for(right)
    text = " ".join(text.split())
    if not text:
        return Found(None, 0)
    if text.isascii() and text.isdigit():
        row = places.area_of_code(text) if len(text) in {6, 9, 12} else None
        return Found(row.id, 1) if row is not None and scope.may(right, row.path) else Found(None, 0)
    words = text.split()
    named = [row for row in places.search(words[-1], paths, SAME_NAMES) if row.name == words[-1]]
    if len(words) > 1:
        full = places.full_names([row.id for row in named])
        named = [row for row in named if full[row.id].endswith(" ".join(words))]
    return Found(named[0].id, 1) if len(named) == 1 else Found(None, len(named))


def tidy(*, now: datetime) -> None:
    """Drop what is kept for a stated time only: lists after a day, dead links after 30 days, access rows after 3 years."""
    with transaction.atomic():
        ImportDraft.objects.unscoped().filter(made_at__lt=now - DRAFT_LIFE).delete()
        dead = Q(expires_at__lt=now - DEAD_LINK_LIFE) | Q(revoked_at__lt=now - DEAD_LINK_LIFE)
        Credential.objects.unscoped().filter(dead, kind=LINK).delete()
        AccessLog.objects.unscoped().filter(at__lt=now - LOG_LIFE).delete()


_HEADING = {"name": "姓名", "area": "地区"}


def _find_areas(scope: Scope, texts: Iterable[str]) -> dict[str, Found]:
    return {text: find_area(scope, text) for text in texts if text}


def _key(line: Line) -> tuple[str, ...]:
    return ("id", line.id_number) if line.id_number else ("name", line.name, line.phone, str(line.area_id))


def _known(scope: Scope, lines: Sequence[Line]) -> dict[tuple[str, ...], int]:
    found: dict[tuple[str, ...], int] = {}
    rows = Person.objects.within(scope, EDIT)
    names = rows.filter(area_id__in={line.area_id for line in lines}).exclude(phone="")
    for pk, name, phone, area_id in names.values_list("pk", "name", "phone", "area_id"):
        found["name", name, phone, str(area_id)] = pk
    marks = {fingerprint_of(ID_NUMBER, line.id_number) for line in lines if line.id_number}
    numbers = rows.filter(id_number_hash__in=marks)
    for pk, number in numbers.values_list("pk", "id_number"):
        found["id", number] = pk
    return found


def _missing_duties(wanted: Iterable[NewDuty]) -> list[NewDuty]:
    new = list(wanted)
    rows = Duty.objects.unscoped().filter(person_id__in={duty.person_id for duty in new}, until_date__isnull=True)
    held = set(rows.values_list("person_id", "code", "area_id"))
    return [duty for duty in new if (duty.person_id, duty.code, duty.area_id) not in held]


def _json(values: object) -> str:
    return msgspec.json.encode(values).decode()
