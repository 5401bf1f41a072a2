"""Forms of activities. They check shapes only; what may be done is the actions' business."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django import forms

from shouwang.activities.rules.entries import MOST_PARTY, NAME_LENGTH, RELATION_LENGTH, Guardian, NewSignUp
from shouwang.activities.rules.kinds import Kind
from shouwang.activities.rules.plans import ABOUT_LENGTH, ENTRIES, MOST_PEOPLE, PLACE_LENGTH, TITLE_LENGTH, Plan
from shouwang.activities.rules.queue import MOST_WINDOWS
from shouwang.kernel.moments import LOCAL_ZONE
from shouwang.kernel.texts import Text
from shouwang.ui.forms import INVALID, Form

MOMENT_FORMAT = "%Y-%m-%dT%H:%M"
PERSON, DUTY = "person:", "duty:"
AGES = {"GROWN": Text("已满 18 周岁", "18 or older"), "MINOR": Text("未满 18 周岁", "Under 18")}


def _moment() -> forms.CharField:
    return forms.CharField(widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))


class PlanForm(Form):
    """An activity to plan or change; what its kind does not use is not asked for."""

    titles: ClassVar[Mapping[str, Text]] = {
        "title": Text("名称", "Title"), "area": Text("地区", "Area"), "place": Text("地点", "Place"), "starts_at": Text("开始", "From"),
        "ends_at": Text("结束", "Until"), "entry": Text("参加方式", "How people come"), "capacity": Text("名额", "Places"),
        "windows": Text("窗口数", "Windows"), "organiser": Text("负责", "Organiser"), "about": Text("说明", "Description"), "key": Text("", ""),
    }
    hints: ClassVar[Mapping[str, Text]] = {
        "area": Text("名称、全称（县 乡镇 村）或区划代码", "Name, full name (county township village) or division code"),
        "capacity": Text("不填则不限", "Left empty, there is no limit"),
        "windows": Text("同时叫号的窗口", "Windows that call numbers at the same time"),
        "about": Text("写在通知和报名页上", "Stands in the notice and on the sign-up page"),
    }

    title = forms.CharField(max_length=TITLE_LENGTH)
    area = forms.CharField(max_length=120)
    place = forms.CharField(max_length=PLACE_LENGTH)
    starts_at = _moment()
    ends_at = _moment()
    entry = forms.ChoiceField()
    capacity = forms.IntegerField(min_value=1, max_value=MOST_PEOPLE, required=False)
    windows = forms.IntegerField(min_value=1, max_value=MOST_WINDOWS, initial=1)
    organiser = forms.ChoiceField()
    about = forms.CharField(max_length=ABOUT_LENGTH, required=False, widget=forms.Textarea(attrs={"rows": 4}))
    key = forms.CharField(max_length=80, widget=forms.HiddenInput)

    def __init__(
        self, data: Any = None, *, kind: Kind, organisers: Sequence[tuple[str, str]], language: str, initial: Mapping[str, Any],
    ) -> None:
        super().__init__(data, language=language)
        self.initial = dict(initial)
        choices = {"entry": [(code, self.say(ENTRIES[code])) for code in kind.entries], "organiser": list(organisers)}
        for name, offered in choices.items():
            field = self.fields[name]
            if isinstance(field, forms.ChoiceField):
                field.choices = offered
        if "QUEUE" not in kind.uses:
            del self.fields["windows"]
        if "SIGN_UP" not in kind.uses:
            del self.fields["capacity"]

    def clean_starts_at(self) -> datetime:
        """Return the beginning as an aware moment. Raises ValidationError."""
        return self._aware("starts_at")

    def clean_ends_at(self) -> datetime:
        """Return the end as an aware moment. Raises ValidationError."""
        return self._aware("ends_at")

    def _aware(self, field: str) -> datetime:
        try:
            return datetime.strptime(str(self.cleaned_data[field])[:16], MOMENT_FORMAT).replace(tzinfo=LOCAL_ZONE)
        except ValueError as error:
            raise forms.ValidationError(self.say(INVALID)) from error

    def plan(self, kind: str, area_id: int) -> Plan:
        """Return the plan that a valid form describes."""
        values = self.cleaned_data
        organiser = values["organiser"]
        return Plan(
            kind, values["title"], area_id, values["place"], values["starts_at"], values["ends_at"], values["entry"],
            values.get("capacity"), values.get("windows", 1),
            int(organiser.removeprefix(PERSON)) if organiser.startswith(PERSON) else None,
            organiser.removeprefix(DUTY) if organiser.startswith(DUTY) else "", values["about"],
        )


class SignUpForm(Form):
    """Somebody who wants to come: three questions and a telephone number; a minor's guardian says three things more."""

    titles: ClassVar[Mapping[str, Text]] = {
        "name": Text("姓名", "Name"), "phone": Text("电话", "Telephone number"), "party": Text("一共几人", "How many people"),
        "age": Text("参加者年龄", "Age of the participant"), "guardian": Text("监护人姓名", "Guardian's name"),
        "relation": Text("与参加者的关系", "Relation to the participant"), "agrees": Text("", ""),
        "notes_arrival": Text("请登记孩子是否到场", "Please note whether the child came"), "version": Text("", ""), "key": Text("", ""),
    }
    hints: ClassVar[Mapping[str, Text]] = {
        "phone": Text("未成年人填监护人电话", "For a minor, the guardian's"), "relation": Text("例如：母亲", "For example: mother"),
    }
    options: ClassVar[Mapping[str, Mapping[str, Text]]] = {"age": AGES}

    name = forms.CharField(max_length=NAME_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    phone = forms.CharField(max_length=20, widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}))
    party = forms.IntegerField(min_value=1, max_value=MOST_PARTY, initial=1)
    age = forms.ChoiceField(widget=forms.RadioSelect)
    guardian = forms.CharField(max_length=NAME_LENGTH, required=False)
    relation = forms.CharField(max_length=RELATION_LENGTH, required=False)
    agrees = forms.BooleanField(required=False)
    notes_arrival = forms.BooleanField(required=False)
    version = forms.CharField(max_length=16, required=False, widget=forms.HiddenInput)
    key = forms.CharField(max_length=80, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, kind: Kind, consent: str, key: str, language: str) -> None:
        super().__init__(data, language=language)
        self.initial = {"party": 1, "version": consent, "key": key}
        self.asks_consent = "CONSENT" in kind.uses
        if not self.asks_consent:
            self.fields["phone"].help_text = ""
            for name in ("age", "guardian", "relation", "agrees", "notes_arrival", "version"):
                del self.fields[name]

    def sign_up(self) -> NewSignUp:
        """Return the sign-up that a valid form describes; a consent counts only where its box is ticked."""
        values = self.cleaned_data
        guardian = None
        if values.get("agrees"):
            guardian = Guardian(values["guardian"], values["relation"], values["version"], values["notes_arrival"])
        return NewSignUp(values["name"], values["phone"], values["key"], values["party"], values.get("age") == "MINOR", guardian)


class CopyForm(Form):
    """The day of a copy."""

    titles: ClassVar[Mapping[str, Text]] = {"day": Text("新的日期", "New day"), "key": Text("", "")}

    day = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))
    key = forms.CharField(max_length=80, widget=forms.HiddenInput)
