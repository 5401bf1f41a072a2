"""Forms of the people pages. They check shapes only; what may be done is the actions' business."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django import forms

from shouwang.kernel.moments import LOCAL_ZONE
from shouwang.kernel.texts import Text
from shouwang.people.rules.codes import ACCESSES, DUTIES, RANKS
from shouwang.people.rules.lines import is_id_number, is_phone
from shouwang.ui.forms import INVALID, Form
from shouwang.ui.lists import Choice

BAD_PHONE = Text("电话应为 5 至 15 位数字", "A phone is 5 to 15 digits")
BOTH = Text("填了新电话，就不要再勾选“删除现有电话”", "A new phone is given: do not ask for deleting it, too")
BAD_ID = Text("身份证号的长度或校验位不对", "The length or check digit is wrong")
AREA_HINT = Text("名称、全称（县 乡镇 村）或区划代码", "Name, full name (county township village) or division code")
TONGUES = {"zh": Text("中文", "Chinese"), "en": Text("英文", "English")}
MOMENT_FORMAT = "%Y-%m-%dT%H:%M"


class SignInForm(Form):
    """User name and password."""

    titles: ClassVar[Mapping[str, Text]] = {"username": Text("用户名", "User name"), "password": Text("密码", "Password")}

    username = forms.CharField(max_length=60, widget=forms.TextInput(attrs={"autocomplete": "username"}))
    password = forms.CharField(
        max_length=128, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasswordForm(Form):
    """The old password and a new one."""

    titles: ClassVar[Mapping[str, Text]] = {"old": Text("现在的密码", "Present password"), "new": Text("新密码", "New password")}
    hints: ClassVar[Mapping[str, Text]] = {"new": Text("至少 8 个字符；可以是一句话", "At least 8 characters; a sentence is fine")}

    old = forms.CharField(
        max_length=128, strip=False, required=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(max_length=128, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))


class AccountForm(Form):
    """The user name of an account to open."""

    titles: ClassVar[Mapping[str, Text]] = {"username": Text("用户名", "User name")}
    hints: ClassVar[Mapping[str, Text]] = {"username": Text("如姓名拼音或工号", "Such as the name in pinyin, or a staff number")}

    username = forms.CharField(max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"}))


class PersonForm(Form):
    """A person to add."""

    titles: ClassVar[Mapping[str, Text]] = {
        "name": Text("姓名", "Name"), "area": Text("所属地区", "Area"), "phone": Text("电话", "Phone"),
        "id_number": Text("身份证号", "Identity number"), "tongue": Text("使用语言", "Language"),
    }
    hints: ClassVar[Mapping[str, Text]] = {"area": AREA_HINT}
    options: ClassVar[Mapping[str, Mapping[str, Text]]] = {"tongue": TONGUES}

    name = forms.CharField(max_length=60)
    area = forms.CharField(max_length=120)
    phone = forms.CharField(max_length=20, required=False)
    id_number = forms.CharField(max_length=18, required=False)
    tongue = forms.ChoiceField()

    def clean_phone(self) -> str:
        """Return the digits of the phone. Raises ValidationError."""
        phone = str(self.cleaned_data["phone"]).replace(" ", "").replace("-", "")
        if phone and not is_phone(phone):
            raise forms.ValidationError(self.say(BAD_PHONE))
        return phone

    def clean_id_number(self) -> str:
        """Return the identity number. Raises ValidationError."""
        number = str(self.cleaned_data["id_number"]).upper()
        if number and not is_id_number(number):
            raise forms.ValidationError(self.say(BAD_ID))
        return number


class ChangeForm(Form):
    """A person's name and phone: what is left empty stays, so that nothing masked has to be shown first."""

    titles: ClassVar[Mapping[str, Text]] = {
        "name": Text("新姓名", "New name"), "phone": Text("新电话", "New phone"), "drop_phone": Text("删除现有电话", "Delete the phone"),
    }
    hints: ClassVar[Mapping[str, Text]] = {
        "name": Text("不填则不改", "Left empty, it stays"), "phone": Text("不填则不改；之后的消息和任务链接发到这个号码", "Left empty, it stays; messages and links to tasks go to this number from now on"),
    }

    name = forms.CharField(max_length=60, required=False)
    phone = forms.CharField(max_length=20, required=False, widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}))
    drop_phone = forms.BooleanField(required=False)

    def clean_phone(self) -> str:
        """Return the digits of the phone. Raises ValidationError."""
        phone = str(self.cleaned_data["phone"]).replace(" ", "").replace("-", "")
        if phone and not is_phone(phone):
            raise forms.ValidationError(self.say(BAD_PHONE))
        return phone

    def clean(self) -> dict[str, Any]:
        """Return the values. Raises ValidationError when the phone is to be changed and deleted."""
        if self.cleaned_data.get("phone") and self.cleaned_data.get("drop_phone"):
            raise forms.ValidationError(self.say(BOTH))
        return self.cleaned_data


class DutyForm(Form):
    """A duty to assign to a person."""

    titles: ClassVar[Mapping[str, Text]] = {
        "code": Text("职责", "Duty"), "rank": Text("主备", "Rank"), "area": Text("负责地区", "Area"),
        "from_date": Text("开始日期", "From"), "until_date": Text("结束日期（不含）", "Until (exclusive)"),
    }
    hints: ClassVar[Mapping[str, Text]] = {"area": AREA_HINT}
    options: ClassVar[Mapping[str, Mapping[str, Text]]] = {"code": DUTIES, "rank": RANKS}

    code = forms.ChoiceField()
    rank = forms.ChoiceField()
    area = forms.CharField(max_length=120)
    from_date = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))
    until_date = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}), required=False)


class ShiftForm(Form):
    """A shift to plan for one area and duty."""

    titles: ClassVar[Mapping[str, Text]] = {
        "person": Text("值班人", "On duty"), "deputy": Text("备班人", "Deputy"), "start_at": Text("开始", "From"),
        "until_at": Text("结束（不含）", "Until (exclusive)"),
    }

    person = forms.TypedChoiceField(coerce=int)
    deputy = forms.TypedChoiceField(coerce=int, required=False, empty_value=None)
    start_at = forms.CharField(widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    until_at = forms.CharField(widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))

    def __init__(self, data: Any = None, *, persons: Sequence[tuple[int, str]], language: str) -> None:
        super().__init__(data, language=language)
        for name, first in (("person", []), ("deputy", [("", "—")])):
            field = self.fields[name]
            if isinstance(field, forms.ChoiceField):
                field.choices = [*first, *persons]

    def clean_start_at(self) -> datetime:
        """Return the beginning as an aware moment. Raises ValidationError."""
        return self._moment("start_at")

    def clean_until_at(self) -> datetime:
        """Return the end as an aware moment. Raises ValidationError."""
        return self._moment("until_at")

    def _moment(self, field: str) -> datetime:
        try:
            return datetime.strptime(str(self.cleaned_data[field])[:16], MOMENT_FORMAT).replace(tzinfo=LOCAL_ZONE)
        except ValueError as error:
            raise forms.ValidationError(self.say(INVALID)) from error


class LeaveForm(Form):
    """From which day a person is away, and when the person is back."""

    titles: ClassVar[Mapping[str, Text]] = {"from_date": Text("从哪天起", "Away from"), "until_date": Text("哪天回岗", "Back on")}

    from_date = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))
    until_date = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))


class RevealForm(Form):
    """Why personal data is to be shown in full."""

    titles: ClassVar[Mapping[str, Text]] = {"reason": Text("查看事由", "Reason")}
    hints: ClassVar[Mapping[str, Text]] = {"reason": Text("将记入访问日志", "It is written into the access log")}

    reason = forms.CharField(max_length=200, min_length=2)


DUTY_CHOICES = [Choice(code, text) for code, text in DUTIES.items()]
ACCESS_CHOICES = [Choice(code, text) for code, text in ACCESSES.items()]
