"""What one person's report must be before it is taken, and where it belongs. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shouwang.kernel.geometry import is_position
from shouwang.kernel.texts import Text
from shouwang.people.rules.lines import digits, is_phone
from shouwang.requests.rules.catalogue import is_service
from shouwang.requests.rules.errors import ReportWrong

Channel = Literal["FIELD_REPORT", "TELEPHONE", "QR", "HOTLINE_XLSX"]
CHANNELS: Mapping[str, Text] = {
    "FIELD_REPORT": Text("网格员上报", "Grid worker"),
    "TELEPHONE": Text("电话", "Telephone"),
    "QR": Text("扫码", "QR form"),
    "HOTLINE_XLSX": Text("热线转办", "Hotline list"),
}
DESCRIPTION_LENGTH = 500
ADDRESS_LENGTH = 120
NAME_LENGTH = 60
KEY = re.compile(r"[\w.:#/-]{8,80}", re.ASCII)
MOST_PHOTOS = 3
CLOCK_AHEAD = timedelta(minutes=10)
OLDEST = timedelta(days=366)
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class NewReport:
    """What one person tells. `key` is made by the sender and makes a repeated sending harmless.

    `join` is the open request it is added to; None makes a new one. A grid worker is given as `person_id`, a resident by
    phone and name. `said_at` is when it was told, where that was before now.
    """

    service: str
    channel: Channel
    area_id: int
    description: str
    key: str
    address: str = ""
    lon: float | None = None
    lat: float | None = None
    phone: str = ""
    name: str = ""
    person_id: int | None = None
    join: int | None = None
    said_at: datetime | None = None
    language: str = "zh"
    exercise_id: int | None = None


def one_line(text: str) -> str:
    """Return `text` with every run of spaces, line breaks and unseen characters as one space."""
    return _SPACE.sub(" ", "".join(each if each.isprintable() else " " for each in text)).strip()


def tidy_phone(text: str) -> str:
    """Return a telephone number as digits only, without the country's +86."""
    found = digits(text).removeprefix("+")
    return found.removeprefix("86") if len(found) == 13 and found.startswith("86") else found


def check(new: NewReport, *, now: datetime) -> None:
    """Raise ReportWrong for the first thing in `new` that cannot be taken."""
    long = f"1 至 {DESCRIPTION_LENGTH} 个字", f"1 to {DESCRIPTION_LENGTH} characters"
    _require(is_service(new.service), ("类别", "kind"), new.service, ("列出的类别之一", "one of the listed kinds"))
    _require(0 < len(new.description) <= DESCRIPTION_LENGTH, ("什么事", "what it is"), new.description[:20], long)
    _require(len(new.address) <= ADDRESS_LENGTH, ("具体位置", "where"), new.address[:20], (f"不超过 {ADDRESS_LENGTH} 个字", f"at most {ADDRESS_LENGTH} characters"))
    _require(len(new.name) <= NAME_LENGTH, ("姓名", "name"), new.name[:20], (f"不超过 {NAME_LENGTH} 个字", f"at most {NAME_LENGTH} characters"))
    _require(not new.phone or is_phone(new.phone), ("电话", "phone"), f"{len(new.phone)} 位", ("5 至 15 位数字", "5 to 15 digits"))
    _require(KEY.fullmatch(new.key) is not None, ("提交编号", "key"), new.key[:20], ("8 至 80 个字母数字", "8 to 80 letters and digits"))
    point = (new.lon is None and new.lat is None) or (new.lon is not None and new.lat is not None and is_position(new.lon, new.lat))
    _require(point, ("定位", "position"), f"{new.lon}, {new.lat}", ("有效的经纬度", "degrees of a place on the earth"))
    _require(
        new.said_at is None or now - OLDEST < new.said_at <= now + CLOCK_AHEAD, ("反映时间", "time"), f"{new.said_at:%Y-%m-%d %H:%M}" if new.said_at else "",
        ("近一年内、不晚于现在", "within the last year and not in the future"),
    )


def _require(holds: bool, what: tuple[str, str], found: str, expected: tuple[str, str]) -> None:
    if not holds:
        raise ReportWrong(what=what[0], what_en=what[1], found=found, expected=expected[0], expected_en=expected[1])


def settled(claimed: tuple[int, str], found: tuple[int, str] | None) -> tuple[int, str]:
    """Return the (area, path) a report belongs to: where its point lies if that is inside the area it names, else that area."""
    return found if found is not None and found[1].startswith(claimed[1]) else claimed


def tail_of(phone: str) -> str:
    """Return the last four digits of a phone, by which its owner follows the request."""
    return phone[-4:] if len(phone) >= 4 else ""
