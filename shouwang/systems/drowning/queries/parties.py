"""The five parties' items: what is shipped, and what is due, done and agreed in the reader's scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files

from django.db.models import Q, QuerySet

from shouwang.kernel.moments import local
from shouwang.kernel.texts import Text
from shouwang.people.rules import Scope
from shouwang.places.queries import full_names
from shouwang.systems.drowning.models import JointItem, PartyItem
from shouwang.systems.drowning.queries.hazards import within
from shouwang.systems.drowning.rules import parties as rules
from shouwang.systems.drowning.rules.parties import FILE, PARTIES, Item, items_in

MOST_ITEMS = 400
SORTS = {"until": "until", "title": "title"}
STATES: Mapping[str, Text] = {
    "OPEN": Text("办理中", "Open"), "DONE": Text("已办结，待核查", "Done, to be checked"), "CLOSED": Text("已销号", "Closed"),
    "DROPPED": Text("已撤销", "Withdrawn"),
}
OVERDUE = "OVERDUE"


@dataclass(frozen=True, slots=True)
class PartyRow:
    """One item of one party of an area."""

    id: int
    title: Text
    area: str
    path: str
    due: date
    state: str
    done_on: date | None
    note: str


@dataclass(frozen=True, slots=True)
class PartyList:
    """What one party has to do, and how much of it is late."""

    party: str
    title: Text
    rows: Sequence[PartyRow]
    overdue: int
    due: int
    done: int


@dataclass(frozen=True, slots=True)
class JointRow:
    """One item agreed at a joint meeting."""

    id: int
    title: str
    unit: str
    area: str
    until: date
    state: str
    is_overdue: bool
    case_id: int | None
    done: str


@cache
def shipped_items() -> Mapping[str, Item]:
    """Return the items that come with Shouwang, by code."""
    return items_in(files("shouwang.systems.drowning").joinpath("data", FILE).read_text("utf-8"))


def party_lists(scope: Scope, *, year: int, area_id: int | None, now: datetime) -> list[PartyList]:
    """Return the items of a year in the reader's scope, by party; of one area where it is given."""
    found = PartyItem.objects.filter(within(scope), due__year=year)
    if area_id is not None:
        found = found.filter(area_id=area_id)
    items, today = shipped_items(), local(now).date()
    rows = list(found.order_by("due", "pk")[:MOST_ITEMS])
    names = full_names({row.area_id for row in rows})
    lists = []
    for party, title in PARTIES.items():
        own = [
            PartyRow(
                row.pk, items[row.code].title, names.get(row.area_id, ""), row.path, row.due, rules.state_of(row.due, row.done_on, today=today),
                row.done_on, row.note,
            )
            for row in rows if row.code in items and items[row.code].party == party
        ]
        count = [row.state for row in own].count
        lists.append(PartyList(party, title, own, count(rules.OVERDUE), count(rules.DUE), count(rules.DONE)))
    return lists


def listed_areas(scope: Scope, *, year: int) -> list[tuple[int, str]]:
    """Return the areas in the reader's scope that have a list of a year."""
    ids = PartyItem.objects.filter(within(scope), due__year=year).values_list("area_id", flat=True).distinct()[:MOST_ITEMS]
    return sorted(full_names(set(ids)).items(), key=lambda pair: pair[1])


def list_joint_items(
    scope: Scope, *, now: datetime, text: str = "", state: str = "", sort: str = "", offset: int = 0, limit: int = 50,
) -> tuple[list[JointRow], int]:
    """Return a slice of the agreed items in the reader's scope and how many there are."""
    today = local(now).date()
    found: QuerySet[JointItem] = JointItem.objects.filter(within(scope))
    if text:
        found = found.filter(Q(title__icontains=text) | Q(unit__icontains=text))
    if state == OVERDUE:
        found = found.filter(state="OPEN", until__lt=today)
    elif state in STATES:
        found = found.filter(state=state)
    key = SORTS.get(sort.lstrip("-"), "until")
    rows = list(found.order_by(f"-{key}" if sort.startswith("-") else key, "pk")[offset : offset + limit])
    names = full_names({row.area_id for row in rows})
    return [
        JointRow(
            row.pk, row.title, row.unit, names.get(row.area_id, ""), row.until, row.state, row.state == "OPEN" and row.until < today, row.case_id,
            row.done,
        )
        for row in rows
    ], found.count()


def joint_item_named(joint_item_id: int) -> tuple[str, str]:
    """Return what was agreed and who does it, for the pages of its case; the case's own scope was checked."""
    row = JointItem.objects.filter(pk=joint_item_id).first()
    return (row.title, row.unit) if row is not None else ("", "")
