"""Changing a person's name and phone on the person's page."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.texts import Text
from shouwang.people import actions
from shouwang.people.guard import needs, scope_of
from shouwang.people.pages.forms import ChangeForm
from shouwang.people.pages.persons import show_person
from shouwang.ui.reader import reader

CHANGED = Text("已修改，并记入访问日志。", "Changed; the access log says so.")
NOTHING = Text("没有改动。", "Nothing was changed.")


@never_cache
@require_POST
@needs("people.edit")
def change(request: HttpRequest, person_id: int) -> HttpResponse:
    """Change the person's name or phone. Raises Refused, NotFound."""
    language = reader(request).language
    form = ChangeForm(request.POST, language=language)
    if not form.is_valid():
        return show_person(request, person_id, change_form=form)
    values = form.cleaned_data
    changed = actions.change_person(
        scope_of(request), person_id, name=values["name"] or None, phone="" if values["drop_phone"] else values["phone"] or None,
        now=clock().now(),
    )
    messages.success(request, (CHANGED if changed else NOTHING).render(language, {}))
    return HttpResponseRedirect(reverse("people:person", args=[person_id]))
