"""What the desk shows of the open cases: the queue, narrowed as the reader chose, and the red ones that must be heard of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from shouwang.cases.queries import Filters, list_cases, newest_open, tally_open
from shouwang.kernel.errors import NotFound
from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text
from shouwang.people.queries import own_views
from shouwang.people.rules import Scope
from shouwang.places.queries import AreaRow, areas
from shouwang.web.queries import TONES, Row, rows_of
from shouwang.web.rules import CASE_STATES, KINDS, TASK_STATES

PAGE = "desk"
"""What the desk's saved views are kept under."""
DESK_ROWS = 60
REDS_MOST = 40


@dataclass(frozen=True)
class Narrowing:
    """What the desk is narrowed to: cases of one kind, of one severity, at or below one area."""

    kind: str = ""
    severity: int = 0
    area: AreaRow | None = None

    @property
    def query(self) -> str:
        """Return this as the desk's address says it after "?"; nothing for the whole desk."""
        chosen = {"kind": self.kind, "severity": self.severity, "area": self.area.id if self.area else ""}
        return urlencode({name: value for name, value in chosen.items() if value})

    def filters(self, **more: Any) -> Filters:
        """Return the filters of the open cases that are shown."""
        return Filters(("OPEN",), self.kind, self.severity, self.area.path if self.area else "", **more)


WHOLE = Narrowing()


def narrowing_of(scope: Scope, asked: Mapping[str, str]) -> Narrowing:
    """Return what an address narrows the desk to; words it does not know are ignored. Raises NotFound for an area out of sight."""
    kind, severity, area = asked.get("kind", ""), asked.get("severity", ""), asked.get("area", "")
    known = {str(level.value): level.value for level in Severity}
    return Narrowing(kind if kind in KINDS else "", known.get(severity, 0), _area(scope, area))


def _area(scope: Scope, number: str) -> AreaRow | None:
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    found = areas([int(number)]).get(int(number))
    if found is None or not scope.may("case.read", found.path):
        raise NotFound(what=f"区域 {number}")
    return found


def bar(scope: Scope, narrowing: Narrowing) -> dict[str, Any]:
    """Return what stands above the desk: the saved views, what it is narrowed to, and what may be chosen; one read."""
    without_area = replace(narrowing, area=None).query
    return {
        "views": own_views(scope, PAGE), "narrowing": narrowing, "without_area": without_area,
        "kinds": [(code, title, code == narrowing.kind) for code, title in KINDS.items()],
        "levels": [(level, Text(f"{level.zh}色", level.name.title()), level == narrowing.severity) for level in reversed(Severity)],
    }


def desk_queue(
    scope: Scope, language: str, *, seen: int | None = None, after: int | None = None, narrowing: Narrowing = WHOLE,
) -> dict[str, Any]:
    """Return the most urgent open cases and how many there are of each severity; five queries, however many are open.

    What came after case number `seen` is counted but not shown, so that nothing moves under the reader's hand; what came
    after number `after` is marked as new.
    """
    tally = tally_open(scope, after=seen, filters=narrowing.filters())
    known = sum(each.count - each.later for each in tally)
    shown_upto = seen if seen is not None and known else None
    cases = list_cases(scope, narrowing.filters(upto_id=shown_upto), limit=DESK_ROWS + 1)
    held = [each for each in tally if each.later] if shown_upto is not None else []
    counts = {each.severity: each.count for each in tally}
    return {
        "rows": [replace(row, fresh=after is not None and row.id > after) for row in rows_of(cases[:DESK_ROWS], language)],
        "more": len(cases) > DESK_ROWS, "tally": [(level, counts.get(level.value, 0)) for level in reversed(Severity)],
        "held": sum(each.later for each in held), "gravest": Severity(held[0].severity) if held else None,
        "seen": shown_upto if shown_upto is not None else max((each.newest for each in tally), default=0),
        "newest": max((each.newest for each in tally), default=0), "narrowed": narrowing.query,
    }


def words_of(narrowing: Narrowing, language: str) -> dict[str, Any]:
    """Return what the page needs to paint by itself what the live stream says in codes, and what the desk is narrowed to."""
    states = {**CASE_STATES, **TASK_STATES}
    return {
        "states": {code: (text.render(language, {}), TONES.get(code, "")) for code, text in states.items()},
        "matters": {code: text.render(language, {}) for code, text in KINDS.items()},
        "levels": {level.value: level.css for level in Severity},
        "kind": narrowing.kind, "severity": narrowing.severity, "path": narrowing.area.path if narrowing.area else "",
    }


def red_cases(scope: Scope, language: str) -> Sequence[Row]:
    """Return the newest red cases that are open, at most REDS_MOST, whatever the desk is narrowed to."""
    found = newest_open(scope, severity=Severity.RED.value, limit=REDS_MOST)
    return rows_of(found, language) if found else ()
