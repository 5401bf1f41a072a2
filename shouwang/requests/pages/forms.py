"""The forms by which people report: a resident's, a grid worker's, an operator's; and the one that finds a report again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from shouwang.kernel.texts import Text
from shouwang.people.rules.lines import is_phone
from shouwang.requests.rules.catalogue import SERVICES, guess
from shouwang.requests.rules.intake import (
    ADDRESS_LENGTH,
    DESCRIPTION_LENGTH,
    KEY,
    NAME_LENGTH,
    Channel,
    NewReport,
    one_line,
    tidy_phone,
)
from shouwang.requests.rules.numbers import is_number, tidy_number
from shouwang.ui.forms import REQUIRED, Form

BAD_PHONE = Text("电话应为 5 至 15 位数字", "A phone is 5 to 15 digits")
BAD_NUMBER = Text("编号是 9 位数字，请对照凭条核对", "The number has 9 digits; compare it with your receipt")
BAD_TAIL = Text("请填电话的后四位数字", "Give the last four digits of the phone")
TRAP = Text("请再点一次提交", "Please submit once more")
ANY_KIND = Text("由工作人员判断", "Let the staff decide")
SAME = Text("同样的情况", "The same")
TITLES: Mapping[str, Text] = {service.code: Text(service.title.zh, service.title.en) for service in SERVICES}
_PHONE = {"inputmode": "tel", "autocomplete": "tel"}


class ReportForm(Form):
    """What every report holds, whoever sends it."""

    titles: ClassVar[Mapping[str, Text]] = {
        "service": Text("哪一类", "What kind"), "description": Text("什么事", "What is it"), "address": Text("具体在哪里", "Where exactly"),
        "phone": Text("您的电话", "Your phone"), "idempotency_key": Text("", ""), "lon": Text("", ""), "lat": Text("", ""),
    }
    options: ClassVar[Mapping[str, Mapping[str, Text]]] = {"service": {"": ANY_KIND, **TITLES}}

    service = forms.ChoiceField(required=False)
    description = forms.CharField(max_length=DESCRIPTION_LENGTH)
    address = forms.CharField(max_length=ADDRESS_LENGTH, required=False)
    idempotency_key = forms.RegexField(KEY, widget=forms.HiddenInput)
    lon = forms.FloatField(required=False, widget=forms.HiddenInput)
    lat = forms.FloatField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Return the values with texts on one line and the phone as digits."""
        values = super().clean() or self.cleaned_data
        for field in ("description", "address", "name"):
            if field in values:
                values[field] = one_line(values[field])
        if "description" in values and not values["description"]:
            self.add_error("description", self.say(REQUIRED))
        if values.get("phone"):
            values["phone"] = tidy_phone(values["phone"])
            if not is_phone(values["phone"]):
                self.add_error("phone", self.say(BAD_PHONE))
        return values

    def report(self, channel: Channel, area_id: int, *, join: int | None = None) -> NewReport:
        """Return what a valid form tells; a kind that was not chosen is guessed from the words."""
        values = self.cleaned_data
        lon, lat = values.get("lon"), values.get("lat")
        point = (lon, lat) if lon is not None and lat is not None else (None, None)
        return NewReport(
            values.get("service") or guess([values["description"]]), channel, area_id, values["description"], values["idempotency_key"],
            address=values.get("address", ""), lon=point[0], lat=point[1], phone=values.get("phone", ""), name=values.get("name", ""),
            join=join, language=self.spoken,
        )


class ResidentForm(ReportForm):
    """A resident's report: three questions and a phone. `website` is a trap that no person sees."""

    titles: ClassVar[Mapping[str, Text]] = {**ReportForm.titles, "website": Text("请不要填写", "Leave this empty")}
    hints: ClassVar[Mapping[str, Text]] = {
        "description": Text("一句话就够。请不要写身份证号、银行卡号。", "One sentence is enough. No identity or card numbers, please."),
        "address": Text("例如：村委会门前、3 号楼 2 单元", "As: in front of the village office, building 3"),
        "phone": Text("只用来就这件事联系您、告诉您结果。", "Used only to reach you about this and to tell you how it ended."),
    }

    description = forms.CharField(max_length=DESCRIPTION_LENGTH, widget=forms.Textarea(attrs={"rows": 3}))
    phone = forms.CharField(max_length=20, widget=forms.TextInput(attrs=_PHONE))
    website = forms.CharField(required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}))
    field_order = ("service", "description", "address", "phone")

    def clean(self) -> dict[str, Any]:
        """Return the values; a filled trap asks for another try, which a program does not make."""
        values = super().clean()
        if values.get("website"):
            self.add_error(None, self.say(TRAP))
        return values


class JoinForm(ResidentForm):
    """A resident who has met what another has reported: a phone, and a sentence if there is more to say."""

    service = None  # type: ignore[assignment] # Django's way to leave a field out
    address = None  # type: ignore[assignment]
    description = forms.CharField(max_length=DESCRIPTION_LENGTH, required=False, widget=forms.Textarea(attrs={"rows": 2}))
    titles: ClassVar[Mapping[str, Text]] = {**ResidentForm.titles, "description": Text("还要补充什么", "Anything to add")}

    def clean_description(self) -> str:
        """Return what was added, or that it is the same."""
        return one_line(self.cleaned_data["description"]) or self.say(SAME)


class FieldForm(ReportForm):
    """A grid worker's report: a photo, one line, the place from the phone or the own grid."""

    titles: ClassVar[Mapping[str, Text]] = {**ReportForm.titles, "area": Text("哪个村（社区）", "Which village")}

    area = forms.ChoiceField(required=False)
    field_order = ("description", "service", "area")

    def __init__(self, data: Any = None, *, language: str, areas: Mapping[int, str]) -> None:
        super().__init__(data, language=language)
        choice = self.fields["area"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(str(area_id), name) for area_id, name in areas.items()]
        if len(areas) < 2:
            choice.widget = forms.HiddenInput()


class CallForm(ReportForm):
    """What an operator takes down: six fields, each of which the keyboard alone fills."""

    titles: ClassVar[Mapping[str, Text]] = {
        **ReportForm.titles, "phone": Text("来电号码", "Caller's phone"), "name": Text("姓名", "Name"), "place": Text("地区", "Area"),
    }
    hints: ClassVar[Mapping[str, Text]] = {
        "service": Text("按数字键选", "Choose by its digit"), "place": Text("名称或拼音首字母，如 lhz dtc（镇 村）", "Name or pinyin initials, as lhz dtc (township village)"),
    }

    phone = forms.CharField(max_length=20, required=False, widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off", "autofocus": True}))
    name = forms.CharField(max_length=NAME_LENGTH, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    place = forms.CharField(max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    field_order = ("phone", "service", "place", "address", "description", "name")

    def __init__(self, data: Any = None, *, language: str) -> None:
        super().__init__(data, language=language)
        numbered = [(service.code, f"{number % 10} {self.say(TITLES[service.code])}") for number, service in enumerate(SERVICES, start=1)]
        choice = self.fields["service"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [("", f"— {self.say(ANY_KIND)}"), *numbered]
        for field in ("address", "description"):
            self.fields[field].widget.attrs["autocomplete"] = "off"


class FollowForm(Form):
    """What finds a report again: its number and the last four digits of the phone."""

    titles: ClassVar[Mapping[str, Text]] = {
        "number": Text("编号", "Number"), "tail": Text("电话后四位", "Last four digits of the phone"),
    }
    hints: ClassVar[Mapping[str, Text]] = {"number": Text("凭条或短信上的 9 位数字", "The 9 digits on the receipt or in the message")}

    number = forms.CharField(max_length=20, widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}))
    tail = forms.CharField(max_length=8, widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}))

    def clean_number(self) -> str:
        """Return the nine digits."""
        number = tidy_number(self.cleaned_data["number"])
        if not is_number(number):
            raise forms.ValidationError(self.say(BAD_NUMBER))
        return number

    def clean_tail(self) -> str:
        """Return the four digits."""
        tail = tidy_number(self.cleaned_data["tail"])
        if len(tail) != 4 or not (tail.isascii() and tail.isdigit()):
            raise forms.ValidationError(self.say(BAD_TAIL))
        return tail
