"""The form that enrols one home; its words and shapes are those of the list's columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from shouwang.kernel.texts import Text
from shouwang.people.rules.lines import digits, is_id_number, is_phone
from shouwang.systems.living_alone.rules.lines import CATEGORIES, UPLOADS, Contact, NewHome
from shouwang.ui.forms import Form

BAD_PHONE = Text("电话应为 5 至 15 位数字", "A phone is 5 to 15 digits")
BAD_ID = Text("身份证号的长度或校验位不对", "The length or check digit is wrong")
NEEDS_PHONE = Text("请填写此人的电话，否则联系不上", "Give a phone, else nobody can be reached")
CONSENT = Text(
    "本人或监护人已同意关注其用水异常，并在异常时先电话询问、告知登记的亲属",
    "The person or guardian agrees that the water meter is watched, to be telephoned first, and that the relative named is told",
)
PHONES = ("phone", "relative_phone", "key_holder_phone", "hospital_phone")
GROUPS = (
    (Text("住户与水表", "Home and meter"), ("name", "phone", "id_number", "area", "address", "meter")),
    (Text("联系人", "Whom to call"), ("relative", "relation", "relative_phone", "key_holder", "key_holder_phone")),
    (Text("医院、同意与上报", "Hospital, consent, uploads"), ("hospital", "hospital_phone", "consent", "consent_until", "category", "upload", "gateway")),
)
PAIRS = (("relative", "relative_phone"), ("key_holder", "key_holder_phone"), ("hospital", "hospital_phone"))


def _phone() -> forms.CharField:
    return forms.CharField(max_length=20, required=False, widget=forms.TextInput(attrs={"inputmode": "tel"}))


class HomeForm(Form):
    """A home to enrol."""

    titles: ClassVar[Mapping[str, Text]] = {
        "name": Text("住户姓名", "Resident's name"), "phone": Text("住户电话", "Resident's phone"),
        "id_number": Text("身份证号", "Identity number"), "area": Text("所属地区", "Area"), "address": Text("住址", "Address"),
        "meter": Text("水表编号", "Meter number"), "relative": Text("亲属姓名", "Relative"), "relation": Text("亲属关系", "Relation"),
        "relative_phone": Text("亲属电话", "Relative's phone"), "key_holder": Text("持钥匙人", "Key-holder"),
        "key_holder_phone": Text("持钥匙人电话", "Key-holder's phone"), "hospital": Text("定点医院", "Own hospital"),
        "hospital_phone": Text("医院电话", "Hospital's phone"), "consent": CONSENT,
        "consent_until": Text("同意至（含当日）", "Consent until (that day too)"), "category": Text("类别", "Register"),
        "upload": Text("水表上报间隔", "How often the meter sends"), "gateway": Text("集中器编号", "Gateway's number"),
    }
    hints: ClassVar[Mapping[str, Text]] = {
        "area": Text("名称、全称（县 乡镇 村）或区划代码", "Name, full name (county township village) or division code"),
        "meter": Text("表身上的编号；没有登记过的水表会自动登记", "As on the meter; one that is not registered yet is registered"),
        "upload": Text("不填则按每小时；每天上报的水表会把报警推迟约 12 小时；请尽量为关注户开通每小时上报", "Left empty: hourly. A meter that sends daily makes every alert some 12 hours later; have it send hourly where you can"),
        "gateway": Text("几只水表经同一集中器上报时填写：集中器失联只派一张工单", "Where several meters send through one gateway: one ticket, should it fall silent"),
        "hospital": Text("不填则用本地区设置的就近医院", "Left empty, the hospital set for the area is used"),
    }

    name = forms.CharField(max_length=60)
    phone = _phone()
    id_number = forms.CharField(max_length=18, required=False)
    area = forms.CharField(max_length=120)
    address = forms.CharField(max_length=200)
    meter = forms.CharField(max_length=64)
    relative = forms.CharField(max_length=60, required=False)
    relation = forms.CharField(max_length=20, required=False)
    relative_phone = _phone()
    key_holder = forms.CharField(max_length=60, required=False)
    key_holder_phone = _phone()
    hospital = forms.CharField(max_length=80, required=False)
    hospital_phone = _phone()
    consent = forms.BooleanField(required=False)
    consent_until = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    category = forms.ChoiceField(required=False, choices=[("", "—"), *((code, f"{text.zh} {text.en}") for code, text in CATEGORIES.items())])

    upload = forms.TypedChoiceField(required=False, coerce=int, empty_value=None, choices=[("", "—"), *((hours, f"{text.zh} {text.en}") for hours, text in UPLOADS.items())])

    gateway = forms.CharField(max_length=64, required=False)

    def clean(self) -> dict[str, Any]:
        """Return the values, numbers tidied; note what is wrong with them."""
        values = super().clean() or self.cleaned_data
        for field in PHONES:
            values[field] = digits(values.get(field, ""))
            if values[field] and not is_phone(values[field]):
                self.add_error(field, self.say(BAD_PHONE))
        for who, phone in PAIRS:
            if values.get(who) and not values[phone] and phone not in self.errors:
                self.add_error(phone, self.say(NEEDS_PHONE))
        values["id_number"] = str(values.get("id_number", "")).upper()
        if values["id_number"] and not is_id_number(values["id_number"]):
            self.add_error("id_number", self.say(BAD_ID))
        return values

    def groups(self) -> list[tuple[Text, list[forms.BoundField]]]:
        """Return the fields as the page groups them: the home, whom to call, the hospital and the consent."""
        return [(title, [self[name] for name in names]) for title, names in GROUPS]

    def home(self, area_id: int) -> NewHome:
        """Return the home a valid form describes."""
        values = self.cleaned_data
        return NewHome(
            values["name"], area_id, values["address"], values["meter"], values["phone"], values["id_number"],
            _contact(values, "relative", values["relation"]), _contact(values, "key_holder", ""), values["hospital"],
            values["hospital_phone"], values["consent"], values["consent_until"], values["category"],
            values["upload"], values["gateway"].strip(),
        )


def _contact(values: Mapping[str, Any], who: str, relation: str) -> Contact | None:
    return Contact(values[who], values[f"{who}_phone"], relation) if values[who] else None
