"""A resident's own pages, without an account and without JavaScript: choose the place, report, follow, answer."""

from __future__ import annotations

import secrets

import segno
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound, ShouwangError
from shouwang.places import queries as places
from shouwang.requests import actions, queries
from shouwang.requests.actions.answering import add_why
from shouwang.requests.links import address_of_follow, follow_link, read_follow
from shouwang.requests.pages.forms import FollowForm, JoinForm, ResidentForm
from shouwang.requests.pages.photos import keep, photos_in
from shouwang.requests.rules.errors import NumberOrDigitsWrong
from shouwang.requests.rules.numbers import spoken
from shouwang.ui.reader import reader

DEEPEST = "VILLAGE"


def new_key() -> str:
    """Return a fresh key that makes a form's repeated sending harmless."""
    return secrets.token_urlsafe(15)


def network_address(request: HttpRequest) -> str:
    """Return the address a request comes from, as the server sees it; what a header claims is not asked."""
    return str(request.META.get("REMOTE_ADDR", ""))


@never_cache
@require_GET
def choose(request: HttpRequest) -> HttpResponse:
    """Let a resident who has no QR choose the village, one level at a time."""
    inside = request.GET.get("in", "")
    here = places.area(int(inside)) if inside.isascii() and inside.isdigit() and len(inside) < 12 else None
    below = places.children(here.id) if here else _first_level()
    line = places.ancestors_of(here.path) if here else []
    return render(request, "requests/choose.html", {"here": here, "below": below, "line": line, "deepest": DEEPEST})


def _first_level() -> list[places.AreaRow]:
    roots = places.roots()
    return places.children(roots[0].id) if len(roots) == 1 else roots


@never_cache
@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, area_id: int) -> HttpResponse:
    """Show a place's form and take what it is sent; the answer leads to the page that follows the report."""
    area = places.area(area_id)
    language, now = reader(request).language, clock().now()
    listed = queries.listed_nearby(area_id, now=now)
    join = _joined(request, {row[0] for row in listed})
    kind = ResidentForm if join is None else JoinForm
    form = kind(request.POST if request.method == "POST" else None, language=language)
    if request.method == "GET":
        form.initial["idempotency_key"] = new_key()
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                photos = photos_in(request, now=now)
                taken = actions.report_as_resident(
                    form.report("QR", area_id, join=join), address=network_address(request), photos=photos, now=now,
                )
            except ShouwangError as error:
                form.add_error(None, error.text(language))
                status = error.status
            else:
                keep(photos, now=now)
                return HttpResponseRedirect(follow_link(taken.report_id) + "?new=1")
    context = {"form": form, "area": area, "area_name": places.full_name(area_id), "listed": listed, "join": join}
    return render(request, "requests/report.html", context, status=status)


def _joined(request: HttpRequest, listed: set[int]) -> int | None:
    """Return which listed request a resident joins. Raises NotFound for one that is not listed here."""
    asked = request.GET.get("join", "")
    if not asked:
        return None
    if not (asked.isascii() and asked.isdigit() and len(asked) < 19) or int(asked) not in listed:
        raise NotFound(what=f"诉求 {asked[:20]}")
    return int(asked)


@never_cache
@require_http_methods(["GET", "POST"])
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """Show a reporter what has become of the report; a POST answers whether it is solved, or says why not."""
    report_id, now, language = read_follow(token), clock().now(), reader(request).language
    problem, status = "", 200
    if request.method == "POST":
        try:
            actions.spend("answer.report", str(report_id), now=now)
            _answer(request, report_id)
        except ShouwangError as error:
            problem, status = error.text(language), error.status
        else:
            return HttpResponseRedirect(request.path)
    seen = queries.followed(report_id, now=now)
    context = {
        "seen": seen, "number": spoken(seen.number), "chain": [(line.at, line.render(language)) for line in seen.chain],
        "problem": problem, "is_new": "new" in request.GET, "qr": qr_of(address_of_follow(report_id)),
    }
    return render(request, "requests/follow.html", context, status=status)


def _answer(request: HttpRequest, report_id: int) -> None:
    now, why = clock().now(), request.POST.get("why", "")
    round_ = request.POST.get("round", "")
    said = request.POST.get("solved", "")
    if said in {"yes", "no"} and round_.isascii() and round_.isdigit() and len(round_) < 5:
        actions.answer(report_id, solved=said == "yes", round_=int(round_), why=why, now=now)
    elif request.POST.get("do") == "why":
        add_why(report_id, why=why, now=now)
    else:
        raise NotFound(what=said[:20] or "答复")


@never_cache
@require_http_methods(["GET", "POST"])
def progress(request: HttpRequest) -> HttpResponse:
    """Find a report by its number and the last four digits of the phone, both in the body of the form, never in an address."""
    language, now = reader(request).language, clock().now()
    form = FollowForm(request.POST if request.method == "POST" else None, language=language)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return HttpResponseRedirect(follow_link(_found(request, form)))
            except ShouwangError as error:
                form.add_error(None, error.text(language))
                status = error.status
    return render(request, "requests/progress.html", {"form": form, "now": now}, status=status)


def _found(request: HttpRequest, form: FollowForm) -> int:
    """Return the report that fits. Raises NumberOrDigitsWrong, TooOften."""
    now, number = clock().now(), form.cleaned_data["number"]
    actions.spend("follow.address", network_address(request), now=now)
    actions.spend("follow.number", number, now=now)
    report_id = queries.report_of_number(number, form.cleaned_data["tail"])
    if report_id is None:
        raise NumberOrDigitsWrong
    return report_id


def qr_of(address: str) -> str:
    """Return a QR of `address` as an image that needs no further request."""
    return str(segno.make(address, error="m", micro=False).svg_data_uri(scale=5, border=3, dark="#000", light="#fff"))
