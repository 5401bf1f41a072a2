"""What a row of a hotline's list must be. Pure: areas and numbers that are known already are looked up by the caller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shouwang.kernel.moments import LOCAL_ZONE
from shouwang.kernel.texts import Text
from shouwang.people.rules.lines import Cells, Found, is_phone
from shouwang.requests.rules.catalogue import guess
from shouwang.requests.rules.intake import (
    ADDRESS_LENGTH,
    CLOCK_AHEAD,
    DESCRIPTION_LENGTH,
    KEY,
    NAME_LENGTH,
    OLDEST,
    NewReport,
    one_line,
    tidy_phone,
)

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "key": ("工单编号", "工单号", "编号", "ticket"),
    "said_at": ("反映时间", "来电时间", "受理时间", "time"),
    "kind": ("类别", "诉求类别", "分类", "kind"),
    "area": ("地区", "区划", "村（社区）", "行政区划代码", "area"),
    "address": ("具体位置", "地址", "where"),
    "description": ("反映内容", "内容", "诉求内容", "what"),
    "name": ("反映人", "联系人", "姓名", "name"),
    "phone": ("联系电话", "电话", "手机", "phone"),
}
REQUIRED = ("key", "area", "description")
EXAMPLE = ("RX20260115-0001", "2026-01-15 09:30", "路灯、照明", "莘县 张寨镇 黄庙村", "村委会门前", "路灯三天不亮，晚上看不清路", "示例甲", "10000000001")
LONGEST: Mapping[str, int] = {"address": ADDRESS_LENGTH, "description": DESCRIPTION_LENGTH, "name": NAME_LENGTH}
_FORMS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y.%m.%d %H:%M", "%Y年%m月%d日 %H:%M", "%Y-%m-%d",
    "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日",
)

PROBLEMS: Mapping[str, Text] = {
    "MISSING": Text("缺少“{found}”", "{found} is missing"),
    "LONG": Text("“{found}”太长", "{found} is too long"),
    "KEY_WRONG": Text("工单编号“{found}”应为 4 至 60 个字母、数字或 -", "the ticket {found} should be 4 to 60 letters, digits or -"),
    "TIME_WRONG": Text("时间“{found}”应写成 2026-01-15 09:30，且在近一年内", "the time {found} should be written 2026-01-15 09:30 and lie in the last year"),
    "PHONE_WRONG": Text("电话“{found}”不是 5 至 15 位数字", "the phone {found} is not 5 to 15 digits"),
    "AREA_UNKNOWN": Text("地区“{found}”没有找到，或不在您的管辖范围内", "the area {found} was not found, or lies outside yours"),
    "AREA_AMBIGUOUS": Text(
        "地区“{found}”不止一处，请写全称或区划代码", "there are several areas {found}; write the full name or its code",
    ),
    "TWICE": Text("工单编号“{found}”在本表出现多次", "the ticket {found} stands in this list more than once"),
    "FAILED": Text("{found}", "{found}"),
}


FIELDS: Mapping[str, str] = {"KEY_WRONG": "key", "PHONE_WRONG": "phone", "TIME_WRONG": "said_at"}
"""The columns of those problems that may hold the cell shortened or tidied."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a row."""

    code: str
    found: str = ""

    @property
    def field(self) -> str:
        """Return the column it is about, empty where `found` is the cell itself."""
        return FIELDS.get(self.code, "")

    def text(self, language: str) -> str:
        """Return the problem in words."""
        return PROBLEMS[self.code].render(language, {"found": self.found})


@dataclass(frozen=True, slots=True)
class Line:
    """A row that can be imported; `is_known` where its ticket was imported before, so that nothing will change."""

    row: int
    report: NewReport
    is_known: bool


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be imported: its number, its cells as found and what is wrong."""

    row: int
    cells: tuple[str, ...]
    problems: tuple[Problem, ...]


def key_of(ticket: str) -> str:
    """Return the key of a hotline's ticket."""
    return f"ticket-{ticket}"


def check_rows(
    rows: Sequence[tuple[int, Sequence[str]]], columns: Mapping[str, int], areas: Mapping[str, Found], *, known: Collection[str] = (),
    now: datetime,
) -> tuple[list[Line], list[BadRow]]:
    """Return the rows that can be imported and those that cannot; empty rows are passed over.

    `areas` says what each text of the area column means to the importing person, `known` which keys were imported before.
    """
    cells = [(number, raw, Cells(raw, columns)) for number, raw in rows if any(cell.strip() for cell in raw)]
    often = Counter(each.text("key") for _, _, each in cells)
    good: list[Line] = []
    bad: list[BadRow] = []
    for number, raw, each in cells:
        problems = _problems(each, areas, often, now)
        if problems:
            bad.append(BadRow(number, tuple(raw), tuple(problems)))
        else:
            report = _report(each, areas)
            good.append(Line(number, report, report.key in known))
    return good, bad


def moment_of(text: str) -> datetime | None:
    """Return the moment a cell names on the local clock, a day's beginning where it names a day only; None for anything else."""
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=LOCAL_ZONE).astimezone(UTC)
        except ValueError:
            continue
    return None


def _problems(cells: Cells, areas: Mapping[str, Found], often: Mapping[str, int], now: datetime) -> list[Problem]:
    found = [Problem("MISSING", HEADINGS[field][0]) for field in REQUIRED if not cells.text(field)]
    found += [Problem("LONG", HEADINGS[field][0]) for field, most in LONGEST.items() if len(one_line(cells.text(field))) > most]
    ticket, area, phone = cells.text("key"), cells.text("area"), tidy_phone(cells.text("phone"))
    if ticket and not (4 <= len(ticket) <= 60 and KEY.fullmatch(key_of(ticket))):
        found.append(Problem("KEY_WRONG", ticket[:60]))
    elif ticket and often[ticket] > 1:
        found.append(Problem("TWICE", ticket))
    if phone and not is_phone(phone):
        found.append(Problem("PHONE_WRONG", phone[:20]))
    said_at = moment_of(cells.text("said_at")) if cells.text("said_at") else now
    if said_at is None or not now - OLDEST < said_at <= now + CLOCK_AHEAD:
        found.append(Problem("TIME_WRONG", cells.text("said_at")[:30]))
    meant = areas.get(area, Found(None, 0))
    if area and meant.area_id is None:
        found.append(Problem("AREA_AMBIGUOUS" if meant.count > 1 else "AREA_UNKNOWN", area[:60]))
    return found


def _report(cells: Cells, areas: Mapping[str, Found]) -> NewReport:
    description = one_line(cells.text("description"))
    return NewReport(
        guess([cells.text("kind")]) if guess([cells.text("kind")]) != "OTHER" else guess([description]), "HOTLINE_XLSX",
        areas[cells.text("area")].area_id or 0, description, key_of(cells.text("key")), address=one_line(cells.text("address")),
        phone=tidy_phone(cells.text("phone")), name=one_line(cells.text("name")),
        said_at=moment_of(cells.text("said_at")) if cells.text("said_at") else None,
    )
