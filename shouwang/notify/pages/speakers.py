"""Pages of the loudspeakers: the list with how each is, its settings, a try, and what it last sounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings as site
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_page
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound, ShouwangError
from shouwang.kernel.texts import Text
from shouwang.notify import actions, queries
from shouwang.notify.contract import Delivered, Field, Outcome, Sent, Unknown
from shouwang.notify.outside import client
from shouwang.notify.pages.channels import RIGHT, SAVED
from shouwang.notify.pages.robots import NO_AREA
from shouwang.notify.queries import SoundRow, SpeakerRow
from shouwang.notify.rules.prompts import PROMPTS, TEST_TONE
from shouwang.notify.rules.reasons import reason_words
from shouwang.notify.rules.sounds import LOUDNESS, Loudness, SoundState, SpeakerState
from shouwang.notify.speaking import registry
from shouwang.notify.speaking.contract import Clip, SpeakerManifest
from shouwang.notify.speaking.recorded import recorded
from shouwang.people.actions import find_area
from shouwang.people.guard import needs, scope_of
from shouwang.places.queries import full_names
from shouwang.telemetry.queries import things_named
from shouwang.ui.lists import Choice, Column, Filter, ListQuery, ListSpec, list_response
from shouwang.ui.reader import reader

TRY_LOUDNESS = 30
STATES: Mapping[SpeakerState, Text] = {
    SpeakerState.OK: Text("正常", "Well"), SpeakerState.DEAD: Text("无响应", "Dead"), SpeakerState.UNKNOWN: Text("未检查", "Not looked at"),
}
SOUND_STATES: Mapping[SoundState, Text] = {
    SoundState.PENDING: Text("等待播放", "Waiting"), SoundState.LEASED: Text("正在播放", "Sounding"), SoundState.PLAYED: Text("已播放", "Played"),
    SoundState.FAILED: Text("失败", "Failed"), SoundState.UNKNOWN: Text("结果不明", "Unknown"), SoundState.DROPPED: Text("已取消", "Dropped"),
    SoundState.LATE: Text("过时未播", "Too late"),
}
WENT = Text("喇叭已响。", "It sounded.")
FAILED = Text("没有响：{reason}。", "It did not sound: {reason}.")
UNCERTAIN = Text("不确定是否响过：{reason}。", "It is not certain that it sounded: {reason}.")
NO_THING = Text("没有编号为“{text}”的设备，或不在您的区域；请填写设备页上的编号，或不填。", "There is no device “{text}” in your area; give the number from the page Devices, or nothing.")
OFF = Text("已停用", "Off")


@dataclass(frozen=True)
class FieldShown:
    """One setting of a loudspeaker's kind as the form shows it."""

    field: Field
    value: str


@dataclass(frozen=True)
class SoundShown:
    """One sound as the page shows it: what it says, how it stands and why."""

    row: SoundRow
    words: Text
    state: Text
    reason: str


@dataclass(frozen=True)
class Given:
    """What the form gives, as it was typed."""

    code: str
    name: str
    area: str
    thing: str
    settings: Mapping[str, str]
    enabled: bool


@never_cache
@require_GET
@needs(RIGHT)
def speakers(request: HttpRequest) -> HttpResponse:
    """List the loudspeakers of the areas whose settings the reader may edit, with how each is."""
    scope, language = scope_of(request), reader(request).language
    names: dict[int, str] = {}

    def fetch(query: ListQuery) -> tuple[Sequence[SpeakerRow], int]:
        state = query.chosen.get("state", "")
        rows, total = queries.speakers(
            scope, text=query.text, kind=query.chosen.get("kind", ""), state=SpeakerState[state] if state else None,
            is_on={"on": True, "off": False}.get(query.chosen.get("switch", "")), offset=query.offset, limit=query.limit,
        )
        names.update(full_names([row.area_id for row in rows]))
        return rows, total

    return list_response(request, spec=_spec(names, language), fetch=fetch, template="notify/speakers.html", context={"now": clock().now()})


def _spec(names: Mapping[int, str], language: str) -> ListSpec[SpeakerRow]:
    kinds = registry.manifests()
    return ListSpec(
        title=Text("喇叭", "Loudspeakers"),
        columns=(
            Column("code", Text("编号", "Number"), lambda row: row.code),
            Column("name", Text("名称", "Name"), lambda row: row.name),
            Column("kind", Text("种类", "Kind"), lambda row: kinds[row.kind].short if row.kind in kinds else row.kind),
            Column("area", Text("地区", "Area"), lambda row: names.get(row.area_id, "—")),
            Column("state", Text("状态", "State"), lambda row: STATES[row.state] if row.enabled else OFF),
            Column("reason", Text("原因", "Reason"), lambda row: reason_words(row.reason, {}, language=language) if row.reason else ""),
            Column("checked_at", Text("最近检查", "Last check"), lambda row: row.checked_at),
        ),
        filters=(
            Filter("kind", Text("种类", "Kind"), [Choice(code, each.short) for code, each in kinds.items()]),
            Filter("state", Text("状态", "State"), [Choice(state.name, words) for state, words in STATES.items()]),
            Filter("switch", Text("启用", "Switch"), [Choice("on", Text("启用", "On")), Choice("off", OFF)]),
        ),
        link=lambda row: reverse("notify:speaker", args=[row.id]),
        searched=Text("编号或名称", "Number or name"),
    )


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@needs(RIGHT)
def add(request: HttpRequest) -> HttpResponse:
    """Choose a kind, then register a loudspeaker of it; what is wrong is said and nothing is kept."""
    manifest = registry.manifests().get(request.POST.get("kind", "") or request.GET.get("kind", ""))
    if manifest is None:
        return render_page(request, "notify/speaker_kinds.html", {"kinds": list(registry.manifests().values())})
    if request.method == "POST":
        return _save(request, manifest, None)
    return _form(request, manifest, Given("", "", "", "", {}, enabled=True))


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@needs(RIGHT)
def edit(request: HttpRequest, speaker_id: int) -> HttpResponse:
    """Show a loudspeaker with what it last sounded, and change it; a password left empty stays as it was."""
    row = queries.speaker(scope_of(request), speaker_id)
    manifest = _kind(row)
    if request.method == "POST":
        return _save(request, manifest, row)
    thing = queries.thing_of(row.id)
    return _form(request, manifest, Given(row.code, row.name, full_names([row.area_id])[row.area_id], thing, row.settings, row.enabled), row=row)


@require_POST
@needs(RIGHT)
def test(request: HttpRequest, speaker_id: int) -> HttpResponse:
    """Let a loudspeaker sound the soft test tone, a siren its siren, and say what came of it."""
    row, language = queries.speaker(scope_of(request), speaker_id), reader(request).language
    made = registry.make(_kind(row).code, row.settings, secret=queries.speaker_secret(row.id), allowed=site.SHOUWANG_WEBHOOK_ALLOW)
    with client() as http:
        outcome = made.play(Clip(f"test:{row.id}", TEST_TONE, recorded(TEST_TONE), TRY_LOUDNESS), http=http)
    _tell(request, outcome, language)
    return HttpResponseRedirect(reverse("notify:speaker", args=[row.id]))


def _tell(request: HttpRequest, outcome: Outcome, language: str) -> None:
    if isinstance(outcome, Sent | Delivered):
        messages.success(request, WENT.render(language, {}))
        return
    words = UNCERTAIN if isinstance(outcome, Unknown) else FAILED
    reason = reason_words(getattr(outcome, "reason", "OTHER"), {}, language=language)
    messages.error(request, words.render(language, {"reason": reason}))


def _save(request: HttpRequest, manifest: SpeakerManifest, row: SpeakerRow | None) -> HttpResponse:
    scope, language, given = scope_of(request), reader(request).language, _given(request, manifest)
    area = find_area(scope, given.area, RIGHT)
    if area.area_id is None:
        return _form(request, manifest, given, row=row, problem=NO_AREA.render(language, {"text": given.area}))
    thing = things_named([given.thing]).get(given.thing) if given.thing else None
    if given.thing and (thing is None or not scope.may(RIGHT, thing.path)):
        return _form(request, manifest, given, row=row, problem=NO_THING.render(language, {"text": given.thing}))
    secret = request.POST.get("secret", "").strip()[:200]
    try:
        kept = actions.save_speaker(
            row.id if row else None, code=given.code, kind=manifest.code, name=given.name, area_id=area.area_id, settings=given.settings,
            secret=secret or None, thing_id=thing.id if thing else None, enabled=given.enabled, by=scope.person_id, now=clock().now(),
        )
    except ShouwangError as error:
        return _form(request, manifest, given, row=row, problem=error.text(language))
    messages.success(request, SAVED.render(language, {}))
    return HttpResponseRedirect(reverse("notify:speaker", args=[kept]))


def _given(request: HttpRequest, manifest: SpeakerManifest) -> Given:
    post = request.POST
    names = [*(each.name for each in manifest.fields), "loudness", "night_loudness", "night_from", "night_to"]
    return Given(
        post.get("code", "").strip()[:60], post.get("name", "").strip()[:100], post.get("area", "").strip()[:120],
        post.get("thing", "").strip()[:64], {name: post.get(name, "").strip()[:400] for name in names}, post.get("enabled") == "on",
    )


def _form(
    request: HttpRequest, manifest: SpeakerManifest, given: Given, *, row: SpeakerRow | None = None, problem: str = "",
) -> HttpResponse:
    language = reader(request).language
    made = registry.make(manifest.code, given.settings, secret="", allowed=site.SHOUWANG_WEBHOOK_ALLOW)
    context: dict[str, Any] = {
        "manifest": manifest, "given": given, "row": row, "problem": problem, "now": clock().now(),
        "fields": [FieldShown(each, given.settings.get(each.name, "")) for each in manifest.fields],
        "loudness": _shown(Loudness.of(given.settings)), "shipped": _shown(LOUDNESS), "problems": made.problems() if row else [],
        "sounds": _sounds(row, language) if row else [], "state": STATES[row.state] if row else None,
        "reason": reason_words(row.reason, {}, language=language) if row and row.reason else "",
    }
    return render_page(request, "notify/speaker.html", context, status=422 if problem else 200)


def _sounds(row: SpeakerRow, language: str) -> list[SoundShown]:
    return [
        SoundShown(
            each, Text(each.said, each.said) if each.said else PROMPTS.get(each.prompt, Text(each.prompt, each.prompt)),
            SOUND_STATES[each.state], reason_words(each.reason, {}, language=language) if each.reason else "",
        )
        for each in queries.newest_sounds([row.id])
    ]


def _shown(loudness: Loudness) -> dict[str, str]:
    return {
        "day": str(loudness.day), "night": str(loudness.night), "night_from": _clock(loudness.night_from), "night_to": _clock(loudness.night_to),
    }


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _kind(row: SpeakerRow) -> SpeakerManifest:
    found = registry.manifests().get(row.kind)
    if found is None:
        raise NotFound(what=f"喇叭种类 {row.kind}")
    return found
