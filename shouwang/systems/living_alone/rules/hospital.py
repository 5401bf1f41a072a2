"""Which hospital to call: a home's own, else the one its area names; and whom to ask before a door is forced. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shouwang.kernel.texts import Text
from shouwang.people.rules.lines import digits
from shouwang.places.rules.settings import SettingSpec

HOSPITAL = SettingSpec(
    "living_alone.hospital", Text("就近医院", "Nearest hospital"), "TEXT", "",
    Text("名称和电话，以空格分开；显示在网格员的处置页上。", "Its name and phone, separated by a space; shown on the grid worker's task."),
)
_PHONE = re.compile(r"[0-9][0-9 \-－]{3,18}[0-9]$")


@dataclass(frozen=True, slots=True)
class Hospital:
    """A hospital to call."""

    name: str
    phone: str
    is_own: bool = False


def hospital_of_text(text: str) -> Hospital | None:
    """Return the hospital written as "name phone"; None where nothing with a phone is written."""
    text = " ".join(text.split())
    found = _PHONE.search(text)
    if found is None:
        return None
    return Hospital(text[: found.start()].strip(" ，,:：") or found.group(), digits(found.group()))


FORCED_ENTRY = SettingSpec(
    "living_alone.forced_entry", Text("开不了门时找谁", "Whom to ask before a door is forced"), "TEXT", "",
    Text("说明和电话，以空格分开，如“村委会和派出所到场后开锁 …”；显示在处置页上。", "Who must be there, and a phone, separated by a space; shown on the task."),
)
