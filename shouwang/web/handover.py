"""What one watch leaves to the next: what is open, what is odd, gathered from the rooms and kept as case ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shouwang.cases.queries import CaseRow, Filters, HandoverRow, case_rows, gaps_within, handovers, list_cases, paths_of
from shouwang.kernel.texts import Text
from shouwang.notify.queries import unreached_since
from shouwang.people.queries import holders, person_cards
from shouwang.people.rules import Scope
from shouwang.people.rules.codes import CITY_DUTY, COUNTY_DUTY, DUTIES, TOWNSHIP_DUTY
from shouwang.places.queries import AreaRow, areas, full_names
from shouwang.web.queries import Row, rows_of

FIRST_SPAN = timedelta(hours=12)
MOST = 200
DUTY_OF_LEVEL: Mapping[str, str] = {"PREFECTURE": CITY_DUTY, "COUNTY": COUNTY_DUTY, "TOWNSHIP": TOWNSHIP_DUTY}
SECTIONS: Sequence[tuple[str, Text, Text]] = (
    ("late", Text("已超时", "Overdue"), Text("没有超时的事件", "Nothing is overdue")),
    ("nobody", Text("无人值守或未送达", "Nobody on duty, or not reached"), Text("都有人在岗，消息都已送达", "Everybody was on duty and reached")),
    ("open", Text("未办结", "Open"), Text("没有未办结的事件", "Nothing is open")),
)


@dataclass(frozen=True)
class Watch:
    """The hall whose watch is handed over."""

    area: AreaRow
    duty: str

    @property
    def title(self) -> Text:
        """Return the duty in words."""
        return DUTIES[self.duty]


def watch_of(scope: Scope) -> Watch | None:
    """Return the hall in which whoever asks keeps watch, None for who keeps none."""
    for path in scope.paths_for("case.dispatch"):
        area = areas([int(path.rstrip("/").rpartition("/")[2] or 0)]).popitem()[1] if path.strip("/") else None
        if area is not None and area.level in DUTY_OF_LEVEL:
            return Watch(area, DUTY_OF_LEVEL[area.level])
    return None


def since_last(scope: Scope, watch: Watch, *, now: datetime) -> datetime:
    """Return when this watch began: at the last hand-over of the hall, or twelve hours ago."""
    found, _ = handovers(scope, area_id=watch.area.id, limit=1)
    return found[0].given_at if found else now - FIRST_SPAN


def left_over(scope: Scope, *, since: datetime, now: datetime) -> dict[str, list[int]]:
    """Return the case ids that the next watch must know of: open, overdue, and those nobody was on duty for or was reached."""
    open_ = [case.id for case in list_cases(scope, Filters(states=("OPEN",)), limit=MOST)]
    late = [case.id for case in list_cases(scope, Filters(states=("OPEN",), overdue_at=now), limit=MOST)]
    gaps = [gap.case_id for gap in gaps_within(scope, since=since, limit=MOST)]
    unreached = [case_id for case_id, _, _, _ in unreached_since(since)]
    paths = paths_of(unreached)
    seen = [case_id for case_id in unreached if scope.may("case.read", paths.get(case_id, ""))]
    return {"open": open_, "late": late, "nobody": list(dict.fromkeys([*gaps, *seen]))}


def next_persons(scope: Scope, watch: Watch, *, now: datetime, language: str, without: int) -> list[tuple[int, str]]:
    """Return who may take the watch: whoever holds its duty, but for the one who gives it."""
    return [each for each in holders(scope, watch.area.id, watch.duty, on=now.date(), language=language) if each[0] != without]


def sections(scope: Scope, kept: Mapping[str, Sequence[int]], language: str) -> list[dict[str, Any]]:
    """Return the kept cases in sections, each line as lists show it; a case out of scope is left out."""
    ids = sorted({case_id for each in kept.values() for case_id in each})
    known: dict[int, CaseRow] = {number: case for number, case in case_rows(ids).items() if scope.may("case.read", case.path)}
    lines: dict[int, Row] = {row.id: row for row in rows_of(list(known.values()), language)}
    return [
        {"title": title, "empty": empty, "rows": [lines[number] for number in kept.get(code, ()) if number in lines]}
        for code, title, empty in SECTIONS
    ]


def shown(rows: Sequence[HandoverRow], language: str) -> list[dict[str, Any]]:
    """Return hand-overs as lists and pages show them, with names."""
    cards = person_cards({person for row in rows for person in (row.given_by, row.taken_by)}, language=language)
    names = full_names({row.area_id for row in rows})
    return [
        {
            "id": row.id, "area": names.get(row.area_id, "—"), "duty": DUTIES[row.duty], "given_at": row.given_at, "taken_at": row.taken_at,
            "given_by": cards[row.given_by].name if row.given_by in cards else "—",
            "taken_by": cards[row.taken_by].name if row.taken_by in cards else "—",
            "giver": row.given_by, "taker": row.taken_by, "note": row.note, "kept": row.kept, "path": row.path,
        }
        for row in rows
    ]
