"""Robots of groups: which area has one, and whether it speaks."""

from __future__ import annotations

from django.conf import settings as site
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound, ShouwangError
from shouwang.kernel.texts import Text
from shouwang.notify import actions, queries
from shouwang.notify.contract import Manifest
from shouwang.notify.pages.channels import RIGHT, SAVED, manifest_of, settings_of
from shouwang.notify.pages.trying import try_out
from shouwang.people.actions import find_area
from shouwang.people.guard import needs, scope_of
from shouwang.places.queries import area
from shouwang.ui.reader import reader

NO_AREA = Text(
    "没有找到唯一的区域“{text}”；请填写全称（县 乡镇 村）或区划代码。",
    "“{text}” does not mean one area; give its full name (county township village) or its division code.",
)
REMOVED = Text("机器人已移除。", "The robot was removed.")


@sensitive_post_parameters()
@require_POST
@needs(RIGHT)
def save(request: HttpRequest, code: str) -> HttpResponse:
    """Give an area its robot on a shared channel, or another one."""
    manifest, scope, language = _shared(code), scope_of(request), reader(request).language
    text = request.POST.get("area", "").strip()[:120]
    found = find_area(scope, text, RIGHT)
    if found.area_id is None:
        messages.error(request, NO_AREA.render(language, {"text": text}))
        return _back()
    try:
        actions.save_robot(
            manifest.code, area_id=found.area_id, url=request.POST.get("url", "").strip()[:1000],
            secret=request.POST.get("secret", "").strip()[:200], allowed=site.SHOUWANG_WEBHOOK_ALLOW, by=scope.person_id, now=clock().now(),
        )
        messages.success(request, SAVED.render(language, {}))
    except ShouwangError as error:
        messages.error(request, error.text(language))
    return _back()


@require_POST
@needs(RIGHT)
def remove(request: HttpRequest, code: str, robot_id: int) -> HttpResponse:
    """Take a robot away."""
    _own(request, code, robot_id)
    actions.remove_robot(robot_id, by=scope_of(request).person_id, now=clock().now())
    messages.success(request, REMOVED.render(reader(request).language, {}))
    return _back()


@require_POST
@needs(RIGHT)
def test(request: HttpRequest, code: str, robot_id: int) -> HttpResponse:
    """Let a robot say a test message, mentioning whom the form names, and say what came of it."""
    row = _own(request, code, robot_id)
    try_out(
        request, _shared(code), settings_of(code), address=request.POST.get("address", "").strip()[:64], robot=row.address,
    )
    return _back()


def _own(request: HttpRequest, code: str, robot_id: int) -> queries.RobotRow:
    """Return the robot if it is of an area whose settings the reader may edit. Raises NotFound."""
    manifest = _shared(code)
    for row in queries.robots(manifest.code):
        if row.id == robot_id and scope_of(request).may(RIGHT, area(row.area_id).path):
            return row
    raise NotFound(what=f"机器人 {robot_id}")


def _shared(code: str) -> Manifest:
    manifest = manifest_of(code)
    if not manifest.is_shared:
        raise NotFound(what=f"渠道 {code}")
    return manifest


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse("notify:channels"))
