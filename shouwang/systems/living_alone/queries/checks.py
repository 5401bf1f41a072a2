"""What is open about homes: the gravest case of each that has not ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shouwang.cases.queries import Filters, list_cases
from shouwang.people.rules import Scope
from shouwang.systems.living_alone.rules.procedures import SYSTEM

AT_ONCE = 500
MOST = 20_000
NOT_ENDED = ("OPEN", "SUSPENDED")


@dataclass(frozen=True)
class OpenCase:
    """The gravest open case about a home, of equally grave ones that which is due first; `more` are its others."""

    id: int
    number: str
    severity: int
    opened_at: datetime
    reason: str
    params: Mapping[str, Any]
    more: int = 0


def open_cases(scope: Scope, *, household_id: int | None = None) -> dict[int, OpenCase]:
    """Return by household the open cases about homes, or about one, that `scope` sees, MOST of them at most; one read for each AT_ONCE."""
    found: dict[int, OpenCase] = {}
    asked = Filters(states=NOT_ENDED, kind=SYSTEM, subject=None if household_id is None else ("household", household_id))
    for offset in range(0, MOST, AT_ONCE):
        rows = list_cases(scope, asked, offset=offset, limit=AT_ONCE)
        for row in (row for row in rows if row.subject_kind == "household"):
            known = found.get(row.subject_id)
            found[row.subject_id] = (
                replace(known, more=known.more + 1) if known
                else OpenCase(row.id, row.number, row.severity, row.opened_at, row.reason, row.params)
            )
        if len(rows) < AT_ONCE:
            break
    return found
