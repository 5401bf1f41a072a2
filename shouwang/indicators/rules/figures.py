"""Figures: definitions kept as data, and what they come to over a set of lines. Pure."""

from __future__ import annotations

import statistics
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar

import msgspec

from shouwang.indicators.rules.doings import HELD_STATES, ActivityLine
from shouwang.indicators.rules.folding import CLOSED, COMPLETED, OPEN, Counted, Line
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.moments import MINUTE_US
from shouwang.kernel.texts import Text

Measure = Literal["COUNT", "SUM", "SHARE", "MEDIAN_MINUTES"]
Subject = Literal["CASE", "ACTIVITY"]
OVER: Mapping[Subject, frozenset[str]] = {"CASE": frozenset({"OPENED", "OPEN", "LATE"}), "ACTIVITY": frozenset({"HELD"})}
MEASURES: Mapping[Subject, frozenset[str]] = {
    "CASE": frozenset({"COUNT", "SHARE", "MEDIAN_MINUTES"}), "ACTIVITY": frozenset({"COUNT", "SUM"}),
}
L = TypeVar("L", Line, Counted, ActivityLine)
FILE = "figures.toml"


class DefinitionInvalid(ShouwangError):
    """A figure's definition cannot be computed."""

    zh = "{file} 的 {code}：{problem}；请修改该文件。"
    en = "{file}, {code}: {problem}; correct that file."


class Definition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One figure: over which cases or activities, measured how.

    `part` names what a share counts, `of` what a sum adds up, `since` and `until` what a span lies between.
    """

    code: str
    title_zh: str
    title_en: str
    means_zh: str
    means_en: str
    over: Literal["OPENED", "OPEN", "LATE", "HELD"]
    measure: Measure
    subject: Subject = "CASE"
    of: Literal["", "matters", "people"] = ""
    part: Literal["", "COMPLETED", "FALSE_ALARM"] = ""
    since: Literal["", "opened_at", "accepted_at"] = ""
    until: Literal["", "accepted_at", "arrived_at", "completed_at"] = ""
    better: Literal["", "MORE", "LESS"] = ""
    source: Literal["JOURNAL"] = "JOURNAL"
    unit_zh: str = ""
    unit_en: str = ""

    @property
    def title(self) -> Text:
        """Return the figure's name."""
        return Text(self.title_zh, self.title_en)

    @property
    def means(self) -> Text:
        """Return what the figure says, in one sentence."""
        return Text(self.means_zh, self.means_en)

    @property
    def unit(self) -> Text:
        """Return the unit: its own, else that of its measure."""
        if self.unit_zh:
            return Text(self.unit_zh, self.unit_en)
        return {"SHARE": Text("%", "%"), "MEDIAN_MINUTES": Text("分", "min")}.get(self.measure, Text("件", "cases"))


@dataclass(frozen=True, slots=True)
class Value:
    """What a figure comes to: None where nothing could be measured; `n` is over how many cases."""

    number: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure as it stands."""

    definition: Definition
    value: Value


def tile(figure: Figure, *, below: str = "") -> dict[str, object]:
    """Return a figure as pages show it: name, value, unit, what it means, and the address of its rows, `below` at its end."""
    definition, value = figure.definition, figure.value
    return {
        "name": definition.title, "value": number(definition, value), "unit": definition.unit if value.number is not None else "",
        "means": definition.means, "link": f"/figures/{definition.code}/{below}",
        "tone": "bad" if definition.code == "late" and value.number else "",
    }


def number(definition: Definition, value: Value) -> str:
    """Return the number as it is read: whole cases and percents, minutes to a tenth; a dash where nothing was measured."""
    if value.number is None:
        return "—"
    return f"{value.number:.1f}" if definition.measure == "MEDIAN_MINUTES" else f"{value.number:.0f}"


def definitions(text: str) -> tuple[Definition, ...]:
    """Return the definitions in a TOML text, in its order. Raises DefinitionInvalid."""
    found = []
    for entry in tomllib.loads(text)["figure"]:
        code = str(entry.get("code", "?"))
        try:
            definition = msgspec.convert(entry, Definition)
        except msgspec.ValidationError as error:
            raise DefinitionInvalid(file=FILE, code=code, problem=str(error)) from error
        problem = _problem(definition)
        if problem:
            raise DefinitionInvalid(file=FILE, code=code, problem=problem)
        found.append(definition)
    if len({definition.code for definition in found}) != len(found):
        raise DefinitionInvalid(file=FILE, code="*", problem="编码重复 / a code stands twice")
    return tuple(found)


def _problem(definition: Definition) -> str:
    """Return the first thing for which a definition cannot be computed, empty for none."""
    measure, subject = definition.measure, definition.subject
    wrong = (
        ((measure == "SHARE") != bool(definition.part), "SHARE 须有 part，其余不可有 / a SHARE has a part, nothing else has"),
        (
            (measure == "MEDIAN_MINUTES") != bool(definition.since and definition.until),
            "MEDIAN_MINUTES 须有 since 与 until / a MEDIAN_MINUTES has since and until",
        ),
        ((measure == "SUM") != bool(definition.of), "SUM 须有 of，其余不可有 / a SUM has an of, nothing else has"),
        (definition.over not in OVER[subject], f"{subject} 没有 {definition.over} / {definition.over} is not of {subject}"),
        (measure not in MEASURES[subject], f"{subject} 没有 {measure} / {measure} is not of {subject}"),
    )
    return next((problem for is_wrong, problem in wrong if is_wrong), "")


def rows(definition: Definition, lines: Iterable[L], *, since: datetime | int) -> list[L]:
    """Return the lines that a figure is made of; `since` is a moment as the lines have them.

    Of cases: what was opened from `since` on, what is open now, what of that is late. Of activities: what began from
    `since` on and was not cancelled.
    """
    belongs = _OVER[definition.over]
    return [line for line in lines if belongs(line, since)]


def value(definition: Definition, lines: Sequence[L], *, since: datetime | int) -> Value:
    """Return what the figure comes to over `lines`; `since` is a moment as they have them."""
    found = rows(definition, lines, since=since)
    if definition.measure == "COUNT":
        return Value(float(len(found)), len(found))
    if definition.measure == "SUM":
        return Value(float(sum(getattr(line, definition.of) for line in found)), len(found))
    if definition.measure == "SHARE":
        part = sum(_PARTS[definition.part](line) for line in found)
        return Value(100 * part / len(found) if found else None, len(found))
    spans = [span for line in found if (span := _minutes(definition, line)) is not None]
    return Value(statistics.median(spans) if spans else None, len(spans))


def nothing(definition: Definition) -> Figure:
    """Return the figure over nothing: counts and sums are zero, the rest was not measured."""
    return Figure(definition, Value(0.0 if definition.measure in {"COUNT", "SUM"} else None, 0))


def _minutes(definition: Definition, line: Any) -> float | None:
    since, until = getattr(line, definition.since), getattr(line, definition.until)
    if since is None or until is None:
        return None
    span = until - since
    return span / MINUTE_US if isinstance(span, int) else float(span.total_seconds() / 60)


_OVER: Mapping[str, Callable[[Any, Any], bool]] = {
    "OPENED": lambda line, since: line.opened_at >= since,
    "OPEN": lambda line, _: line.state == OPEN,
    "LATE": lambda line, _: line.state == OPEN and line.late,
    "HELD": lambda line, since: line.state in HELD_STATES and line.started_at is not None and line.started_at >= since,
}
_PARTS: Mapping[str, Callable[[Any], bool]] = {
    "COMPLETED": lambda line: line.state in {COMPLETED, CLOSED},
    "FALSE_ALARM": lambda line: line.false_alarm,
}
