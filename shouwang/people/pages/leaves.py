"""Leave on the page of a person: noted, and ended when the person is back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound, Refused, ShouwangError
from shouwang.kernel.texts import Text
from shouwang.people import actions
from shouwang.people.guard import needs, scope_of
from shouwang.people.pages.forms import LeaveForm
from shouwang.people.pages.persons import show_person
from shouwang.ui.reader import reader

NOTED = Text("已记下；这几天由备岗或其他在岗的人应答。", "Noted; meanwhile the deputy or another holder answers.")
ENDED = Text("已销假。", "The leave is over.")


@require_POST
@needs("duties.edit", "case.dispatch")
def note(request: HttpRequest, person_id: int) -> HttpResponse:
    """Note that the person is away."""
    language, form = reader(request).language, LeaveForm(request.POST, language=reader(request).language)
    if not form.is_valid():
        return show_person(request, person_id, leave_form=form)
    values = form.cleaned_data
    try:
        actions.note_leave(
            scope_of(request), person_id, from_date=values["from_date"], until_date=values["until_date"], now=clock().now(),
        )
    except (NotFound, Refused):
        raise
    except ShouwangError as error:
        form.add_error("until_date", error.text(language))
        return show_person(request, person_id, leave_form=form)
    messages.success(request, NOTED.render(language, {}))
    return HttpResponseRedirect(reverse("people:person", args=[person_id]))


@require_POST
@needs("duties.edit", "case.dispatch")
def end(request: HttpRequest, leave_id: int) -> HttpResponse:
    """End a leave today, or drop one that lies ahead."""
    person_id = actions.end_leave(scope_of(request), leave_id, now=clock().now())
    messages.success(request, ENDED.render(reader(request).language, {}))
    return HttpResponseRedirect(reverse("people:person", args=[person_id]))
