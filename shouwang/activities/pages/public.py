"""For anybody who scans the QR, without JavaScript: the notice and sign-up, one's own sign-up, a number, the board, one tap of evaluation.

Opening a page never changes anything. What a phone keeps is a number of chance in a cookie of this activity alone.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from shouwang.activities import actions, queries
from shouwang.activities.links import public, read_sign_up, sign_up_link
from shouwang.activities.pages.forms import SignUpForm
from shouwang.activities.pages.parts import new_key, number_in
from shouwang.activities.queries import Notice, current_consent
from shouwang.activities.queries.public import number_of_key
from shouwang.activities.rules.checks import KEY
from shouwang.activities.rules.errors import ActivityError
from shouwang.activities.rules.evaluation import SCORES
from shouwang.activities.rules.notice import span_of
from shouwang.activities.rules.plans import ENTRIES
from shouwang.journal.clock import clock
from shouwang.ui.reader import reader

COOKIE_AGE_S = 8 * 24 * 3600
NUMBER, RATING = "sw_number", "sw_rating"


@never_cache
@require_http_methods(["GET", "POST"])
def activity(request: HttpRequest, code: str) -> HttpResponse:
    """Show what is announced of an activity, and take a sign-up."""
    notice, language = queries.notice_of(code), reader(request).language
    form = None
    if "SIGN_UP" in notice.kind.uses and notice.entry != "WALK_IN" and notice.state_code in {"OPEN", "RUNNING"}:
        data = request.POST if request.method == "POST" else None
        form = SignUpForm(data, kind=notice.kind, consent=current_consent().version, key=new_key(), language=language)
        if form.is_valid():
            try:
                made = actions.sign_up(code, form.sign_up(), now=clock().now())
                return HttpResponseRedirect(sign_up_link(code, made))
            except ActivityError as error:
                form.add_error(None, error.text(language))
    context = {**_notice(notice), "form": form, "consent": current_consent()}
    return render(request, "activities/public.html", context, status=422 if form is not None and form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def mine(request: HttpRequest, code: str, token: str) -> HttpResponse:
    """Show one's own sign-up to whoever holds its link, and withdraw it in one tap."""
    sign_up_id = read_sign_up(token)
    if request.method == "POST":
        actions.withdraw_own(code, sign_up_id, now=clock().now())
        return HttpResponseRedirect(sign_up_link(code, sign_up_id))
    context = {**_notice(queries.notice_of(code)), "own": queries.own_sign_up(code, sign_up_id)}
    return render(request, "activities/mine.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def number(request: HttpRequest, code: str) -> HttpResponse:
    """Give a number; a phone that has one is shown that one."""
    notice = queries.notice_of(code)
    notice.kind.require("QUEUE")
    key = _kept(request, NUMBER)
    known = number_of_key(code, key) if key else None
    if known is not None:
        return HttpResponseRedirect(public(code, f"number/{known}/"))
    problem = ""
    if request.method == "POST":
        key = key or request.POST.get("idempotency_key", "")
        try:
            given = actions.take_number(code, key=key, now=clock().now())
        except ActivityError as error:
            problem = error.text(reader(request).language)
        else:
            return _keep(HttpResponseRedirect(public(code, f"number/{given}/")), request, NUMBER, key, code)
    context = {**_notice(notice), "problem": problem, "key": new_key()}
    return render(request, "activities/number.html", context, status=409 if problem else 200)


@never_cache
@require_GET
def turn(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Show where one number stands; numbers belong to nobody by name."""
    notice = queries.notice_of(code)
    notice.kind.require("QUEUE")
    return render(request, "activities/turn.html", {**_notice(notice), "turn": queries.turn_of(code, number)})


@never_cache
@require_http_methods(["GET", "POST"])
def rate(request: HttpRequest, code: str) -> HttpResponse:
    """Take one tap from 1 to 5; the same phone changes its tap."""
    notice = queries.notice_of(code)
    notice.kind.require("EVALUATION")
    key, problem = _kept(request, RATING), ""
    if request.method == "POST":
        key = key or request.POST.get("idempotency_key", "")
        try:
            actions.rate(code, score=number_in(request.POST.get("score", "")) or 0, key=key, now=clock().now())
        except ActivityError as error:
            problem = error.text(reader(request).language)
        else:
            return _keep(HttpResponseRedirect(public(code, "rate/")), request, RATING, key, code)
    context = {**_notice(notice), "scores": SCORES.items(), "problem": problem, "key": key or new_key(), "rated": bool(_kept(request, RATING)) and not problem}
    return render(request, "activities/rate.html", context, status=409 if problem else 200)


@never_cache
@require_GET
def board(request: HttpRequest, code: str) -> HttpResponse:
    """Show the numbers so that the whole hall can read them; no names stand there."""
    return render(request, "activities/board.html", {"board": _board(code), "code": code})


@never_cache
@require_GET
def board_now(request: HttpRequest, code: str) -> HttpResponse:
    """Show the board's numbers alone, as they are now."""
    return render(request, "activities/_board.html", {"board": _board(code)})


def _board(code: str) -> queries.Board:
    queries.notice_of(code).kind.require("QUEUE")
    return queries.board_of(code)


def _notice(notice: Notice) -> dict[str, Any]:
    return {"notice": notice, "span": span_of(notice.starts_at, notice.ends_at), "entry": ENTRIES[notice.entry], "uses": notice.kind.uses}


def _kept(request: HttpRequest, name: str) -> str:
    """Return the number of chance that this phone keeps for the activity, empty for none."""
    found = request.COOKIES.get(name, "")
    return found if KEY.fullmatch(found) else ""


def _keep(response: HttpResponse, request: HttpRequest, name: str, key: str, code: str) -> HttpResponse:
    response.set_cookie(name, key, max_age=COOKIE_AGE_S, path=public(code), secure=request.is_secure(), httponly=True, samesite="Lax")
    return response
