"""What the five parties have to do in a season, as data, and when each of it is due. Pure."""

from __future__ import annotations

import tomllib
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import msgspec

from shouwang.kernel.texts import Text
from shouwang.systems.drowning.rules.errors import ItemsInvalid, ItemWrong

FILE = "parties.toml"
Party = Literal["AUTHORITY", "DEPARTMENT", "SCHOOL", "FAMILY", "SOCIETY"]
PARTIES: Mapping[str, Text] = {
    "AUTHORITY": Text("政府", "Authorities"), "DEPARTMENT": Text("部门", "Departments"), "SCHOOL": Text("学校", "Schools"),
    "FAMILY": Text("家庭", "Families"), "SOCIETY": Text("社会", "Society"),
}
DONE, OVERDUE, DUE, LATER = "DONE", "OVERDUE", "DUE", "LATER"
STATES: Mapping[str, Text] = {
    OVERDUE: Text("逾期", "Overdue"), DUE: Text("本期应做", "Due"), LATER: Text("以后", "Later"), DONE: Text("已做", "Done"),
}
SOON = timedelta(days=31)
NOTE_LENGTH, TITLE_LENGTH, UNIT_LENGTH, KEY_LENGTH = 200, 120, 80, 40
FIRST_YEAR, LAST_YEAR = 2020, 2100
LONGEST = timedelta(days=2 * 366)
CASE_KIND, SUBJECT, REASON, LATE = "drowning_joint", "joint_item", "WATER_JOINT_ITEM", "WATER_JOINT_LATE"
WORDS: Mapping[str, Text] = {REASON: Text("联席会议议定事项第 {item} 项，限 {until} 前办结", "Item {item} agreed at a joint meeting, by {until}")}
LATE_TEXT = Text("联席会议议定事项第 {item} 项已超期，限 {until}。", "Item {item} of a joint meeting is past its day, due by {until}.")


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing a party has to do: in which months, by which day of each, in each of them or once, in the first."""

    code: str
    party: Party
    zh: str
    en: str
    months: tuple[int, ...]
    by_day: int
    every: Literal["MONTH", "ONCE"]

    @property
    def title(self) -> Text:
        """Return what is to be done."""
        return Text(self.zh, self.en)


class _Sheet(msgspec.Struct, forbid_unknown_fields=True):
    item: tuple[Item, ...]


def items_in(text: str) -> Mapping[str, Item]:
    """Return the items of a TOML text by code, in their order. Raises ItemsInvalid."""
    try:
        sheet = msgspec.convert(tomllib.loads(text), _Sheet)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError) as error:
        raise ItemsInvalid(file=FILE, code="?", problem=str(error)) from error
    found = {each.code: each for each in sheet.item}
    if len(found) != len(sheet.item):
        raise ItemsInvalid(file=FILE, code="*", problem="编码重复 / a code stands twice")
    for each in sheet.item:
        if not each.months or any(not 1 <= month <= 12 for month in each.months) or not 1 <= each.by_day <= 31:
            raise ItemsInvalid(file=FILE, code=each.code, problem="months 1–12, by_day 1–31")
    return found


def dues(items: Sequence[Item], *, year: int) -> list[tuple[str, date]]:
    """Return (code, day) of what is due in a year, earliest first; a month that is shorter than `by_day` ends it. Raises ItemWrong."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ItemWrong(field="年份 year", found=year, expected=f"{FIRST_YEAR}–{LAST_YEAR}")
    found = [
        (each.code, date(year, month, min(each.by_day, monthrange(year, month)[1])))
        for each in items for month in (each.months if each.every == "MONTH" else each.months[:1])
    ]
    return sorted(found, key=lambda pair: pair[1])


def state_of(due: date, done_on: date | None, *, today: date) -> str:
    """Return how an item stands; it is due in the month before its day, and not late on the day itself."""
    if done_on is not None:
        return DONE
    return OVERDUE if due < today else DUE if due <= today + SOON else LATER


@dataclass(frozen=True)
class NewJointItem:
    """What a joint meeting agreed: what, who does it, by when. `key` makes a repeated submission harmless."""

    title: str
    unit: str
    area_id: int
    until: date
    key: str


def checked(new: NewJointItem, *, today: date) -> NewJointItem:
    """Return an agreed item that may be kept, tidied. Raises ItemWrong."""
    title, unit = " ".join(new.title.split()), " ".join(new.unit.split())
    if not title or len(title) > TITLE_LENGTH:
        raise ItemWrong(field="事项 title", found=title[:20] or "—", expected=f"1–{TITLE_LENGTH}")
    if not unit or len(unit) > UNIT_LENGTH:
        raise ItemWrong(field="责任单位 unit", found=unit[:20] or "—", expected=f"1–{UNIT_LENGTH}")
    if not today <= new.until <= today + LONGEST:
        raise ItemWrong(field="期限 until", found=new.until.isoformat(), expected=f"{today.isoformat()} – {(today + LONGEST).isoformat()}")
    if not 0 < len(new.key) <= KEY_LENGTH:
        raise ItemWrong(field="提交编号 key", found=len(new.key), expected=f"1–{KEY_LENGTH}")
    return NewJointItem(title, unit, new.area_id, new.until, new.key)


def noted(done_on: date, note: str, *, today: date) -> str:
    """Return the note of an item that was done, tidied. Raises ItemWrong for a day to come or a note too long."""
    note = " ".join(note.split())
    if done_on > today or done_on < today - LONGEST:
        raise ItemWrong(field="完成日期 day", found=done_on.isoformat(), expected=f"≤ {today.isoformat()}")
    if len(note) > NOTE_LENGTH:
        raise ItemWrong(field="说明 note", found=len(note), expected=f"≤ {NOTE_LENGTH}")
    return note
