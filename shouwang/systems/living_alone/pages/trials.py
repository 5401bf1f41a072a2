"""The trial on the programme page: asked for, watched while it goes on, accepted or left."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.texts import Text
from shouwang.people.guard import needs, scope_of
from shouwang.people.rules import Scope
from shouwang.places import queries as places
from shouwang.systems.living_alone import actions
from shouwang.systems.living_alone.actions.switching import SETTLE
from shouwang.systems.living_alone.queries.trials import last_trial
from shouwang.systems.living_alone.rules.errors import TrialTooSmall
from shouwang.systems.living_alone.rules.kinds import CALL, FALSE_PER_HOME_YEAR, VISIT
from shouwang.systems.living_alone.rules.trials import JUDGED, LEARNT, LEAST_HOMES
from shouwang.ui.reader import reader

TIERS = {"call": Text("自动电话", "Automatic call"), "visit": Text("上门核实", "Visit")}
TARGETS = {"call": FALSE_PER_HOME_YEAR[CALL], "visit": FALSE_PER_HOME_YEAR[VISIT]}
ACCEPTED = Text("已采用；从下一个读数起按新的报警时刻判断。", "Accepted; alarms come by the new hours from the next reading on.")


def context_of(scope: Scope, *, language: str) -> dict[str, object]:
    """Return what the trial's panel shows to whoever may settle thresholds; nothing for others."""
    path = next(iter(scope.paths_for(SETTLE)), "")
    if not path:
        return {"trial_area": None}
    found = last_trial(path)
    rows = [
        (tier, title, found.now[tier] if found.now else None, found.proposed.get(tier), found.points[tier])
        for tier, title in TIERS.items()
    ] if found and found.points else []
    targets = found.targets if found else TARGETS
    return {
        "too_small": TrialTooSmall(found=found.homes, least=LEAST_HOMES, days=(LEARNT + JUDGED).days).text(language) if found and found.is_too_small else "",
        "trial_area": places.area(int(path.rstrip("/").rpartition("/")[2])), "trial": found, "tiers": rows, "weeks": (LEARNT + JUDGED).days // 7,
        "targets": [(tier, title, f"{targets[tier]:g}") for tier, title in TIERS.items()],
    }


@never_cache
@require_GET
@needs(SETTLE)
def trial(request: HttpRequest) -> HttpResponse:
    """Show how far the trial is, as the panel alone; whoever comes without htmx gets the whole page."""
    if "HX-Request" not in request.headers:
        return HttpResponseRedirect(reverse("living_alone:programme"))
    return render(request, "living_alone/_trial.html", context_of(scope_of(request), language=reader(request).language))


@require_POST
@needs(SETTLE)
def ask(request: HttpRequest) -> HttpResponse:
    """Begin a trial of the own area."""
    scope, given = scope_of(request), request.POST
    try:
        actions.ask_trial(
            scope, next(iter(scope.paths_for(SETTLE)), ""), call_target=given.get("call", ""), visit_target=given.get("visit", ""), now=clock().now(),
        )
    except ShouwangError as error:
        messages.error(request, error.text(reader(request).language))
    return HttpResponseRedirect(reverse("living_alone:programme") + "#trial")


@require_POST
@needs(SETTLE)
def accept(request: HttpRequest, trial_id: int) -> HttpResponse:
    """Let what a trial proposes hold."""
    actions.accept_trial(scope_of(request), trial_id, now=clock().now())
    messages.success(request, ACCEPTED.render(reader(request).language, {}))
    return HttpResponseRedirect(reverse("living_alone:programme") + "#trial")
