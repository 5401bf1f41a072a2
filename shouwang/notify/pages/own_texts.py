"""Texts: what messages say in an area, where each comes from, in own words for the area or as the area above says them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound, ShouwangError
from shouwang.kernel.texts import Text
from shouwang.notify.queries.own_texts import forget_texts, shortest_limit
from shouwang.notify.rules.own_texts import LANGUAGES, TITLES, VALUES_LEAST, key_of, names_of, preview
from shouwang.notify.rules.texts import TEMPLATES
from shouwang.people.guard import needs, scope_of
from shouwang.places.actions import set_setting
from shouwang.places.queries import AreaRow, ancestors_of, area_asked, areas, children, settings_of
from shouwang.places.registry import spec_of
from shouwang.places.rules.settings import check_value
from shouwang.ui.reader import reader

RIGHT = "settings.edit"
SHIPPED = Text("随软件", "As shipped")
SAVED = Text("已保存；几秒后发出的消息即用新文字", "Saved; messages that leave in a few seconds say it")
WORDS_OF: Mapping[str, Text] = {"zh": Text("中文", "Chinese"), "en": Text("英文", "English")}


@dataclass(frozen=True)
class Field:
    """The words of one template in one language: the area's own, those that hold without them, whose those are, and how it would read."""

    language: Text
    name: str
    own: str
    above: str
    source: Text
    preview: str


@dataclass(frozen=True)
class Panel:
    """One template."""

    code: str
    title: Text
    names: str
    fields: list[Field]
    has_own: bool


@require_GET
@needs(RIGHT)
def texts(request: HttpRequest) -> HttpResponse:
    """Show what messages say in an area."""
    return _page(request, area_asked(request.GET.get("area", ""), scope_of(request).paths_for(RIGHT)), {})


@require_POST
@needs(RIGHT)
def change(request: HttpRequest, code: str) -> HttpResponse:
    """Show how own words would read with invented values, save them, or follow the area above again."""
    place, language = area_asked(request.POST.get("area", ""), scope_of(request).paths_for(RIGHT)), reader(request).language
    scope_of(request).require(RIGHT, place.path)
    if code not in TITLES:
        raise NotFound(what=f"消息 {code[:48]}")
    given = {each: "" if "follow" in request.POST else request.POST.get(each, "").strip() for each in LANGUAGES}
    try:
        for each, words in given.items():
            check_value(spec_of(key_of(code, each)), words)
    except ShouwangError as error:
        return _page(request, place, {code: given}, problem=error.text(language), status=422)
    if not {"save", "follow"} & set(request.POST):
        return _page(request, place, {code: given}, shown=code)
    now = clock().now()
    for each, words in given.items():
        set_setting(place.id, key_of(code, each), words or None, now=now)
    forget_texts()
    messages.success(request, SAVED.render(language, {}))
    return HttpResponseRedirect(f"{reverse('notify:texts')}?{urlencode({'area': place.id})}#text-{code}")


def _page(
    request: HttpRequest, place: AreaRow, given: Mapping[str, Mapping[str, str]], *, problem: str = "", shown: str = "", status: int = 200,
) -> HttpResponse:
    scope = scope_of(request)
    keys = [key_of(code, language) for code in TITLES for language in LANGUAGES]
    here = settings_of(place.id, keys)
    above = settings_of(place.parent_id, keys) if place.parent_id else {}
    names = {row.id: row.name for row in areas({each.source_area_id for each in above.values() if each.source_area_id}).values()}
    panels = []
    for code, title in TITLES.items():
        fields = []
        for language in LANGUAGES:
            key = key_of(code, language)
            own = here[key].value if here[key].source_area_id == place.id else ""
            said = above[key].value if key in above else ""
            source = above[key].source_area_id if said else None
            from_above = said or getattr(TEMPLATES[code], language)
            words = given.get(code, {}).get(language, own)
            name = names.get(source or 0, "—")
            fields.append(Field(
                WORDS_OF[language], language, words, from_above, Text(name, name) if source else SHIPPED,
                "" if problem and code in given else preview(words or from_above, language),
            ))
        allowed = " ".join(f"{{{name}}}" for name in sorted(names_of(code)))
        panels.append(Panel(code, title, allowed, fields, any(here[key_of(code, each)].source_area_id == place.id for each in LANGUAGES)))
    return render(request, "notify/texts.html", {
        "place": place, "panels": panels, "problem": problem, "shown": shown, "most": shortest_limit() - VALUES_LEAST,
        "above": [each for each in ancestors_of(place.path) if scope.may(RIGHT, each.path) and each.id != place.id],
        "below": children(place.id),
    }, status=status)
