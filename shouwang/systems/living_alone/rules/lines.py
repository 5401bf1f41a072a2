"""What a row of a list of homes to enrol must be. Pure: areas and meters are looked up by the caller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from shouwang.kernel.texts import Text
from shouwang.people.rules.lines import Cells, Found, digits, is_id_number, is_phone

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "name": ("姓名", "住户姓名", "name"),
    "phone": ("电话", "手机", "联系电话", "phone"),
    "id_number": ("身份证号", "身份证号码", "公民身份号码", "id number"),
    "area": ("地区", "区划", "村（社区）", "行政区划代码", "area"),
    "address": ("住址", "地址", "address"),
    "meter": ("水表编号", "表号", "水表号", "meter"),
    "relative": ("亲属姓名", "亲属", "relative"),
    "relation": ("亲属关系", "关系", "relation"),
    "relative_phone": ("亲属电话", "relative phone"),
    "key_holder": ("持钥匙人", "key-holder"),
    "key_holder_phone": ("持钥匙人电话", "key-holder phone"),
    "hospital": ("定点医院", "医院", "hospital"),
    "hospital_phone": ("医院电话", "hospital phone"),
    "consent": ("本人同意", "同意", "consent"),
    "consent_until": ("同意截止", "同意至", "consent until"),
    "category": ("类别", "人员类别", "category"),
    "upload": ("上报间隔", "水表上报", "upload"),
    "gateway": ("集中器编号", "集中器", "网关", "gateway"),
}
REQUIRED = ("name", "area", "address", "meter")
EXAMPLE = (
    "示例甲", "10000000001", "", "莘县 张寨镇 黄庙村", "1组2号", "WM00001", "示例乙", "子女", "10000000002", "示例丙", "10000000003",
    "示例县人民医院", "10000000120", "是", "2027-12-31", "分散供养特困", "每小时", "",
)
LONGEST: Mapping[str, int] = {"name": 60, "address": 200, "meter": 64, "relative": 60, "relation": 20, "key_holder": 60, "hospital": 80, "gateway": 64}
CATEGORIES: Mapping[str, Text] = {
    "SUPPORTED": Text("分散供养特困", "Supported at home"), "ALONE": Text("独居老人", "Elder living alone"),
}
UPLOADS: Mapping[int, Text] = {1: Text("每小时", "hourly"), 6: Text("每6小时", "every 6 hours"), 24: Text("每天", "daily")}
"""Hours between two uploads of a meter, as a list or a form says it."""
UPLOAD_OF = {name: hours for hours, text in UPLOADS.items() for name in (text.zh, text.en)}
CATEGORY_OF = {name: code for code, text in CATEGORIES.items() for name in (text.zh, text.en)}
YES = frozenset({"是", "有", "同意", "yes", "y", "1", "true"})

PROBLEMS: Mapping[str, Text] = {
    "MISSING": Text("缺少“{found}”", "{found} is missing"),
    "LONG": Text("“{found}”太长", "{found} is too long"),
    "PHONE_WRONG": Text("电话“{found}”不是 5 至 15 位数字", "the phone {found} is not 5 to 15 digits"),
    "ID_WRONG": Text("身份证号的长度或校验位不对", "the identity number's length or check digit is wrong"),
    "AREA_UNKNOWN": Text("地区“{found}”没有找到，或不在您的管辖范围内", "the area {found} was not found, or lies outside yours"),
    "AREA_AMBIGUOUS": Text(
        "地区“{found}”不止一处，请写全称或区划代码", "there are several areas {found}; write the full name or its code",
    ),
    "CONTACT_PHONE": Text("{found}没有电话，联系不上", "{found} has no phone, so cannot be reached"),
    "DATE_WRONG": Text("日期“{found}”应写成 2026-01-31 的样子", "the day {found} should be written as 2026-01-31"),
    "CATEGORY_UNKNOWN": Text("类别“{found}”应为分散供养特困或独居老人", "the category {found} is neither supported at home nor living alone"),
    "UPLOAD_UNKNOWN": Text("上报间隔“{found}”应为每小时或每天", "the upload {found} is neither hourly nor daily"),
    "TWICE": Text("水表编号“{found}”在本表出现多次", "the meter {found} stands in this list more than once"),
    "METER_TAKEN": Text("水表“{found}”已用于另一住户，或不在您的管辖范围内", "the meter {found} watches another home, or lies outside your area"),
    "FAILED": Text("{found}", "{found}"),
}


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody to call about a home."""

    name: str
    phone: str
    relation: str = ""


@dataclass(frozen=True, slots=True)
class NewHome:
    """A home to enrol: who lives there, where, which meter, whom to call."""

    name: str
    area_id: int
    address: str
    meter: str
    phone: str = ""
    id_number: str = ""
    relative: Contact | None = None
    key_holder: Contact | None = None
    hospital: str = ""
    hospital_phone: str = ""
    consent: bool = False
    consent_until: date | None = None
    category: str = ""
    upload_h: int | None = None
    gateway: str = ""


FIELDS: Mapping[str, str] = {"ID_WRONG": "id_number"}
"""The column of the one problem that does not hold the cell as it was found: the number is shown nowhere else."""


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
    """A row that can be imported; `row` is its number in the sheet."""

    row: int
    home: NewHome


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be imported: its number, its cells as found and what is wrong."""

    row: int
    cells: tuple[str, ...]
    problems: tuple[Problem, ...]


def check_rows(
    rows: Sequence[tuple[int, Sequence[str]]], columns: Mapping[str, int], areas: Mapping[str, Found],
) -> tuple[list[Line], list[BadRow]]:
    """Return the rows that can be imported and those that cannot; empty rows are passed over.

    `areas` says what each text of the area column means to the importing person.
    """
    cells = [(number, raw, Cells(raw, columns)) for number, raw in rows if any(cell.strip() for cell in raw)]
    often = Counter(each.text("meter") for _, _, each in cells)
    good: list[Line] = []
    bad: list[BadRow] = []
    for number, raw, each in cells:
        problems = _problems(each, areas, often)
        if problems:
            bad.append(BadRow(number, tuple(raw), tuple(problems)))
        else:
            good.append(Line(number, _home(each, areas)))
    return good, bad


def day_of(text: str) -> date | None:
    """Return the day written as 2026-01-31, with or without an hour behind it; None for anything else."""
    try:
        return date.fromisoformat(text.strip().partition(" ")[0].replace("/", "-"))
    except ValueError:
        return None


def _problems(cells: Cells, areas: Mapping[str, Found], often: Mapping[str, int]) -> list[Problem]:
    found = [Problem("MISSING", HEADINGS[field][0]) for field in REQUIRED if not cells.text(field)]
    found += [Problem("LONG", HEADINGS[field][0]) for field, most in LONGEST.items() if len(cells.text(field)) > most]
    for field in ("phone", "relative_phone", "key_holder_phone", "hospital_phone"):
        phone = digits(cells.text(field))
        if phone and not is_phone(phone):
            found.append(Problem("PHONE_WRONG", phone[:20]))
    if cells.text("id_number") and not is_id_number(cells.text("id_number").upper()):
        found.append(Problem("ID_WRONG"))
    found += [
        Problem("CONTACT_PHONE", cells.text(who))
        for who in ("relative", "key_holder", "hospital")
        if cells.text(who) and not cells.text(f"{who}_phone")
    ]
    if cells.text("consent_until") and day_of(cells.text("consent_until")) is None:
        found.append(Problem("DATE_WRONG", cells.text("consent_until")[:20]))
    if cells.text("category") and cells.text("category") not in CATEGORY_OF:
        found.append(Problem("CATEGORY_UNKNOWN", cells.text("category")[:20]))
    if cells.text("upload") and cells.text("upload") not in UPLOAD_OF:
        found.append(Problem("UPLOAD_UNKNOWN", cells.text("upload")[:20]))
    return found + _place_problems(cells, areas, often)


def _place_problems(cells: Cells, areas: Mapping[str, Found], often: Mapping[str, int]) -> list[Problem]:
    found = []
    area, meter = cells.text("area"), cells.text("meter")
    meant = areas.get(area, Found(None, 0))
    if area and meant.area_id is None:
        found.append(Problem("AREA_AMBIGUOUS" if meant.count > 1 else "AREA_UNKNOWN", area[:60]))
    if meter and often[meter] > 1:
        found.append(Problem("TWICE", meter[:64]))
    return found


def _home(cells: Cells, areas: Mapping[str, Found]) -> NewHome:
    return NewHome(
        cells.text("name"), areas[cells.text("area")].area_id or 0, cells.text("address"), cells.text("meter"),
        digits(cells.text("phone")), cells.text("id_number").upper(),
        _contact(cells, "relative", cells.text("relation")), _contact(cells, "key_holder", ""),
        cells.text("hospital"), digits(cells.text("hospital_phone")), cells.text("consent").lower() in YES,
        day_of(cells.text("consent_until")), CATEGORY_OF.get(cells.text("category"), ""),
        UPLOAD_OF.get(cells.text("upload")), cells.text("gateway"),
    )


def _contact(cells: Cells, who: str, relation: str) -> Contact | None:
    name = cells.text(who)
    return Contact(name, digits(cells.text(f"{who}_phone")), relation) if name else None
