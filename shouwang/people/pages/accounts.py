"""Accounts on the page of a person: opened, entered by a link that is shown once, switched off and on."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound, Refused, ShouwangError
from shouwang.kernel.texts import Text
from shouwang.people import actions, queries
from shouwang.people.guard import needs, scope_of
from shouwang.people.pages.forms import AccountForm
from shouwang.people.pages.persons import show_person
from shouwang.ui.reader import reader

DONE = Text("已保存。", "Saved.")
RIGHT = "duties.edit"


@never_cache
@require_POST
@needs(RIGHT)
def open_for(request: HttpRequest, person_id: int) -> HttpResponse:
    """Open an account for a person who has none, and show its entry link this once."""
    scope, language, now = scope_of(request), reader(request).language, clock().now()
    form = AccountForm(request.POST, language=language)
    if queries.accounts_of(scope, person_id) or not form.is_valid():
        return show_person(request, person_id, account_form=form)
    try:
        account = actions.add_account(scope, username=form.cleaned_data["username"], person_id=person_id, now=now)
        token = actions.reset_account(scope, account.pk, now=now)
    except (NotFound, Refused):
        raise
    except ShouwangError as error:
        form.add_error("username", error.text(language))
        return show_person(request, person_id, account_form=form)
    return show_person(request, person_id, entry_link=_entry(request, token))


@never_cache
@require_POST
@needs(RIGHT)
def change(request: HttpRequest, account_id: int, what: str) -> HttpResponse:
    """End another person's password and show a link to set a new one, or switch the account off or on."""
    scope, now = scope_of(request), clock().now()
    if what not in {"reset", "off", "on"} or account_id == scope.account_id:
        raise NotFound(what=f"账号 {account_id}")
    if what == "reset":
        token = actions.reset_account(scope, account_id, now=now)
        return show_person(request, queries.account(account_id).person_id or 0, entry_link=_entry(request, token))
    actions.change_account(scope, account_id, is_active=what == "on", now=now)
    messages.success(request, DONE.render(reader(request).language, {}))
    return HttpResponseRedirect(reverse("people:person", args=[queries.account(account_id).person_id]))


def _entry(request: HttpRequest, token: str) -> str:
    """Return the whole address of an entry link that leads on to setting a password."""
    goal = urlencode({"next": reverse("people:own_password")})
    return request.build_absolute_uri(f"{reverse('people:enter', args=[token])}?{goal}")
