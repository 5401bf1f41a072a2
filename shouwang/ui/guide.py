"""Invented data for the guide pages: every part once. No place, person or number here is real."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms

from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text
from shouwang.ui.lists import Choice, Column, Filter, ListQuery, ListSpec

NOW = datetime(2026, 1, 15, 7, 42, tzinfo=UTC)
KINDS = {
    "water": Text("独居老人用水异常", "Unusual water use, living alone"),
    "pond": Text("危险水域人员闯入", "Person at dangerous water"),
    "level": Text("水库水位超汛限", "Reservoir above flood limit"),
    "repair": Text("物业维修超时", "Repair overdue"),
}
STATES = {
    "DISPATCHED": Text("待签收", "To accept"),
    "ACCEPTED": Text("已签收", "Accepted"),
    "ARRIVED": Text("已到场", "On site"),
}


@dataclass(frozen=True)
class SampleCase:
    """One invented case of the guide."""

    id: int
    severity: Severity
    kind: str
    place: str
    state: str
    due_at: datetime
    lon: float
    lat: float
    fresh: bool = False

    @property
    def title(self) -> Text:
        """Return what happened."""
        return KINDS[self.kind]

    @property
    def state_title(self) -> Text:
        """Return the state in words."""
        return STATES[self.state]


_SEEDS: tuple[tuple[Severity, str, str, str, int, float, float], ...] = (
    (Severity.RED, "pond", "示范县 柳河镇 东塘村", "DISPATCHED", -5, 115.62, 36.31),
    (Severity.RED, "water", "示范县 张庄镇 后街村", "DISPATCHED", 3, 115.71, 36.18),
    (Severity.ORANGE, "level", "示范县 南湖水库", "ACCEPTED", 12, 115.93, 36.22),
    (Severity.ORANGE, "water", "邻山县 城关街道 北苑社区", "ARRIVED", 26, 116.12, 36.41),
    (Severity.YELLOW, "repair", "邻山县 和园小区 12 号楼", "ACCEPTED", 95, 116.05, 36.52),
    (Severity.YELLOW, "water", "示范县 柳河镇 西塘村", "DISPATCHED", 118, 115.55, 36.42),
    (Severity.BLUE, "pond", "邻山县 青石镇 石桥村", "ACCEPTED", 240, 116.22, 36.28),
    (Severity.BLUE, "repair", "示范县 张庄镇 前街村", "DISPATCHED", 1510, 115.80, 36.47),
)
CASES = tuple(
    SampleCase(410 + i, s, kind, place, state, NOW + timedelta(minutes=minutes), lon, lat, fresh=i == 1)
    for i, (s, kind, place, state, minutes, lon, lat) in enumerate(_SEEDS)
)

LIST: ListSpec[SampleCase] = ListSpec(
    title=Text("事件", "Cases"),
    columns=(
        Column("id", Text("编号", "Number"), lambda case: case.id, sortable=True),
        Column("severity", Text("级别", "Severity"), lambda case: case.severity, sortable=True),
        Column("title", Text("事项", "Matter"), lambda case: case.title),
        Column("place", Text("地点", "Place"), lambda case: case.place),
        Column("state", Text("状态", "State"), lambda case: case.state_title),
        Column("due_at", Text("时限", "Due"), lambda case: case.due_at, sortable=True),
    ),
    filters=(
        Filter(
            "severity", Text("级别", "Severity"), [Choice(str(s.value), Text(s.zh, s.name.title())) for s in reversed(Severity)]
        ),
        Filter("state", Text("状态", "State"), [Choice(code, title) for code, title in STATES.items()]),
    ),
    sort="due_at",
    link=lambda case: f"#case-{case.id}",
    searched=Text("按地点搜索", "Search places"),
    page_size=5,
)


def fetch(query: ListQuery) -> tuple[Sequence[SampleCase], int]:
    """Return the slice of the invented cases that `query` asks for, and how many there are."""
    key = query.sort.removeprefix("-")
    found = [
        case
        for case in sorted(CASES, key=lambda case: getattr(case, key), reverse=query.sort.startswith("-"))
        if query.text in case.place
        and query.chosen.get("severity", str(case.severity.value)) == str(case.severity.value)
        and query.chosen.get("state", case.state) == case.state
    ]
    return found[query.offset : query.offset + query.limit], len(found)


class SampleForm(forms.Form):
    """A form with one wrong field, to show the error summary."""

    name = forms.CharField(label="姓名 Name", help_text="与身份证一致 · as on the identity card", max_length=40)
    phone = forms.CharField(label="电话 Phone", max_length=20)
    result = forms.ChoiceField(
        label="结果 Result",
        widget=forms.RadioSelect,
        choices=(("WELL", "平安 · Well"), ("HELPED", "已救助 · Helped"), ("AWAY", "外出 · Away")),
    )
    note = forms.CharField(label="说明 Note", required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def clean_phone(self) -> str:
        """Return the phone number. Raises ValidationError for one that is not digits."""
        phone = str(self.cleaned_data["phone"])
        if not phone.isdigit():
            raise forms.ValidationError("电话只能是数字 · digits only")
        return phone


def desk(language: str) -> dict[str, Any]:
    """Return the context of the desk guide."""
    return {
        "now": NOW,
        "still": True,
        "area_name": "示范市指挥中心" if language == "zh" else "Sample City Command Centre",
        "account_name": "值班员 甲" if language == "zh" else "Officer A",
        "cases": CASES,
        "severities": tuple(reversed(Severity)),
        "form": SampleForm({"name": "", "phone": "abc", "result": "WELL"}),
        "map": _map(language),
        "chart": _meter(language),
        "reservoir": _reservoir(language),
        "bars": _bars(language),
        "stream_url": "/ui/guide/no-stream/",
        "counties": [("示范县", 59), ("邻山县", 22), ("青石区", 10), ("南湖区", 4)],
        "late_at": NOW - timedelta(minutes=5),
        "soon_at": NOW + timedelta(minutes=12),
        "far_at": NOW + timedelta(days=3, hours=4),
        "ago_at": NOW - timedelta(minutes=42),
    }


def phone() -> dict[str, Any]:
    """Return the context of the phone guide."""
    return {"now": NOW, "still": True, "cases": CASES[:3], "due_at": NOW + timedelta(minutes=3, seconds=20)}


def _map(language: str) -> dict[str, Any]:
    ring_a = _ring("115.45,36.10 115.90,36.06 115.98,36.30 115.92,36.58 115.60,36.62 115.43,36.40 115.45,36.10")
    ring_b = _ring("115.90,36.06 116.30,36.12 116.35,36.45 116.15,36.64 115.92,36.58 115.98,36.30 115.90,36.06")
    return {
        "outlines": {
            "type": "FeatureCollection",
            "features": [_county("示范县", ring_a), _county("邻山县", ring_b)],
        },
        "review": "审图号 GS(2024)0650号",
        "note": "示意" if language == "zh" else "Schematic",
        "points": [
            {
                "id": c.id,
                "lon": c.lon,
                "lat": c.lat,
                "severity": c.severity.css,
                "title": f"{c.title.render(language, {})} · {c.place}",
                "href": f"#case-{c.id}",
                "fresh": c.fresh,
            }
            for c in CASES
        ],
    }


def _ring(corners: str) -> list[list[float]]:
    return [[float(number) for number in corner.split(",")] for corner in corners.split()]


def _county(name: str, ring: list[list[float]]) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"name": name}, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def _meter(language: str) -> dict[str, Any]:
    usual_low = [0, 0, 0, 0, 0, 2, 8, 9, 5, 3, 3, 6, 8, 4, 2, 2, 3, 6, 9, 7, 4, 2, 1, 0]
    usual_high = [3, 2, 2, 2, 4, 12, 28, 30, 22, 16, 15, 22, 28, 18, 12, 12, 14, 24, 32, 26, 18, 12, 8, 4]
    used = [1, 0, 0, 0, 2, 7, 18, 21, 12, 8, 7, 13, 16, 0, 0, 0, None, None, None, None, None, None, None, None]
    zh = language == "zh"
    start = NOW.replace(hour=16, minute=0) - timedelta(days=1)
    return {
        "unit": "L",
        "times": [(start + timedelta(hours=h)).isoformat() for h in range(24)],
        "series": [{"name": "用水量" if zh else "Water used", "values": used}],
        "band": {"name": "平常范围" if zh else "Usual range", "low": usual_low, "high": usual_high},
        "marks": [{"at": (start + timedelta(hours=13)).isoformat(), "name": "预警" if zh else "Alert", "severity": "red"}],
    }


def _reservoir(language: str) -> dict[str, Any]:
    zh = language == "zh"
    start = NOW - timedelta(hours=24)
    level_cm = range(3720, 3860, 7)
    rain = [0, 0, 0, 0, 0, 0, 0, 0, 2, 5, 9, 7, 6, 8, 4, 3, 1, 0, 0, 0]
    return {
        "unit": "m",
        "right_unit": "mm",
        "times": [(start + timedelta(hours=h)).isoformat() for h in range(20)],
        "series": [
            {"name": "水位" if zh else "Level", "values": [cm / 100 for cm in level_cm], "area": True},
            {"name": "雨量" if zh else "Rain", "values": rain, "kind": "bar", "axis": "right", "inverted": True},
        ],
        "limits": [{"name": "汛限 38.4" if zh else "Flood limit 38.4", "value": 38.4, "severity": "orange"}],
    }


def _bars(language: str) -> dict[str, Any]:
    zh = language == "zh"
    names = ("水表", "防溺水", "水库", "物业") if zh else ("Meters", "Water edge", "Reservoirs", "Estates")
    values = (
        [2, 1, 1, 3, 5, 9, 12, 14, 9, 13],
        [0, 0, 1, 1, 3, 2, 6, 13, 15, 16],
        [0, 0, 0, 0, 1, 1, 0, 1, 2, 3],
        [1, 0, 2, 4, 3, 4, 6, 8, 5, 7],
    )
    return {
        "unit": "条" if zh else "alerts",
        "stacked": True,
        "categories": [f"{h}" for h in range(6, 16)],
        "series": [{"name": name, "values": list(each), "kind": "bar"} for name, each in zip(names, values, strict=True)],
    }
