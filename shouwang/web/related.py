"""What else happened near a case, and to what it is about: for its page, in the reader's scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shouwang.cases.queries import CaseRow, cases_in_areas, cases_of_subject, cases_taken_in, procedure_of_case
from shouwang.kernel.texts import Text
from shouwang.people.rules import Scope
from shouwang.places.queries import areas, areas_near
from shouwang.web.queries import Row, rows_of
from shouwang.web.rules import CASE_STATES, FALSE_ALARM_REASONS

NEAR_M = 5_000.0
NEAR_SINCE = timedelta(days=7)
CANDIDATES = 200
SHOWN = 6
OF_A_PLACE = frozenset({"requests"})
"""Kinds of which two cases may be one thing though they were told apart: the reports of one go along to the other."""
ENDINGS: Mapping[str, Text] = {
    "MERGED": Text("并入其他事件", "Merged into another case"), "SOLVED": Text("反映人确认已解决", "Solved, says the reporter"),
    "NO_ANSWER": Text("反映人没有答复", "The reporter did not answer"), **FALSE_ALARM_REASONS,
}


@dataclass(frozen=True)
class Near:
    """One case nearby: how far its place is, None for the same place; whether this one may be merged into it."""

    row: Row
    away_m: float | None
    is_same_kind: bool
    may_take: bool

    @property
    def away(self) -> Text:
        """Return how far away it is, in words; points of villages are rough, so is this."""
        if self.away_m is None:
            return Text("同一地点", "Same place")
        km = f"{max(0.1, self.away_m / 1000):.1f}"
        return Text(f"约 {km} 公里", f"about {km} km")


def nearby(scope: Scope, case: CaseRow, *, now: datetime, language: str) -> Sequence[Near]:
    """Return cases that are open or of the last 7 days, in the same place or within 5 km: the same kind first, then the nearest; seven reads."""
    here = areas([case.area_id]).get(case.area_id)
    away = areas_near(here.lon, here.lat, within_m=NEAR_M) if here and here.lon is not None and here.lat is not None else {}
    found = cases_in_areas(scope, {*away, case.area_id}, beside=case, since=now - NEAR_SINCE, limit=CANDIDATES)

    def far(other: CaseRow) -> float:
        return 0.0 if other.area_id == case.area_id else away[other.area_id]

    found.sort(key=lambda other: (other.kind != case.kind, far(other), -other.id))
    rows = rows_of(found[:SHOWN], language)
    return [
        Near(row, None if other.area_id == case.area_id else far(other), other.kind == case.kind, may_merge(case, other))
        for row, other in zip(rows, found, strict=False)
    ]


def may_merge(case: CaseRow, into: CaseRow) -> bool:
    """Return whether a case may become part of another: both open, of one kind, of one exercise or real, about one home or thing.

    A case about another home is never merged away, however near it is: somebody waits there.
    """
    is_one_thing = (case.subject_kind, case.subject_id) == (into.subject_kind, into.subject_id) or case.kind in OF_A_PLACE
    return (
        case.id != into.id and case.state == into.state == "OPEN" and case.kind == into.kind and is_one_thing
        and case.exercise_id == into.exercise_id
    )


def taken_in(scope: Scope, case: CaseRow, *, language: str) -> Sequence[Row]:
    """Return the cases that are part of a case now and may be split off again, newest first."""
    found = [row for row in cases_taken_in(scope, case.id, limit=SHOWN) if scope.may("case.dispatch", row.path)]
    return rows_of(found, language) if found else []


def similar(scope: Scope, case: CaseRow, *, language: str) -> Sequence[tuple[Row, str]]:
    """Return the other cases of the same home or thing, newest first, each with how it ended; a read for each besides four."""
    found = cases_of_subject(scope, beside=case, limit=SHOWN)
    return [(row, _ending(other, language)) for row, other in zip(rows_of(found, language), found, strict=True)]


def _ending(case: CaseRow, language: str) -> str:
    """Return the result of a case in words, or its state while it has none."""
    if not case.result:
        return CASE_STATES.get(case.state, Text(case.state, case.state)).render(language, {})
    for step in procedure_of_case(case.id).steps:
        for result in step.results:
            if result.code == case.result:
                return str(result.title.render(language))
    return ENDINGS.get(case.result, Text(case.result, case.result)).render(language, {})
