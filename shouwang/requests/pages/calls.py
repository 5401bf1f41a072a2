"""The operator's telephone entry: one screen, six fields, the keyboard alone; doubles show before anything is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound, ShouwangError
from shouwang.kernel.texts import Text
from shouwang.people.actions import find_area
from shouwang.people.guard import needs, scope_of
from shouwang.people.queries import area_names
from shouwang.people.rules import Scope
from shouwang.places import queries as places
from shouwang.requests import actions, queries
from shouwang.requests.links import address_of_follow
from shouwang.requests.pages.forms import CallForm
from shouwang.requests.pages.resident import new_key, qr_of
from shouwang.requests.queries import DoubleRow
from shouwang.requests.rules.catalogue import is_service
from shouwang.requests.rules.intake import one_line
from shouwang.requests.rules.numbers import spoken
from shouwang.ui.reader import reader

RIGHT = "case.dispatch"
CANDIDATES = 6
WIDEST = 30
PLACE_UNKNOWN = Text("没有找到“{found}”，或不在您的管辖范围内", "{found} was not found, or lies outside your area")
PLACE_MANY = Text("“{found}”不止一处，请在下面选定后再提交", "There are several {found}; choose below and submit again")
DOUBLES = Text("附近有相同的诉求：并入其中一件，或另立一件，再提交", "The same was reported nearby: add it to one of these, or make a new one, and submit again")


@dataclass(frozen=True)
class Nearby:
    """What lies around what is being entered: the areas the text may mean, the one chosen, and open doubles there."""

    text: str
    candidates: tuple[tuple[int, str], ...]
    area_id: int | None
    doubles: tuple[DoubleRow, ...]
    join: int | None


@never_cache
@require_http_methods(["GET", "POST"])
@needs(RIGHT)
def take(request: HttpRequest) -> HttpResponse:
    """Take down a call; while doubles have not been shown, or the place is not certain, nothing is saved."""
    language, scope = reader(request).language, scope_of(request)
    if request.method == "GET":
        form = CallForm(language=language)
        form.initial["idempotency_key"] = new_key()
        return render(request, "requests/call.html", {"form": form})
    form = CallForm(request.POST, language=language)
    near = nearby(scope, request.POST)
    problem = _problem(near, request.POST) if form.is_valid() else None
    if problem is not None:
        form.add_error("place" if problem is not DOUBLES else None, problem.render(language, {"found": near.text}))
    status = 422
    if form.is_valid() and near.area_id is not None:
        try:
            taken = actions.take_call(scope, form.report("TELEPHONE", near.area_id, join=near.join), now=clock().now())
        except ShouwangError as error:
            form.add_error(None, error.text(language))
            status = error.status
        else:
            return HttpResponseRedirect(reverse("requests:receipt", args=[taken.request_id, taken.report_id]))
    return render(request, "requests/call.html", {"form": form, "near": near}, status=409 if problem is DOUBLES else status)


@never_cache
@require_GET
@needs(RIGHT)
def around(request: HttpRequest) -> HttpResponse:
    """Show which areas the typed text may mean and which open requests may be the same, as a part of the page."""
    return render(request, "requests/_nearby.html", {"near": nearby(scope_of(request), request.GET)})


def nearby(scope: Scope, given: Mapping[str, Any]) -> Nearby:
    """Return what lies around what is being entered; an area chosen for an earlier text counts no more."""
    text = one_line(given.get("place", ""))[:60]
    candidates = areas_meant(scope, text)
    chosen = _number(given.get("area_id", "")) if given.get("area_for", "") == text else None
    known = [area_id for area_id, _ in candidates]
    area_id = chosen if chosen in known else known[0] if known else None
    service = given.get("service", "")
    doubles: list[DoubleRow] = []
    if area_id is not None and is_service(service):
        doubles = queries.nearby(
            scope, RIGHT, service=service, area_id=area_id, address=one_line(given.get("address", ""))[:120], now=clock().now(),
        )
    join = _number(given.get("join", ""))
    return Nearby(text, candidates, area_id, tuple(doubles), join if join in {double.row.id for double in doubles} else None)


def areas_meant(scope: Scope, text: str) -> tuple[tuple[int, str], ...]:
    """Return the areas a text may mean where the operator takes calls, the most likely first, at most six.

    Each word is a name, its pinyin or initials, and looks inside what the word before it means: "lhz dtc" is a village.
    """
    words = text.split()
    if not words:
        return ()
    whole = find_area(scope, text, RIGHT).area_id if text.isdigit() else None
    inside = scope.paths_for(RIGHT)
    for word in words[:-1]:
        inside = tuple(row.path for row in places.search(word, inside, WIDEST))
    found = [places.area(whole)] if whole else places.search(words[-1], inside, CANDIDATES)
    exact = sorted(found, key=lambda row: row.name != words[-1])
    names = area_names([row.id for row in exact])
    return tuple((row.id, names.get(row.id, row.name)) for row in exact)


def _problem(near: Nearby, post: Mapping[str, Any]) -> Text | None:
    """Return what keeps a valid form from being saved: no place, several, or doubles that were not shown yet."""
    if near.area_id is None:
        return PLACE_UNKNOWN
    is_chosen = post.get("area_for", "") == near.text and _number(post.get("area_id", "")) is not None
    if len(near.candidates) > 1 and not is_chosen:
        return PLACE_MANY
    shown = {_number(each) for each in post.getlist("seen")} if hasattr(post, "getlist") else set()
    return DOUBLES if {double.row.id for double in near.doubles} - shown else None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


@never_cache
@require_GET
@needs("case.read")
def receipt(request: HttpRequest, request_id: int, report_id: int) -> HttpResponse:
    """Show the number to read out, who has it now and a QR to print. Raises NotFound out of scope."""
    language = reader(request).language
    page = queries.request_page(scope_of(request), request_id, language=language)
    if report_id not in {card.id for card in page.reports}:
        raise NotFound(what=f"反映 {report_id}")
    seen = queries.followed(report_id, now=clock().now())
    context = {
        "page": page, "row": page.row, "number": spoken(page.row.number), "qr": qr_of(address_of_follow(report_id)),
        "chain": [(line.at, line.render(language)) for line in seen.chain], "many": page.row.reporters > 1,
        "is_told": queries.will_be_told(report_id),
    }
    return render(request, "requests/receipt.html", context)
