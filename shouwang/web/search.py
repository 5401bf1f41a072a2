"""What the search finds for one reader: cases, areas, things, persons and the pages of the own navigation. What was asked is kept nowhere."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache

from shouwang.cases.queries import find_cases
from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text
from shouwang.people.queries import list_persons
from shouwang.people.rules import Scope
from shouwang.places.queries import full_names
from shouwang.places.queries import search as search_areas
from shouwang.places.rules.spelling import spelling
from shouwang.requests.rules.catalogue import REASON, SERVICES
from shouwang.telemetry.queries import things_like
from shouwang.web.queries import rows_of
from shouwang.web.rules import KINDS, SETUP

TEXT_LENGTH = 40
CASES, PLACES, THINGS, PERSONS, PAGES = 8, 5, 5, 5, 6
AREA_CASES = 5
"""Open cases are looked for below so many of the areas that were found."""
THING_RIGHTS = frozenset({"case.dispatch", "telemetry.import"})
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Found:
    """One line of what was found, and where it leads."""

    title: str
    href: str
    about: str = ""
    state: str = ""
    severity: Severity | None = None


@dataclass(frozen=True)
class Group:
    """What was found of one kind."""

    title: Text
    rows: Sequence[Found]


def cleaned(text: str) -> str:
    """Return what was asked without what cannot be seen, at most TEXT_LENGTH characters."""
    return _UNPRINTABLE.sub("", text).strip()[:TEXT_LENGTH]


def find(scope: Scope, text: str, *, ways: Collection[tuple[Text, str]], language: str) -> list[Group]:
    """Return what `scope` may see of what `text` names, kind by kind, the empty ones left out; at most twenty reads.

    `text` is a case's number, a part of a place's or service's name, its pinyin or initials, a device's id, a person's name or
    initials, or a page's title. `ways` are the pages open to the reader, as (title, address).
    """
    if not text:
        return []
    groups = (
        Group(Text("事件", "Cases"), _cases(scope, text, language)),
        Group(Text("区划", "Areas"), _areas(scope, text)),
        Group(Text("设备", "Things"), _things(scope, text)),
        Group(Text("人员", "People"), _persons(scope, text, language)),
        Group(Text("页面", "Pages"), _pages(scope, text, ways, language)),
    )
    return [group for group in groups if group.rows]


def _cases(scope: Scope, text: str, language: str) -> list[Found]:
    kinds = [code for code, title in KINDS.items() if is_named(text, title)]
    services = [service.code for service in SERVICES if is_named(text, Text(service.title.zh, service.title.en)) or text in service.keywords]
    paths = [area.path for area in search_areas(text, scope.paths_for("case.read"), AREA_CASES)]
    found = find_cases(scope, number=text, kinds=kinds, reasons=[f"{REASON}{code}" for code in services], paths=paths, limit=CASES)
    return [
        Found(row.title, f"/cases/{row.id}/", f"{row.place} · {row.number}", row.state, row.severity) for row in rows_of(found, language)
    ]


def _areas(scope: Scope, text: str) -> list[Found]:
    found = search_areas(text, scope.paths_for("case.read"), PLACES)
    names = full_names([area.id for area in found])
    return [Found(area.name, f"/desk/?area={area.id}", names.get(area.id, "")) for area in found]


def _things(scope: Scope, text: str) -> list[Found]:
    if not scope.rights & THING_RIGHTS:
        return []
    found = things_like(scope, text, limit=THINGS)
    places = full_names({_last(path) for _, _, path in found})
    return [Found(number, f"/things/?q={number}", places.get(_last(path), "")) for number, _, path in found]


def _last(path: str) -> int:
    return int(path.rstrip("/").rpartition("/")[2])


def _persons(scope: Scope, text: str, language: str) -> list[Found]:
    if "people.read" not in scope.rights:
        return []
    rows, _ = list_persons(scope, text=text, limit=PERSONS)
    return [Found(row.name, f"/people/{row.id}/", " · ".join(filter(None, (row.area, row.duty.render(language, {}))))) for row in rows]


def _pages(scope: Scope, text: str, ways: Collection[tuple[Text, str]], language: str) -> list[Found]:
    own = {href: title for title, href in ways}
    own = {**{card.href: card.title for card in SETUP if card.right in scope.rights}, **own}
    found = [Found(title.render(language, {}), href) for href, title in own.items() if is_named(text, title)]
    return found[:PAGES]


def is_named(text: str, title: Text) -> bool:
    """Return whether `text` is part of a title in either language, or of its pinyin initials, or how its pinyin begins."""
    if text in title.zh:
        return True
    lower = text.lower().replace(" ", "")
    if not (lower.isascii() and lower.isalpha()):
        return False
    whole, _, initials = _spelling(title.zh).partition(" ")
    return text.lower() in title.en.lower() or whole.startswith(lower) or (lower in initials and len(lower) > 1)


@cache
def _spelling(words: str) -> str:
    return spelling(words)
