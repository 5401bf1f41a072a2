"""Who has signed up, masked: sign somebody up at the desk, withdraw, note a child's arrival where its guardian asked for it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from shouwang.activities import actions, queries
from shouwang.activities.models import Activity
from shouwang.activities.pages.forms import SignUpForm
from shouwang.activities.pages.parts import frame_of, new_key, told
from shouwang.activities.queries import current_consent, kind_of
from shouwang.activities.rules.errors import ActivityError
from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound
from shouwang.kernel.texts import Text
from shouwang.people.guard import needs, scope_of
from shouwang.ui.reader import reader

PEOPLE = "people.read"
SIGNED_UP = Text("已报名。", "Signed up.")
WITHDRAWN = Text("已取消报名，姓名和电话已删除。", "Withdrawn; name and number are deleted.")
ARRIVED = Text("已登记到场。", "Arrival noted.")
IN_FULL = Text("{name} {phone} {guardian}", "{name} {phone} {guardian}")


@never_cache
@require_http_methods(["GET", "POST"])
@needs(PEOPLE)
def sign_ups(request: HttpRequest, activity_id: int) -> HttpResponse:
    """List who has signed up, and sign somebody up."""
    scope, language = scope_of(request), reader(request).language
    row = _row(request, activity_id)
    kind = kind_of(row.kind)
    data = request.POST if request.method == "POST" else None
    form = SignUpForm(data, kind=kind, consent=current_consent().version, key=new_key(), language=language)
    if form.is_valid():
        try:
            actions.enter_sign_up(scope, activity_id, form.sign_up(), now=clock().now())
        except ActivityError as error:
            form.add_error(None, error.text(language))
        else:
            messages.success(request, SIGNED_UP.render(language, {}))
            return HttpResponseRedirect(reverse("activities:sign_ups", args=[activity_id]))
    context = {
        "row": queries.rows_of([row])[0], "found": queries.sign_ups(scope, row), "form": form, "consent": current_consent(),
        "may_manage": queries.may_manage(scope, row.path), "may_reveal": scope.may("people.reveal", row.path), **frame_of(scope),
    }
    return render(request, "activities/sign_ups.html", context, status=422 if form.errors else 200)


@require_POST
@needs(PEOPLE)
def change(request: HttpRequest, activity_id: int, sign_up_id: int, what: str) -> HttpResponse:
    """Withdraw a sign-up, note an arrival, or show one in full for a reason."""
    scope, now = scope_of(request), clock().now()
    _row(request, activity_id)
    if what == "withdraw":
        told(request, lambda: actions.withdraw_sign_up(scope, activity_id, sign_up_id, now=now), done=WITHDRAWN)
    elif what == "arrived":
        told(request, lambda: actions.note_arrival(scope, activity_id, sign_up_id, now=now), done=ARRIVED)
    elif what == "reveal":
        shown: list[actions.Revealed] = []
        if told(request, lambda: shown.append(actions.reveal_sign_up(scope, activity_id, sign_up_id, reason=request.POST.get("reason", ""), now=now))):
            said = {"name": shown[0].name, "phone": shown[0].phone, "guardian": shown[0].guardian}
            messages.info(request, IN_FULL.render(reader(request).language, said))
    else:
        raise NotFound(what=what[:20])
    return HttpResponseRedirect(reverse("activities:sign_ups", args=[activity_id]))


def _row(request: HttpRequest, activity_id: int) -> Activity:
    scope = scope_of(request)
    row = queries.activity_in(scope, activity_id)
    scope.require(PEOPLE, row.path)
    kind_of(row.kind).require("SIGN_UP")
    return row
