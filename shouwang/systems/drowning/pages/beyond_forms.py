"""The forms of hazards and of what joint meetings agreed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from shouwang.kernel.texts import Text
from shouwang.systems.drowning.rules import hazards, parties
from shouwang.systems.drowning.rules.hazards import NewHazard
from shouwang.systems.drowning.rules.parties import NewJointItem
from shouwang.ui.forms import Form

_UNTIL = Text("限哪天前整改", "To be mended by")


class HazardForm(Form):
    """A hazard found at a water."""

    titles: ClassVar[Mapping[str, Text]] = {
        "kind": Text("是什么隐患", "What is wrong"), "what": Text("具体情况", "In words"), "unit": Text("由谁整改", "Who mends it"), "until": _UNTIL,
    }
    hints: ClassVar[Mapping[str, Text]] = {"unit": Text("单位或人，如某村委会", "A unit or a person, as a village committee")}
    options: ClassVar[Mapping[str, Mapping[str, Text]]] = {"kind": hazards.KINDS}

    kind = forms.ChoiceField(choices=[(code, code) for code in hazards.KINDS])
    what = forms.CharField(max_length=hazards.WHAT_LENGTH)
    unit = forms.CharField(max_length=hazards.UNIT_LENGTH)
    until = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))

    def hazard(self, key: str) -> NewHazard:
        """Return the finding of a valid form."""
        values: dict[str, Any] = self.cleaned_data
        return NewHazard(values["kind"], values["what"], values["unit"], values["until"], key)


class JointItemForm(Form):
    """An item agreed at a joint meeting."""

    titles: ClassVar[Mapping[str, Text]] = {
        "title": Text("议定事项", "What was agreed"), "area": Text("地区", "Area"), "unit": Text("责任单位", "Who does it"),
        "until": Text("办结期限", "To be done by"),
    }
    hints: ClassVar[Mapping[str, Text]] = {"area": Text("名称、全称（县 乡镇 村）或区划代码", "Name, full name or division code")}

    title = forms.CharField(max_length=parties.TITLE_LENGTH)
    area = forms.CharField(max_length=120)
    unit = forms.CharField(max_length=parties.UNIT_LENGTH)
    until = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))

    def item(self, area_id: int, key: str) -> NewJointItem:
        """Return the item of a valid form in an area."""
        values: dict[str, Any] = self.cleaned_data
        return NewJointItem(values["title"], values["unit"], area_id, values["until"], key)
