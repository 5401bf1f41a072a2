"""The sentences of a printed notice. Pure."""

from __future__ import annotations

from datetime import datetime

from shouwang.kernel.moments import local
from shouwang.kernel.texts import Text

WEEKDAYS_ZH = "一二三四五六日"
WEEKDAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def span_of(starts_at: datetime, ends_at: datetime) -> Text:
    """Return when something is, as a notice says it: the day named once where it begins and ends on one."""
    start, end = local(starts_at), local(ends_at)
    if start.date() == end.date():
        return Text(f"{_day_zh(start)} {start:%H:%M} 至 {end:%H:%M}", f"{_day_en(start)}, {start:%H:%M} to {end:%H:%M}")
    return Text(
        f"{_day_zh(start)} {start:%H:%M} 至 {_day_zh(end)} {end:%H:%M}", f"{_day_en(start)}, {start:%H:%M} to {_day_en(end)}, {end:%H:%M}",
    )


def _day_zh(at: datetime) -> str:
    return f"{at.year} 年 {at.month} 月 {at.day} 日（星期{WEEKDAYS_ZH[at.weekday()]}）"


def _day_en(at: datetime) -> str:
    return f"{WEEKDAYS_EN[at.weekday()]} {at:%Y-%m-%d}"
