"""A person's own page: on which channels, in which order, in which language, and when only of what is red."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_page
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from shouwang.kernel.errors import Refused, ShouwangError
from shouwang.kernel.texts import Text
from shouwang.notify import actions, queries, registry
from shouwang.notify.contract import Manifest
from shouwang.notify.pages.channels import SAVED
from shouwang.notify.rules.errors import AddressInvalid, QuietHoursInvalid
from shouwang.notify.rules.wishes import NO_WISHES, Quiet, step_of
from shouwang.people.actions import set_contact, set_language
from shouwang.people.guard import needs, scope_of
from shouwang.people.queries import own_contacts, person_cards
from shouwang.people.rules import Scope
from shouwang.ui.reader import reader

STEPS = (
    (0, Text("立即", "At once")), (1, Text("未签收时", "When nothing was accepted")), (2, Text("仍未签收时", "When still nothing was accepted")),
)
TONGUES = (("zh", Text("中文", "Chinese")), ("en", Text("英文", "English")))
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


@dataclass(frozen=True)
class Row:
    """One channel as the person sees it."""

    manifest: Manifest
    is_on: bool
    address: str
    step: int


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@needs()
def own_channels(request: HttpRequest) -> HttpResponse:
    """Show how the person is told, and change it; what is wrong is said and nothing is changed."""
    scope, language, problem = scope_of(request), reader(request).language, ""
    person_id = _person(scope)
    if request.method == "POST":
        try:
            _save(request, scope, person_id)
        except ShouwangError as error:
            problem = error.text(language)
        else:
            messages.success(request, SAVED.render(language, {}))
            return HttpResponseRedirect(reverse("notify:own_channels"))
    return render_page(request, "notify/own.html", _context(person_id, problem), status=422 if problem else 200)


def _context(person_id: int, problem: str) -> dict[str, object]:
    wishes = queries.wishes_of([person_id]).get(person_id, NO_WISHES)
    kept, offered = own_contacts(person_id), _offered()
    rings = {manifest.code for manifest in offered if manifest.rings}
    rows = [
        Row(
            manifest, kept.get(manifest.code, ("", False))[1], kept.get(manifest.code, ("", False))[0],
            step_of(manifest.code, wishes, rings=rings),
        )
        for manifest in offered
    ]
    quiet = (_clock(wishes.quiet.start), _clock(wishes.quiet.end)) if wishes.quiet else ("", "")
    return {
        "rows": rows, "steps": STEPS, "tongues": TONGUES, "tongue": person_cards([person_id], language="zh")[person_id].language,
        "quiet_from": quiet[0], "quiet_until": quiet[1], "problem": problem,
    }


def _save(request: HttpRequest, scope: Scope, person_id: int) -> None:
    """Check all that was given, then keep it. Raises AddressInvalid, QuietHoursInvalid, CodeUnknown."""
    post, offered = request.POST, _offered()
    given = {
        manifest.code: (post.get(f"{manifest.code}-address", "").strip()[:300], post.get(f"{manifest.code}-on") == "on")
        for manifest in offered
    }
    for manifest in offered:
        _check(manifest, *given[manifest.code], language=reader(request).language)
    steps = {manifest.code: _step(post.get(f"{manifest.code}-step", "")) for manifest in offered}
    quiet = _quiet(post.get("quiet_from", "").strip(), post.get("quiet_until", "").strip())
    kept = queries.wishes_of([person_id]).get(person_id, NO_WISHES).steps
    actions.set_wishes(person_id, steps={**kept, **steps}, quiet=quiet)
    set_language(scope, person_id, language=post.get("tongue", ""))
    before = own_contacts(person_id)
    for code, (address, is_on) in given.items():
        if is_on or code in before:
            set_contact(scope, person_id, channel=code, address=address, enabled=is_on)


def _check(manifest: Manifest, address: str, is_on: bool, *, language: str) -> None:
    expected = manifest.address
    if expected is None or not is_on:
        return
    lacks = not address and manifest.needs_address and not manifest.by_phone
    if lacks or (address and not re.fullmatch(manifest.pattern, address)):
        raise AddressInvalid(
            channel=(manifest.short or manifest.name).render(language, {}), found=address[:60], expected=expected.render(language, {}),
        )


def _quiet(start: str, end: str) -> Quiet | None:
    if not (start or end):
        return None
    first, last = _CLOCK.fullmatch(start[:5]), _CLOCK.fullmatch(end[:5])
    if first is None or last is None:
        raise QuietHoursInvalid(start=start[:10], end=end[:10])
    return Quiet(int(first[1]) * 60 + int(first[2]), int(last[1]) * 60 + int(last[2]))


def _step(text: str) -> int:
    return int(text) if text in {"0", "1", "2"} else 0


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _offered() -> list[Manifest]:
    """Return the channels that are switched on here."""
    on = queries.enabled_channels()
    return [manifest for code, manifest in registry.manifests().items() if code in on]


def _person(scope: Scope) -> int:
    if scope.kind != "ACCOUNT" or scope.person_id is None:
        raise Refused(right="account")
    return scope.person_id
