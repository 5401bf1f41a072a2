"""Pages of no room in particular: preference switches, errors, and the guide that shows every part."""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.texts import Text
from shouwang.ui import guide as samples
from shouwang.ui.answers import Failure, Problem, answer, failure
from shouwang.ui.lists import list_response
from shouwang.ui.outage import outage_of
from shouwang.ui.reader import reader
from shouwang.ui.rules import CHOICES, COOKIES, local_path

if TYPE_CHECKING:
    from django.core.exceptions import PermissionDenied

PREFERENCE_AGE_S = 365 * 24 * 3600

NOT_FOUND = Text(
    "没有找到这个页面。地址可能写错了，或它不在您的管辖范围内。",
    "This page was not found. The address may be mistyped, or it lies outside your area.",
)
FORBIDDEN = Text(
    "您没有查看这个页面的权限。如果工作需要，请联系上级管理员授予。",
    "You may not see this page. If your work needs it, ask an administrator above you.",
)
STALE_FORM = Text(
    "这个表单已失效，内容没有提交。请返回上一页，刷新后再试。",
    "This form has expired and nothing was sent. Go back, reload the page and try again.",
)
BROKEN = Text(
    "系统出了故障，故障已记录。您刚才的操作可能没有完成，请稍后再试。",
    "Something broke and was recorded. What you just did may not have been done; try again shortly.",
)


@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Keep the chosen language, theme and display size in cookies; go back to where the switch was."""
    response = HttpResponseRedirect(local_path(request.POST.get("next")))
    for name, choices in CHOICES.items():
        chosen = request.POST.get(name)
        if chosen in choices:
            response.set_cookie(
                COOKIES[name], chosen, max_age=PREFERENCE_AGE_S, secure=request.is_secure(), httponly=True, samesite="Lax"
            )
    return response


@require_GET
def guide(request: HttpRequest) -> HttpResponse:
    """Show every part of the design with invented data."""
    return render(request, "ui/guide.html", samples.desk(reader(request).language))


@require_GET
def guide_phone(request: HttpRequest) -> HttpResponse:
    """Show the phone page with invented data."""
    return render(request, "ui/guide_phone.html", samples.phone())


@require_GET
def guide_list(request: HttpRequest) -> HttpResponse:
    """Show a list with its filters, search, paging, XLSX and print."""
    return list_response(
        request, spec=samples.LIST, fetch=samples.fetch, template="ui/guide_list.html", context={"now": samples.NOW}
    )


def cannot(request: HttpRequest, error: ShouwangError) -> HttpResponse:
    """Show why something asked for cannot be done, with the status the error carries; programs get JSON."""
    if _is_program(request):
        return failure(error)
    return _error(request, status=error.status, message=Text(error.text("zh"), error.text("en")))


def forbidden(request: HttpRequest, exception: PermissionDenied | None = None) -> HttpResponse:  # noqa: ARG001 - Django calls it so
    """Show that the reader may not see the page."""
    return _error(request, status=403, message=FORBIDDEN)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django calls it so
    """Show that a form's token is missing or old (CSRF_FAILURE_VIEW)."""
    return _error(request, status=403, message=STALE_FORM)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django calls it so
    """Show that there is no such page."""
    return _error(request, status=404, message=NOT_FOUND)


def broken(request: HttpRequest) -> HttpResponse:
    """Show that the system broke; a full disk or a database that is away is said as what it is.

    Django calls this while it handles the exception.
    """
    outage = outage_of(sys.exc_info()[1])
    return cannot(request, outage) if outage else _error(request, status=500, message=BROKEN)


def _is_program(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _error(request: HttpRequest, *, status: int, message: Text) -> HttpResponse:
    if _is_program(request):
        return answer(Failure(Problem(HTTPStatus(status).phrase.title().replace(" ", ""), message.en, message.zh)), status=status)
    shown = message.render(reader(request).language, {})
    return render(request, "ui/error.html", {"status": status, "message": shown}, status=status)
