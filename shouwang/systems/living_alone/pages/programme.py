"""The programme: how many homes in which state, which meters are heard, and what the alarms turned out to be."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.texts import Text
from shouwang.people.guard import needs, scope_of
from shouwang.systems.living_alone import actions, queries
from shouwang.systems.living_alone.actions.enrolling import METER
from shouwang.systems.living_alone.actions.switching import SETTLE
from shouwang.systems.living_alone.pages.homes import READ, STATES, frame_of
from shouwang.systems.living_alone.pages.trials import context_of
from shouwang.systems.living_alone.rules.kinds import RULES
from shouwang.systems.living_alone.rules.labels import LABELS, Figures
from shouwang.ui.reader import reader
from shouwang.watch.queries import watches

HOMES = Text("户", "homes")
SWITCHED_ON = Text("已开启，从现在起判断。", "Switched on; it judges from now on.")
SWITCHED_OFF = Text("已停用；已立的事件照常办理。", "Switched off; what it opened goes on.")


@never_cache
@require_GET
@needs(READ)
def programme(request: HttpRequest) -> HttpResponse:
    """Show the homes in the reader's scope as counts and figures; no home is named."""
    scope = scope_of(request)
    shown = queries.programme(scope, now=clock().now())
    states = [(code, title, shown.states.get(code, 0)) for code, title in STATES.items()]
    labels = [(title, shown.figures.by_label.get(code, 0)) for code, title in LABELS.items()]
    numbers = shown.figures
    rules = [(row, RULES.get(row.detector, row.code)) for row in watches() if row.thing_kind == METER]
    return render(request, "living_alone/programme.html", {
        "rules": sorted(rules, key=lambda each: not each[0].enabled), "may_switch": actions.may_switch(scope),
        "spread": _spread(numbers, language=reader(request).language) if any(numbers.spread) else None,
        "programme": shown, "states": states, "labels": labels, "figures": numbers, "years": f"{numbers.home_years:.1f}",
        "contact_median": f"{numbers.contact_median_min or 0:.0f}", "contact_p90": f"{numbers.contact_p90_min or 0:.0f}", **context_of(scope, language=reader(request).language), **frame_of(scope),
    })


@require_POST
@needs(SETTLE)
def switch(request: HttpRequest) -> HttpResponse:
    """Switch a rule that watches the meters on or off."""
    is_on = request.POST.get("do") == "on"
    actions.switch_rule(scope_of(request), request.POST.get("code", ""), enabled=is_on, now=clock().now())
    messages.success(request, (SWITCHED_ON if is_on else SWITCHED_OFF).render(reader(request).language, {}))
    return HttpResponseRedirect(reverse("living_alone:programme"))


def _spread(numbers: Figures, *, language: str) -> dict[str, object]:
    """Return over how many homes the false alarms are spread, as a chart."""
    last = len(numbers.spread) - 1
    return {
        "categories": [f"{often}+" if often == last else str(often) for often in range(last + 1)], "unit": HOMES.render(language, {}),
        "series": [{"name": HOMES.render(language, {}), "values": list(numbers.spread), "kind": "bar"}],
    }
