"""The page of the channels: what each provider asks for, on or off, and a test message."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

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
from shouwang.notify.contract import Delivered, Field, Manifest, Outcome, Outgoing, Rejected, Retry, Sent, Unknown
from shouwang.notify.outside import client
from shouwang.notify.rules import INBOX, State, render
from shouwang.notify.rules.texts import TEST
from shouwang.people.guard import needs, scope_of
from shouwang.ui.reader import reader

RIGHT = "settings.edit"
SAVED = Text("已保存。", "Saved.")
WENT = Text("测试消息已被接收。", "The test message was accepted.")
FAILED = Text("测试消息没有发出：{reason}。", "The test message did not go: {reason}.")
UNCERTAIN = Text("不确定测试消息是否发出：{reason}。", "It is not certain that the test message went: {reason}.")
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
class ChannelRow:
    """One channel as the page shows it."""

    manifest: Manifest
    enabled: bool
    fields: tuple[FieldRow, ...]
    problems: list[Text]


@never_cache
@require_GET
@needs(RIGHT)
def channels(request: HttpRequest) -> HttpResponse:
    """Show every channel with its settings, and how the messages stand."""
    stored = queries.settings()
    rows = [_row(manifest, stored.get(code)) for code, manifest in registry.manifests().items() if code != INBOX]
    counts = [(STATES[state], count) for state, count in sorted(queries.counts_by_state().items())]
    return render_page(request, "notify/channels.html", {"rows": rows, "counts": counts})


@sensitive_post_parameters()
@require_POST
@needs(RIGHT)
def save(request: HttpRequest, code: str) -> HttpResponse:
    """Save a channel's settings; a secret left empty stays as it was."""
    manifest = _manifest(code)
    kept = _settings(code)
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
    _manifest(code)
    language = reader(request).language
    channel = registry.make(code, _settings(code), allowed=site.SHOUWANG_WEBHOOK_ALLOW)
    with client() as http:
        outcome = channel.send(_test_message(request.POST.get("address", "").strip(), language, clock().now()), http=http)
    said, reason = _said(outcome)
    say = messages.success if said is WENT else messages.error
    say(request, said.render(language, {"reason": reason}))
    return HttpResponseRedirect(reverse("notify:channels"))


def _said(outcome: Outcome) -> tuple[Text, str]:
    match outcome:
        case Sent() | Delivered():
            return WENT, ""
        case Unknown(reason):
            return UNCERTAIN, reason
        case Rejected(reason) | Retry(_, reason):
            return FAILED, reason
        case _:
            return FAILED, "MISSING"


def _test_message(address: str, language: str, now: datetime) -> Outgoing:
    key = f"test:{secrets.token_hex(8)}"
    return Outgoing(key, address, TEST, {}, render(TEST, {}, language=language), language, 1, 1, now)


def _manifest(code: str) -> Manifest:
    found = registry.manifests().get(code)
    if found is None or code == INBOX:
        raise NotFound(what=f"渠道 {code}")
    return found


def _settings(code: str) -> Mapping[str, str]:
    stored = queries.settings().get(code)
    return stored.settings if stored else {}


def _row(manifest: Manifest, stored: queries.Setting | None) -> ChannelRow:
    kept = stored.settings if stored else {}
    fields = tuple(
        FieldRow(field, "" if field.is_secret else kept.get(field.name, ""), bool(kept.get(field.name))) for field in manifest.fields
    )
    enabled = stored is not None and stored.enabled
    channel = registry.make(manifest.code, kept, allowed=site.SHOUWANG_WEBHOOK_ALLOW)
    return ChannelRow(manifest, enabled, fields, channel.problems() if enabled else [])
