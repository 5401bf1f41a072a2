"""Hazards at waters: their kinds and states, what a finding must say, and what a case says of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from shouwang.kernel.texts import Text
from shouwang.systems.drowning.rules.errors import HazardWrong

CASE_KIND, SUBJECT = "drowning_hazard", "water_hazard"
KINDS: Mapping[str, Text] = {
    "SIGN": Text("缺警示标志", "No warning sign"), "FENCE": Text("护栏破损、缺失", "Fence broken or missing"),
    "RESCUE": Text("缺救生器材", "No rescue gear"), "BANK": Text("岸坡陡滑", "Steep or slippery bank"), "OTHER": Text("其他", "Something else"),
}
PROPOSED, OPEN, MENDED, CLOSED, DROPPED = "PROPOSED", "OPEN", "MENDED", "CLOSED", "DROPPED"
STATES: Mapping[str, Text] = {
    PROPOSED: Text("待确认", "Proposed"), OPEN: Text("整改中", "Being mended"), MENDED: Text("已整改，待核查", "Mended, to be checked"),
    CLOSED: Text("已销号", "Closed"), DROPPED: Text("不作隐患", "No hazard"),
}
REASON = "WATER_HAZARD_"
LATE = "WATER_HAZARD_LATE"
WORDS: Mapping[str, Text] = {
    f"{REASON}{code}": Text("{water}：" + title.zh + "，限 {until} 前整改", "{water}: " + title.en.lower() + ", to be mended by {until}")
    for code, title in KINDS.items()
}
LATE_TEXT = Text("水域隐患整改已超期：{water}，限 {until}。", "A hazard is past its day: {water}, due by {until}.")
WHAT_LENGTH, UNIT_LENGTH, KEY_LENGTH = 200, 80, 40
LONGEST = timedelta(days=366)
DAYS_OFFERED = 7


@dataclass(frozen=True)
class NewHazard:
    """A hazard as somebody found it: what, who mends it, by which day. `key` makes a repeated submission harmless."""

    kind: str
    what: str
    unit: str
    until: date
    key: str


def checked(new: NewHazard, *, today: date) -> NewHazard:
    """Return a finding that may be kept, tidied. Raises HazardWrong."""
    what, unit = " ".join(new.what.split()), " ".join(new.unit.split())
    if new.kind not in KINDS:
        raise HazardWrong(field="种类 kind", found=new.kind[:20] or "—", expected=" ".join(KINDS))
    if not what or len(what) > WHAT_LENGTH:
        raise HazardWrong(field="情况 what", found=what[:20] or "—", expected=f"1–{WHAT_LENGTH}")
    if not unit or len(unit) > UNIT_LENGTH:
        raise HazardWrong(field="整改责任 who mends it", found=unit[:20] or "—", expected=f"1–{UNIT_LENGTH}")
    if not today <= new.until <= today + LONGEST:
        raise HazardWrong(field="期限 until", found=new.until.isoformat(), expected=f"{today.isoformat()} – {(today + LONGEST).isoformat()}")
    if not 0 < len(new.key) <= KEY_LENGTH:
        raise HazardWrong(field="提交编号 key", found=len(new.key), expected=f"1–{KEY_LENGTH}")
    return NewHazard(new.kind, what, unit, new.until, new.key)


def state_of(case_state: str, result: str) -> str:
    """Return how a hazard stands by its case: mended is not closed before somebody above has looked."""
    if case_state == "COMPLETED":
        return MENDED
    if case_state == "CLOSED" and result == "MENDED":
        return CLOSED
    return OPEN if case_state in {"OPEN", "SUSPENDED"} else DROPPED


def is_overdue(state: str, until: date, *, today: date) -> bool:
    """Return whether a hazard is past its day; on the day itself it is not."""
    return state == OPEN and until < today
