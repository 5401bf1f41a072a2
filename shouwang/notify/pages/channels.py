"""The page of the channels: what each can do and its provider asks for, on or off, robots of areas, and a test message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings as site
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_page
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound
from shouwang.kernel.texts import Text
from shouwang.notify import actions, queries, registry
from shouwang.notify.contract import Field, Manifest
from shouwang.notify.pages.trying import try_out
from shouwang.notify.rules import INBOX, State
from shouwang.notify.rules.abilities import abilities
from shouwang.notify.rules.hosts import host_of
from shouwang.notify.rules.reasons import WORDS
from shouwang.people.guard import needs, scope_of
from shouwang.people.rules import Scope
from shouwang.places.queries import areas
from shouwang.ui.reader import reader

RIGHT = "settings.edit"
SAVED = Text("已保存。", "Saved.")
STATES = {
    State.PENDING: Text("等待发送", "Waiting"), State.LEASED: Text("正在发送", "Being sent"), State.SENT: Text("已发出", "Sent"),
    State.DELIVERED: Text("已送达", "Delivered"), State.FAILED: Text("失败", "Failed"), State.UNKNOWN: Text("结果不明", "Unknown"),
}


@dataclass(frozen=True)
class FieldRow:
    """One setting as the form shows it; a secret's value stays away."""

    field: Field
    value: str
    is_set: bool


@dataclass(frozen=True)
class RobotShown:
    """One robot as the page shows it: its address is a secret, so only where it lives and its last characters."""

    id: int
    area: str
    host: str
    tail: str
    is_signed: bool


@dataclass(frozen=True)
class ChannelRow:
    """One channel as the page shows it."""

    manifest: Manifest
    enabled: bool
    fields: tuple[FieldRow, ...]
    problems: list[Text]
    abilities: list[Text]
    robots: list[RobotShown]


@never_cache
@require_GET
@needs(RIGHT)
def channels(request: HttpRequest) -> HttpResponse:
    """Show every channel with what it can do and its settings, and how the messages stand."""
    stored, scope = queries.settings(), scope_of(request)
    rows = [_row(manifest, stored.get(code), scope) for code, manifest in registry.manifests().items() if code != INBOX]
    counts = [(STATES[state], count) for state, count in sorted(queries.counts_by_state().items())]
    return render_page(request, "notify/channels.html", {"rows": rows, "counts": counts})


@sensitive_post_parameters()
@require_POST
@needs(RIGHT)
def save(request: HttpRequest, code: str) -> HttpResponse:
    """Save a channel's settings; a secret left empty stays as it was."""
    manifest = manifest_of(code)
    kept = settings_of(code)
    given = {field.name: request.POST.get(field.name, "").strip() for field in manifest.fields}
    merged = {
        field.name: kept.get(field.name, "") if field.is_secret and not given[field.name] else given[field.name]
        for field in manifest.fields
    }
    actions.save_setting(
        code, merged, enabled=request.POST.get("enabled") == "on", by=scope_of(request).person_id, now=clock().now(),
    )
    messages.success(request, SAVED.render(reader(request).language, {}))
    return HttpResponseRedirect(reverse("notify:channels"))


@sensitive_post_parameters()
@require_POST
@needs(RIGHT)
def test(request: HttpRequest, code: str) -> HttpResponse:
    """Send a test message to the given address by the saved settings, and say what came of it."""
    manifest = manifest_of(code)
    try_out(request, manifest, settings_of(code), address=request.POST.get("address", "").strip())
    return HttpResponseRedirect(reverse("notify:channels"))


def manifest_of(code: str) -> Manifest:
    """Return the manifest of a channel that can be set up. Raises NotFound."""
    found = registry.manifests().get(code)
    if found is None or code == INBOX:
        raise NotFound(what=f"渠道 {code}")
    return found


def settings_of(code: str) -> Mapping[str, str]:
    """Return a channel's stored settings."""
    stored = queries.settings().get(code)
    return stored.settings if stored else {}


def _row(manifest: Manifest, stored: queries.Setting | None, scope: Scope) -> ChannelRow:
    kept = stored.settings if stored else {}
    fields = tuple(
        FieldRow(field, "" if field.is_secret else kept.get(field.name, ""), bool(kept.get(field.name))) for field in manifest.fields
    )
    enabled = stored is not None and stored.enabled
    channel = registry.make(manifest.code, kept, allowed=site.SHOUWANG_WEBHOOK_ALLOW)
    problems = channel.problems() if enabled else []
    robots = _robots(manifest.code, scope) if manifest.is_shared else []
    if enabled and manifest.is_shared and not robots:
        problems = [*problems, WORDS["NO_ROBOT"]]
    return ChannelRow(manifest, enabled, fields, problems, abilities(manifest.traits, manifest.rate, rings=manifest.rings), robots)


def _robots(code: str, scope: Scope) -> list[RobotShown]:
    """Return the robots of the areas whose settings the reader may edit."""
    rows = queries.robots(code)
    paths = {area_id: area.path for area_id, area in areas([row.area_id for row in rows]).items()}
    return [
        RobotShown(row.id, row.area, host_of(row.address.url), row.address.url[-4:], bool(row.address.secret))
        for row in rows
        if scope.may(RIGHT, paths.get(row.area_id, ""))
    ]
