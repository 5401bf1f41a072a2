"""Forms of the people pages. They check shapes only; what may be done is the actions' business."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms

from shouwang.kernel.moments import LOCAL_ZONE
from shouwang.kernel.texts import Text
from shouwang.people.rules.codes import ACCESSES, DUTIES, RANKS
from shouwang.people.rules.lines import is_id_number, is_phone
from shouwang.ui.lists import Choice

REQUIRED = Text("请填写", "Please fill this in")
INVALID = Text("请核对填写的内容", "Please check this value")
BAD_PHONE = Text("电话应为 5 至 15 位数字", "A phone is 5 to 15 digits")
BAD_ID = Text("身份证号的长度或校验位不对", "The length or check digit is wrong")
TONGUES = (("zh", "中文"), ("en", "English"))
DAY = forms.DateInput(attrs={"type": "date"})
MOMENT_FORMAT = "%Y-%m-%dT%H:%M"


class Form(forms.Form):
    """A form in the reader's language."""

    def __init__(self, *args: Any, language: str, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="id_%s", **kwargs)
        self.language = language
        for field in self.fields.values():
            field.error_messages["required"] = REQUIRED.render(language, {})
            field.error_messages["invalid"] = INVALID.render(language, {})
            field.error_messages["invalid_choice"] = INVALID.render(language, {})
            if isinstance(field, forms.ChoiceField):
                field.choices = [(code, text.render(language, {}) if isinstance(text, Text) else text) for code, text in field.choices]

    def wrong(self, text: Text) -> forms.ValidationError:
        """Return an error in the reader's language."""
        return forms.ValidationError(text.render(self.language, {}))


class SignInForm(Form):
    """User name and password."""

    username = forms.CharField(label=Text("用户名", "User name"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "username"}))
    password = forms.CharField(
        label=Text("密码", "Password"), max_length=128, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasswordForm(Form):
    """The old password and a new one."""

    old = forms.CharField(
        label=Text("现在的密码", "Present password"), max_length=128, strip=False, required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label=Text("新密码", "New password"), max_length=128, strip=False,
        help_text=Text("至少 8 个字符；可以是一句话", "At least 8 characters; a sentence is fine"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class PersonForm(Form):
    """A person to add."""

    name = forms.CharField(label=Text("姓名", "Name"), max_length=60)
    area = forms.CharField(
        label=Text("所属地区", "Area"), max_length=120,
        help_text=Text("名称、全称（县 乡镇 村）或区划代码", "Name, full name (county township village) or division code"),
    )
    phone = forms.CharField(label=Text("电话", "Phone"), max_length=20, required=False)
    id_number = forms.CharField(label=Text("身份证号", "Identity number"), max_length=18, required=False)
    language = forms.ChoiceField(label=Text("使用语言", "Language"), choices=TONGUES)

    def clean_phone(self) -> str:
        """Return the digits of the phone. Raises ValidationError."""
        phone = str(self.cleaned_data["phone"]).replace(" ", "").replace("-", "")
        if phone and not is_phone(phone):
            raise self.wrong(BAD_PHONE)
        return phone

    def clean_id_number(self) -> str:
        """Return the identity number. Raises ValidationError."""
        number = str(self.cleaned_data["id_number"]).upper()
        if number and not is_id_number(number):
            raise self.wrong(BAD_ID)
        return number


class DutyForm(Form):
    """A duty to assign to a person."""

    code = forms.ChoiceField(label=Text("职责", "Duty"), choices=list(DUTIES.items()))
    rank = forms.ChoiceField(label=Text("主备", "Rank"), choices=list(RANKS.items()))
    area = forms.CharField(
        label=Text("负责地区", "Area"), max_length=120,
        help_text=Text("名称、全称（县 乡镇 村）或区划代码", "Name, full name (county township village) or division code"),
    )
    from_date = forms.DateField(label=Text("开始日期", "From"), widget=DAY)
    until_date = forms.DateField(label=Text("结束日期（不含）", "Until (exclusive)"), widget=DAY, required=False)


class ShiftForm(Form):
    """A shift to plan for one area and duty."""

    person = forms.TypedChoiceField(label=Text("值班人", "On duty"), coerce=int)
    deputy = forms.TypedChoiceField(label=Text("备班人", "Deputy"), coerce=int, required=False, empty_value=None)
    start_at = forms.CharField(label=Text("开始", "From"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    until_at = forms.CharField(
        label=Text("结束（不含）", "Until (exclusive)"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )

    def __init__(self, *args: Any, persons: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
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
            raise self.wrong(INVALID) from error


class RevealForm(Form):
    """Why personal data is to be shown in full."""

    reason = forms.CharField(
        label=Text("查看事由", "Reason"), max_length=200, min_length=2,
        help_text=Text("将记入访问日志", "It is written into the access log"),
    )


def choices_of(texts: dict[str, Text]) -> list[Choice]:
    """Return the choices of a list filter."""
    return [Choice(code, text) for code, text in texts.items()]


DUTY_CHOICES = choices_of(dict(DUTIES))
ACCESS_CHOICES = choices_of(dict(ACCESSES))
