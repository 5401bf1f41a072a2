"""The first page of an installation that has nobody yet: a demo elsewhere, or the first administrator here.

Anybody may read it while there is nobody; only the address that the console prints lets one make the first administrator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from shouwang.journal.clock import clock
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.texts import Text
from shouwang.people import actions, queries
from shouwang.people.pages.entry import open_session
from shouwang.people.pages.forms import BAD_PHONE
from shouwang.people.rules.errors import FirstRunTokenDead, PasswordWeak
from shouwang.people.rules.lines import digits, is_phone
from shouwang.places.queries import roots
from shouwang.places.rules.tree import COUNTY, LEVEL_NAMES, NAME_LENGTH, PREFECTURE, TOWNSHIP
from shouwang.ui.forms import Form
from shouwang.ui.reader import reader
from shouwang.web.shipped import load_shipped

TOPS = (PREFECTURE, COUNTY, TOWNSHIP)
NOT_THE_SAME = Text("两次输入的密码不一样", "The two passwords differ")
WELCOME = Text("管理员已建立，您已登录。下面按顺序设置。", "The administrator is there and you are signed in. Set up what follows, in this order.")


class FirstRunForm(Form):
    """The first administrator and the area at the top of the tree."""

    titles: ClassVar[Mapping[str, Text]] = {
        "root": Text("您负责的地区", "Your area"), "area": Text("最上级地区的名称", "Name of the topmost area"),
        "level": Text("它是哪一级", "Its level"), "code": Text("区划代码", "Division code"), "name": Text("您的姓名", "Your name"),
        "phone": Text("电话", "Phone"), "username": Text("用户名", "User name"), "password": Text("密码", "Password"),
        "again": Text("再输一次密码", "The password again"),
    }
    hints: ClassVar[Mapping[str, Text]] = {
        "area": Text("如 某某市、某某县；下级地区稍后导入", "A city or a county; what lies below is imported later"),
        "code": Text("12 位，没有可不填", "12 digits, if there is one"),
        "password": Text("至少 8 个字符；可以是一句话", "At least 8 characters; a sentence is fine"),
    }
    options: ClassVar[Mapping[str, Mapping[str, Text]]] = {"level": {level: LEVEL_NAMES[level] for level in TOPS}}

    root = forms.TypedChoiceField(coerce=int)
    area = forms.CharField(max_length=NAME_LENGTH)
    level = forms.ChoiceField()
    code = forms.CharField(max_length=12, required=False, widget=forms.TextInput(attrs={"inputmode": "numeric"}))
    name = forms.CharField(max_length=60, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    phone = forms.CharField(max_length=20, required=False, widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}))
    username = forms.CharField(max_length=60, widget=forms.TextInput(attrs={"autocomplete": "username"}))
    password = forms.CharField(max_length=128, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))
    again = forms.CharField(max_length=128, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))

    def __init__(self, data: Any = None, *, tops: Sequence[tuple[int, str]], language: str) -> None:
        super().__init__(data, language=language)
        for name in ("area", "level", "code") if tops else ("root",):
            del self.fields[name]
        if tops:
            self.fields["root"].choices = list(tops)  # type: ignore[attr-defined] # a ChoiceField

    def clean_phone(self) -> str:
        """Return the digits of the phone. Raises ValidationError."""
        phone = digits(str(self.cleaned_data["phone"]))
        if phone and not is_phone(phone):
            raise forms.ValidationError(self.say(BAD_PHONE))
        return phone

    def clean_again(self) -> str:
        """Return the repeated password. Raises ValidationError when it is another one."""
        again = str(self.cleaned_data["again"])
        if again != self.cleaned_data.get("password"):
            raise forms.ValidationError(self.say(NOT_THE_SAME))
        return again

    def first(self) -> actions.FirstAdministrator:
        """Return what was filled in."""
        values = self.cleaned_data
        root = values["root"] if "root" in values else actions.NewRoot(values["area"], values["level"], values["code"])
        return actions.FirstAdministrator(values["name"], values["username"], values["password"], root, values["phone"], self.spoken)


@sensitive_post_parameters("password", "again")
@never_cache
@require_http_methods(["GET", "POST"])
def first_run(request: HttpRequest, token: str = "") -> HttpResponse:
    """Show the two ways to begin; with the console's token make the first administrator, sign in and go to setting up.

    The form carries the token in its body, so that the log of a refused form holds none. Where somebody can come in already there
    is no first run: one is led to the usual first page.
    """
    if not queries.nobody_yet():
        return HttpResponseRedirect("/")
    language, now = reader(request).language, clock().now()
    token = request.POST.get("token", token)
    if not actions.is_first_run_token(token, now=now):
        problem = FirstRunTokenDead().text(language) if token else ""
        return render(request, "web/first_run.html", {"problem": problem}, status=404 if token else 200)
    form = FirstRunForm(request.POST or None, tops=[(row.id, row.name) for row in roots()], language=language)
    if request.method == "POST" and form.is_valid():
        try:
            account = actions.make_first_administrator(token, form.first(), now=now)
        except ShouwangError as error:
            form.add_error("password" if isinstance(error, PasswordWeak) else None, error.text(language))
        else:
            load_shipped(now=now)
            open_session(request, account)
            messages.success(request, WELCOME.render(language, {}))
            return HttpResponseRedirect("/setup/")
    return render(request, "web/first_run.html", {"form": form, "token": token}, status=422 if form.errors else 200)
