"""The form of a water."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from shouwang.kernel.texts import Text
from shouwang.systems.drowning.rules.waters import KINDS, NAME_LENGTH, NOTE_LENGTH, OWNER_LENGTH, NewWater
from shouwang.ui.forms import Form


class WaterForm(Form):
    """A dangerous water to watch."""

    titles: ClassVar[Mapping[str, Text]] = {
        "name": Text("名称", "Name"), "kind": Text("种类", "Kind"), "area": Text("所属地区", "Area"), "owner": Text("责任单位", "Who answers for it"),
        "lon": Text("经度（WGS-84）", "Longitude (WGS-84)"), "lat": Text("纬度（WGS-84）", "Latitude (WGS-84)"), "note": Text("备注", "Note"),
    }
    hints: ClassVar[Mapping[str, Text]] = {
        "area": Text("名称、全称（县 乡镇 村）或区划代码；报警派给这里的值守人员", "Name, full name or division code; alerts go to who is on duty there"),
        "owner": Text("出了隐患由谁整改，如某村委会", "Who mends what is dangerous there, as a village committee"),
        "note": Text("如水深、岸坡、何时有人游泳", "Such as depth, banks, when people swim"),
    }
    options: ClassVar[Mapping[str, Mapping[str, Text]]] = {"kind": KINDS}

    name = forms.CharField(max_length=NAME_LENGTH)
    kind = forms.ChoiceField(choices=[(code, code) for code in KINDS])
    area = forms.CharField(max_length=120)
    owner = forms.CharField(max_length=OWNER_LENGTH, required=False)
    lon = forms.FloatField(required=False, min_value=-180, max_value=180)
    lat = forms.FloatField(required=False, min_value=-85, max_value=85)
    note = forms.CharField(max_length=NOTE_LENGTH, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def water(self, area_id: int) -> NewWater:
        """Return the water of a valid form in an area."""
        values: dict[str, Any] = self.cleaned_data
        return NewWater(values["name"], values["kind"], area_id, values["lon"], values["lat"], values["owner"], values["note"])
