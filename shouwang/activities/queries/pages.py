"""What the page of one activity shows beside its row: matters with their cases, photos; and what a case's page says of its activity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shouwang.activities.models import Activity, Matter, Photo
from shouwang.activities.queries.catalogue import matter_of
from shouwang.activities.queries.lists import ActivityRow, rows_of
from shouwang.activities.queries.scoped import activity_in, may_manage
from shouwang.activities.rules.procedures import KIND
from shouwang.activities.rules.states import REASONS, Move, moves_from
from shouwang.cases.queries import CaseRow, case_rows
from shouwang.kernel.texts import Text
from shouwang.people.queries import person_cards
from shouwang.people.rules import Scope

MATTERS_SHOWN = 50
PHOTOS_SHOWN = 60


@dataclass(frozen=True, slots=True)
class MatterRow:
    """One matter and how its case stands; the state is "SETTLED", "ANSWERED" or that of the case handed on."""

    id: int
    title: Text
    handled: str
    number: int | None
    case_id: int
    case_number: str
    case_state: str
    note: str
    contact: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class PhotoRow:
    """One photo."""

    file_id: int
    added_at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """All that the page of one activity shows."""

    row: ActivityRow
    about: str
    reason: Text | None
    reason_words: str
    moves: tuple[Move, ...]
    matters: Sequence[MatterRow]
    photos: Sequence[PhotoRow]
    copied_from: int | None
    may_manage: bool


@dataclass(frozen=True, slots=True)
class AboutMatter:
    """What whoever handles a case must know of the matter; contacts only once the task is theirs."""

    activity_id: int
    title: str
    note: str
    contacts: tuple[tuple[str, str], ...]


def activity_page(scope: Scope, activity_id: int, *, language: str) -> ActivityPage:
    """Return what the page of an activity shows. Raises NotFound."""
    row = activity_in(scope, activity_id)
    (shown,) = rows_of([row])
    manages = may_manage(scope, row.path)
    return ActivityPage(
        shown, row.about, REASONS.get(row.reason_code), row.reason, moves_from(shown.state_code) if manages else (),
        matters_at(row.pk, limit=MATTERS_SHOWN), _photos(row, language=language), row.copied_from_id, manages,
    )


def matters_at(activity_id: int, *, limit: int) -> list[MatterRow]:
    """Return the newest matters of an activity, contacts masked; the caller has checked the scope."""
    rows = list(Matter.objects.filter(activity_id=activity_id).order_by("-pk")[:limit])
    cases = case_rows([row.case_id for row in rows])
    cards = person_cards({row.person_id for row in rows if row.person_id}, language="zh")
    return [
        MatterRow(
            row.pk, matter_of(row.code).title, row.handled, row.number, row.case_id, cases[row.case_id].number, cases[row.case_id].state,
            row.note, f"{cards[row.person_id].masked_name} {cards[row.person_id].masked_phone}" if row.person_id in cards else "",
            row.recorded_at,
        )
        for row in rows
        if row.case_id in cases
    ]


def about_case(case: CaseRow, *, revealed: bool) -> AboutMatter | None:
    """Return what a case handed on from an activity is about; None for other cases."""
    if case.kind != KIND:
        return None
    row = Matter.objects.select_related("activity").filter(case_id=case.id).first()
    if row is None:
        return None
    cards = person_cards([row.person_id], language="zh") if revealed and row.person_id else {}
    card = cards.get(row.person_id or 0)
    return AboutMatter(row.activity_id, row.activity.title, row.note, ((card.name, card.phone),) if card else ())


def _photos(row: Activity, *, language: str) -> list[PhotoRow]:
    found = list(Photo.objects.filter(activity_id=row.pk).order_by("pk")[:PHOTOS_SHOWN])
    cards = person_cards({each.added_by for each in found if each.added_by}, language=language)
    return [PhotoRow(each.file_id, each.added_at, cards[each.added_by].name if each.added_by in cards else "") for each in found]


def photo_of(scope: Scope, activity_id: int, file_id: int) -> Activity | None:
    """Return the activity that a photo belongs to, where `scope` sees it; None for a photo of another. Raises NotFound."""
    row = activity_in(scope, activity_id)
    return row if Photo.objects.filter(activity_id=row.pk, file_id=file_id).exists() else None
