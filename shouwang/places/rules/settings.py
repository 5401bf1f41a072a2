"""Settings that differ by area: what kinds of values there are, and how people write them. Pure.

A value holds for the area it is set at and for everything below, until a nearer area says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, time
from itertools import pairwise
from typing import Any, Literal

from shouwang.kernel.texts import Text
from shouwang.places.rules.calendar import Calendar
from shouwang.places.rules.errors import SettingInvalid

Kind = Literal["TEXT", "INTEGER", "DAY", "DAYS", "HOURS"]
TEXT_LENGTH = 500
NO_HELP = Text("", "")
MAX_DAYS = 400
EXPECTED: dict[str, Text] = {
    "TEXT": Text("500 字以内的文字", "text of at most 500 characters"),
    "INTEGER": Text("整数", "a whole number"),
    "DAY": Text("日期，如 2027-12-31，或留空", "a day such as 2027-12-31, or nothing"),
    "DAYS": Text("日期，以空格或换行分隔，如 2027-02-08 2027-02-09", "days such as 2027-02-08 2027-02-09, separated by spaces"),
    "HOURS": Text("时段，如 08:30-12:00 13:30-17:30", "spells of hours such as 08:30-12:00 13:30-17:30"),
}
_SPELL = re.compile(r"([0-2][0-9]:[0-5][0-9])-([0-2][0-9]:[0-5][0-9])", re.ASCII)


@dataclass(frozen=True)
class SettingSpec:
    """A setting some room knows. Values are JSON: text, number, day "2027-01-01", list of days, list of [from, until].

    `check` raises where a value of the right kind is refused all the same; what `is_apart` has a page of its own.
    """

    key: str
    title: Text
    kind: Kind
    default: Any
    help: Text = NO_HELP
    check: Callable[[Any], None] | None = None
    is_apart: bool = False


DAYS_OFF = SettingSpec(
    "calendar.days_off", Text("另加休息日", "Additional days off"), "DAYS", [],
    Text("本地节日、停工日，或国家公布的新一年放假日。", "Local holidays, closures, or the days off of a newly published year."),
)
WORKING_DAYS = SettingSpec(
    "calendar.working_days", Text("另加工作日", "Additional working days"), "DAYS", [],
    Text("调休上班的周末；也可把内置日历的休息日改为上班。", "Weekends worked in exchange; also turns a shipped day off into a working day."),
)
CONFIRMED_UNTIL = SettingSpec(
    "calendar.confirmed_until", Text("日历已确认至", "Calendar confirmed until"), "DAY", "",
    Text("此日之后的工作日按周一至周五暂算。", "Working days after it are provisionally Monday to Friday."),
)
HOURS = SettingSpec(
    "office.hours", Text("办公时间", "Office hours"), "HOURS", [["08:30", "12:00"], ["13:30", "17:30"]],
)
OWN = (DAYS_OFF, WORKING_DAYS, CONFIRMED_UNTIL, HOURS)


def read_value(spec: SettingSpec, text: str) -> Any:
    """Return the JSON value a person wrote as `text`. Raises SettingInvalid."""
    text = text.strip()
    try:
        value = _READ[spec.kind](text)
    except ValueError:
        raise _invalid(spec, text) from None
    return check_value(spec, value)


def write_value(spec: SettingSpec, value: Any) -> str:
    """Return a JSON value as people write it; `read_value` reads it back."""
    if spec.kind == "DAYS":
        return " ".join(value)
    if spec.kind == "HOURS":
        return " ".join(f"{start}-{until}" for start, until in value)
    return str(value)


def check_value(spec: SettingSpec, value: Any) -> Any:
    """Return `value` if it fits the kind of `spec`. Raises SettingInvalid."""
    if not _fits(spec.kind, value):
        raise _invalid(spec, value)
    if spec.check is not None:
        spec.check(value)
    return value


def calendar_with(shipped: Calendar, *, days_off: Sequence[str], working_days: Sequence[str], until: str, hours: Sequence[Sequence[str]]) -> Calendar:
    """Return the shipped calendar with an area's own days, which win over the shipped ones."""
    off, on = frozenset(map(date.fromisoformat, days_off)), frozenset(map(date.fromisoformat, working_days))
    return Calendar(
        confirmed_from=shipped.confirmed_from,
        confirmed_until=max(shipped.confirmed_until, date.fromisoformat(until)) if until else shipped.confirmed_until,
        days_off=(shipped.days_off - on) | off,
        working_days=(shipped.working_days - off) | on,
        hours=tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in hours),
    )


def _invalid(spec: SettingSpec, value: object) -> SettingInvalid:
    return SettingInvalid(key=spec.key, found=str(value)[:80], expected=EXPECTED[spec.kind])


def _days(text: str) -> list[str]:
    return sorted({date.fromisoformat(word).isoformat() for word in re.split(r"[\s,，、;；]+", text) if word})


def _spells(text: str) -> list[list[str]]:
    found = [_SPELL.fullmatch(word) for word in re.split(r"[\s,，、;；]+", text.replace("–", "-").replace("：", ":")) if word]
    if None in found:
        raise ValueError(text)
    return [list(each.groups()) for each in found if each]


_READ: dict[Kind, Callable[[str], Any]] = {
    "TEXT": str,
    "INTEGER": int,
    "DAY": lambda text: date.fromisoformat(text).isoformat() if text else "",
    "DAYS": _days,
    "HOURS": _spells,
}


def _fits(kind: Kind, value: Any) -> bool:
    if kind == "TEXT":
        return isinstance(value, str) and len(value) <= TEXT_LENGTH
    if kind == "INTEGER":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "DAY":
        return value == "" or _is_day(value)
    if kind == "DAYS":
        return isinstance(value, list) and len(value) <= MAX_DAYS and all(map(_is_day, value))
    return _are_spells(value)


def _is_day(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _are_spells(value: object) -> bool:
    """Return whether these are spells of one day, ascending and apart."""
    try:
        edges = [time.fromisoformat(edge) for start, until in value for edge in (start, until)]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return False
    return bool(edges) and all(early < late for early, late in pairwise(edges))
