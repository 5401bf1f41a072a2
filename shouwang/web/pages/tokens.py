"""Tokens of devices and other systems: issued, rotated, revoked. A token is shown once, in the answer that made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.texts import Text
from shouwang.people import actions, queries
from shouwang.people.guard import needs, scope_of
from shouwang.people.queries import TokenRow
from shouwang.ui.forms import Form
from shouwang.ui.lists import Choice, Column, Filter, ListQuery, ListSpec, list_response
from shouwang.web.pages.desk import language_of
from shouwang.web.tokens import KINDS, NEVER, RIGHT, area_names, command, place_of, state

KIND = Text("种类", "Kind")
READINGS = "/api/v1/readings"
REVOKED = Text("已停用“{subject}”的令牌；它的上报从现在起被拒绝。", "The token of {subject} is revoked; what it posts is refused from now on.")


class TokenForm(Form):
    """For whom a token is, and where it works."""

    titles: ClassVar[Mapping[str, Text]] = {
        "kind": Text("给谁用", "For"), "subject": Text("设备编号或系统名称", "Device number or system's name"), "area": Text("地区", "Area"),
    }
    hints: ClassVar[Mapping[str, Text]] = {
        "subject": Text("设备填登记的编号，如表号；系统起一个认得出的名称", "A device's registered number, as a meter's; for a system a name you will recognise"),
        "area": Text("系统能为哪个地区及其下级上报；设备按登记的地区，不用填", "Where, with all below, the system may post; a device works where it is registered"),
    }
    options: ClassVar[Mapping[str, Mapping[str, Text]]] = {"kind": KINDS}

    kind = forms.ChoiceField()
    subject = forms.CharField(max_length=64)
    area = forms.CharField(max_length=120, required=False)


@never_cache
@require_GET
@needs(RIGHT)
def listed(request: HttpRequest) -> HttpResponse:
    """List the tokens that work in the reader's area, and offer to issue one."""
    return _list(request, TokenForm(language=language_of(request)))


@never_cache
@require_POST
@needs(RIGHT)
def issue(request: HttpRequest) -> HttpResponse:
    """Issue a token and show it, this once."""
    scope, language, now = scope_of(request), language_of(request), clock().now()
    form = TokenForm(request.POST, language=language)
    if not form.is_valid():
        return _list(request, form)
    kind, subject = form.cleaned_data["kind"], form.cleaned_data["subject"].strip()
    path, problem = place_of(scope, kind, subject=subject, area_text=form.cleaned_data["area"])
    if problem is not None:
        form.add_error(problem[0], problem[1].render(language, {}))
        return _list(request, form)
    try:
        token = actions.issue_token(scope, kind, subject=subject, path=path, now=now)
    except ShouwangError as error:
        form.add_error("subject", error.text(language))
        return _list(request, form)
    (row, *_), _ = queries.tokens(scope, now=now, kind=kind, live=True, text=subject)
    return _list(request, TokenForm(language=language), shown=(row, token))


@never_cache
@require_POST
@needs(RIGHT)
def rotate(request: HttpRequest, credential_id: int) -> HttpResponse:
    """Give a device or system another token and show it, this once; the old one ends."""
    scope = scope_of(request)
    token = actions.rotate_credential(scope, credential_id, now=clock().now())
    return _list(request, TokenForm(language=language_of(request)), shown=(queries.token(scope, credential_id), token))


@require_POST
@needs(RIGHT)
def revoke(request: HttpRequest, credential_id: int) -> HttpResponse:
    """End the token of a device or system."""
    scope = scope_of(request)
    subject = queries.token(scope, credential_id).subject
    actions.revoke_credential(scope, credential_id, now=clock().now())
    messages.success(request, REVOKED.render(language_of(request), {"subject": subject}))
    return HttpResponseRedirect(reverse("web:tokens"))


def _list(request: HttpRequest, form: TokenForm, *, shown: tuple[TokenRow, str] | None = None) -> HttpResponse:
    scope, now = scope_of(request), clock().now()
    names: dict[str, str] = {}

    def fetch(query: ListQuery) -> tuple[Sequence[TokenRow], int]:
        live = {"live": True, "ended": False}.get(query.chosen.get("state", ""))
        rows, total = queries.tokens(
            scope, now=now, kind=query.chosen.get("kind", ""), live=live, text=query.text, offset=query.offset, limit=query.limit,
        )
        names.update(area_names(rows))
        return rows, total

    spec: ListSpec[TokenRow] = ListSpec(
        title=Text("接入令牌", "Tokens"),
        columns=(
            Column("subject", Text("设备或系统", "Device or system"), lambda row: row.subject),
            Column("kind", KIND, lambda row: KINDS[row.kind]),
            Column("area", Text("地区", "Area"), lambda row: "、".join(names.get(path, "—") for path in row.paths)),
            Column("issued_at", Text("签发", "Issued"), lambda row: row.issued_at),
            Column("used_at", Text("最近使用（按天记）", "Last used (by the day)"), lambda row: row.used_at or NEVER),
            Column("state", Text("状态", "State"), lambda row: state(row, now=now)),
        ),
        filters=(
            Filter("kind", KIND, [Choice(code, title) for code, title in KINDS.items()]),
            Filter("state", Text("状态", "State"), [Choice("live", Text("有效", "Live")), Choice("ended", Text("已失效", "Ended"))]),
        ),
        searched=Text("编号或名称", "Number or name"),
    )
    context: dict[str, Any] = {"form": form, "now": now}
    if shown is not None:
        address = request.build_absolute_uri(READINGS)
        context |= {"issued": shown[0], "token": shown[1], "command": command(scope, shown[0], shown[1], address=address, now=now)}
    answer = list_response(request, spec=spec, fetch=fetch, template="web/tokens.html", context=context)
    if form.errors:
        answer.status_code = 422
    return answer
