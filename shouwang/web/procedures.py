"""What the pages of procedures show: which text holds in an area, where it comes from, and what changing it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shouwang.cases.queries import VersionRow, count_open_of, current_procedure, version_of_case, versions
from shouwang.cases.rules.editing import values_of
from shouwang.cases.rules.procedures import Procedure, Step
from shouwang.kernel.texts import Text
from shouwang.people.queries import person_cards
from shouwang.people.rules.codes import DUTIES, RANKS, ROLES
from shouwang.places.queries import AreaRow, full_names
from shouwang.places.rules.tree import LEVEL_NAMES

EVERYWHERE = Text("随软件", "As shipped")
DISPATCH: Mapping[str, Text] = {"AUTO": Text("自动派单", "At once"), "CONFIRM": Text("值班员确认后派单", "After the desk confirms")}
UNITS: Mapping[str, Text] = {"MINUTES": Text("分钟", "minutes"), "WORKING_DAYS": Text("个工作日", "working days")}


@dataclass(frozen=True)
class Line:
    """One procedure in the list: its name, whose text holds here, how many areas have their own."""

    code: str
    title: Text
    source: str
    number: int
    own: int
    published_at: datetime


def source_of(version: VersionRow) -> Text:
    """Return in words where a version comes from."""
    if not version.path:
        return EVERYWHERE if version.shipped else Text("全部地区", "All areas")
    name = full_names([_last(version.path)]).get(_last(version.path), "—")
    return Text(name, name)


def followed(case_id: int) -> dict[str, Any]:
    """Return which text a case keeps to: the procedure, its version, and the area it comes from."""
    version = version_of_case(case_id)
    title = version.procedure.title if version.procedure else Text(version.code, version.code)
    return {"code": version.code, "title": Text(title.zh, title.en), "number": version.number, "source": source_of(version)}


def listed(place: AreaRow, language: str) -> list[Line]:
    """Return every procedure as it holds at `place`."""
    rows = versions()
    lines = []
    for code in sorted({row.code for row in rows}):
        version_id, procedure = current_procedure(code, place.path)
        of_code = [row for row in rows if row.code == code]
        found = next(row for row in of_code if row.id == version_id)
        newest = {row.path: row for row in reversed(of_code)}
        own = sum(row.procedure is not None for path, row in newest.items() if path)
        title = Text(procedure.title.zh, procedure.title.en)
        lines.append(Line(code, title, source_of(found).render(language, {}), found.number, own, found.published_at))
    return lines


def shown(code: str, place: AreaRow, language: str, values: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return one procedure as it holds at `place`: its steps with the fields that may be changed, source and history."""
    version_id, procedure = current_procedure(code, place.path)
    rows = versions(code)
    found = next(row for row in rows if row.id == version_id)
    filled = {**values_of(procedure), **(values or {})}
    people = person_cards({row.published_by for row in rows if row.published_by}, language=language)
    names = full_names([_last(row.path) for row in rows if row.path])
    return {
        "code": code, "title": Text(procedure.title.zh, procedure.title.en), "source": source_of(found), "number": found.number,
        "own": found.path == place.path, "open": count_open_of([version_id], place.path),
        "steps": [_step(step, procedure, filled) for step in procedure.steps],
        "history": [
            {
                "number": row.number, "at": row.published_at, "place": names.get(_last(row.path), "") if row.path else EVERYWHERE if row.shipped else Text("全部地区", "All areas"),
                "by": people[row.published_by].name if row.published_by in people else "", "follows": row.procedure is None,
            }
            for row in rows
        ],
    }


def _step(step: Step, procedure: Procedure, values: Mapping[str, str]) -> dict[str, Any]:
    titles = {each.code: Text(each.title.zh, each.title.en) for each in procedure.steps}
    return {
        "code": step.code, "title": titles[step.code], "after": [titles[code] for code in step.after], "conditional": bool(step.when),
        "unit": UNITS[step.limit.unit], "limit": _field(step, "limit", values), "repeat": _field(step, "repeat", values),
        "dispatch": _field(step, "dispatch", values), "ways": list(DISPATCH.items()),
        "rungs": [
            {
                "level": LEVEL_NAMES[rung.level], "duty": {**DUTIES, **ROLES}.get(rung.duty, Text(rung.duty, rung.duty)), "rank": RANKS[rung.rank],
                "field": _field(step, f"rung.{index}", values),
            }
            for index, rung in enumerate(step.rungs)
        ],
        "results": [Text(result.title.zh, result.title.en) for result in step.results],
    }


def _field(step: Step, name: str, values: Mapping[str, str]) -> dict[str, str]:
    full = f"{step.code}.{name}"
    return {"name": full, "id": full.replace(".", "-"), "value": values[full]}


def _last(path: str) -> int:
    return int(path.rstrip("/").rpartition("/")[2] or 0)


